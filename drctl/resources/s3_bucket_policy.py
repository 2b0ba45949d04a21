"""Who else may use a bucket: TLS for everybody, and AWS services that deliver to it or read from it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from drctl.aws.errors import tolerating_absence
from drctl.aws.policy_document import canonical, tls_only
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.s3_bucket import ACCESS_LOGS_PREFIX, S3Bucket

if TYPE_CHECKING:
    from drctl.aws.clients import Aws

LOAD_BALANCER_LOGS_PREFIX = "alb"
"""Where in a bucket for logs the load balancers' are."""


@dataclass(frozen=True)
class S3BucketPolicyOutputs:
    bucket: str


@resource
class S3BucketPolicy(Resource[S3BucketPolicyOutputs]):
    """The whole policy of a bucket. It carries no tags: it is ours because its bucket is.

    receives_logs: load balancers and other buckets of this account deliver their access logs here
    distribution: a Distribution that reads from here. Not typed as one: it refers, by way of the load balancers, to the
        policy of the bucket for logs
    """

    kind: ClassVar[str] = "s3-bucket-policy"

    bucket: S3Bucket
    receives_logs: bool = False
    distribution: Resource[Any] | None = None

    def read(self, aws: Aws, given: Given) -> Observed[S3BucketPolicyOutputs] | None:
        recorded = given.recorded(self)
        bucket = recorded.bucket if recorded else given[self.bucket].bucket
        with tolerating_absence():
            found = aws.s3(self.region).get_bucket_policy(Bucket=bucket)["Policy"]
            drift = differences(
                {"statements": canonical(found)}, {"statements": canonical(self._document(given))}
            )
            return Observed(S3BucketPolicyOutputs(bucket), drift=drift)
        return None

    def create(self, aws: Aws, given: Given) -> S3BucketPolicyOutputs:
        bucket = given[self.bucket].bucket
        aws.s3(self.region).put_bucket_policy(Bucket=bucket, Policy=json.dumps(self._document(given)))
        return S3BucketPolicyOutputs(bucket)

    def update(self, aws: Aws, given: Given, observed: Observed[S3BucketPolicyOutputs]) -> None:
        self.create(aws, given)

    def delete(self, aws: Aws, outputs: S3BucketPolicyOutputs) -> None:
        aws.s3(self.region).delete_bucket_policy(Bucket=outputs.bucket)

    def _document(self, given: Given) -> dict[str, Any]:
        arn = given[self.bucket].arn
        statements = [tls_only(arn)]
        if self.receives_logs:
            statements += _log_delivery(arn, given.account)
        if self.distribution is not None:
            reads = _allow("cloudfront.amazonaws.com", "s3:GetObject", f"{arn}/*")
            statements.append({**reads, **_only_for("AWS:SourceArn", given[self.distribution].arn)})
        return {"Version": "2012-10-17", "Statement": statements}


def _log_delivery(arn: str, account: str) -> list[dict[str, Any]]:
    """ELB writes to a folder named after the account that owns the load balancer, which is what keeps other accounts'
    out (its user guide, "Enable access logs"); S3 says for whom it delivers (its user guide, "Enabling server access
    logging")."""
    balancers = _allow(
        "logdelivery.elasticloadbalancing.amazonaws.com",
        "s3:PutObject",
        f"{arn}/{LOAD_BALANCER_LOGS_PREFIX}/AWSLogs/{account}/*",
    )
    buckets = _allow("logging.s3.amazonaws.com", "s3:PutObject", f"{arn}/{ACCESS_LOGS_PREFIX}/*")
    return [balancers, {**buckets, **_only_for("aws:SourceAccount", account)}]


def _allow(service: str, action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource}


def _only_for(key: str, value: str) -> dict[str, Any]:
    return {"Condition": {"StringEquals": {key: value}}}
