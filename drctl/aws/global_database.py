"""Aurora global databases as they are at this moment: who is a member, and who writes.

Which region writes is never desired state. Creation and removal depend on it all the same: a cluster that joins a
global database with a writer becomes a secondary, and the writer is the last that may leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import GlobalClusterTypeDef


@dataclass(frozen=True)
class GlobalDatabase:
    """identifier: of the global cluster; writer: ARN of the cluster that writes, or None; members: all ARNs."""

    identifier: str
    writer: str | None
    members: tuple[str, ...]


def find_global_database(rds: RDSClient, cluster_arn: str) -> GlobalDatabase | None:
    """The global database a cluster is a member of, or None. Any region answers for all.

    Looks through all of them: the only filter that DescribeGlobalClusters supports is the region (RDS API).
    """
    for page in rds.get_paginator("describe_global_clusters").paginate():
        for listed in page["GlobalClusters"]:
            found = _as_database(listed)
            if cluster_arn in found.members:
                return found
    return None


def describe_global_database(rds: RDSClient, identifier: str) -> GlobalDatabase:
    """A global database by its identifier. Raises ClientError (GlobalClusterNotFoundFault)."""
    answer = rds.describe_global_clusters(GlobalClusterIdentifier=identifier)
    return _as_database(answer["GlobalClusters"][0])


def region_of(arn: str) -> str:
    """The region in an ARN."""
    return arn.split(":")[3]


def _as_database(described: GlobalClusterTypeDef) -> GlobalDatabase:
    members = described.get("GlobalClusterMembers", [])
    return GlobalDatabase(
        described["GlobalClusterIdentifier"],
        next((each["DBClusterArn"] for each in members if each["IsWriter"]), None),
        tuple(each["DBClusterArn"] for each in members),
    )
