"""Aurora global databases: moto keeps wrong members and lacks failover, switchover and most removals."""

from __future__ import annotations

import hashlib
import math
from typing import Any

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.gaps.rds_engine import DEFAULT_VERSION, page
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.lifecycle.rds import (
    CLUSTER,
    GLOBAL,
    cluster_status,
    find_cluster,
    global_clusters,
    global_status,
    region_of,
    require_cluster,
    require_global,
    staying,
)
from drctl.sim.motion import database, outage
from drctl.sim.registry import event, gap
from drctl.sim.world import World

DETACHING = 20.0
"""Simulated seconds a detached cluster stays in the list of members. A guess: Terraform's provider polls for it."""
UPGRADING = 1200.0
"""Simulated seconds of a major upgrade. A guess."""
RESYNCHRONISING = 120.0
"""Simulated seconds a member needs to be rebuilt from the new writer after an unplanned failover, its region being
there: "a few minutes to several hours" ("Performing managed failovers for Aurora global databases")."""
CATCHING_UP = 1.0
"""Simulated seconds between two looks at whether the target of a switchover has everything. A guess."""


@gap("rds", "CreateGlobalCluster")
def create_global_cluster(call: Call, world: World, moto: Moto) -> Answer:
    wanted = call.params
    name = wanted["GlobalClusterIdentifier"].lower()
    source = wanted.get("SourceDBClusterIdentifier")
    cluster = require_cluster(call.account, call.region, source) if source else None
    digest = hashlib.sha256(f"{call.account}{name}{call.now}".encode()).hexdigest()[:16]
    arn = f"arn:aws:rds::{call.account}:global-cluster:{name}"
    record: dict[str, Any] = {
        "GlobalClusterIdentifier": name,
        "GlobalClusterResourceId": f"cluster-{digest}",
        "GlobalClusterArn": arn,
        "Engine": cluster.engine if cluster else wanted["Engine"],
        "EngineVersion": cluster.engine_version if cluster else wanted.get("EngineVersion", DEFAULT_VERSION),
        "EngineLifecycleSupport": wanted.get("EngineLifecycleSupport", "open-source-rds-extended-support"),
        "StorageEncrypted": bool(
            cluster.storage_encrypted if cluster else wanted.get("StorageEncrypted", False)
        ),
        "DeletionProtection": bool(wanted.get("DeletionProtection", False)),
        "Endpoint": f"{name}.global-{digest[:12]}.global.rds.amazonaws.com",
        "TagList": list(wanted.get("Tags", [])),
        "members": [cluster.db_cluster_arn] if cluster else [],
        "writer": cluster.db_cluster_arn if cluster else None,
        "failover": None,
        "unsynchronised": [],
        "generation": 0,
    }
    name_of_database = cluster.database_name if cluster else wanted.get("DatabaseName")
    if name_of_database:
        record["DatabaseName"] = name_of_database
    world.section(GLOBAL)[call.account, name] = record
    world.begin(GLOBAL, arn, "creating", DURATIONS["global-cluster"].ready)
    return {"GlobalCluster": describe(world, record)}


@gap("rds", "DescribeGlobalClusters")
def describe_global_clusters(call: Call, world: World, moto: Moto) -> Answer:
    if identifier := call.params.get("GlobalClusterIdentifier"):
        return {"GlobalClusters": [describe(world, require_global(world, call.account, identifier))]}
    records = global_clusters(world, call.account)
    for one in call.params.get("Filters", []):
        if one["Name"] == "db-cluster-id":
            records = [r for r in records if set(one["Values"]) & set(r["members"])]
        elif one["Name"] == "region":
            records = [r for r in records if {m.split(":")[3] for m in r["members"]} & set(one["Values"])]
        else:
            raise Refused("InvalidParameterValue", f"Unrecognized filter name: {one['Name']}")
    return page(call, "GlobalClusters", [describe(world, r) for r in records])


@gap("rds", "ModifyGlobalCluster")
def modify_global_cluster(call: Call, world: World, moto: Moto) -> Answer:
    record = require_global(world, call.account, call.params["GlobalClusterIdentifier"])
    if "DeletionProtection" in call.params:
        record["DeletionProtection"] = call.params["DeletionProtection"]
    if version := call.params.get("EngineVersion"):
        record["EngineVersion"] = version
        for member in record["members"]:
            require_cluster(call.account, call.region, member).engine_version = version
            world.begin(CLUSTER, member, "upgrading", UPGRADING)
        world.begin(GLOBAL, record["GlobalClusterArn"], "upgrading", UPGRADING)
    if name := call.params.get("NewGlobalClusterIdentifier", "").lower():
        section = world.section(GLOBAL)
        del section[call.account, record["GlobalClusterIdentifier"]]
        record["GlobalClusterIdentifier"] = name
        record["GlobalClusterArn"] = f"arn:aws:rds::{call.account}:global-cluster:{name}"
        section[call.account, name] = record
    return {"GlobalCluster": describe(world, record)}


@gap("rds", "DeleteGlobalCluster")
def delete_global_cluster(call: Call, world: World, moto: Moto) -> Answer:
    record = require_global(world, call.account, call.params["GlobalClusterIdentifier"])
    seconds = DURATIONS["global-cluster"].gone
    world.begin(GLOBAL, record["GlobalClusterArn"], "deleting", seconds)
    world.later(
        seconds, "rds-global-cluster-gone", account=call.account, name=record["GlobalClusterIdentifier"]
    )
    return {"GlobalCluster": describe(world, record)}


@event("rds-global-cluster-gone")
def global_cluster_gone(world: World, moto: Moto, data: dict[str, Any]) -> None:
    world.section(GLOBAL).pop((data["account"], data["name"]), None)


@gap("rds", "RemoveFromGlobalCluster")
def remove_from_global_cluster(call: Call, world: World, moto: Moto) -> Answer:
    """The member leaves the list after a moment and is ``promoting`` for longer; only then is it a usable
    cluster of its own ("Removing a cluster from an Amazon Aurora global database")."""
    record = require_global(world, call.account, call.params["GlobalClusterIdentifier"])
    member = require_cluster(call.account, call.region, call.params["DbClusterIdentifier"]).db_cluster_arn
    world.begin(CLUSTER, member, "promoting", DURATIONS["aurora-promotion"].ready)
    world.later(
        DETACHING,
        "rds-member-detached",
        account=call.account,
        name=record["GlobalClusterIdentifier"],
        member=member,
    )
    return {"GlobalCluster": describe(world, record)}


@event("rds-member-detached")
def member_detached(world: World, moto: Moto, data: dict[str, Any]) -> None:
    record = world.section(GLOBAL).get((data["account"], data["name"]))
    if record is None or data["member"] not in record["members"]:
        return
    record["members"].remove(data["member"])
    if record["writer"] == data["member"]:
        record["writer"] = None
    cluster = find_cluster(data["account"], "", data["member"])
    if cluster is not None:
        cluster.global_cluster_identifier = None


@gap("rds", "SwitchoverGlobalCluster", "FailoverGlobalCluster")
def move_writer(call: Call, world: World, moto: Moto) -> Answer:
    """A planned switchover waits for both sides; FailoverGlobalCluster is one too unless it says AllowDataLoss.

    Nobody writes until it is over: AWS fences the old primary's storage off.
    """
    record = require_global(world, call.account, call.params["GlobalClusterIdentifier"])
    target = call.params["TargetDbClusterIdentifier"]
    loss = bool(call.params.get("AllowDataLoss", False))
    record["failover"] = {
        "Status": "failing-over" if loss else "switching-over",
        "FromDbClusterArn": record["writer"],
        "ToDbClusterArn": target,
        "IsDataLossAllowed": loss,
    }
    if loss:
        # "data that wasn't replicated to the chosen secondary before the failover event occurred" is lost.
        record["generation"] += 1
    show_moving(world, record, math.inf)
    seconds = DURATIONS["aurora-failover" if loss else "aurora-switchover"].ready
    name = record["GlobalClusterIdentifier"]
    world.later(seconds, "rds-writer-moved", account=call.account, name=name)
    return {"GlobalCluster": describe(world, record)}


def show_moving(world: World, record: dict[str, Any], seconds: float) -> None:
    """Let the global cluster and those members that change roles show it for so long; 0: no longer."""
    failover = record["failover"]
    world.begin(GLOBAL, record["GlobalClusterArn"], failover["Status"], seconds)
    world.begin(CLUSTER, failover["ToDbClusterArn"], "failing-over", seconds)
    if not failover["IsDataLossAllowed"]:
        world.begin(CLUSTER, failover["FromDbClusterArn"], "failing-over", seconds)


@event("rds-writer-moved")
def writer_moved(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """A switchover that meets an outage is cancelled; one whose target lacks rows goes on until it has them."""
    record = world.section(GLOBAL).get((data["account"], data["name"]))
    if record is None or record["failover"] is None:
        return
    old, new = record["failover"]["FromDbClusterArn"], record["failover"]["ToDbClusterArn"]
    loss = record["failover"]["IsDataLossAllowed"]
    if loss and outage.is_out(world, region_of(new)):
        outage.until_back(world, region_of(new), 0.0, "rds-writer-moved", data)
        return
    cancelled = not loss and any(outage.is_out(world, region_of(member)) for member in (old, new))
    if not loss and not cancelled and not database.caught_up(world, old, new):
        world.later(CATCHING_UP, "rds-writer-moved", **data)
        return
    show_moving(world, record, 0.0)
    record["failover"] = None
    if cancelled:
        return
    record["writer"] = new
    if loss:
        record["unsynchronised"] = [member for member in record["members"] if member != new]
        for member in record["unsynchronised"]:
            rebuild(world, record, {**data, "member": member, "generation": record["generation"]})


def rebuild(world: World, record: dict[str, Any], data: dict[str, Any]) -> None:
    """Let a member be rebuilt as a secondary, from the moment on that its region and the writer's are there."""
    for cluster in (data["member"], record["writer"]):
        if outage.is_out(world, region_of(cluster)):
            region = region_of(cluster)
            outage.until_back(world, region, RESYNCHRONISING, "rds-member-resynchronised", data)
            return
    world.later(RESYNCHRONISING, "rds-member-resynchronised", **data)


@event("rds-member-resynchronised")
def member_resynchronised(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """It has the new writer's rows and no others, unless an outage or another failover came between."""
    record = world.section(GLOBAL).get((data["account"], data["name"]))
    member = data["member"]
    if record is None or member not in record["unsynchronised"] or record["generation"] != data["generation"]:
        return
    if any(outage.is_out(world, region_of(cluster)) for cluster in (member, record["writer"])):
        rebuild(world, record, data)
        return
    record["unsynchronised"].remove(member)
    database.copy(world, record["writer"], member)


def describe(world: World, record: dict[str, Any]) -> dict[str, Any]:
    """A global cluster as DescribeGlobalClusters shows it."""
    shown = {k: v for k, v in record.items() if k[0].isupper()}
    shown["Status"] = global_status(world, record)
    shown["GlobalClusterMembers"] = [member(record, arn) for arn in record["members"]]
    if record["failover"] is not None:
        shown["FailoverState"] = record["failover"]
    return shown


def member(record: dict[str, Any], arn: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "DBClusterArn": arn,
        "Readers": [],
        "IsWriter": arn == record["writer"],
        "SynchronizationStatus": "pending-resync" if arn in record["unsynchronised"] else "connected",
    }
    if shown["IsWriter"]:
        shown["Readers"] = [other for other in record["members"] if other != arn]
    else:
        shown["GlobalWriteForwardingStatus"] = "disabled"
    return shown


def can_change_roles(world: World, record: dict[str, Any], arn: str) -> bool:
    """Reachable, not being rebuilt, and with an instance that stays: a headless one has nobody to promote."""
    cluster = find_cluster(arn.split(":")[4], "", arn)
    return (
        cluster is not None
        and not outage.is_out(world, region_of(arn))
        and arn not in record["unsynchronised"]
        and cluster_status(world, arn) == "available"
        and bool(staying(world, cluster))
    )
