"""What RDS refuses about instances of clusters."""

from __future__ import annotations

from typing import Any

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.rds_engine import BURSTABLE, ENGINE, MEMORY_OPTIMISED
from drctl.sim.lifecycle.iam import role_usable
from drctl.sim.lifecycle.rds import (
    backend,
    cluster_status,
    find_cluster,
    global_of,
    instance_status,
    instances_of,
    staying,
)
from drctl.sim.registry import rule
from drctl.sim.rules.rds_global import combination
from drctl.sim.world import World

PERFORMANCE_INSIGHTS_DAYS = {7, 731, *(31 * month for month in range(1, 24))}
"""CreateDBInstance API reference, PerformanceInsightsRetentionPeriod."""
OF_THE_CLUSTER = {
    "MasterUsername": "master user name",
    "MasterUserPassword": "master user password",
    "BackupRetentionPeriod": "backup retention period",
    "StorageEncrypted": "encryption",
    "KmsKeyId": "KMS key",
    "DeletionProtection": "deletion protection",
    "EnableCloudwatchLogsExports": "log exports",
    "EnableIAMDatabaseAuthentication": "IAM database authentication",
    "VpcSecurityGroupIds": "VPC security groups",
}
"""Settings an instance of a cluster takes from it: "Valid for: ... managed by the DB cluster"."""


@rule(
    "rds",
    "CreateDBInstance",
    source='InvalidParameterCombination "The requested DB Instance will be a member of a DB Cluster. Set ... for '
    'the DB Cluster."; DBClusterNotFoundFault',
)
def cluster_settings_come_from_the_cluster(call: Call, world: World) -> None:
    identifier = call.params.get("DBClusterIdentifier")
    if identifier is None:
        return
    cluster = find_cluster(call.account, call.region, identifier)
    if cluster is None:
        raise Refused("DBClusterNotFoundFault", f"DBCluster {identifier} not found.", 404)
    if cluster_status(world, cluster.db_cluster_arn) == "deleting":
        raise Refused("InvalidDBClusterStateFault", f"DB cluster {identifier} is not in available state.")
    for parameter, words in OF_THE_CLUSTER.items():
        if parameter in call.params:
            raise combination(
                f"The requested DB Instance will be a member of a DB Cluster. Set {words} for the DB Cluster."
            )
    if len(instances_of(cluster)) >= 16:
        raise Refused("InstanceQuotaExceeded", "DB cluster can have at most 16 DB instances.")


@rule(
    "rds",
    "CreateDBInstance",
    "ModifyDBInstance",
    source='InvalidParameterCombination "RDS does not support creating a DB instance with the following combination"; '
    '"Configuration requirements of an Amazon Aurora global database": memory-optimized classes',
)
def instance_class_is_orderable(call: Call, world: World) -> None:
    name = call.params.get("DBInstanceClass")
    cluster = cluster_of(call)
    if name is None or cluster is None or cluster.engine != ENGINE:
        return
    in_global = global_of(world, cluster.db_cluster_arn) is not None
    if name not in MEMORY_OPTIMISED and (in_global or name not in BURSTABLE):
        raise combination(
            f"RDS does not support creating a DB instance with the following combination: DBInstanceClass={name}, "
            f"Engine={ENGINE}, EngineVersion={cluster.engine_version}, LicenseModel=general-public-license."
        )


def cluster_of(call: Call) -> Any:
    """The cluster an instance is, or will be, a member of."""
    identifier = call.params.get("DBClusterIdentifier")
    if identifier is None:
        instance = backend(call.account, call.region).databases.get(call.params["DBInstanceIdentifier"])
        identifier = instance.db_cluster_identifier if instance is not None else None
    return find_cluster(call.account, call.region, identifier) if identifier else None


@rule(
    "rds",
    "CreateDBInstance",
    "ModifyDBInstance",
    source='InvalidParameterValue "IAM role ARN value is invalid or does not include the required permissions for: '
    'ENHANCED_MONITORING"; MonitoringInterval 0, 1, 5, 10, 15, 30 or 60',
)
def monitoring_role_is_usable(call: Call, world: World) -> None:
    interval = int(call.params.get("MonitoringInterval", 0))
    role = call.params.get("MonitoringRoleArn")
    if interval not in (0, 1, 5, 10, 15, 30, 60):
        raise Refused(
            "InvalidParameterValue",
            f"Invalid monitoring interval {interval}. Must be one of 0, 1, 5, 10, 15, 30, 60.",
        )
    if interval and not role and call.operation == "CreateDBInstance":
        raise combination(
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
        )
    if role and not role_usable(world, call.account, role, "monitoring.rds.amazonaws.com"):
        raise Refused(
            "InvalidParameterValue",
            "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
        )


@rule(
    "rds",
    "CreateDBInstance",
    "ModifyDBInstance",
    source="CreateDBInstance API reference: PerformanceInsightsRetentionPeriod, PromotionTier",
)
def insights_and_tier_in_range(call: Call, world: World) -> None:
    days = call.params.get("PerformanceInsightsRetentionPeriod")
    if days is not None and int(days) not in PERFORMANCE_INSIGHTS_DAYS:
        raise Refused("InvalidParameterValue", f"Invalid Performance Insights retention period: {days}")
    tier = call.params.get("PromotionTier")
    if tier is not None and not 0 <= int(tier) <= 15:
        raise Refused("InvalidParameterValue", f"Invalid promotion tier {tier}. Must be between 0 and 15.")


@rule(
    "rds", "ModifyDBInstance", source='InvalidDBInstanceState "Database instance is not in available state."'
)
def only_an_available_instance_changes(call: Call, world: World) -> None:
    instance = require_instance(call)
    if instance_status(world, instance.db_instance_arn) not in ("available", "modifying"):
        raise Refused("InvalidDBInstanceState", "Database instance is not in available state.")


@rule(
    "rds",
    "DeleteDBInstance",
    source='InvalidDBInstanceState "Instance ... is already being deleted."; InvalidDBClusterStateFault "Cannot delete '
    "the last instance of the master cluster. Delete the replica cluster before deleting the last master cluster "
    'instance."',
)
def instance_can_go(call: Call, world: World) -> None:
    instance = require_instance(call)
    if instance_status(world, instance.db_instance_arn) == "deleting":
        raise Refused(
            "InvalidDBInstanceState", f"Instance {instance.db_instance_identifier} is already being deleted."
        )
    cluster = cluster_of(call)
    if cluster is None:
        return
    if "FinalDBSnapshotIdentifier" in call.params:
        raise combination("FinalDBSnapshotIdentifier can not be specified when deleting a cluster instance")
    record = global_of(world, cluster.db_cluster_arn)
    if (
        record is not None
        and record["writer"] == cluster.db_cluster_arn
        and len(record["members"]) > 1
        and len(staying(world, cluster)) == 1
    ):
        raise Refused(
            "InvalidDBClusterStateFault",
            "Cannot delete the last instance of the master cluster. Delete the replica cluster before deleting the "
            "last master cluster instance.",
        )


def require_instance(call: Call) -> Any:
    identifier = call.params["DBInstanceIdentifier"]
    instance = backend(call.account, call.region).databases.get(identifier)
    if instance is None:
        raise Refused("DBInstanceNotFound", f"DBInstance {identifier} not found.", 404)
    return instance
