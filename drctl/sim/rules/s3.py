"""What S3 refuses about buckets: names, policies, logging and access control lists."""

from __future__ import annotations

import json
import re
from typing import Any

from drctl.sim.call import Call, Refused
from drctl.sim.lifecycle.iam import principals, statements
from drctl.sim.lifecycle.kms import find_key
from drctl.sim.lifecycle.s3 import (
    default_encryption,
    find_bucket,
    find_version,
    is_public,
    replication_of,
    require_bucket,
)
from drctl.sim.registry import rule
from drctl.sim.rules.iam import ROOT, identity_exists
from drctl.sim.world import World

NAME = re.compile(
    r"^(?!xn--|sthree-)(?!.*-s3alias$)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
)
LOGGING = "logging.s3.amazonaws.com"


@rule(
    "s3",
    "CreateBucket",
    source='InvalidBucketName "The specified bucket is not valid."; "Bucket naming rules"',
)
def bucket_name_is_valid(call: Call, world: World) -> None:
    if not NAME.match(call.params["Bucket"]):
        raise Refused("InvalidBucketName", "The specified bucket is not valid.")


@rule(
    "s3",
    "PutBucketPolicy",
    source='MalformedPolicy "Policies must be valid JSON and the first byte must be \'{\'"; "Missing required field '
    'Principal"; "Policy has invalid resource"; "Invalid principal in policy"',
)
def policy_is_sound(call: Call, world: World) -> None:
    name, text = call.params["Bucket"], call.params["Policy"]
    require_bucket(call.account, name)
    try:
        document = json.loads(text)
    except ValueError:
        raise malformed("Policies must be valid JSON and the first byte must be '{'") from None
    if not isinstance(document, dict) or not statements(document):
        raise malformed("Missing required field Statement")
    for statement in statements(document):
        for field in ("Effect", "Principal", "Action", "Resource"):
            if field not in statement and f"Not{field}" not in statement:
                raise malformed(f"Missing required field {field}")
        if not all(action == "*" or action.startswith("s3:") for action in listed(statement.get("Action"))):
            raise malformed("Policy has invalid action")
        arn = f"arn:aws:s3:::{name}"
        if not all(r == arn or r.startswith(f"{arn}/") for r in listed(statement.get("Resource"))):
            raise malformed("Policy has invalid resource")
        for principal in principals(statement, "AWS"):
            origin = principal.startswith("arn:aws:iam::cloudfront:user/")
            if not (
                principal == "*" or ROOT.match(principal) or origin or identity_exists(call, world, principal)
            ):
                raise malformed("Invalid principal in policy")


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


@rule(
    "s3",
    "PutBucketPolicy",
    source='AccessDenied "... because public policies are prevented by the BlockPublicPolicy setting in S3 Block '
    'Public Access."',
)
def public_policy_is_blocked(call: Call, world: World) -> None:
    block = require_bucket(call.account, call.params["Bucket"]).public_access_block
    blocked = block is not None and str(block.block_public_policy).lower() == "true"
    if blocked and is_public(call.params["Policy"]):
        raise Refused(
            "AccessDenied",
            f"User: arn:aws:iam::{call.account}:root is not authorized to perform: s3:PutBucketPolicy on resource: "
            f'"arn:aws:s3:::{call.params["Bucket"]}" because public policies are prevented by the BlockPublicPolicy '
            "setting in S3 Block Public Access.",
            403,
        )


@rule(
    "s3",
    "PutBucketLogging",
    source='InvalidTargetBucketForLogging; CrossLocationLoggingProhibited; S3 user guide, "Enabling Amazon S3 server '
    "access logging\": the target's policy lets logging.s3.amazonaws.com put objects",
)
def log_bucket_takes_logs(call: Call, world: World) -> None:
    bucket = require_bucket(call.account, call.params["Bucket"])
    enabled = call.params["BucketLoggingStatus"].get("LoggingEnabled")
    if not enabled:
        return
    target = find_bucket(call.account, enabled["TargetBucket"])
    if target is None:
        raise Refused("InvalidTargetBucketForLogging", "The target bucket for logging does not exist")
    if target.region_name != bucket.region_name:
        raise Refused(
            "CrossLocationLoggingProhibited",
            "Cross S3 location logging not allowed. "
            f"The target bucket is in {target.region_name}, the source bucket in {bucket.region_name}.",
            403,
        )
    if not lets_log(target, enabled.get("TargetPrefix", "")):
        raise Refused(
            "InvalidTargetBucketForLogging",
            "You must either provide the necessary permissions to the logging service using a bucket policy or give "
            "the log-delivery group WRITE and READ_ACP permissions to the target bucket",
        )


def lets_log(target: Any, prefix: str) -> bool:
    wanted = f"arn:aws:s3:::{target.name}/{prefix}"
    for statement in statements(json.loads(target.policy or b"{}")):
        resources = listed(statement.get("Resource"))
        if (
            statement.get("Effect") == "Allow"
            and LOGGING in principals(statement, "Service")
            and {"s3:PutObject", "s3:*", "s3:Put*", "*"} & set(listed(statement.get("Action")))
            and any(r.endswith("*") and wanted.startswith(r.rstrip("*")) for r in resources)
        ):
            return True
    return False


@rule(
    "s3",
    "PutBucketAcl",
    "PutObjectAcl",
    "PutObject",
    "CreateMultipartUpload",
    source='AccessControlListNotSupported "The bucket does not allow ACLs"; "Controlling ownership of objects"',
)
def enforced_owner_takes_no_acl(call: Call, world: World) -> None:
    bucket = require_bucket(call.account, call.params["Bucket"])
    harmless = "private" if call.operation == "PutBucketAcl" else "bucket-owner-full-control"
    grants = {"AccessControlPolicy", "GrantFullControl", "GrantRead", "GrantWrite"} & set(call.params)
    asked = grants or call.params.get("ACL", harmless) != harmless
    if bucket.ownership_rule == "BucketOwnerEnforced" and asked:
        raise Refused("AccessControlListNotSupported", "The bucket does not allow ACLs")


@rule(
    "s3",
    "PutBucketVersioning",
    source='InvalidBucketState "A replication configuration is present on this bucket, so you cannot change the '
    'versioning state."',
)
def replicated_bucket_stays_versioned(call: Call, world: World) -> None:
    status = call.params["VersioningConfiguration"].get("Status")
    if status == "Suspended" and replication_of(world, call.params["Bucket"]) is not None:
        raise Refused(
            "InvalidBucketState",
            "A replication configuration is present on this bucket, so you cannot change the versioning state. To "
            "change the versioning state, first delete the replication configuration.",
            409,
        )


@rule(
    "s3",
    "PutObject",
    "CopyObject",
    "CreateMultipartUpload",
    source='KMS.DisabledException, KMS.NotFoundException, KMS.KMSInvalidStateException: S3 user guide, "Using SSE-KMS"',
)
def object_key_can_encrypt(call: Call, world: World) -> None:
    bucket = require_bucket(call.account, call.params["Bucket"])
    algorithm, key = default_encryption(bucket)
    algorithm = call.params.get("ServerSideEncryption", algorithm)
    key = call.params.get("SSEKMSKeyId", key)
    if algorithm == "aws:kms" and key is not None:
        require_working(call.account, bucket.region_name, key)


@rule("s3", "GetObject", source='KMS.DisabledException, KMS.KMSInvalidStateException: "Using SSE-KMS"')
def object_key_can_decrypt(call: Call, world: World) -> None:
    bucket = find_bucket(call.account, call.params["Bucket"])
    found = find_version(bucket, call.params["Key"], call.params.get("VersionId")) if bucket else None
    if bucket is not None and found is not None and found.encryption == "aws:kms" and found.kms_key_id:
        require_working(call.account, bucket.region_name, found.kms_key_id)


def require_working(account: str, region: str, key_id: str) -> None:
    if key_id.split(":")[-1].startswith("alias/aws/"):
        return
    key = find_key(account, region, key_id)
    if key is None:
        raise Refused("KMS.NotFoundException", f"Key '{key_id}' does not exist")
    if key.key_state == "PendingDeletion":
        raise Refused("KMS.KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if key.key_state != "Enabled":
        raise Refused("KMS.DisabledException", f"{key.arn} is disabled.")


def malformed(message: str) -> Refused:
    return Refused("MalformedPolicy", message)
