"""KMS of the simulator: keys on their way out, policies that lock nobody out, rotation as asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Sim

DAY = 86_400.0
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
    "Action": "kms:*",
    "Resource": "*",
}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def use_by(principal: dict[str, str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "kms:Decrypt", "Resource": "*"}


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    "text",
    [
        "{",
        policy(),
        policy(use_by({"Service": "logs.us-east-1.amazonaws.com"})),
        policy(ROOT, use_by({"AWS": "arn:aws:iam::123456789012:role/nobody"})),
        policy(ROOT, use_by({"Service": "logs"})),
        policy({"Effect": "Allow", "Principal": "*", "Action": "kms:*"}),
    ],
)
def test_a_policy_must_be_sound_and_leave_the_account_in_control(sim: Sim, text: str) -> None:
    with pytest.raises(ClientError) as refused:
        sim.client("kms").create_key(Policy=text)
    assert refusal(refused) == "MalformedPolicyDocumentException"


def test_a_policy_may_name_services_and_roles_that_exist(sim: Sim) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = sim.client("iam").create_role(RoleName="task", AssumeRolePolicyDocument=policy(trust))["Role"][
        "Arn"
    ]
    sim.advance(60)
    text = policy(ROOT, use_by({"Service": "logs.us-east-1.amazonaws.com"}), use_by({"AWS": role}))
    key = sim.client("kms").create_key(Policy=text)["KeyMetadata"]["KeyId"]
    assert sim.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"] == text


def test_rotation_keeps_its_period(sim: Sim) -> None:
    kms = sim.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    status = kms.get_key_rotation_status(KeyId=key)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 180)
    assert "NextRotationDate" in status


def test_a_key_pending_deletion_refuses_everything_and_goes_after_its_window(sim: Sim) -> None:
    kms = sim.client("kms", "us-west-2")
    key = kms.create_key(Tags=[{"TagKey": "drctl:environment", "TagValue": "demo"}])["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/main", TargetKeyId=key)
    assert [a["AliasName"] for a in kms.list_aliases(KeyId=key)["Aliases"]] == ["alias/main"]
    sealed = kms.encrypt(KeyId="alias/main", Plaintext=b"x")["CiphertextBlob"]
    for wrong in (6, 31):
        with pytest.raises(ClientError) as refused:
            kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=wrong)
        assert refusal(refused) == "ValidationException"
    with pytest.raises(ClientError) as refused:
        kms.cancel_key_deletion(KeyId=key)
    assert refusal(refused) == "KMSInvalidStateException"
    answer = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert (answer["KeyState"], answer["PendingWindowInDays"]) == ("PendingDeletion", 7)
    for use in (
        lambda: kms.encrypt(KeyId=key, Plaintext=b"x"),
        lambda: kms.decrypt(CiphertextBlob=sealed),
        lambda: kms.generate_data_key(KeyId="alias/main", KeySpec="AES_256"),
        lambda: kms.create_alias(AliasName="alias/other", TargetKeyId=key),
        lambda: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7),
        lambda: kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}]),
        lambda: kms.enable_key_rotation(KeyId=key),
        lambda: kms.create_grant(KeyId=key, GranteePrincipal="rds.amazonaws.com", Operations=["Decrypt"]),
    ):
        with pytest.raises(ClientError) as refused:
            use()
        assert refusal(refused) == "KMSInvalidStateException"
    tags = kms.list_resource_tags(KeyId=key)["Tags"]
    assert tags == [{"TagKey": "drctl:environment", "TagValue": "demo"}]
    kms.delete_alias(AliasName="alias/main")
    sim.advance(8 * DAY)
    with pytest.raises(ClientError) as refused:
        kms.describe_key(KeyId=key)
    assert refusal(refused) == "NotFoundException"
    assert key not in [k["KeyArn"] for k in kms.list_keys()["Keys"]]


def test_a_cancelled_deletion_does_not_happen_and_a_disabled_key_does_not_work(sim: Sim) -> None:
    kms = sim.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms.cancel_key_deletion(KeyId=key)
    sim.advance(8 * DAY)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    with pytest.raises(ClientError) as refused:
        kms.encrypt(KeyId=key, Plaintext=b"x")
    assert refusal(refused) == "DisabledException"


def test_aliases_of_aws_cannot_be_made_and_unknown_keys_are_not_found(sim: Sim) -> None:
    kms = sim.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    with pytest.raises(ClientError) as refused:
        kms.create_alias(AliasName="alias/aws/mine", TargetKeyId=key)
    assert refusal(refused) == "NotAuthorizedException"
    with pytest.raises(ClientError) as refused:
        kms.encrypt(KeyId=key.replace(key[:4], "0000"), Plaintext=b"x")
    assert refusal(refused) == "NotFoundException"
    with pytest.raises(ClientError) as refused:
        kms.decrypt(CiphertextBlob=b"not a ciphertext")
    assert refusal(refused) == "InvalidCiphertextException"
