"""Which region's Aurora cluster writes, how it is moved, how far the other is behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drctl.aws.errors import code_of, words_of
from drctl.aws.metric import highest
from drctl.runbook.step import Finding

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBClusterTypeDef, GlobalClusterMemberTypeDef, GlobalClusterTypeDef

    from drctl.aws.clients import Aws
    from drctl.runbook.site import Side, Site

BUSY = frozenset({"InvalidGlobalClusterStateFault", "InvalidDBClusterStateFault"})
"""What FailoverGlobalCluster and SwitchoverGlobalCluster answer while something else is under way (API reference)."""


def writer(aws: Aws, site: Site, ask: Side) -> str | None:
    """The region that writes, as the global cluster says it in the region of ``ask``; None while there is none."""
    return writer_of(aws, site.global_cluster, ask.region)


def writer_of(aws: Aws, global_cluster: str, ask: str) -> str | None:
    """``writer`` for a global cluster by its name, asked in the region ``ask``."""
    return _writing(_global(aws, global_cluster, ask))


def _writing(cluster: GlobalClusterTypeDef) -> str | None:
    for member in cluster.get("GlobalClusterMembers", []):
        if member.get("IsWriter"):
            return member["DBClusterArn"].split(":")[3]
    return None


def move_writer(aws: Aws, site: Site, to: Side, *, loses_data: bool) -> dict[str, Any]:
    """Make ``to`` the region that writes. What is done or under way is recognised, not repeated.

    loses_data: go without the other region, giving up what has not arrived; otherwise a switchover, which loses
        nothing, needs both, and is asked of the region that writes now ("Using switchover or failover in Amazon
        Aurora Global Database": region_of_primary there, region_of_selected_secondary for a failover).
    """
    cluster = _global(aws, site.global_cluster, to.region)
    moving = cluster.get("FailoverState", {})
    if moving.get("Status"):
        # While one move is under way, IsWriter says nothing of where it ends.
        forced = moving.get("IsDataLossAllowed", False)
        if not loses_data or (forced and moving.get("ToDbClusterArn") == to.cluster_arn):
            return {"how": f"{moving['Status']} is under way already"}
    elif _writing(cluster) == to.region:
        return {"how": "it writes already"}
    try:
        if loses_data:
            aws.once.rds(to.region).failover_global_cluster(
                GlobalClusterIdentifier=site.global_cluster,
                TargetDbClusterIdentifier=to.cluster_arn,
                AllowDataLoss=True,
            )
            return {"how": "failover, data loss allowed"}
        writing = _writing(cluster)
        if writing is None:
            return {"how": "no region writes yet"}
        aws.once.rds(writing).switchover_global_cluster(
            GlobalClusterIdentifier=site.global_cluster, TargetDbClusterIdentifier=to.cluster_arn
        )
        return {"how": "switchover, nothing lost"}
    except ClientError as error:
        if code_of(error) not in BUSY:
            raise
        return {"how": f"not yet: {words_of(error)}"}


def writes(aws: Aws, site: Site, side: Side, ask: Side) -> Finding:
    """Whether ``side`` writes, nothing is on its way to change that, and its cluster is available.

    Asked in the region of ``ask`` and in its own.
    """
    cluster = _global(aws, site.global_cluster, ask.region)
    found, moving = _writing(cluster), cluster.get("FailoverState", {}).get("Status")
    if found != side.region or moving:
        state = moving or cluster.get("Status", "")
        return Finding(False, f"{found or 'no region'} writes, the global cluster is {state}", found)
    status = own(aws, side)["Status"]
    return Finding(status == "available", f"{side.region} writes, its cluster is {status}", found)


def joined(aws: Aws, site: Site, side: Side, ask: Side) -> Finding:
    """Whether ``side`` is a synchronised member of the global cluster, as the region of ``ask`` tells."""
    member = _member(_global(aws, site.global_cluster, ask.region), side)
    if member is None:
        return Finding(False, f"{side.cluster} is no member of {site.global_cluster}")
    state = member.get("SynchronizationStatus", "")
    return Finding(
        bool(member.get("IsWriter")) or state == "connected", f"{side.cluster} is {state or 'unknown'}", state
    )


def own(aws: Aws, side: Side) -> DBClusterTypeDef:
    """The side's cluster, as its own region describes it."""
    (found,) = aws.rds(side.region).describe_db_clusters(DBClusterIdentifier=side.cluster)["DBClusters"]
    return found


def instances(aws: Aws, side: Side) -> int:
    """How many instances the side's cluster has; a cluster without any cannot be promoted."""
    return len(own(aws, side)["DBClusterMembers"])


def lag_s(aws: Aws, side: Side, now: float) -> float | None:
    """The most that the side's cluster was behind in the last minutes; None where nothing is published."""
    return lag_of(aws, side.region, side.cluster, now)


def lag_of(aws: Aws, region: str, cluster: str, now: float) -> float | None:
    """``lag_s`` for a cluster by its name.

    AuroraGlobalDBReplicationLag, milliseconds, in the region that lags ("Monitoring an Aurora global database").
    """
    milliseconds = highest(
        aws, region, "AWS/RDS", "AuroraGlobalDBReplicationLag", {"DBClusterIdentifier": cluster}, now
    )
    return None if milliseconds is None else milliseconds / 1000


def _global(aws: Aws, name: str, region: str) -> GlobalClusterTypeDef:
    (found,) = aws.rds(region).describe_global_clusters(GlobalClusterIdentifier=name)["GlobalClusters"]
    return found


def _member(cluster: GlobalClusterTypeDef, side: Side) -> GlobalClusterMemberTypeDef | None:
    members = cluster.get("GlobalClusterMembers", [])
    return next((m for m in members if m.get("DBClusterArn") == side.cluster_arn), None)
