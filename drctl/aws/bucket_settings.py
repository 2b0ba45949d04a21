"""A bucket's settings as S3 shows them, in the shape in which they can be compared with what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from drctl.aws.errors import tolerating_absence
from drctl.aws.policy_document import canonical

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def read_settings(s3: S3Client, bucket: str) -> dict[str, object]:
    """versioning (bool), encryption (algorithm and key), public_access_blocked (bool, all four of them), owner,
    access_logs (``bucket/prefix`` or None), lifecycle (see ``comparable_rules``). What was never set is None."""
    settings: dict[str, object] = {
        "versioning": s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled",
        "public_access_blocked": False,
        "lifecycle": comparable_rules([]),
    }
    with tolerating_absence():
        encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
        default = encryption.get("ApplyServerSideEncryptionByDefault")
        if default is not None and default["SSEAlgorithm"] == "aws:kms":
            bucket_key = "with" if encryption.get("BucketKeyEnabled") else "without"
            settings["encryption"] = f"{default.get('KMSMasterKeyID')} {bucket_key} a bucket key"
        elif default is not None:
            settings["encryption"] = default["SSEAlgorithm"]
    with tolerating_absence():
        blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        settings["public_access_blocked"] = all(blocked.values())
    with tolerating_absence():
        controls = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
        settings["owner"] = controls["Rules"][0]["ObjectOwnership"]
    logging = s3.get_bucket_logging(Bucket=bucket).get("LoggingEnabled")
    if logging:
        settings["access_logs"] = f"{logging['TargetBucket']}/{logging['TargetPrefix']}"
    with tolerating_absence():
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        settings["lifecycle"] = comparable_rules(rules)
    return settings


def comparable_rules(rules: Iterable[Mapping[str, object]]) -> str:
    """Lifecycle rules as text: the same for rules that do the same, whether S3 leaves an empty filter out or not."""
    plain = []
    for rule in rules:
        everything = {"Prefix": rule.get("Prefix") or ""}
        others = {key: value for key, value in rule.items() if key != "Prefix"}
        plain.append({**others, "Filter": rule.get("Filter") or everything})
    return canonical(plain)
