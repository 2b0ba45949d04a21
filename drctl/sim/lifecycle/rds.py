"""What the simulator knows of Aurora beside moto: passing statuses, added fields, global databases."""

from __future__ import annotations

from typing import Any

from moto.rds.models import rds_backends

from drctl.sim.call import Refused
from drctl.sim.world import World

CLUSTER = "rds-cluster"
INSTANCE = "rds-instance"
GLOBAL = "rds-global-cluster"
"""Kinds of transition, and the sections that hold fields moto lacks. Clusters and instances go by ARN."""


def backend(account: str, region: str) -> Any:
    return rds_backends[account][region]


def arn(account: str, region: str, kind: str, identifier: str) -> str:
    """``kind`` as RDS writes it in ARNs: cluster, db, cluster-pg, subgrp ..."""
    return f"arn:aws:rds:{region}:{account}:{kind}:{identifier.lower()}"


def region_of(cluster_arn: str) -> str:
    return cluster_arn.split(":")[3]


def find_cluster(account: str, region: str, identifier: str) -> Any | None:
    """moto's cluster by its identifier in this region, or by ARN in any."""
    if identifier.startswith("arn:"):
        region, identifier = region_of(identifier), identifier.rsplit(":", 1)[1]
    return backend(account, region).clusters.get(identifier)


def require_cluster(account: str, region: str, identifier: str) -> Any:
    cluster = find_cluster(account, region, identifier)
    if cluster is None:
        raise Refused("DBClusterNotFoundFault", f"DBCluster {identifier} not found.", 404)
    return cluster


def cluster_status(world: World, cluster_arn: str) -> str:
    return world.status(CLUSTER, cluster_arn) or "available"


def instance_status(world: World, instance_arn: str) -> str:
    return world.status(INSTANCE, instance_arn) or "available"


def instances_of(cluster: Any) -> list[Any]:
    """All instances of a cluster, those being deleted too."""
    return [
        instance
        for instance in cluster.backend.databases.values()
        if (instance.db_cluster_identifier or "").lower() == cluster.db_cluster_identifier
    ]


def staying(world: World, cluster: Any) -> list[Any]:
    """The instances of a cluster that are not on their way out."""
    return [i for i in instances_of(cluster) if instance_status(world, i.db_instance_arn) != "deleting"]


def fields(world: World, kind: str, id: str) -> dict[str, Any]:
    """Fields of a cluster or an instance that moto does not keep, as the answers show them."""
    return world.section(kind).setdefault(id, {})


def global_clusters(world: World, account: str) -> list[dict[str, Any]]:
    """Records of global clusters: AWS's fields, and ``members`` (ARNs), ``writer`` (ARN or None),
    ``failover`` (FailoverState or None), ``unsynchronised`` (ARNs of members that are being rebuilt),
    ``generation`` (how many failovers have lost what was under way)."""
    return [record for (owner, _), record in world.section(GLOBAL).items() if owner == account]


def find_global(world: World, account: str, identifier: str) -> dict[str, Any] | None:
    name = identifier.rsplit(":", 1)[-1].lower()
    return world.section(GLOBAL).get((account, name))


def require_global(world: World, account: str, identifier: str) -> dict[str, Any]:
    record = find_global(world, account, identifier)
    if record is None:
        raise Refused("GlobalClusterNotFoundFault", f"Global cluster {identifier} not found", 404)
    return record


def global_status(world: World, record: dict[str, Any]) -> str:
    return world.status(GLOBAL, record["GlobalClusterArn"]) or "available"


def global_of(world: World, cluster_arn: str) -> dict[str, Any] | None:
    """The global cluster a cluster is a member of."""
    account = cluster_arn.split(":")[4]
    return next((r for r in global_clusters(world, account) if cluster_arn in r["members"]), None)


def is_secondary(world: World, cluster_arn: str) -> bool:
    record = global_of(world, cluster_arn)
    return record is not None and record["writer"] != cluster_arn
