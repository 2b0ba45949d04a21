"""What must survive: the secret, the Aurora Global Database, the DynamoDB global tables, the replicated buckets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drctl.resources.aurora_cluster import AuroraCluster
from drctl.resources.aurora_instance import AuroraInstance
from drctl.resources.db_cluster_parameter_group import DbClusterParameterGroup
from drctl.resources.db_subnet_group import DbSubnetGroup
from drctl.resources.dynamodb_replica import DynamodbReplica
from drctl.resources.dynamodb_table import DynamodbTable
from drctl.resources.global_cluster import GlobalCluster
from drctl.resources.iam_role_policy import Statement
from drctl.resources.output_of import OutputOf
from drctl.resources.s3_bucket import S3Bucket
from drctl.resources.s3_replication import S3Replication
from drctl.resources.secret import Secret
from drctl.settings import BREAKER_TABLE
from drctl.topology.foundation import log_group, policy, role
from drctl.topology.scope import GLOBAL, Graph, Role, Scope, Side

if TYPE_CHECKING:
    from drctl.topology.foundation import Foundation
    from drctl.topology.network import Network

EXPORTED_LOGS = ("audit", "error", "slowquery")
PARAMETER_FAMILY = "aurora-mysql8.0"


@dataclass(frozen=True)
class Table:
    """A global table: where it was made, and its replica."""

    table: DynamodbTable
    replica: DynamodbReplica


@dataclass(frozen=True)
class GlobalDatabase:
    """What both regions' clusters share."""

    cluster: GlobalCluster
    secret: Secret


@dataclass(frozen=True)
class Stores:
    """All that holds data; dictionaries are by side."""

    database: GlobalDatabase
    clusters: dict[Role, AuroraCluster]
    tables: tuple[Table, ...]
    breaker: Table
    buckets: tuple[Mapping[Role, S3Bucket], ...]


def global_database(graph: Graph, scope: Scope, base: Foundation) -> GlobalDatabase:
    """The secret, under a key of each region, and the global cluster that the regions' clusters join."""
    settings = scope.settings.database
    secret = graph.add(
        Secret(
            name="database",
            region=scope.primary.region,
            aws_name=f"{scope.settings.environment}/database",
            key=base.keys["primary"],
            replica_region=scope.standby.region,
            replica_key=base.keys["standby"],
            username=settings.username,
        )
    )
    cluster = graph.add(
        GlobalCluster(
            name="main",
            region=GLOBAL,
            aws_name=scope.named("global"),
            engine_version=settings.engine_version or "",
            home=scope.primary.region,
            standby=scope.standby.region,
        )
    )
    return GlobalDatabase(cluster, secret)


def data(
    graph: Graph,
    scope: Scope,
    base: Foundation,
    networks: Mapping[Role, Network],
    database: GlobalDatabase,
) -> Stores:
    """The clusters of both regions, the tables with their replicas, the buckets with replication both ways."""
    primary = _cluster(graph, scope, scope.primary, base, networks["primary"], database, writer=None)
    writer = _instances(graph, scope, scope.primary, base, primary)[0]
    standby = _cluster(graph, scope, scope.standby, base, networks["standby"], database, writer=writer)
    _instances(graph, scope, scope.standby, base, standby)
    return Stores(
        database,
        {"primary": primary, "standby": standby},
        tuple(_table(graph, scope, base, table.name, table.key) for table in scope.settings.tables),
        _table(graph, scope, base, BREAKER_TABLE, "id"),
        tuple(_buckets(graph, scope, base, bucket.name) for bucket in scope.settings.buckets),
    )


def _cluster(
    graph: Graph,
    scope: Scope,
    side: Side,
    base: Foundation,
    network: Network,
    database: GlobalDatabase,
    writer: AuroraInstance | None,
) -> AuroraCluster:
    """``writer`` None: the cluster that is made first, with the credentials. Else it joins once that one writes."""
    settings = scope.settings.database
    first = writer is None
    subnet_group = DbSubnetGroup(
        name="main",
        region=side.region,
        aws_name=scope.named(side.role),
        subnets=network.subnets["isolated"],
    )
    parameter_group = DbClusterParameterGroup(
        name="main", region=side.region, aws_name=scope.named(side.role), family=PARAMETER_FAMILY
    )
    return graph.add(
        AuroraCluster(
            name="main",
            region=side.region,
            aws_name=scope.named(side.role),
            global_cluster=database.cluster,
            key=base.keys[side.role],
            subnet_group=graph.add(subnet_group),
            parameter_group=graph.add(parameter_group),
            security_group=network.database_group,
            backup_days=settings.backup_days,
            database=settings.name if first else None,
            secret=database.secret if first else None,
            after=writer,
            log_groups=tuple(
                log_group(
                    graph,
                    scope,
                    side,
                    base.keys[side.role],
                    f"database-{kind}",
                    f"/aws/rds/cluster/{scope.named(side.role)}/{kind}",
                )
                for kind in EXPORTED_LOGS
            ),
        )
    )


def _instances(
    graph: Graph, scope: Scope, side: Side, base: Foundation, cluster: AuroraCluster
) -> list[AuroraInstance]:
    return [
        graph.add(
            AuroraInstance(
                name=str(number),
                region=side.region,
                aws_name=scope.named(side.role, str(number)),
                cluster=cluster,
                instance_class=scope.settings.database.instance_class,
                monitoring_role=base.database_monitoring_role,
                key=base.keys[side.role],
            )
        )
        for number in range(1, scope.instances(side) + 1)
    ]


def _table(graph: Graph, scope: Scope, base: Foundation, name: str, hash_key: str) -> Table:
    table = graph.add(
        DynamodbTable(
            name=name,
            region=scope.primary.region,
            aws_name=scope.named(name),
            hash_key=hash_key,
            key=base.keys["primary"],
        )
    )
    replica = DynamodbReplica(name=name, region=scope.standby.region, table=table, key=base.keys["standby"])
    return Table(table, graph.add(replica))


def _buckets(graph: Graph, scope: Scope, base: Foundation, name: str) -> dict[Role, S3Bucket]:
    """A bucket in each region, each replicating to the other: the way back is ready before it is needed."""
    buckets = {
        side.role: graph.add(
            S3Bucket(
                name=name,
                region=side.region,
                aws_name=scope.bucket(name, side),
                key=base.keys[side.role],
                versioned=True,
                logs=base.log_buckets[side.role],
                logs_policy=base.log_policies[side.role],
                expire_days=None,
                owner="BucketOwnerEnforced",
            )
        )
        for side in scope.sides
    }
    for side in scope.sides:
        there = scope.other(side)
        source, destination = buckets[side.role], buckets[there.role]
        replicator = role(
            graph, scope, f"{name}-from-{side.role}", "s3", f"S3 replicates {name} to {there.region}"
        )
        permissions = _replication(scope, side, source, destination, base)
        graph.add(
            S3Replication(
                name=name,
                region=side.region,
                source=source,
                destination=destination,
                destination_key=base.keys[there.role],
                role=replicator,
                role_policy=policy(graph, replicator, *permissions),
                replica_modifications=True,
            )
        )
    return buckets


def _replication(
    scope: Scope, side: Side, source: S3Bucket, destination: S3Bucket, base: Foundation
) -> tuple[Statement, ...]:
    """S3 user guide, "Setting up permissions for live replication" and "Replicating encrypted objects"."""
    there = scope.other(side)
    return (
        Statement(("s3:GetReplicationConfiguration", "s3:ListBucket"), (OutputOf(source, "arn"),)),
        Statement(
            ("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"),
            (OutputOf(source, "arn", suffix="/*"),),
        ),
        Statement(
            ("s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"),
            (OutputOf(destination, "arn", suffix="/*"),),
        ),
        Statement(("kms:Decrypt",), (OutputOf(base.keys[side.role], "arn"),)),
        Statement(("kms:Encrypt", "kms:GenerateDataKey"), (OutputOf(base.keys[there.role], "arn"),)),
    )
