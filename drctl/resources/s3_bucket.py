"""An S3 bucket: private, encrypted, versioned or for logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from botocore.exceptions import ClientError

from drctl.aws import tags
from drctl.aws.bucket_contents import emptied
from drctl.aws.bucket_settings import comparable_rules, read_settings
from drctl.aws.errors import code_of, is_gone, tolerating_absence
from drctl.aws.state_bucket import CREATED_BY_DEFAULT_IN
from drctl.engine.resource import Given, NotOurs, Observed, Resource, Typical, differences, resource
from drctl.resources.kms_key import KmsKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CreateBucketConfigurationTypeDef, LifecycleRuleTypeDef

    from drctl.aws.clients import Aws

ACCESS_LOGS_PREFIX = "s3"
"""Under it, in the bucket for logs, each bucket's access logs have a folder of its name."""

ABORT_UPLOADS_DAYS = 7
NONCURRENT_DAYS = 30
PUBLIC_ACCESS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


@dataclass(frozen=True)
class S3BucketOutputs:
    bucket: str
    arn: str
    domain_name: str


@resource
class S3Bucket(Resource[S3BucketOutputs]):
    """Bucket names are one for the whole world: a name that is taken is never ours without our tags.

    key: None for S3's own encryption, the only one that load balancers can deliver access logs to
    versioned: replication needs it on both sides
    logs: the bucket that keeps this one's access logs; logs_policy: only to be waited for, it lets S3 deliver there
    expire_days: when objects are deleted, for buckets of logs; None: never
    owner: ``BucketOwnerEnforced``, or ``BucketOwnerPreferred`` where CloudFront delivers its logs, through an ACL
    """

    kind: ClassVar[str] = "s3-bucket"
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})
    holds_data: ClassVar[bool] = True
    typical: ClassVar[Typical] = Typical(ready=2, gone=5)

    aws_name: str
    key: KmsKey | None
    versioned: bool
    logs: S3Bucket | None
    expire_days: int | None
    owner: Literal["BucketOwnerEnforced", "BucketOwnerPreferred"] = "BucketOwnerEnforced"
    logs_policy: Resource[Any] | None = None

    def read(self, aws: Aws, given: Given) -> Observed[S3BucketOutputs] | None:
        s3 = aws.s3(self.region)
        name = self._find(s3, given)
        if name is None:
            return None
        found: dict[str, str] = {}
        with tolerating_absence():
            found = tags.as_dict(s3.get_bucket_tagging(Bucket=name)["TagSet"])
        given.claim(self, found)
        desired = {
            "name": self.aws_name,
            "versioning": self.versioned,
            "encryption": f"{given[self.key].arn} with a bucket key" if self.key else "AES256",
            "public_access_blocked": True,
            "owner": self.owner,
            "access_logs": f"{given[self.logs].bucket}/{self._log_prefix()}" if self.logs else None,
            "lifecycle": comparable_rules(self._lifecycle()),
        }
        drift = differences({"name": name, **read_settings(s3, name)}, desired)
        return Observed(self._outputs(given, name), drift=drift)

    def create(self, aws: Aws, given: Given) -> S3BucketOutputs:
        configuration: CreateBucketConfigurationTypeDef = {"Tags": tags.as_list(given.tags(self))}
        if self.region != CREATED_BY_DEFAULT_IN:
            configuration["LocationConstraint"] = self.region  # type: ignore[typeddict-item]
        aws.s3(self.region).create_bucket(
            Bucket=self.aws_name, ObjectOwnership=self.owner, CreateBucketConfiguration=configuration
        )
        return self._outputs(given, self.aws_name)

    def update(self, aws: Aws, given: Given, observed: Observed[S3BucketOutputs]) -> None:
        s3, name, drift = aws.s3(self.region), observed.outputs.bucket, observed.drift
        if "versioning" in drift:
            s3.put_bucket_versioning(
                Bucket=name,
                VersioningConfiguration={"Status": "Enabled" if self.versioned else "Suspended"},
            )
        if "encryption" in drift:
            default: dict[str, Any] = {"SSEAlgorithm": "AES256"}
            if self.key is not None:
                default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": given[self.key].arn}
            rule: Any = {
                "ApplyServerSideEncryptionByDefault": default,
                "BucketKeyEnabled": self.key is not None,
            }
            s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
        if "public_access_blocked" in drift:
            block: Any = dict.fromkeys(PUBLIC_ACCESS, True)
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
        if "owner" in drift:
            controls: Any = {"Rules": [{"ObjectOwnership": self.owner}]}
            s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=controls)
        if "access_logs" in drift:
            logging: Any = {}
            if self.logs is not None:
                target = {"TargetBucket": given[self.logs].bucket, "TargetPrefix": self._log_prefix()}
                logging = {"LoggingEnabled": target}
            s3.put_bucket_logging(Bucket=name, BucketLoggingStatus=logging)
        if "lifecycle" in drift:
            s3.put_bucket_lifecycle_configuration(
                Bucket=name, LifecycleConfiguration={"Rules": self._lifecycle()}
            )

    def delete(self, aws: Aws, outputs: S3BucketOutputs) -> None:
        """Empties it first, a part at a time: as often as this is asked again."""
        s3 = aws.s3(self.region)
        if emptied(s3, outputs.bucket):
            s3.delete_bucket(Bucket=outputs.bucket)

    def _find(self, s3: S3Client, given: Given) -> str | None:
        """The name it has. One that another account has taken shows as 403, and so does our own without the right to
        look at it: only the list of our account's buckets tells."""
        recorded = given.recorded(self)
        for name in dict.fromkeys((recorded.bucket, self.aws_name) if recorded else (self.aws_name,)):
            try:
                s3.head_bucket(Bucket=name)
            except ClientError as error:
                if recorded is None and code_of(error) == "403" and not _in_our_account(s3, name):
                    raise NotOurs(f"the bucket name {name} is taken, and AWS denies access to it") from error
                if code_of(error) == "400":
                    s3.get_bucket_location(Bucket=name)  # an answer to HEAD has no words: this one tells them
                if not is_gone(error):
                    raise
            else:
                return name
        return None

    def _outputs(self, given: Given, name: str) -> S3BucketOutputs:
        suffix = "amazonaws.com.cn" if given.partition == "aws-cn" else "amazonaws.com"
        return S3BucketOutputs(
            name, f"arn:{given.partition}:s3:::{name}", f"{name}.s3.{self.region}.{suffix}"
        )

    def _log_prefix(self) -> str:
        return f"{ACCESS_LOGS_PREFIX}/{self.aws_name}/"

    def _lifecycle(self) -> list[LifecycleRuleTypeDef]:
        everything: LifecycleRuleTypeDef = {"Status": "Enabled", "Filter": {"Prefix": ""}}
        rules: list[LifecycleRuleTypeDef] = [
            {
                **everything,
                "ID": "unfinished-uploads",
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABORT_UPLOADS_DAYS},
            }
        ]
        if self.versioned:
            rules.append(
                {
                    **everything,
                    "ID": "noncurrent-versions",
                    "NoncurrentVersionExpiration": {"NoncurrentDays": NONCURRENT_DAYS},
                    "Expiration": {"ExpiredObjectDeleteMarker": True},
                }
            )
        if self.expire_days is not None:
            rules.append({**everything, "ID": "old-objects", "Expiration": {"Days": self.expire_days}})
        return rules


def _in_our_account(s3: S3Client, name: str) -> bool:
    pages = s3.get_paginator("list_buckets").paginate(Prefix=name)
    return any(bucket["Name"] == name for page in pages for bucket in page["Buckets"])
