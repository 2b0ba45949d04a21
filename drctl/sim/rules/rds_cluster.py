"""What RDS refuses about clusters."""

from __future__ import annotations

import re

from moto.ec2.models import ec2_backends

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.rds_engine import ENGINE, LOG_TYPES, find_version, order
from drctl.sim.lifecycle.kms import usable_key
from drctl.sim.lifecycle.rds import (
    backend,
    cluster_status,
    find_cluster,
    global_of,
    require_cluster,
    require_global,
    staying,
)
from drctl.sim.registry import rule
from drctl.sim.rules.rds_global import combination, invalid_state, require_version
from drctl.sim.world import World

IDENTIFIER = re.compile(r"^(?!.*--)[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$|^[A-Za-z]$")
CLUSTER_MODEL = "CreateDBCluster API reference"


@rule(
    "rds",
    "CreateDBCluster",
    source='InvalidParameterValue "The parameter DBClusterIdentifier is not a valid ..."',
)
def cluster_identifier_is_valid(call: Call, world: World) -> None:
    if not IDENTIFIER.match(call.params["DBClusterIdentifier"]):
        raise Refused(
            "InvalidParameterValue",
            "The parameter DBClusterIdentifier is not a valid identifier. Identifiers must begin with a letter; "
            "must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two "
            "consecutive hyphens.",
        )


@rule("rds", "CreateDBCluster", source="DBClusterAlreadyExistsFault (CreateDBCluster API reference)")
def cluster_identifier_is_free(call: Call, world: World) -> None:
    if find_cluster(call.account, call.region, call.params["DBClusterIdentifier"]) is not None:
        raise Refused("DBClusterAlreadyExistsFault", "DB Cluster already exists")


@rule(
    "rds",
    "CreateDBCluster",
    "CreateDBInstance",
    source='InvalidParameterCombination "Cannot find version ... for aurora-mysql"',
)
def engine_version_can_be_ordered(call: Call, world: World) -> None:
    require_version(call.params)


@rule(
    "rds",
    "CreateDBCluster",
    source='InvalidParameterValue "The parameter MasterUsername must be provided ..."',
)
def primary_has_credentials(call: Call, world: World) -> None:
    name = call.params.get("GlobalClusterIdentifier")
    if name and require_global(world, call.account, name)["writer"] is not None:
        return
    if "ReplicationSourceIdentifier" in call.params:
        return
    required = (
        ["MasterUsername"]
        if call.params.get("ManageMasterUserPassword")
        else ["MasterUsername", "MasterUserPassword"]
    )
    for parameter in required:
        if not call.params.get(parameter):
            raise Refused(
                "InvalidParameterValue", f"The parameter {parameter} must be provided and must not be blank."
            )
    if call.params["MasterUsername"].lower() in ("admin1nternal", "rdsadmin", "rdsproxyadmin", "root"):
        raise Refused(
            "InvalidParameterValue",
            f"MasterUsername {call.params['MasterUsername']} cannot be used as it is a reserved word used by the "
            "engine",
        )


@rule(
    "rds",
    "CreateDBCluster",
    "CreateDBInstance",
    source="KMSKeyNotAccessibleFault (CreateDBCluster API reference)",
)
def key_is_usable_here(call: Call, world: World) -> None:
    for parameter in ("KmsKeyId", "PerformanceInsightsKMSKeyId", "MasterUserSecretKmsKeyId"):
        key = call.params.get(parameter)
        if key is not None and usable_key(call.account, call.region, key) is None:
            raise Refused(
                "KMSKeyNotAccessibleFault",
                f"The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to "
                "access it.",
            )


@rule(
    "rds",
    "CreateDBCluster",
    "ModifyDBCluster",
    source='DBSubnetGroupNotFoundFault, DBClusterParameterGroupNotFound, "Invalid security group"',
)
def cluster_refers_to_what_exists(call: Call, world: World) -> None:
    store = backend(call.account, call.region)
    wanted = call.params
    group = wanted.get("DBSubnetGroupName")
    if group is not None and group != "default" and group not in store.subnet_groups:
        raise Refused("DBSubnetGroupNotFoundFault", f"DB subnet group '{group}' does not exist.", 404)
    parameters = wanted.get("DBClusterParameterGroupName")
    if parameters is not None and not parameters.startswith("default."):
        found = store.db_cluster_parameter_groups.get(parameters)
        if found is None:
            raise Refused(
                "DBClusterParameterGroupNotFound", f"DBClusterParameterGroup not found: {parameters}", 404
            )
        require_family(call, found.name, found.db_parameter_group_family)
    known = {one for groups in ec2_backends[call.account][call.region].groups.values() for one in groups}
    for one in wanted.get("VpcSecurityGroupIds", []):
        if one not in known:
            raise Refused("InvalidParameterValue", f"Invalid security group , groupId= {one}, groupName= .")


def require_family(call: Call, name: str, family: str) -> None:
    """A parameter group fits one major version only."""
    number = call.params.get("EngineVersion")
    if number is None:
        cluster = find_cluster(call.account, call.region, call.params["DBClusterIdentifier"])
        number = cluster.engine_version if cluster is not None else None
    version = find_version(number) if number else None
    if version is not None and version.family != family:
        raise combination(
            f"The Parameter Group {name} with DBParameterGroupFamily {family} can't be used for this instance. "
            f"Please use a Parameter Group with DBParameterGroupFamily {version.family}"
        )


@rule(
    "rds", "CreateDBCluster", "ModifyDBCluster", source=f"{CLUSTER_MODEL}: BackupRetentionPeriod from 1 to 35"
)
def backup_retention_in_range(call: Call, world: World) -> None:
    days = call.params.get("BackupRetentionPeriod")
    if days is not None and not 1 <= int(days) <= 35:
        raise Refused(
            "InvalidParameterValue", f"Invalid backup retention period: {days}. Must be between 1 and 35."
        )


@rule(
    "rds",
    "CreateDBCluster",
    "ModifyDBCluster",
    source='InvalidParameterCombination "You cannot use the log types ... with engine version aurora-mysql ..."',
)
def log_types_are_the_engines(call: Call, world: World) -> None:
    asked = [
        *call.params.get("EnableCloudwatchLogsExports", []),
        *call.params.get("CloudwatchLogsExportConfiguration", {}).get("EnableLogTypes", []),
    ]
    unknown = [name for name in asked if name not in LOG_TYPES]
    if call.params.get("Engine", ENGINE) == ENGINE and unknown:
        raise combination(
            f"You cannot use the log types '{', '.join(unknown)}' with engine version aurora-mysql. For supported log "
            "types, see the documentation."
        )


@rule(
    "rds", "ModifyDBCluster", source='InvalidDBClusterStateFault "DB cluster ... is not in available state"'
)
def only_an_available_cluster_changes(call: Call, world: World) -> None:
    cluster = require_cluster(call.account, call.region, call.params["DBClusterIdentifier"])
    status = cluster_status(world, cluster.db_cluster_arn)
    if status not in ("available", "modifying"):
        raise Refused(
            "InvalidDBClusterStateFault",
            f"DB cluster {cluster.db_cluster_identifier} is not in available state. Status: {status}",
        )
    version = call.params.get("EngineVersion")
    if cluster.engine != ENGINE or version is None:
        return
    if find_version(version) is None or order(version) < order(cluster.engine_version):
        raise combination(
            f"Cannot find upgrade target from {cluster.engine_version} with requested version {version}."
        )


@rule(
    "rds",
    "DeleteDBCluster",
    source='InvalidDBClusterStateFault "This cluster is a part of a global cluster, please remove it from '
    'globalcluster first"; "Cluster cannot be deleted, it still contains DB instances in non-deleting state."; '
    'InvalidParameterCombination "Cannot delete protected Cluster ..."',
)
def cluster_can_go(call: Call, world: World) -> None:
    wanted = call.params
    cluster = require_cluster(call.account, call.region, wanted["DBClusterIdentifier"])
    record = global_of(world, cluster.db_cluster_arn)
    if cluster.deletion_protection:
        raise combination(
            "Cannot delete protected Cluster, please disable deletion protection and try again."
        )
    if bool(wanted.get("SkipFinalSnapshot")) == ("FinalDBSnapshotIdentifier" in wanted):
        raise combination(
            "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is enabled."
            if wanted.get("SkipFinalSnapshot")
            else "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        )
    if record is not None and record["writer"] == cluster.db_cluster_arn and len(record["members"]) > 1:
        raise invalid_state(
            "Unable to delete cluster that is a primary member of global cluster while there are other global "
            "cluster members"
        )
    message = None
    status = cluster_status(world, cluster.db_cluster_arn)
    if record is not None:
        message = "This cluster is a part of a global cluster, please remove it from globalcluster first"
    elif staying(world, cluster):
        message = "Cluster cannot be deleted, it still contains DB instances in non-deleting state."
    elif status not in ("available", "creating"):
        message = f"DB cluster {cluster.db_cluster_identifier} isn't currently in the available state. Status: {status}"
    if message is not None:
        raise Refused("InvalidDBClusterStateFault", message)
