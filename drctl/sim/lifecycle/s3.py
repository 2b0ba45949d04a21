"""Buckets and objects of moto, and what their policies and encryption mean."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket, FakeKey, s3_backends

from drctl.sim.call import Refused
from drctl.sim.lifecycle.iam import principals, statements
from drctl.sim.world import World

REPLICATION = "s3-replication"
"""Section: bucket -> its ReplicationConfiguration, all fields kept."""
STATUS_HEADER = "x-amz-replication-status"


def _no_permission(*_: Any) -> PermissionResult:
    """moto refuses by bucket policy but does not read conditions: it would take "deny all but TLS" for "deny
    all". Nobody is authorised by policy anywhere in the simulator, so nobody is here."""
    return PermissionResult.NEUTRAL


FakeBucket.get_permission = _no_permission  # type: ignore[method-assign,assignment]


def find_bucket(account: str, name: str) -> Any | None:
    return s3_backends[account]["aws"].buckets.get(name)


def require_bucket(account: str, name: str) -> Any:
    bucket = find_bucket(account, name)
    if bucket is None:
        raise Refused("NoSuchBucket", "The specified bucket does not exist", 404)
    return bucket


def bucket_name(arn_or_name: str) -> str:
    return arn_or_name.removeprefix("arn:aws:s3:::")


def replication_of(world: World, bucket: str) -> dict[str, Any] | None:
    return world.section(REPLICATION).get(bucket)


def versions(bucket: Any, key: str) -> list[Any]:
    """Everything under a key, oldest first: FakeKey and FakeDeleteMarker."""
    return list(bucket.keys.getlist(key, []))


def find_version(bucket: Any, key: str, version: str | None) -> Any | None:
    """A version of an object, the latest unless named; None for a delete marker."""
    found = [v for v in versions(bucket, key) if version is None or str(v.version_id) == version]
    return found[-1] if found and isinstance(found[-1], FakeKey) else None


def default_encryption(bucket: Any) -> tuple[str, str | None]:
    """Algorithm and key that the bucket gives to objects which name none."""
    rule = ((bucket.encryption or {}).get("Rule") or {}).get("ApplyServerSideEncryptionByDefault") or {}
    return rule.get("SSEAlgorithm", "AES256"), rule.get("KMSMasterKeyID")


NARROWING = {
    *("aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce"),
    *("aws:principalorgid", "aws:principalarn", "aws:principalaccount", "aws:userid", "aws:sourceip"),
    *("s3:dataaccesspointarn", "s3:x-amz-server-side-encryption-aws-kms-key-id"),
}
"""Condition keys that make a statement for everybody not public ("The meaning of 'public'", S3 user guide)."""


def is_public(policy: str) -> bool:
    """Whether S3 calls a bucket policy public. A Deny for everybody is not, nor is an AWS service."""
    for statement in statements(json.loads(policy)):
        keys = {key.lower() for test in statement.get("Condition", {}).values() for key in test}
        if (
            statement.get("Effect") == "Allow"
            and "*" in principals(statement, "AWS")
            and not keys & NARROWING
        ):
            return True
    return False
