"""Keys and secrets of a built environment, as AWS shows them (docs: one key per region, one secret in both)."""

from __future__ import annotations

import json

import pytest

from tests.environment import ENVIRONMENT, Built, P, S

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)
ACCOUNT = "123456789012"


def test_one_rotated_tagged_key_in_each_region_under_the_environments_alias(built: Built) -> None:
    for region in (P, S):
        kms = built.client("kms", region)
        key = kms.describe_key(KeyId="alias/demo")["KeyMetadata"]
        assert (key["KeyManager"], key["KeyState"]) == ("CUSTOMER", "Enabled")
        assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
        tags = {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]}
        assert tags["drctl:environment"] == "demo"
        assert tags["drctl:address"] == f"{region}/kms-key/main"


def test_the_key_lets_in_the_account_and_each_service_that_needs_it(built: Built) -> None:
    for region in (P, S):
        kms = built.client("kms", region)
        key = kms.describe_key(KeyId="alias/demo")["KeyMetadata"]["KeyId"]
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        services: dict[str, dict[str, object]] = {}
        for statement in policy["Statement"]:
            principal = statement["Principal"]
            assert principal != "*"
            if "AWS" in principal:
                assert principal["AWS"] == f"arn:aws:iam::{ACCOUNT}:root"
                continue
            named = principal["Service"]
            for service in [named] if isinstance(named, str) else named:
                services[service] = statement.get("Condition", {})
        assert {f"logs.{region}.amazonaws.com", "cloudwatch.amazonaws.com"} <= services.keys()
        assert {"sns.amazonaws.com", "sqs.amazonaws.com", "events.amazonaws.com"} <= services.keys()
        assert "kms:EncryptionContext:aws:logs:arn" in json.dumps(services[f"logs.{region}.amazonaws.com"])


def test_the_password_is_a_secret_under_ps_key_with_a_replica_under_ss_key(built: Built) -> None:
    secrets = built.client("secretsmanager", P)
    shown = secrets.describe_secret(SecretId="demo/database")
    assert shown["KmsKeyId"] == _key(built, P)
    (replica,) = shown["ReplicationStatus"]
    assert (replica["Region"], replica["Status"]) == (S, "InSync")
    assert replica["KmsKeyId"] == _key(built, S)
    there = built.client("secretsmanager", S)
    assert there.describe_secret(SecretId="demo/database")["KmsKeyId"] == _key(built, S)
    assert (
        there.get_secret_value(SecretId="demo/database")["SecretString"]
        == secrets.get_secret_value(SecretId="demo/database")["SecretString"]
    )


def test_the_password_is_nowhere_but_in_the_secret(built: Built) -> None:
    value = built.client("secretsmanager", P).get_secret_value(SecretId="demo/database")["SecretString"]
    password = json.loads(value)["password"]
    assert len(password) >= 20
    assert password not in built.first_up.out + built.first_up.err
    files = [path for path in built.state.iterdir() if path.is_file()]
    assert "demo.json" in {path.name for path in files}
    for path in files:
        assert password not in path.read_text(encoding="utf-8"), path
        assert path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"


def _key(built: Built, region: str) -> str:
    arn: str = built.client("kms", region).describe_key(KeyId="alias/demo")["KeyMetadata"]["Arn"]
    return arn
