"""Promoting the standby's database: off unless PROMOTE_DATABASE says so, because it loses data.

Aurora's unplanned failover makes the standby's cluster the writer without waiting for the old one; what was
not yet replicated is gone. Asked for in the standby's region only, whose RDS endpoint accepts it while the
primary's is lost.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-disaster-recovery.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients import AWS_FAILURES

if TYPE_CHECKING:
    from clients import Clients


class PromotionError(Exception):
    """The promotion was not accepted; it is tried again by the next failed probe."""


def promote(aws: Clients, global_cluster: str, region: str) -> str:
    """Make the region's member of the global cluster its writer; say what was found or done.

    Reads first, so that a promotion whose answer was lost is recognised instead of sent again.
    Raises PromotionError.
    """
    try:
        answer = aws.rds.describe_global_clusters(GlobalClusterIdentifier=global_cluster)
        (found,) = answer["GlobalClusters"]
        (member,) = [m for m in found["GlobalClusterMembers"] if m["DBClusterArn"].split(":")[3] == region]
        if member["IsWriter"]:
            return "already writes"
        moving = found.get("FailoverState", {})
        if (
            moving.get("ToDbClusterArn") == member["DBClusterArn"]
            and moving.get("IsDataLossAllowed")
            and moving.get("Status") in ("pending", "failing-over")
        ):
            # Not so a planned switchover, which needs the primary and will not come to an end without it.
            return "already under way"
        # AllowDataLoss is what tells AWS a failover from a switchover, which would wait for the primary.
        aws.rds_once.failover_global_cluster(
            GlobalClusterIdentifier=global_cluster,
            TargetDbClusterIdentifier=member["DBClusterArn"],
            AllowDataLoss=True,
        )
    except AWS_FAILURES as failure:
        raise PromotionError(f"promotion of {global_cluster}: {failure}") from failure
    except ValueError as failure:
        raise PromotionError(f"{global_cluster} has not exactly one member in {region}") from failure
    return "asked for"
