"""The bucket in which a team keeps an environment's state: in the standby region, ours by its tags, private, versioned.

S3 says that GET may answer NoSuchKey for some minutes after versioning was first enabled ("Enabling versioning on
buckets", S3 user guide). Nothing that is kept here is taken for absent on that word alone: whoever writes does so on a
condition, which S3 judges at the write, and the lock tells whether there must be a state (see team_lease.py).
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drctl.aws import tags
from drctl.aws.errors import code_of, is_gone, tolerating_absence, tolerating_existence
from drctl.aws.policy_document import tls_only
from drctl.aws.state_objects import PAUSES_S
from drctl.engine.resource import NotOurs

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CreateBucketConfigurationTypeDef

    from drctl.aws.clients import Aws

CREATED_BY_DEFAULT_IN = "us-east-1"
"""The one region that must not be named in a CreateBucket (S3 API reference)."""

NONCURRENT_DAYS = 90
"""So long what was overwritten or deleted can be brought back."""

BLOCKED: Any = dict.fromkeys(
    ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
)


class StateBucket:
    """One environment's bucket in one account and region.

    Every call names the account that must own it (ExpectedBucketOwner): whoever guessed the name and made a bucket of
    it first gets nothing ("Verifying bucket ownership with bucket owner condition", S3 user guide).
    """

    def __init__(self, aws: Aws, environment: str, account: str, region: str) -> None:
        self.environment, self.account, self.region = environment, account, region
        self._aws = aws
        self.name = f"drctl-{environment}-state-{account}-{region}"
        self.s3: S3Client = aws.s3(region)
        self.ours: dict[str, Any] = {"Bucket": self.name, "ExpectedBucketOwner": account}

    def prepare(self) -> None:
        """Make it unless it is there, and give it its settings. Every call can be repeated: a crash in between is made
        good by the next time. Raises NotOurs, ClientError."""
        made = False
        try:
            self.s3.head_bucket(**self.ours)
        except ClientError as error:
            if code_of(error) == "403":
                raise NotOurs(f"the bucket name {self.name} is taken, and AWS denies access to it") from error
            if not is_gone(error):
                raise
            self._create()
            made = True
        self._refuse_strangers(PAUSES_S if made else ())
        self.s3.put_public_access_block(**self.ours, PublicAccessBlockConfiguration=BLOCKED)
        self.s3.put_bucket_policy(**self.ours, Policy=self._policy())
        self.s3.put_bucket_lifecycle_configuration(
            **self.ours, LifecycleConfiguration={"Rules": _lifecycle()}
        )
        self.s3.put_bucket_versioning(**self.ours, VersioningConfiguration={"Status": "Enabled"})

    def delete(self) -> None:
        """Delete it, empty as it must be; gone is well. Raises ClientError, BucketNotEmpty among others."""
        with tolerating_absence():
            self.s3.delete_bucket(**self.ours)

    def _create(self) -> None:
        """With its tag in the same call: none of ours is ever without. It has no address: it is no resource, and
        who looks for strays must not find it. CreateBucket knows no owner condition: STS tells whose it would be."""
        caller = self._aws.identity(self.region).account
        if caller != self.account:
            raise NotOurs(f"{self.name} would be made in {caller}, the account of these credentials")
        configuration: CreateBucketConfigurationTypeDef = {
            "Tags": tags.as_list({"drctl:environment": self.environment})
        }
        if self.region != CREATED_BY_DEFAULT_IN:
            configuration["LocationConstraint"] = self.region  # type: ignore[typeddict-item]
        with tolerating_existence():  # by another first run at the same moment, or by an answer that was lost
            self.s3.create_bucket(
                Bucket=self.name,
                ObjectOwnership="BucketOwnerEnforced",
                CreateBucketConfiguration=configuration,
            )

    def _refuse_strangers(self, pauses: tuple[float, ...]) -> None:
        """pauses: real seconds before another look at the tags of a bucket that was just made"""
        for pause in (*pauses, None):
            found: dict[str, str] = {}
            with tolerating_absence():
                found = tags.as_dict(self.s3.get_bucket_tagging(**self.ours)["TagSet"])
            if found or pause is None:
                break
            time.sleep(pause)
        if found.get("drctl:environment") != self.environment:
            raise NotOurs(
                f"the bucket {self.name} is there and does not carry the tag drctl:environment={self.environment}"
            )

    def _policy(self) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [tls_only(f"arn:aws:s3:::{self.name}")]})


def _lifecycle() -> Any:
    return [
        {
            "ID": "noncurrent-versions",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": NONCURRENT_DAYS},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
        }
    ]
