"""What AWS itself publishes about replication between regions, once a minute.

Aurora in the region that lags ("Monitoring an Amazon Aurora global database"), DynamoDB and S3 in the one that sends
("DynamoDB metrics and dimensions", "Using S3 Replication metrics"). Nothing from or about a source that is out, and
nothing in a region that is out; what waits for a target that is out grows old.
"""

from __future__ import annotations

from typing import Any

from moto.s3.models import FakeKey, s3_backends

from drctl.sim.call import Moto
from drctl.sim.gaps import dynamodb_replication, s3_replication
from drctl.sim.gaps.cloudwatch_metrics import record
from drctl.sim.lifecycle.dynamodb import GROUPS
from drctl.sim.lifecycle.rds import GLOBAL, cluster_status, region_of
from drctl.sim.lifecycle.s3 import REPLICATION, find_version
from drctl.sim.motion import database, outage, replication
from drctl.sim.motion.pulse import pulse
from drctl.sim.world import World

PUBLISHED = 60.0
"""Simulated seconds between two data points about replication."""


@pulse("replication-metrics", PUBLISHED)
def publish(world: World, moto: Moto) -> None:
    for (account, _), cluster in world.section(GLOBAL).items():
        publish_database(world, account, cluster)
    for (account, name), group in world.section(GROUPS).items():
        publish_table(world, account, name, list(group["replicas"]))
    backend: Any
    for account, _, backend in s3_backends.iter_backends():
        for bucket in backend.buckets.values():
            for rule in world.section(REPLICATION).get(bucket.name, {}).get("Rules", []):
                publish_rule(world, account, bucket, rule)


def publish_database(world: World, account: str, cluster: dict[str, Any]) -> None:
    """The lag of every secondary that replicates, under the secondary's name and in its region."""
    writer = cluster["writer"]
    if writer is None or outage.is_out(world, region_of(writer)):
        return
    for member in cluster["members"]:
        region = region_of(member)
        replicates = member not in cluster["unsynchronised"] and cluster_status(world, member) != "creating"
        if member == writer or not replicates or outage.is_out(world, region):
            continue
        dimensions = {"DBClusterIdentifier": member.rsplit(":", 1)[1]}
        milliseconds = replication.behind(world, database.link(writer, member)) * 1000
        for metric in ("AuroraGlobalDBReplicationLag", "AuroraGlobalDBRPOLag"):
            record(world, (account, region), "AWS/RDS", metric, dimensions, milliseconds)


def publish_table(world: World, account: str, name: str, regions: list[str]) -> None:
    """The latency of every ordered pair of replicas."""
    for source in regions:
        for target in regions:
            if source == target or outage.is_out(world, source):
                continue
            link = dynamodb_replication.link(account, name, source, target)
            dimensions = {"TableName": name, "ReceivingRegion": target}
            milliseconds = replication.behind(world, link) * 1000
            record(world, (account, source), "AWS/DynamoDB", "ReplicationLatency", dimensions, milliseconds)


def publish_rule(world: World, account: str, bucket: Any, rule: dict[str, Any]) -> None:
    """What waits for replication by a rule that has metrics, and what has failed since the last time."""
    metrics = rule["Destination"].get("Metrics", {}).get("Status")
    if {metrics, rule["Status"]} != {"Enabled"} or outage.is_out(world, bucket.region_name):
        return
    link = s3_replication.link(account, bucket, rule)
    waiting = replication.under_way(world, link)
    found = [find_version(bucket, sent.data["name"], sent.data["version"]) for sent in waiting]
    values = {
        "ReplicationLatency": replication.behind(world, link),
        "OperationsPendingReplication": len(waiting),
        "BytesPendingReplication": sum(version.size for version in found if isinstance(version, FakeKey)),
        "OperationsFailedReplication": world.section(s3_replication.FAILED).pop(link, 0),
    }
    _, source, target, name = link.ends
    dimensions = {"SourceBucket": source, "DestinationBucket": target, "RuleId": name}
    for metric, value in values.items():
        record(world, (account, bucket.region_name), "AWS/S3", metric, dimensions, float(value))
