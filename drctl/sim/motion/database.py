"""The rows of Aurora clusters, and how those of a global database's writer reach its other members.

"Using Amazon Aurora Global Database": storage replicates what is committed in the primary region to the others, in
order, a moment later. What had not arrived when the primary region went out waits there: it arrives when the region is
back, unless the writer has moved by FailoverGlobalCluster meanwhile; then it is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drctl.sim.call import Moto
from drctl.sim.lifecycle.rds import (
    arn,
    cluster_status,
    find_cluster,
    global_of,
    instance_status,
    region_of,
    staying,
)
from drctl.sim.motion import outage, replication
from drctl.sim.registry import event
from drctl.sim.world import World

ROWS = "aurora-rows"
"""World's section: ARN of a cluster -> its rows by key."""
UNREACHABLE = ("creating", "deleting", "failing-over", "promoting", "upgrading")
"""Statuses of a cluster whose instances are not there yet, no longer, or restarting."""


@dataclass(frozen=True)
class Row:
    """written_at: simulated seconds since the epoch"""

    value: str
    written_at: float


class NotWritable(Exception):
    """The cluster takes no writes now; the message says why."""


class NotReadable(Exception):
    """Nobody can read the cluster now; the message says why."""


def write(world: World, account: str, region: str, identifier: str, key: str, value: str) -> Row:
    """Commit a row in the cluster of this name in this region, and send it to the other members.

    Raises NotWritable: the region is out, the cluster is not available, not the writer, or changing roles.
    """
    here = arn(account, region, "cluster", identifier)
    if reason := trouble(world, here):
        raise NotWritable(reason)
    record = global_of(world, here)
    if record is not None and record["failover"] is not None:
        raise NotWritable(f"the global database is {record['failover']['Status']}")
    if record is not None and record["writer"] != here:
        raise NotWritable(f"{identifier} in {region} is read-only: another member writes")
    row = Row(value, world.now)
    rows(world, here)[key] = row
    if record is not None:
        for other in record["members"]:
            if other != here:
                replication.send(
                    world,
                    link(here, other),
                    "aurora-row-arrives",
                    target=other,
                    generation=record["generation"],
                    key=key,
                    row=row,
                )
    return row


def read(world: World, account: str, region: str, identifier: str, key: str) -> Row | None:
    """The row as the cluster of this name in this region has it; None: it has no such row.

    Raises NotReadable: the region is out, the cluster is not available, or it is being rebuilt.
    """
    here = arn(account, region, "cluster", identifier)
    if reason := trouble(world, here):
        raise NotReadable(reason)
    record = global_of(world, here)
    if record is not None and here in record["unsynchronised"]:
        raise NotReadable(f"{identifier} in {region} is being rebuilt from the new writer")
    return rows(world, here).get(key)


def trouble(world: World, here: str) -> str | None:
    """Why nobody can connect to a cluster; None when somebody can."""
    identifier, region = here.rsplit(":", 1)[1], region_of(here)
    if outage.is_out(world, region):
        return f"{region} is out"
    cluster = find_cluster(here.split(":")[4], region, here)
    if cluster is None:
        return f"there is no cluster {identifier} in {region}"
    status = cluster_status(world, here)
    if status in UNREACHABLE:
        return f"{identifier} in {region} is {status}"
    if all(instance_status(world, i.db_instance_arn) == "creating" for i in staying(world, cluster)):
        return f"{identifier} in {region} has no instance to connect to"
    return None


def rows(world: World, cluster_arn: str) -> dict[str, Row]:
    held: dict[str, Row] = world.section(ROWS).setdefault(cluster_arn, {})
    return held


def copy(world: World, source: str, target: str) -> None:
    """Give a cluster exactly the rows of another: a new member, or one that is rebuilt."""
    world.section(ROWS)[target] = dict(rows(world, source))


def forget(world: World, cluster_arn: str) -> None:
    world.section(ROWS).pop(cluster_arn, None)


def caught_up(world: World, source: str, target: str) -> bool:
    """Whether nothing committed in one cluster is missing in the other."""
    return rows(world, source) == rows(world, target)


def link(source: str, target: str) -> replication.Link:
    """From one cluster to another, by their ARNs."""
    return replication.Link("database", region_of(source), region_of(target), (source, target))


@event("aurora-row-arrives")
def row_arrives(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """Not from a writer that a failover has left behind, nor in a member that is being rebuilt."""
    target, row = data["target"], data["row"]
    record = global_of(world, target)
    if record is None or record["generation"] != data["generation"] or target in record["unsynchronised"]:
        return
    held = rows(world, target).get(data["key"])
    if held is None or held.written_at <= row.written_at:
        rows(world, target)[data["key"]] = row
