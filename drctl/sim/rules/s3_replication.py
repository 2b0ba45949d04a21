"""What S3 refuses in a replication configuration."""

from __future__ import annotations

from typing import Any

from drctl.sim.call import Call, Refused
from drctl.sim.lifecycle.iam import role_usable
from drctl.sim.lifecycle.s3 import bucket_name, find_bucket, require_bucket
from drctl.sim.registry import rule
from drctl.sim.world import World

SCHEMA = (
    "for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more "
    "information."
)


@rule(
    "s3",
    "PutBucketReplication",
    source="InvalidRequest \"Versioning must be 'Enabled' on the bucket to apply a replication configuration\"; "
    '"Destination bucket must exist."; "Destination bucket must have versioning enabled."',
)
def both_buckets_are_versioned(call: Call, world: World) -> None:
    if not require_bucket(call.account, call.params["Bucket"]).is_versioned:
        raise invalid("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
    for one in call.params["ReplicationConfiguration"]["Rules"]:
        target = find_bucket(call.account, bucket_name(one["Destination"]["Bucket"]))
        if target is None:
            raise invalid("Destination bucket must exist.")
        if not target.is_versioned:
            raise invalid("Destination bucket must have versioning enabled.")
        if target.name == call.params["Bucket"]:
            raise invalid("Destination bucket cannot be the same as the source bucket.")


@rule(
    "s3",
    "PutBucketReplication",
    source='S3 user guide, "Setting up permissions for live replication" and "Amazon S3 replication failure reasons": '
    "AssumeRoleNotPermitted. AWS is documented to say so when objects replicate; it is said earlier here",
)
def replication_role_is_usable(call: Call, world: World) -> None:
    if not role_usable(
        world, call.account, call.params["ReplicationConfiguration"]["Role"], "s3.amazonaws.com"
    ):
        raise invalid("Amazon S3 can not assume the IAM role specified in replication configuration")


@rule(
    "s3",
    "PutBucketReplication",
    source='InvalidRequest "DeleteMarkerReplication must be specified for this version of Cross Region Replication '
    'configuration schema."; "Priority must be specified ..."; "ReplicaKmsKeyID must be specified if '
    'SseKmsEncryptedObjects tag is present."; "Using S3 Replication Time Control": 15 minutes, metrics on',
)
def replication_rules_are_complete(call: Call, world: World) -> None:
    for one in call.params["ReplicationConfiguration"]["Rules"]:
        if "Filter" in one:
            for field in ("DeleteMarkerReplication", "Priority"):
                if field not in one:
                    raise invalid(f"{field} must be specified {SCHEMA}")
        require_keys(one)
        require_time_control(one["Destination"])


def require_keys(one: dict[str, Any]) -> None:
    """KMS-encrypted objects replicate only with both halves: selected at the source, a key at the destination."""
    selected = "SseKmsEncryptedObjects" in one.get("SourceSelectionCriteria", {})
    keyed = "ReplicaKmsKeyID" in one["Destination"].get("EncryptionConfiguration", {})
    if selected and not keyed:
        raise invalid("ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present.")
    if keyed and not selected:
        raise invalid("SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present.")


def require_time_control(destination: dict[str, Any]) -> None:
    control, metrics = destination.get("ReplicationTime"), destination.get("Metrics")
    if control is None or control["Status"] != "Enabled":
        return
    if control["Time"].get("Minutes") != 15:
        raise invalid("ReplicationTime must be 15 minutes.")
    if metrics is None or metrics["Status"] != "Enabled":
        raise invalid("Metrics must be enabled if ReplicationTime is enabled.")


def invalid(message: str) -> Refused:
    return Refused("InvalidRequest", message)
