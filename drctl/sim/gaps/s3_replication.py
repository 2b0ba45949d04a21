"""Objects reach the other bucket a few seconds later, as the rules of the source bucket say."""

from __future__ import annotations

import copy
from typing import Any

from moto.s3.models import FakeDeleteMarker, FakeKey

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.lifecycle.iam import role_usable
from drctl.sim.lifecycle.kms import usable_key
from drctl.sim.lifecycle.s3 import (
    STATUS_HEADER,
    bucket_name,
    default_encryption,
    find_bucket,
    find_version,
    replication_of,
    versions,
)
from drctl.sim.motion import replication
from drctl.sim.registry import after, event
from drctl.sim.world import World

FAILED = "s3-replication-failures"
"""Section: link -> how many objects failed to replicate and have not been published as a metric yet."""


@after("s3", "PutObject", "CopyObject", "CompleteMultipartUpload")
def replicate_object(call: Call, world: World, answer: Answer) -> None:
    bucket = find_bucket(call.account, call.params["Bucket"])
    written = find_version(bucket, call.params["Key"], answer.get("VersionId")) if bucket else None
    if bucket is None or written is None:
        return
    # A copy takes its source's metadata along, the status of that object among them.
    written.metadata.pop(STATUS_HEADER, None)
    rule = matching(world, bucket.name, written.name)
    if rule is None or (written.encryption == "aws:kms" and not replicates_kms(rule)):
        return
    written.metadata[STATUS_HEADER] = "PENDING"
    ship(world, call.account, bucket, written, rule)


@after("s3", "DeleteObject", "DeleteObjects")
def replicate_markers(call: Call, world: World, answer: Answer) -> None:
    """Delete markers if the rule says so; the deletion of a version is never replicated."""
    wanted = call.params
    deleted = wanted["Delete"]["Objects"] if "Delete" in wanted else [wanted]
    bucket = find_bucket(call.account, wanted["Bucket"])
    for one in deleted:
        rule = matching(world, wanted["Bucket"], one["Key"])
        if bucket is None or rule is None or "VersionId" in one:
            continue
        left = versions(bucket, one["Key"])
        enabled = rule.get("DeleteMarkerReplication", {}).get("Status") == "Enabled"
        if enabled and left and isinstance(left[-1], FakeDeleteMarker):
            ship(world, call.account, bucket, left[-1], rule)


def matching(world: World, bucket: str, key: str) -> dict[str, Any] | None:
    """The enabled rule of the highest priority whose prefix fits."""
    configuration = replication_of(world, bucket)
    fitting = [
        rule
        for rule in (configuration or {}).get("Rules", [])
        if rule["Status"] == "Enabled" and key.startswith(prefix(rule))
    ]
    return max(fitting, key=lambda rule: int(rule.get("Priority", 0)), default=None)


def prefix(rule: dict[str, Any]) -> str:
    chosen = rule.get("Filter", {})
    return str(rule.get("Prefix") or chosen.get("Prefix") or chosen.get("And", {}).get("Prefix") or "")


def replicates_kms(rule: dict[str, Any]) -> bool:
    selected = rule.get("SourceSelectionCriteria", {}).get("SseKmsEncryptedObjects", {})
    return bool(selected.get("Status") == "Enabled")


def ship(world: World, account: str, source: Any, version: Any, rule: dict[str, Any]) -> None:
    destination = rule["Destination"]
    way = link(account, source, rule)
    replication.send(
        world,
        way,
        "s3-object-replicates",
        account=account,
        source=source.name,
        target=bucket_name(destination["Bucket"]),
        name=version.name,
        version=str(version.version_id),
        key=destination.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID"),
        role=(replication_of(world, source.name) or {}).get("Role", ""),
        link=way,
    )


def link(account: str, source: Any, rule: dict[str, Any]) -> replication.Link:
    """From a bucket to another, by one rule. A bucket that does not exist is nowhere else."""
    name = bucket_name(rule["Destination"]["Bucket"])
    target = find_bucket(account, name)
    region = target.region_name if target else source.region_name
    return replication.Link("bucket", source.region_name, region, (account, source.name, name, rule["ID"]))


@event("s3-object-replicates")
def object_replicates(world: World, moto: Moto, data: dict[str, Any]) -> None:
    source = find_bucket(data["account"], data["source"])
    target = find_bucket(data["account"], data["target"])
    if source is None:
        return
    found = [v for v in versions(source, data["name"]) if str(v.version_id) == data["version"]]
    if not found:
        return
    version = found[0]
    # "Amazon S3 replication failure reasons": AssumeRoleNotPermitted, DstBucketNotFound, DstBucketUnversioned.
    assumable = role_usable(world, data["account"], data["role"], "s3.amazonaws.com")
    can = assumable and target is not None and target.is_versioned
    if isinstance(version, FakeKey):
        key = usable_key(data["account"], target.region_name, data["key"]) if target and data["key"] else None
        if version.encryption == "aws:kms" and key is None:
            can = False
        version.metadata[STATUS_HEADER] = "COMPLETED" if can else "FAILED"
        if not can:
            failed = world.section(FAILED)
            failed[data["link"]] = failed.get(data["link"], 0) + 1
        if target is not None and can:
            add(target, replica(version, target, key))
    elif target is not None and can:
        marker = FakeDeleteMarker(key=version.key)
        marker._version_id = version.version_id
        add(target, marker)


def replica(version: FakeKey, target: Any, key: str | None) -> FakeKey:
    """The same version in the other bucket: id, ETag, metadata and date stay, the key is the rule's."""
    kms = version.encryption == "aws:kms"
    made = FakeKey(
        name=version.name,
        bucket_name=target.name,
        value=version.value,
        account_id=version.account_id,
        region_name=target.region_name,
        storage=version.storage_class,
        etag=version.etag.strip('"') if version.multipart else None,
        is_versioned=True,
        version_id=version.version_id,
        encryption="aws:kms" if kms else version.encryption or default_encryption(target)[0],
        kms_key_id=key if kms else None,
        bucket_key_enabled=version.bucket_key_enabled,
        checksum_value=version.checksum_value,
    )
    made.checksum_algorithm = version.checksum_algorithm
    made.set_metadata(copy.copy(version.metadata))
    made.metadata[STATUS_HEADER] = "REPLICA"
    made.last_modified = version.last_modified
    return made


def add(target: Any, version: Any) -> None:
    """As the latest, unless it has come already."""
    there = versions(target, version.name)
    if str(version.version_id) not in [str(v.version_id) for v in there]:
        target.keys.setlist(version.name, [*there, version])
