"""Secrets Manager of the simulator: replicas under their own keys, promotion, names that are not free at once."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Sim

P, S = "us-east-1", "us-west-2"
DAY = 86_400.0


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


class Secrets:
    """A key in each region, and a secret in P replicated to S."""

    def __init__(self, sim: Sim) -> None:
        sim.set_speed(1)
        self.sim = sim
        self.at = {region: sim.client("secretsmanager", region) for region in (P, S)}
        self.kms = {region: sim.client("kms", region) for region in (P, S)}
        self.keys = {region: kms.create_key()["KeyMetadata"]["Arn"] for region, kms in self.kms.items()}

    def make(self, **more: Any) -> dict[str, Any]:
        settings = {
            "Name": "app/database",
            "SecretString": "correct-horse",
            "KmsKeyId": self.keys[P],
            "AddReplicaRegions": [{"Region": S, "KmsKeyId": self.keys[S]}],
            **more,
        }
        return dict(self.at[P].create_secret(**settings))

    def replication(self) -> list[tuple[str, str, str]]:
        shown = self.at[P].describe_secret(SecretId="app/database").get("ReplicationStatus", [])
        return [(r["Region"], r["Status"], r["KmsKeyId"]) for r in shown]


@pytest.fixture
def secrets(sim: Sim) -> Secrets:
    return Secrets(sim)


def test_a_replica_arrives_after_a_moment_under_its_own_key(secrets: Secrets) -> None:
    made = secrets.make()
    assert [r["Status"] for r in made["ReplicationStatus"]] == ["InProgress"]
    with pytest.raises(ClientError) as refused:
        secrets.at[S].get_secret_value(SecretId="app/database")
    assert refusal(refused) == "ResourceNotFoundException"
    secrets.sim.advance(30)
    assert secrets.replication() == [(S, "InSync", secrets.keys[S])]
    assert secrets.at[S].get_secret_value(SecretId="app/database")["SecretString"] == "correct-horse"
    replica = secrets.at[S].describe_secret(SecretId="app/database")
    assert (replica["KmsKeyId"], replica["PrimaryRegion"]) == (secrets.keys[S], P)
    secrets.kms[S].schedule_key_deletion(KeyId=secrets.keys[S], PendingWindowInDays=7)
    with pytest.raises(ClientError) as refused:
        secrets.at[S].get_secret_value(SecretId="app/database")
    assert refusal(refused) == "DecryptionFailure"


def test_a_replica_goes_first_and_names_are_freed_slowly(secrets: Secrets) -> None:
    secrets.make()
    secrets.sim.advance(30)
    with pytest.raises(ClientError) as refused:
        secrets.at[P].delete_secret(SecretId="app/database", ForceDeleteWithoutRecovery=True)
    assert refusal(refused) == "InvalidParameterException"
    with pytest.raises(ClientError) as refused:
        secrets.at[S].create_secret(Name="app/database", SecretString="other")
    assert refusal(refused) == "ResourceExistsException"
    with pytest.raises(ClientError) as refused:
        secrets.at[P].remove_regions_from_replication(
            SecretId="app/database", RemoveReplicaRegions=["eu-west-1"]
        )
    assert refusal(refused) == "InvalidParameterException"
    secrets.at[P].remove_regions_from_replication(SecretId="app/database", RemoveReplicaRegions=[S])
    assert secrets.replication() == []
    secrets.at[P].delete_secret(SecretId="app/database", ForceDeleteWithoutRecovery=True)
    for region in (P, S):
        with pytest.raises(ClientError, match="scheduled for deletion"):
            secrets.at[region].create_secret(Name="app/database")
    secrets.sim.advance(30)
    secrets.make()


def test_a_deleted_secret_keeps_its_name_for_its_recovery_window(secrets: Secrets) -> None:
    plain = {"Name": "kept", "SecretString": "x"}
    secrets.at[P].create_secret(**plain)
    secrets.at[P].delete_secret(SecretId="kept", RecoveryWindowInDays=7)
    for refused_call in (
        lambda: secrets.at[P].create_secret(**plain),
        lambda: secrets.at[P].replicate_secret_to_regions(SecretId="kept", AddReplicaRegions=[{"Region": S}]),
    ):
        with pytest.raises(ClientError) as refused:
            refused_call()
        assert refusal(refused) == "InvalidRequestException"
    secrets.sim.advance(8 * DAY)
    secrets.at[P].create_secret(**plain)


def test_a_replica_can_be_promoted_when_its_primary_is_lost(secrets: Secrets) -> None:
    arn = secrets.make()["ARN"].replace(P, S)
    secrets.sim.advance(30)
    with pytest.raises(ClientError) as refused:
        secrets.at[P].stop_replication_to_replica(SecretId="app/database")
    assert refusal(refused) == "InvalidRequestException"
    assert secrets.at[S].stop_replication_to_replica(SecretId="app/database")["ARN"] == arn
    secrets.at[S].put_secret_value(SecretId="app/database", SecretString="changed")
    assert secrets.at[S].get_secret_value(SecretId=arn)["SecretString"] == "changed"
    assert secrets.at[P].get_secret_value(SecretId="app/database")["SecretString"] == "correct-horse"
    assert secrets.at[S].describe_secret(SecretId=arn)["KmsKeyId"] == secrets.keys[S]
    assert secrets.replication() == []


def test_a_repeat_with_the_same_token_is_the_same_secret(secrets: Secrets) -> None:
    token = "0123456789abcdef0123456789abcdef"
    first = secrets.make(ClientRequestToken=token)
    assert secrets.make(ClientRequestToken=token)["ARN"] == first["ARN"]
    with pytest.raises(ClientError) as refused:
        secrets.make(ClientRequestToken=token, SecretString="other")
    assert refusal(refused) == "ResourceExistsException"
    with pytest.raises(ClientError) as refused:
        secrets.at[P].replicate_secret_to_regions(SecretId="app/database", AddReplicaRegions=[{"Region": S}])
    assert refusal(refused) == "InvalidParameterException"
    assert len(secrets.replication()) == 1


def test_keys_must_be_usable(secrets: Secrets) -> None:
    with pytest.raises(ClientError) as refused:
        secrets.make(KmsKeyId=secrets.keys[S])
    assert refusal(refused) == "EncryptionFailure"
    secrets.make(AddReplicaRegions=[{"Region": S, "KmsKeyId": secrets.keys[P]}])
    assert secrets.replication() == [(S, "Failed", secrets.keys[P])]


def test_a_random_password_has_what_was_asked_for(secrets: Secrets) -> None:
    made = secrets.at[P].get_random_password(PasswordLength=32, ExcludePunctuation=True)["RandomPassword"]
    assert len(made) == 32 and made.isalnum()
