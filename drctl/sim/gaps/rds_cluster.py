"""Aurora clusters over moto's: membership of a global database, passing statuses, changes, slow deletion."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.gaps.rds_engine import DEFAULT_VERSION, ENGINE, find_version
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.lifecycle.kms import usable_key
from drctl.sim.lifecycle.rds import (
    CLUSTER,
    INSTANCE,
    arn,
    backend,
    cluster_status,
    fields,
    find_cluster,
    global_of,
    instances_of,
    require_cluster,
    require_global,
    staying,
)
from drctl.sim.motion import database
from drctl.sim.moto_cloud import NotInMoto
from drctl.sim.registry import after, event, gap
from drctl.sim.world import World

MODIFYING = 20.0
"""Simulated seconds a change of a cluster shows ``modifying``. A guess."""
UPGRADING = 600.0
"""Simulated seconds of a minor upgrade. A guess."""
AWS_MANAGED_KEY = "alias/aws/rds"

CHANGES = {
    "BackupRetentionPeriod": "backup_retention_period",
    "DBClusterParameterGroupName": "parameter_group",
    "VpcSecurityGroupIds": "vpc_security_group_ids",
    "Port": "port",
    "MasterUserPassword": "master_user_password",
    "PreferredBackupWindow": "preferred_backup_window",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "EnableIAMDatabaseAuthentication": "iam_auth",
    "DeletionProtection": "deletion_protection",
    "CopyTagsToSnapshot": "copy_tags_to_snapshot",
    "EngineVersion": "engine_version",
    "BacktrackWindow": "backtrack_window",
    "ServerlessV2ScalingConfiguration": "serverless_v2_scaling_configuration",
}
"""Parameters of ModifyDBCluster and the attributes of moto's cluster; moto itself misnames several."""
ASIDE = (
    "DBClusterIdentifier",
    "ApplyImmediately",
    "AllowMajorVersionUpgrade",
    "CloudwatchLogsExportConfiguration",
)
AT_ONCE_ONLY_ON_REQUEST = {
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "EngineVersion": "EngineVersion",
    "Port": "Port",
}
"""Changes that wait for the maintenance window unless ApplyImmediately, and where PendingModifiedValues shows
them (ModifyDBCluster API reference)."""


@gap("rds", "CreateDBCluster")
def create_cluster(call: Call, world: World, moto: Moto) -> Answer:
    wanted = dict(call.params)
    record = None
    if name := wanted.get("GlobalClusterIdentifier"):
        record = require_global(world, call.account, name)
    secondary = record is not None and record["writer"] is not None
    if record is not None:
        wanted.setdefault("EngineVersion", record["EngineVersion"])
        wanted.setdefault("StorageEncrypted", record["StorageEncrypted"])
    if wanted["Engine"] == ENGINE:
        version = wanted.setdefault("EngineVersion", DEFAULT_VERSION)
        found = find_version(version)
        wanted.setdefault("DBClusterParameterGroupName", f"default.{found.family if found else ENGINE}")
    if wanted.get("StorageEncrypted"):
        key = wanted.get("KmsKeyId", AWS_MANAGED_KEY)
        wanted["KmsKeyId"] = usable_key(call.account, call.region, key) or key
    identifier = arn(call.account, call.region, "cluster", wanted["DBClusterIdentifier"])
    answer = moto(replace(call, params=wanted))
    world.section(CLUSTER)[identifier] = {
        "ClusterCreateTime": datetime.fromtimestamp(call.now, UTC),
        "StorageType": wanted.get("StorageType", "aurora"),
        "EngineMode": "provisioned",
    }
    duration = DURATIONS["aurora-secondary-cluster" if secondary else "aurora-cluster"]
    world.begin(CLUSTER, identifier, "creating", duration.ready)
    if record is not None:
        record["members"].append(identifier)
        if secondary:
            database.copy(world, record["writer"], identifier)
        else:
            record["writer"] = identifier
    return answer


@gap("rds", "ModifyDBCluster")
def modify_cluster(call: Call, world: World, moto: Moto) -> Answer:
    wanted = call.params
    require_known(call, {*CHANGES, *ASIDE})
    cluster = require_cluster(call.account, call.region, wanted["DBClusterIdentifier"])
    extra = fields(world, CLUSTER, cluster.db_cluster_arn)
    pending: dict[str, Any] = extra.setdefault("PendingModifiedValues", {})
    for parameter, attribute in CHANGES.items():
        if parameter not in wanted:
            continue
        if parameter in AT_ONCE_ONLY_ON_REQUEST and not wanted.get("ApplyImmediately"):
            pending[AT_ONCE_ONLY_ON_REQUEST[parameter]] = wanted[parameter]
        else:
            setattr(cluster, attribute, wanted[parameter])
            pending.pop(AT_ONCE_ONLY_ON_REQUEST.get(parameter, ""), None)
    logs = wanted.get("CloudwatchLogsExportConfiguration", {})
    exported = set(cluster.enabled_cloudwatch_logs_exports) - set(logs.get("DisableLogTypes", []))
    cluster.enabled_cloudwatch_logs_exports = sorted(exported | set(logs.get("EnableLogTypes", [])))
    world.later(
        MODIFYING,
        "rds-logs-appear",
        account=call.account,
        region=call.region,
        id=cluster.db_cluster_identifier,
    )
    upgraded = "EngineVersion" in wanted and "EngineVersion" not in pending
    record = global_of(world, cluster.db_cluster_arn)
    if upgraded and record is not None and record["writer"] == cluster.db_cluster_arn:
        record["EngineVersion"] = wanted["EngineVersion"]
    if upgraded:
        world.begin(CLUSTER, cluster.db_cluster_arn, "upgrading", UPGRADING)
    else:
        world.begin(CLUSTER, cluster.db_cluster_arn, "modifying", MODIFYING)
    described = replace(
        call, operation="DescribeDBClusters", params={"DBClusterIdentifier": cluster.db_cluster_identifier}
    )
    return {"DBCluster": moto(described)["DBClusters"][0]}


def require_known(call: Call, known: set[str]) -> None:
    """A change that would be forgotten is a gap of the simulator, not a success."""
    unknown = sorted(set(call.params) - known)
    if unknown:
        raise NotInMoto(f"{call.operation} with {', '.join(unknown)}")


@gap("rds", "DeleteDBCluster")
def delete_cluster(call: Call, world: World, moto: Moto) -> Answer:
    cluster = require_cluster(call.account, call.region, call.params["DBClusterIdentifier"])
    described = replace(
        call, operation="DescribeDBClusters", params={"DBClusterIdentifier": cluster.db_cluster_identifier}
    )
    answer = moto(described)["DBClusters"][0]
    if snapshot := call.params.get("FinalDBSnapshotIdentifier"):
        cluster.backend.create_db_cluster_snapshot(cluster.db_cluster_identifier, snapshot)
    leave(world, call.account, call.region, cluster)
    return {"DBCluster": answer}


def leave(world: World, account: str, region: str, cluster: Any) -> None:
    """Show ``deleting`` until the cluster is gone, which is after the last of its instances."""
    seconds = DURATIONS["aurora-cluster"].gone
    waiting = [t.until - world.now for i in instances_of(cluster) if (t := deletion_of(world, i))]
    seconds += max(waiting, default=0.0)
    world.begin(CLUSTER, cluster.db_cluster_arn, "deleting", seconds)
    world.later(seconds, "rds-cluster-gone", account=account, region=region, id=cluster.db_cluster_identifier)


def deletion_of(world: World, instance: Any) -> Any:
    return world.transitions.get((INSTANCE, instance.db_instance_arn))


@event("rds-logs-appear")
def logs_appear(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """A running instance exports to log groups that RDS makes if nobody has, unencrypted and for ever."""
    account, region = data["account"], data["region"]
    cluster = find_cluster(account, region, data["id"])
    if cluster is None or not staying(world, cluster):
        return
    for kind in cluster.enabled_cloudwatch_logs_exports:
        name = f"/aws/rds/cluster/{cluster.db_cluster_identifier}/{kind}"
        with suppress(Refused):
            moto(Call("logs", "CreateLogGroup", region, account, {"logGroupName": name}, world.now))


@event("rds-cluster-gone")
def cluster_gone(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """Automated snapshots go with the cluster: moto's would make the next one of this name fail."""
    store = backend(data["account"], data["region"])
    cluster = store.clusters.pop(data["id"], None)
    if cluster is None:
        return
    database.forget(world, cluster.db_cluster_arn)
    if getattr(cluster, "manage_master_user_password", False):
        cluster.master_user_secret.delete_secret()
    for name, snapshot in list(store.cluster_snapshots.items()):
        if (
            snapshot.snapshot_type == "automated"
            and snapshot.cluster.db_cluster_identifier == cluster.db_cluster_identifier
        ):
            del store.cluster_snapshots[name]
    world.section(CLUSTER).pop(cluster.db_cluster_arn, None)


@after("rds", "CreateDBCluster", "ModifyDBCluster", "DeleteDBCluster")
def dress_one(call: Call, world: World, answer: Answer) -> None:
    dress(call, world, answer["DBCluster"])


@after("rds", "DescribeDBClusters")
def dress_all(call: Call, world: World, answer: Answer) -> None:
    for shown in answer["DBClusters"]:
        dress(call, world, shown)


def dress(call: Call, world: World, shown: dict[str, Any]) -> None:
    """The passing status, the fields moto lacks and the place in a global database."""
    identifier = shown["DBClusterArn"]
    shown.update(fields(world, CLUSTER, identifier))
    shown["Status"] = cluster_status(world, identifier)
    if not shown.get("PendingModifiedValues"):
        shown.pop("PendingModifiedValues", None)
    if not shown.get("StorageEncrypted"):
        shown.pop("KmsKeyId", None)
    record = global_of(world, identifier)
    if record is None:
        shown.pop("GlobalClusterIdentifier", None)
    else:
        shown["GlobalClusterIdentifier"] = record["GlobalClusterIdentifier"]
        others = [member for member in record["members"] if member != identifier]
        if record["writer"] == identifier:
            shown["ReadReplicaIdentifiers"] = others
        else:
            shown["ReplicationSourceIdentifier"] = record["writer"]
            shown["GlobalWriteForwardingStatus"] = "disabled"
    cluster = find_cluster(call.account, call.region, identifier)
    if cluster is not None:
        writer = writing_instance(world, cluster)
        for member in shown.get("DBClusterMembers", []):
            member["IsClusterWriter"] = member["DBInstanceIdentifier"] == writer


def writing_instance(world: World, cluster: Any) -> str | None:
    """Who writes: nobody in a secondary cluster; never an instance that is going away while another stays."""
    record = global_of(world, cluster.db_cluster_arn)
    if record is not None and record["writer"] != cluster.db_cluster_arn:
        return None
    candidates = staying(world, cluster) or instances_of(cluster)
    if not candidates:
        return None
    current = next((i for i in candidates if i.is_cluster_writer), None)
    if current is None:
        current = min(candidates, key=lambda i: i.promotion_tier)
        cluster.failover(current)
    return str(current.db_instance_identifier)
