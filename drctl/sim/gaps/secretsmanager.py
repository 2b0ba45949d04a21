"""Replicas of secrets with their own keys and their time to arrive, promotion, and names that take time to free."""

from __future__ import annotations

import copy
from typing import Any

from moto.secretsmanager.models import FakeSecret, secretsmanager_backends

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.lifecycle.kms import usable_key
from drctl.sim.lifecycle.secretsmanager import REPLICA, find_secret, free_later, is_replica
from drctl.sim.registry import after, event, gap
from drctl.sim.world import World

MANAGED_KEY = "alias/aws/secretsmanager"
FREEING = 2.0
"""Simulated seconds until a forced deletion has freed the name: DeleteSecret is asynchronous, "retry"."""
DAY = 86_400.0


@gap("secretsmanager", "CreateSecret", "ReplicateSecretToRegions")
def replicate(call: Call, world: World, moto: Moto) -> Answer:
    """moto makes the replicas but forgets their keys. A key that is not usable there makes a replica ``Failed``."""
    identifier = call.params.get("SecretId") or call.params["Name"]
    before = find_secret(call.account, call.region, identifier)
    known = {replica.arn for replica in before.replicas} if before is not None else set()
    answer = moto(call)
    secret = find_secret(call.account, call.region, identifier)
    assert secret is not None
    keys = {w["Region"]: w.get("KmsKeyId", MANAGED_KEY) for w in call.params.get("AddReplicaRegions", [])}
    for replica in secret.replicas:
        if replica.arn in known or replica.region not in keys:
            continue
        key = keys[replica.region]
        replica.config["KmsKeyId"] = key
        if usable_key(call.account, replica.region, key) is None:
            replica.config["Status"] = "Failed"
            replica.config["StatusMessage"] = (
                f"Replication failed: the KMS key {key} is not usable in {replica.region}"
            )
        elif replica.has_replica:
            world.begin(REPLICA, replica.arn, "InProgress", DURATIONS["secret-replica"].ready)
    if secret.replicas:
        answer["ReplicationStatus"] = [dict(replica.config) for replica in secret.replicas]
    return answer


@after(
    "secretsmanager",
    "CreateSecret",
    "ReplicateSecretToRegions",
    "RemoveRegionsFromReplication",
    "DescribeSecret",
)
def show_replication(call: Call, world: World, answer: Answer) -> None:
    identifier = call.params.get("SecretId") or call.params["Name"]
    secret = find_secret(call.account, call.region, identifier)
    if secret is None:
        return
    if is_replica(secret):
        answer.pop("ReplicationStatus", None)
        answer.pop("KmsKeyId", None)
        if secret.config["KmsKeyId"] != MANAGED_KEY:
            answer["KmsKeyId"] = secret.config["KmsKeyId"]
        return
    arns = {replica.region: replica.arn for replica in secret.replicas}
    for shown in answer.get("ReplicationStatus", []):
        passing = world.status(REPLICA, arns[shown["Region"]])
        if passing is not None:
            shown.update(Status=passing, StatusMessage="Replication in progress")
    if call.operation == "DescribeSecret" and secret.replicas:
        answer["PrimaryRegion"] = secret.region


@gap("secretsmanager", "RemoveRegionsFromReplication")
def remove_regions(call: Call, world: World, moto: Moto) -> Answer:
    answer = moto(call)
    secret = find_secret(call.account, call.region, call.params["SecretId"])
    assert secret is not None
    for region in call.params["RemoveReplicaRegions"]:
        free_later(world, call.account, region, secret.name, DURATIONS["secret-replica"].gone)
    answer["ARN"] = secret.arn
    return answer


@gap("secretsmanager", "StopReplicationToReplica")
def promote(call: Call, world: World, moto: Moto) -> Answer:
    """The replica becomes a secret of its own, with its ARN, its key and all versions."""
    replica: Any = find_secret(call.account, call.region, call.params["SecretId"])
    source = replica.source
    secret = FakeSecret(
        account_id=call.account,
        region_name=call.region,
        secret_id=source.name,
        secret_version={},
        version_id="",
        description=source.description,
        tags=copy.deepcopy(source.tags),
        kms_key_id=replica.config["KmsKeyId"],
        last_changed_date=int(call.now),
        created_date=source.created_date,
    )
    secret.arn = replica.arn
    secret.versions = copy.deepcopy(source.versions)
    secret.set_default_version_id(source.default_version_id)
    store = secretsmanager_backends[call.account][call.region].secrets
    dict.pop(store, replica.arn, None)
    store[source.name] = secret
    source.replicas.remove(replica)
    return {"ARN": secret.arn}


@after("secretsmanager", "DeleteSecret")
def deletion_takes_time(call: Call, world: World, answer: Answer) -> None:
    name = answer["Name"]
    if call.params.get("ForceDeleteWithoutRecovery"):
        free_later(world, call.account, call.region, name, FREEING)
        return
    days = int(call.params.get("RecoveryWindowInDays", 30))
    world.later(
        days * DAY,
        "secret-gone",
        account=call.account,
        region=call.region,
        name=name,
        date=deleted_date(call, name),
    )


def deleted_date(call: Call, name: str) -> float | None:
    secret = find_secret(call.account, call.region, name)
    return secret.deleted_date if secret is not None else None


@event("secret-gone")
def secret_gone(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """A secret that was restored, and perhaps deleted again, has another date or none."""
    secret = find_secret(data["account"], data["region"], data["name"])
    if secret is not None and secret.is_deleted() and secret.deleted_date == data["date"]:
        secretsmanager_backends[data["account"]][data["region"]].secrets.pop(data["name"])
