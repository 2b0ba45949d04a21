"""What an environment is like, field by field, asked of AWS by boto3 and by nothing of drctl's.

Left out is what changes by itself: times, states of alarms, tasks and their events.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from tests.census import GLOBAL, REGIONS, Client, listed

BY_ITSELF = frozenset(
    {
        *("ResponseMetadata", "LatestRestorableTime", "EarliestRestorableTime", "events", "deployments"),
        *("StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp"),
        *("StateTransitionedTimestamp", "ItemCount", "TableSizeBytes", "LastAccessedDate"),
        "AvailableIpAddressCount",
    }
)

_LISTED: dict[str, tuple[str, str, str]] = {
    "DBClusterIdentifier": ("rds", "describe_db_clusters", "DBClusters"),
    "DBInstanceIdentifier": ("rds", "describe_db_instances", "DBInstances"),
    "GlobalClusterIdentifier": ("rds", "describe_global_clusters", "GlobalClusters"),
    "NetworkAclId": ("ec2", "describe_network_acls", "NetworkAcls"),
    "SubnetId": ("ec2", "describe_subnets", "Subnets"),
    "RouteTableId": ("ec2", "describe_route_tables", "RouteTables"),
    "GroupId": ("ec2", "describe_security_groups", "SecurityGroups"),
    "AlarmArn": ("cloudwatch", "describe_alarms", "MetricAlarms"),
    "LoadBalancerArn": ("elbv2", "describe_load_balancers", "LoadBalancers"),
    "TargetGroupArn": ("elbv2", "describe_target_groups", "TargetGroups"),
    "FunctionArn": ("lambda", "list_functions", "Functions"),
    "Arn": ("events", "list_rules", "Rules"),
    "ARN": ("secretsmanager", "list_secrets", "SecretList"),
}
"""Kind, by the field that names one."""

_OF_BUCKETS = ("versioning", "replication", "encryption", "policy", "lifecycle_configuration", "tagging")


def fields(client: Client) -> dict[str, str]:
    """What is configured: name -> value as JSON, in both regions and globally."""
    found: dict[str, str] = {}
    for region in REGIONS:
        for name, value in _regional(client, region):
            found[f"{region} {name}"] = json.dumps(_settled(value), sort_keys=True, default=str)
    for name, value in _global(client):
        found[name] = json.dumps(_settled(value), sort_keys=True, default=str)
    return found


def changes(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """Name -> before, after; of what is not the same."""
    names = sorted(before.keys() | after.keys())
    return {
        name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    }


def _regional(client: Client, region: str) -> Iterator[tuple[str, Any]]:
    for field, (service, operation, items) in _LISTED.items():
        for each in listed(client(service, region), operation, items):
            yield f"{operation} {each[field]}", each
    ecs, scaling, elbv2 = (client(each, region) for each in ("ecs", "application-autoscaling", "elbv2"))
    for cluster in listed(ecs, "list_clusters", "clusterArns"):
        for arn in listed(ecs, "list_services", "serviceArns", cluster=cluster):
            yield f"service {arn}", ecs.describe_services(cluster=cluster, services=[arn])["services"]
    for operation, items in (
        ("describe_scalable_targets", "ScalableTargets"),
        ("describe_scaling_policies", "ScalingPolicies"),
    ):
        yield operation, listed(scaling, operation, items, ServiceNamespace="ecs")
    for balancer in listed(elbv2, "describe_load_balancers", "LoadBalancers"):
        arn = balancer["LoadBalancerArn"]
        for listener in listed(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=arn):
            yield f"listener {listener['ListenerArn']}", listener
            yield (
                f"rules {listener['ListenerArn']}",
                listed(elbv2, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"]),
            )
    for group in listed(elbv2, "describe_target_groups", "TargetGroups"):
        health = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
        states = [each["TargetHealth"]["State"] for each in health["TargetHealthDescriptions"]]
        yield f"target health {group['TargetGroupArn']}", states
    for table in listed(client("dynamodb", region), "list_tables", "TableNames"):
        yield f"table {table}", client("dynamodb", region).describe_table(TableName=table)["Table"]


def _global(client: Client) -> Iterator[tuple[str, Any]]:
    route53, s3 = client("route53", GLOBAL), client("s3", GLOBAL)
    for check in listed(route53, "list_health_checks", "HealthChecks"):
        yield f"health check {check['Id']}", check
    for zone in listed(route53, "list_hosted_zones", "HostedZones"):
        yield (
            f"records {zone['Id']}",
            listed(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"]),
        )
    for page in client("cloudfront", GLOBAL).get_paginator("list_distributions").paginate():
        for distribution in page["DistributionList"].get("Items", []):
            yield f"distribution {distribution['Id']}", distribution
    for bucket in (each["Name"] for each in s3.list_buckets()["Buckets"]):
        for kind in _OF_BUCKETS:
            try:
                yield f"{kind} {bucket}", getattr(s3, f"get_bucket_{kind}")(Bucket=bucket)
            except ClientError as error:
                yield f"{kind} {bucket}", error.response["Error"]["Code"]


def _settled(value: Any) -> Any:
    """Without what changes by itself, and with lists in an order of their own: AWS promises none."""
    if isinstance(value, dict):
        return {key: _settled(each) for key, each in value.items() if key not in BY_ITSELF}
    if isinstance(value, list):
        return sorted(map(_settled, value), key=lambda each: json.dumps(each, sort_keys=True, default=str))
    return value
