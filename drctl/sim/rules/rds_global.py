"""What RDS refuses about global databases."""

from __future__ import annotations

from typing import Any

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.rds_engine import ENGINE, find_version
from drctl.sim.gaps.rds_global import can_change_roles
from drctl.sim.lifecycle.rds import (
    cluster_status,
    find_global,
    global_of,
    global_status,
    region_of,
    require_cluster,
    require_global,
)
from drctl.sim.registry import rule
from drctl.sim.world import World


@rule(
    "rds", "CreateGlobalCluster", source="GlobalClusterAlreadyExistsFault (CreateGlobalCluster API reference)"
)
def global_identifier_is_free(call: Call, world: World) -> None:
    name = call.params["GlobalClusterIdentifier"]
    if find_global(world, call.account, name) is not None:
        raise Refused("GlobalClusterAlreadyExistsFault", f"Global cluster {name} already exists")


@rule(
    "rds",
    "CreateGlobalCluster",
    source='CreateGlobalCluster API reference: "Can\'t be specified if SourceDBClusterIdentifier is specified"',
)
def source_cluster_or_engine(call: Call, world: World) -> None:
    wanted = call.params
    if source := wanted.get("SourceDBClusterIdentifier"):
        if not source.startswith("arn:"):
            raise Refused("InvalidParameterValue", "Malformed db cluster arn dbci")
        inherited = {"Engine", "EngineVersion", "DatabaseName", "StorageEncrypted"} & set(wanted)
        if inherited:
            raise Refused(
                "InvalidParameterCombination",
                "When creating global cluster from existing db cluster, value for engineName should not be "
                "specified since it will be inherited from source cluster",
            )
        cluster = require_cluster(call.account, call.region, source)
        if global_of(world, source) or cluster_status(world, cluster.db_cluster_arn) != "available":
            raise Refused("InvalidDBClusterStateFault", f"Source cluster: {source} is not in available state")
        return
    if "Engine" not in wanted:
        raise Refused(
            "InvalidParameterValue",
            "When creating standalone global cluster, value for engineName should be specified",
        )
    require_version(wanted)


def require_version(wanted: dict[str, Any]) -> None:
    """Refuse an engine version that cannot be ordered. Only Aurora MySQL's versions are known here."""
    number = wanted.get("EngineVersion")
    if wanted.get("Engine") == ENGINE and number is not None and find_version(number) is None:
        raise Refused("InvalidParameterCombination", f"Cannot find version {number} for {ENGINE}")


@rule(
    "rds",
    "DeleteGlobalCluster",
    source='InvalidGlobalClusterStateFault "Global Cluster ... is not empty"; DeletionProtection in the API reference',
)
def global_cluster_is_empty(call: Call, world: World) -> None:
    record = require_global(world, call.account, call.params["GlobalClusterIdentifier"])
    if record["members"]:
        raise invalid_state(f"Global Cluster {record['GlobalClusterArn']} is not empty")
    if record["DeletionProtection"]:
        raise Refused(
            "InvalidParameterCombination",
            "Cannot delete protected Global Cluster, please disable deletion protection and try again.",
        )
    if global_status(world, record) == "deleting":
        raise invalid_state(f"Global cluster {record['GlobalClusterIdentifier']} is not in available state")


@rule(
    "rds",
    "ModifyGlobalCluster",
    source='InvalidParameterValue "ModifyGlobalCluster only supports Major Version Upgrades. To patch the members of '
    'your global cluster to a newer minor version you need to call ModifyDbCluster in each one of them."',
)
def global_upgrade_is_major(call: Call, world: World) -> None:
    record = require_global(world, call.account, call.params["GlobalClusterIdentifier"])
    version = call.params.get("EngineVersion")
    if version is None:
        return
    require_version({"Engine": record["Engine"], "EngineVersion": version})
    if version.split(".")[0] == record["EngineVersion"].split(".")[0]:
        raise Refused(
            "InvalidParameterValue",
            "ModifyGlobalCluster only supports Major Version Upgrades. To patch the members of your global cluster to "
            "a newer minor version you need to call ModifyDbCluster in each one of them.",
        )
    if not call.params.get("AllowMajorVersionUpgrade"):
        raise Refused(
            "InvalidParameterCombination",
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
        )


@rule(
    "rds",
    "RemoveFromGlobalCluster",
    source='InvalidGlobalClusterStateFault "Unable to delete cluster that is a primary member of global cluster '
    'while there are other global cluster members"; Aurora user guide, "Removing a cluster from an Aurora global '
    'database": secondaries first',
)
def primary_leaves_last(call: Call, world: World) -> None:
    record = require_global(world, call.account, call.params["GlobalClusterIdentifier"])
    identifier = call.params["DbClusterIdentifier"]
    arn = require_cluster(call.account, call.region, identifier).db_cluster_arn
    if arn not in record["members"]:
        raise Refused(
            "DBClusterNotFoundFault",
            f"DB cluster {identifier} is not found in global cluster {record['GlobalClusterIdentifier']}",
            404,
        )
    if arn == record["writer"] and len(record["members"]) > 1:
        raise invalid_state(
            "Unable to delete cluster that is a primary member of global cluster while there are other global "
            "cluster members"
        )
    if cluster_status(world, arn) != "available":
        raise Refused("InvalidDBClusterStateFault", f"Cluster {arn} is not in available state")
    if global_status(world, record) != "available":
        raise invalid_state(f"Global cluster {record['GlobalClusterIdentifier']} is not in available state")


@rule(
    "rds",
    "SwitchoverGlobalCluster",
    "FailoverGlobalCluster",
    source="FailoverGlobalCluster and SwitchoverGlobalCluster API reference: TargetDbClusterIdentifier is the ARN of "
    "a secondary; AllowDataLoss and Switchover exclude each other; DBClusterNotFoundFault, "
    "InvalidDBClusterStateFault, InvalidGlobalClusterStateFault. A switchover needs both regions: Aurora user guide, "
    '"Performing switchovers for Amazon Aurora global databases"',
)
def target_can_take_over(call: Call, world: World) -> None:
    wanted = call.params
    record = require_global(world, call.account, wanted["GlobalClusterIdentifier"])
    if wanted.get("AllowDataLoss") and wanted.get("Switchover"):
        raise Refused(
            "InvalidParameterCombination",
            "The parameters AllowDataLoss and Switchover cannot be specified together.",
        )
    target = wanted["TargetDbClusterIdentifier"]
    if target not in record["members"]:
        raise Refused(
            "DBClusterNotFoundFault", f"DB cluster {target} is not a member of the global cluster.", 404
        )
    if target == record["writer"]:
        raise Refused(
            "InvalidDBClusterStateFault",
            f"The target cluster {target} is already the primary cluster of the global cluster.",
        )
    if global_status(world, record) != "available":
        raise invalid_state(f"Global cluster {record['GlobalClusterIdentifier']} is not in available state")
    if not can_change_roles(world, record, target):
        raise Refused(
            "InvalidDBClusterStateFault",
            f"DB cluster {target} is not in available state or has no DB instance to promote.",
        )
    if not wanted.get("AllowDataLoss") and not can_change_roles(world, record, record["writer"]):
        raise Refused(
            "InvalidDBClusterStateFault", f"DB cluster {record['writer']} is not in available state."
        )


@rule(
    "rds",
    "SwitchoverGlobalCluster",
    "FailoverGlobalCluster",
    source='Aurora user guide, "Using switchover or failover in Aurora Global Database": a switchover is asked for '
    "in the primary's region, a failover in that of the chosen secondary; what AWS answers elsewhere is a guess",
)
def called_in_the_right_region(call: Call, world: World) -> None:
    wanted = call.params
    record = require_global(world, call.account, wanted["GlobalClusterIdentifier"])
    loss = wanted.get("AllowDataLoss")
    region = region_of(wanted["TargetDbClusterIdentifier"] if loss else record["writer"])
    if call.region != region:
        what = "failover" if loss else "switchover"
        raise Refused(
            "InvalidParameterValue", f"This {what} must be requested in {region}, not in {call.region}."
        )


def invalid_state(message: str) -> Refused:
    return Refused("InvalidGlobalClusterStateFault", message)


def combination(message: str) -> Refused:
    return Refused("InvalidParameterCombination", message)
