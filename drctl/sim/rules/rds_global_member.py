"""What RDS refuses about clusters because of the global database they are to join, or are members of."""

from __future__ import annotations

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.rds_engine import order
from drctl.sim.lifecycle.rds import (
    cluster_status,
    global_of,
    global_status,
    instance_status,
    region_of,
    require_cluster,
    require_global,
    staying,
)
from drctl.sim.registry import rule
from drctl.sim.rules.rds_global import combination, invalid_state
from drctl.sim.world import World


@rule(
    "rds",
    "CreateDBCluster",
    source='GlobalClusterNotFoundFault, InvalidGlobalClusterStateFault; Aurora user guide, "Configuration requirements '
    'of an Amazon Aurora global database": one cluster a region, names unique across regions',
)
def joins_a_ready_global_cluster(call: Call, world: World) -> None:
    name = call.params.get("GlobalClusterIdentifier")
    if name is None:
        return
    record = require_global(world, call.account, name)
    if global_status(world, record) != "available":
        raise invalid_state(f"Global cluster {name} is not in available state")
    if call.params["Engine"] != record["Engine"]:
        raise combination("The engine of the DB cluster must match the engine of the global cluster.")
    version = call.params.get("EngineVersion", record["EngineVersion"])
    if version != record["EngineVersion"]:
        raise combination(
            f"The engine version {version} doesn't match the version {record['EngineVersion']} of the global cluster."
        )
    if bool(call.params.get("StorageEncrypted", record["StorageEncrypted"])) != record["StorageEncrypted"]:
        raise combination("The StorageEncrypted setting must match that of the global cluster.")
    if call.params.get("ManageMasterUserPassword"):
        raise combination(
            "ManageMasterUserPassword is not supported for DB clusters that are part of a global database."
        )
    if any(region_of(member) == call.region for member in record["members"]):
        raise invalid_state(f"Global cluster {name} already has a DB cluster in region {call.region}")
    if any(
        member.rsplit(":", 1)[1] == call.params["DBClusterIdentifier"].lower() for member in record["members"]
    ):
        raise Refused(
            "DBClusterAlreadyExistsFault", "DB Cluster already exists in another region of the global cluster"
        )


@rule(
    "rds",
    "CreateDBCluster",
    source='InvalidParameterCombination "Cannot specify database name for cross region replication cluster"; "For '
    'encrypted cross-region replica, kmsKeyId should be explicitly specified"; InvalidDBClusterStateFault "Source '
    'cluster: ... is in a state which is not valid for physical replication"',
)
def secondary_takes_all_from_its_primary(call: Call, world: World) -> None:
    name = call.params.get("GlobalClusterIdentifier")
    record = require_global(world, call.account, name) if name else None
    if record is None or record["writer"] is None:
        return
    for parameter, words in (
        ("MasterUsername", "user name"),
        ("MasterUserPassword", "password"),
        ("DatabaseName", "database name"),
    ):
        if parameter in call.params:
            raise combination(f"Cannot specify {words} for cross region replication cluster")
    if record["StorageEncrypted"] and "KmsKeyId" not in call.params:
        raise combination("For encrypted cross-region replica, kmsKeyId should be explicitly specified")
    primary = require_cluster(call.account, call.region, record["writer"])
    ready = cluster_status(world, record["writer"]) == "available" and any(
        instance_status(world, i.db_instance_arn) == "available" for i in staying(world, primary)
    )
    if not ready:
        raise Refused(
            "InvalidDBClusterStateFault",
            f"Source cluster: {record['writer']} is in a state which is not valid for physical replication",
        )


@rule(
    "rds",
    "ModifyDBCluster",
    source='Aurora user guide, "Upgrading an Amazon Aurora global database": secondaries first, the primary last',
)
def secondaries_are_upgraded_first(call: Call, world: World) -> None:
    version = call.params.get("EngineVersion")
    cluster = require_cluster(call.account, call.region, call.params["DBClusterIdentifier"])
    record = global_of(world, cluster.db_cluster_arn)
    if version is None or record is None or record["writer"] != cluster.db_cluster_arn:
        return
    for member in record["members"]:
        other = require_cluster(call.account, call.region, member)
        if member != cluster.db_cluster_arn and order(other.engine_version) < order(version):
            raise combination(
                f"The secondary cluster {member} must be upgraded to {version} before the primary."
            )
