"""What Secrets Manager refuses about names, replicas and keys."""

from __future__ import annotations

from typing import Any

from drctl.sim.call import Call, Refused
from drctl.sim.lifecycle.kms import usable_key
from drctl.sim.lifecycle.secretsmanager import NAME, REPLICA, find_secret, is_replica, name_key
from drctl.sim.registry import rule
from drctl.sim.world import World


@rule(
    "secretsmanager",
    "CreateSecret",
    source="InvalidRequestException \"You can't create this secret because a secret with this name is already "
    'scheduled for deletion."; ResourceExistsException "The operation failed because the secret ... already exists."',
)
def name_is_free(call: Call, world: World) -> None:
    name = call.params["Name"]
    secret = find_secret(call.account, call.region, name)
    scheduled = secret is not None and secret.is_deleted()
    if scheduled or world.status(NAME, name_key(call.account, call.region, name)) is not None:
        raise Refused(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )
    if secret is not None and is_replica(secret):
        raise Refused(
            "ResourceExistsException", f"The operation failed because the secret {name} already exists."
        )


@rule(
    "secretsmanager",
    "CreateSecret",
    "UpdateSecret",
    source='EncryptionFailure "Secrets Manager can\'t encrypt the protected secret text using the provided KMS key."',
)
def key_can_encrypt(call: Call, world: World) -> None:
    key = call.params.get("KmsKeyId")
    if key is not None and usable_key(call.account, call.region, key) is None:
        raise Refused(
            "EncryptionFailure",
            "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS "
            "key is available, enabled, and not in an invalid state.",
        )


@rule(
    "secretsmanager",
    "GetSecretValue",
    source='DecryptionFailure "Secrets Manager can\'t decrypt the protected secret text using the provided KMS key."',
)
def key_can_decrypt(call: Call, world: World) -> None:
    secret = find_secret(call.account, call.region, call.params["SecretId"])
    if secret is None:
        return
    key = secret.config["KmsKeyId"] if is_replica(secret) else secret.kms_key_id
    if key and usable_key(call.account, call.region, key) is None:
        raise Refused(
            "DecryptionFailure",
            "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
        )


@rule(
    "secretsmanager",
    "DescribeSecret",
    "GetSecretValue",
    source='ResourceNotFoundException "Secrets Manager can\'t find the specified secret.": replica not InSync',
)
def replica_has_arrived(call: Call, world: World) -> None:
    secret = find_secret(call.account, call.region, call.params["SecretId"])
    if secret is not None and is_replica(secret) and world.status(REPLICA, secret.arn) is not None:
        raise Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


@rule(
    "secretsmanager",
    "ReplicateSecretToRegions",
    "RemoveRegionsFromReplication",
    "StopReplicationToReplica",
    "TagResource",
    "UntagResource",
    source="ResourceNotFoundException; InvalidRequestException \"You can't perform this operation on the secret "
    'because it was marked for deletion."',
)
def secret_is_there(call: Call, world: World) -> None:
    require_secret(call)


def require_secret(call: Call) -> Any:
    secret = find_secret(call.account, call.region, call.params["SecretId"])
    if secret is None:
        raise Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    if secret.is_deleted():
        raise Refused(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    return secret


@rule(
    "secretsmanager",
    "ReplicateSecretToRegions",
    source="InvalidParameterException (ReplicateSecretToRegions API reference): a region that has the replica already",
)
def region_has_no_replica_yet(call: Call, world: World) -> None:
    secret = require_secret(call)
    if is_replica(secret):
        return
    taken = {replica.region for replica in secret.replicas if replica.has_replica}
    for wanted in call.params["AddReplicaRegions"]:
        if wanted["Region"] in taken:
            raise Refused(
                "InvalidParameterException", f"The secret is already replicated to region {wanted['Region']}."
            )


@rule(
    "secretsmanager",
    "RemoveRegionsFromReplication",
    source="InvalidParameterException (RemoveRegionsFromReplication API reference): a region without a replica",
)
def region_has_a_replica(call: Call, world: World) -> None:
    secret = require_secret(call)
    if is_replica(secret):
        return
    known = {replica.region for replica in secret.replicas}
    for region in call.params["RemoveReplicaRegions"]:
        if region not in known:
            raise Refused("InvalidParameterException", f"The secret is not replicated to region {region}.")


@rule(
    "secretsmanager",
    "StopReplicationToReplica",
    source='StopReplicationToReplica API reference: "You must call this operation from the Region in which you want to '
    'promote the replica to a regular secret."',
)
def only_a_replica_is_promoted(call: Call, world: World) -> None:
    if not is_replica(require_secret(call)):
        raise Refused(
            "InvalidRequestException", "You can only stop replication from the Region of the replica secret."
        )
