"""Instances of Aurora clusters over moto's: what they inherit, passing statuses, slow deletion."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.gaps.rds_cluster import require_known
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.lifecycle.kms import usable_key
from drctl.sim.lifecycle.rds import (
    CLUSTER,
    INSTANCE,
    arn,
    backend,
    fields,
    instance_status,
    instances_of,
    is_secondary,
    require_cluster,
)
from drctl.sim.registry import after, event, gap
from drctl.sim.world import World

MODIFYING = 30.0
"""Simulated seconds a change of an instance shows ``modifying``. A guess."""
OBSERVED = {
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "DatabaseInsightsMode": "DatabaseInsightsMode",
}
"""Parameters moto forgets, and the fields that show them."""
CHANGES = {
    "DBInstanceClass": "db_instance_class",
    "MonitoringInterval": "monitoring_interval",
    "MonitoringRoleArn": "monitoring_role_arn",
    "PromotionTier": "promotion_tier",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "DBParameterGroupName": "db_parameter_group_name",
    "CACertificateIdentifier": "ca_certificate_identifier",
    "CopyTagsToSnapshot": "copy_tags_to_snapshot",
    "PubliclyAccessible": "publicly_accessible",
}
"""Parameters of ModifyDBInstance that apply to an instance of a cluster, and the attributes of moto's instance."""
BY_MAINTENANCE_WINDOW = ("DBInstanceClass",)


@gap("rds", "CreateDBInstance")
def create_instance(call: Call, world: World, moto: Moto) -> Answer:
    wanted = dict(call.params)
    if "DBClusterIdentifier" not in wanted:
        answer = moto(call)
        world.begin(
            INSTANCE, answer["DBInstance"]["DBInstanceArn"], "creating", DURATIONS["aurora-instance"].ready
        )
        return answer
    cluster = require_cluster(call.account, call.region, wanted["DBClusterIdentifier"])
    wanted["DBSubnetGroupName"] = cluster.db_subnet_group_name
    if cluster.db_subnet_group_name not in backend(call.account, call.region).subnet_groups:
        del wanted["DBSubnetGroupName"]
    wanted.setdefault("AvailabilityZone", least_used_zone(call, cluster))
    wanted.pop("EngineVersion", None)
    extra = remember(call, world, wanted)
    answer = moto(replace(call, params={k: v for k, v in wanted.items() if k not in OBSERVED}))
    identifier = answer["DBInstance"]["DBInstanceArn"]
    extra["DbiResourceId"] = (
        "db-" + hashlib.sha256(f"{identifier}{call.now}".encode()).hexdigest()[:26].upper()
    )
    extra["InstanceCreateTime"] = datetime.fromtimestamp(call.now, UTC)
    world.section(INSTANCE)[identifier] = extra
    forget_snapshots(call.account, call.region, wanted["DBInstanceIdentifier"])
    secondary = is_secondary(world, cluster.db_cluster_arn)
    seconds = DURATIONS["aurora-secondary-instance" if secondary else "aurora-instance"].ready
    joining = world.transitions.get((CLUSTER, cluster.db_cluster_arn))
    if joining is not None and joining.status == "creating":
        seconds = max(seconds, joining.until - world.now + 60)
    world.begin(INSTANCE, identifier, "creating", seconds)
    world.later(
        seconds,
        "rds-logs-appear",
        account=call.account,
        region=call.region,
        id=cluster.db_cluster_identifier,
    )
    return answer


def least_used_zone(call: Call, cluster: Any) -> str:
    """Aurora spreads instances over the zones of the subnet group."""
    group = backend(call.account, call.region).subnet_groups.get(cluster.db_subnet_group_name)
    zones = (
        sorted({s["SubnetAvailabilityZone"]["Name"] for s in group.subnets})
        if group
        else list(cluster.availability_zones)
    )
    used = [instance.availability_zone for instance in instances_of(cluster)]
    return str(min(zones, key=used.count))


def remember(call: Call, world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    """Performance Insights as asked for: retention is 7 days and the key AWS's own unless named."""
    extra = {field: wanted[parameter] for parameter, field in OBSERVED.items() if parameter in wanted}
    if extra.get("PerformanceInsightsEnabled"):
        key = wanted.get("PerformanceInsightsKMSKeyId", "alias/aws/rds")
        extra["PerformanceInsightsKMSKeyId"] = usable_key(call.account, call.region, key) or key
        extra.setdefault("PerformanceInsightsRetentionPeriod", 7)
    return extra


def forget_snapshots(account: str, region: str, identifier: str) -> None:
    """Instances of a cluster have no automated snapshots of their own; moto makes one that outlives them."""
    snapshots = backend(account, region).database_snapshots
    for name, snapshot in list(snapshots.items()):
        if snapshot.snapshot_type == "automated" and snapshot.db_instance_identifier == identifier:
            del snapshots[name]


@gap("rds", "ModifyDBInstance")
def modify_instance(call: Call, world: World, moto: Moto) -> Answer:
    wanted = call.params
    instance = backend(call.account, call.region).databases.get(wanted["DBInstanceIdentifier"])
    if instance is None or instance.db_cluster_identifier is None:
        return moto(call)
    require_known(call, {*CHANGES, *OBSERVED, "DBInstanceIdentifier", "ApplyImmediately"})
    extra = fields(world, INSTANCE, instance.db_instance_arn)
    pending: dict[str, Any] = extra.setdefault("PendingModifiedValues", {})
    for parameter, attribute in CHANGES.items():
        if parameter not in wanted:
            continue
        if parameter in BY_MAINTENANCE_WINDOW and not wanted.get("ApplyImmediately"):
            pending[parameter] = wanted[parameter]
        else:
            setattr(instance, attribute, wanted[parameter])
    if wanted.get("MonitoringInterval") == 0:
        instance.monitoring_role_arn = None
    extra.update(remember(call, world, wanted))
    if not extra.get("PerformanceInsightsEnabled"):
        extra.pop("PerformanceInsightsKMSKeyId", None)
        extra.pop("PerformanceInsightsRetentionPeriod", None)
    world.begin(INSTANCE, instance.db_instance_arn, "modifying", MODIFYING)
    return {"DBInstance": describe(call, moto, wanted["DBInstanceIdentifier"])}


@gap("rds", "DeleteDBInstance")
def delete_instance(call: Call, world: World, moto: Moto) -> Answer:
    name = call.params["DBInstanceIdentifier"]
    shown = describe(call, moto, name)
    if snapshot := call.params.get("FinalDBSnapshotIdentifier"):
        backend(call.account, call.region).create_db_snapshot(name, snapshot, snapshot_type="manual")
    secondary = is_secondary(
        world, arn(call.account, call.region, "cluster", shown.get("DBClusterIdentifier", ""))
    )
    seconds = DURATIONS["aurora-secondary-instance" if secondary else "aurora-instance"].gone
    world.begin(INSTANCE, shown["DBInstanceArn"], "deleting", seconds)
    world.later(seconds, "rds-instance-gone", account=call.account, region=call.region, id=name)
    return {"DBInstance": shown}


def describe(call: Call, moto: Moto, identifier: str) -> dict[str, Any]:
    asked = replace(call, operation="DescribeDBInstances", params={"DBInstanceIdentifier": identifier})
    return dict(moto(asked)["DBInstances"][0])


@event("rds-instance-gone")
def instance_gone(world: World, moto: Moto, data: dict[str, Any]) -> None:
    instance = backend(data["account"], data["region"]).databases.pop(data["id"], None)
    if instance is not None:
        world.section(INSTANCE).pop(instance.db_instance_arn, None)
        forget_snapshots(data["account"], data["region"], data["id"])


@after("rds", "CreateDBInstance", "ModifyDBInstance", "DeleteDBInstance")
def dress_one(call: Call, world: World, answer: Answer) -> None:
    dress(world, answer["DBInstance"])


@after("rds", "DescribeDBInstances")
def dress_all(call: Call, world: World, answer: Answer) -> None:
    for shown in answer["DBInstances"]:
        dress(world, shown)


def dress(world: World, shown: dict[str, Any]) -> None:
    shown["DBInstanceStatus"] = instance_status(world, shown["DBInstanceArn"])
    if "DBClusterIdentifier" not in shown:
        return
    shown.update(fields(world, INSTANCE, shown["DBInstanceArn"]))
    shown.setdefault("PerformanceInsightsEnabled", False)
    if not shown.get("PendingModifiedValues"):
        shown.pop("PendingModifiedValues", None)
    if not shown.get("StorageEncrypted"):
        shown.pop("KmsKeyId", None)
    if shown["DBInstanceStatus"] == "creating":
        shown.pop("Endpoint", None)
