"""What a new bucket has today, and the settings of buckets that moto drops or bends."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.lifecycle.s3 import REPLICATION, find_bucket, replication_of, require_bucket
from drctl.sim.registry import after, gap
from drctl.sim.world import World

SSE_S3 = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
}
BLOCKED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@gap("s3", "CreateBucket")
def create_bucket(call: Call, world: World, moto: Moto) -> Answer:
    """Encrypted, private and owned by the bucket's owner: "Default settings for new S3 buckets", since April 2023."""
    name = call.params["Bucket"]
    existed = find_bucket(call.account, name) is not None
    answer = moto(call)
    if existed:
        return answer
    ownership = call.params.get("ObjectOwnership", "BucketOwnerEnforced")
    for operation, member, value in (
        ("PutBucketEncryption", "ServerSideEncryptionConfiguration", SSE_S3),
        ("PutPublicAccessBlock", "PublicAccessBlockConfiguration", BLOCKED),
        ("PutBucketOwnershipControls", "OwnershipControls", {"Rules": [{"ObjectOwnership": ownership}]}),
    ):
        moto(replace(call, operation=operation, params={"Bucket": name, member: value}))
    if tags := call.params.get("CreateBucketConfiguration", {}).get("Tags"):
        tagging = {"Bucket": name, "Tagging": {"TagSet": tags}}
        moto(replace(call, operation="PutBucketTagging", params=tagging))
    return answer


@gap("s3", "DeleteBucketEncryption")
def delete_encryption(call: Call, world: World, moto: Moto) -> Answer:
    """Encryption cannot be off: it goes back to SSE-S3 (DeleteBucketEncryption API reference)."""
    params = {"Bucket": call.params["Bucket"], "ServerSideEncryptionConfiguration": SSE_S3}
    return moto(replace(call, operation="PutBucketEncryption", params=params))


@gap("s3", "PutBucketLogging")
def put_logging(call: Call, world: World, moto: Moto) -> Answer:
    """The rules have looked at the target's policy; moto's own look fails on policies it does not expect."""
    enabled = call.params["BucketLoggingStatus"].get("LoggingEnabled")
    bucket = require_bucket(call.account, call.params["Bucket"])
    bucket.logging = dict(enabled) if enabled else {}
    return {}


@gap("s3", "GetBucketLogging")
def get_logging(call: Call, world: World, moto: Moto) -> Answer:
    logging = require_bucket(call.account, call.params["Bucket"]).logging
    return {"LoggingEnabled": dict(logging)} if logging else {}


@gap("s3", "PutBucketReplication")
def put_replication(call: Call, world: World, moto: Moto) -> Answer:
    """moto drops SourceSelectionCriteria, the filter and the replication of delete markers."""
    configuration: dict[str, Any] = copy.deepcopy(call.params["ReplicationConfiguration"])
    for number, rule in enumerate(configuration["Rules"]):
        rule.setdefault("ID", f"rule-{number + 1}")
    world.section(REPLICATION)[call.params["Bucket"]] = configuration
    return {}


@gap("s3", "GetBucketReplication")
def get_replication(call: Call, world: World, moto: Moto) -> Answer:
    name = call.params["Bucket"]
    require_bucket(call.account, name)
    configuration = replication_of(world, name)
    if configuration is None:
        raise Refused(
            "ReplicationConfigurationNotFoundError", "The replication configuration was not found", 404
        )
    return {"ReplicationConfiguration": configuration}


@gap("s3", "DeleteBucketReplication")
def delete_replication(call: Call, world: World, moto: Moto) -> Answer:
    require_bucket(call.account, call.params["Bucket"])
    world.section(REPLICATION).pop(call.params["Bucket"], None)
    return {}


@after("s3", "DeleteBucket")
def forget_bucket(call: Call, world: World, answer: Answer) -> None:
    world.section(REPLICATION).pop(call.params["Bucket"], None)
