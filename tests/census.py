"""Everything that exists on an account, kind by kind: what was there before, what came, what was left behind.

It asks each service's own list calls and never the tagging API, which misses every second kind, and it uses nothing of
drctl's code: what it finds is what an auditor would find.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

REGIONS = ("us-east-1", "us-west-2")
GLOBAL = "us-east-1"

Client = Callable[[str, str], Any]
"""A boto3 client of a service in a region."""

Census = dict[str, set[str]]
"""Kind -> what there is of it, each as ``REGION/id`` or as the id alone where there is no region."""

_PLAIN: dict[str, tuple[str, str, str, str]] = {
    "vpc": ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    "subnet": ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    "internet-gateway": ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "elastic-ip": ("ec2", "describe_addresses", "Addresses", "AllocationId"),
    "route-table": ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    "security-group": ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    "security-group-rule": (
        "ec2",
        "describe_security_group_rules",
        "SecurityGroupRules",
        "SecurityGroupRuleId",
    ),
    "flow-log": ("ec2", "describe_flow_logs", "FlowLogs", "FlowLogId"),
    "network-acl": ("ec2", "describe_network_acls", "NetworkAcls", "NetworkAclId"),
    "network-interface": ("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    "load-balancer": ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    "target-group": ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    "aurora-cluster": ("rds", "describe_db_clusters", "DBClusters", "DBClusterIdentifier"),
    "aurora-instance": ("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    "db-subnet-group": ("rds", "describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
    "db-cluster-parameter-group": (
        "rds",
        "describe_db_cluster_parameter_groups",
        "DBClusterParameterGroups",
        "DBClusterParameterGroupName",
    ),
    "log-group": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "sns-topic": ("sns", "list_topics", "Topics", "TopicArn"),
    "certificate": ("acm", "list_certificates", "CertificateSummaryList", "CertificateArn"),
}


def census(
    client: Client, regions: Collection[str] = REGIONS, services: Collection[str] | None = None
) -> Census:
    """Everything there is, in these regions and globally. services: boto3's names of those asked; None: all."""
    found: Census = {}

    def asked(service: str) -> bool:
        return services is None or service in services

    for region in regions:
        for kind, (service, operation, items, field) in _PLAIN.items():
            if asked(service):
                things = listed(client(service, region), operation, items)
                _note(found, kind, region, (each[field] for each in things))
        for service, lister in _REGIONAL.items():
            if asked(service):
                for kind, name in lister(client(service, region)):
                    _note(found, kind, region, [name])
    for service, lister in _GLOBAL.items():
        if asked(service):
            for kind, name in lister(client(service, GLOBAL)):
                found.setdefault(kind, set()).add(name)
    return found


def came(before: Census, after: Census) -> Census:
    """What ``after`` has and ``before`` had not, of the kinds that have any."""
    new = {kind: ids - before.get(kind, set()) for kind, ids in after.items()}
    return {kind: ids for kind, ids in new.items() if ids}


def numbers(found: Census) -> dict[str, int]:
    """How many of each kind."""
    return {kind: len(ids) for kind, ids in sorted(found.items())}


def listed(client: Any, operation: str, items: str, **parameters: Any) -> list[Any]:
    """The items of all pages."""
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**parameters)
        return [item for page in pages for item in page.get(items) or []]
    return list(getattr(client, operation)(**parameters).get(items) or [])


def _note(found: Census, kind: str, region: str, names: Any) -> None:
    found.setdefault(kind, set()).update(f"{region}/{name}" for name in names)


Found = Iterator[tuple[str, str]]


def _network(ec2: Any) -> Found:
    """What stays listed for an hour after it has gone does not count."""
    for nat in listed(ec2, "describe_nat_gateways", "NatGateways"):
        if nat["State"] != "deleted":
            yield "nat-gateway", nat["NatGatewayId"]
    for endpoint in listed(ec2, "describe_vpc_endpoints", "VpcEndpoints"):
        if endpoint["State"] != "deleted":
            yield "vpc-endpoint", endpoint["VpcEndpointId"]
    for peering in listed(ec2, "describe_vpc_peering_connections", "VpcPeeringConnections"):
        if peering["Status"]["Code"] not in ("deleted", "rejected", "expired", "failed"):
            yield "vpc-peering", peering["VpcPeeringConnectionId"]
    for table in listed(ec2, "describe_route_tables", "RouteTables"):
        for association in table["Associations"]:
            yield "route-table-association", association["RouteTableAssociationId"]
        for route in table["Routes"]:
            destination = route.get("DestinationCidrBlock") or route.get("DestinationPrefixListId")
            yield "route", f"{table['RouteTableId']}|{destination}"


def _load_balancing(elbv2: Any) -> Found:
    for balancer in listed(elbv2, "describe_load_balancers", "LoadBalancers"):
        arn = balancer["LoadBalancerArn"]
        for listener in listed(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=arn):
            yield "listener", listener["ListenerArn"]
            for rule in listed(elbv2, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"]):
                yield "listener-rule", rule["RuleArn"]


def _containers(ecs: Any) -> Found:
    for cluster in listed(ecs, "list_clusters", "clusterArns"):
        yield "ecs-cluster", cluster
        for service in listed(ecs, "list_services", "serviceArns", cluster=cluster):
            yield "ecs-service", service
    for status in ("ACTIVE", "INACTIVE"):
        for definition in listed(ecs, "list_task_definitions", "taskDefinitionArns", status=status):
            yield "task-definition", definition


def _scaling(scaling: Any) -> Found:
    for target in listed(scaling, "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs"):
        yield "scalable-target", target["ResourceId"]
    for policy in listed(scaling, "describe_scaling_policies", "ScalingPolicies", ServiceNamespace="ecs"):
        yield "scaling-policy", policy["PolicyARN"]


def _keys(kms: Any) -> Found:
    for key in listed(kms, "list_keys", "Keys"):
        known = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if known["KeyManager"] == "CUSTOMER" and known["KeyState"] != "PendingDeletion":
            yield "kms-key", known["KeyId"]
    for alias in listed(kms, "list_aliases", "Aliases"):
        if not alias["AliasName"].startswith("alias/aws/"):
            yield "kms-alias", alias["AliasName"]


def _secrets(secrets: Any) -> Found:
    for secret in listed(secrets, "list_secrets", "SecretList", IncludePlannedDeletion=True):
        yield "secret", secret["ARN"]


def _tables(dynamodb: Any) -> Found:
    for table in listed(dynamodb, "list_tables", "TableNames"):
        yield "dynamodb-table", table


def _alarms(cloudwatch: Any) -> Found:
    for page in cloudwatch.get_paginator("describe_alarms").paginate():
        for alarm in [*page["MetricAlarms"], *page.get("CompositeAlarms", [])]:
            yield "alarm", alarm["AlarmName"]


def _subscriptions(sns: Any) -> Found:
    for subscription in listed(sns, "list_subscriptions", "Subscriptions"):
        yield "sns-subscription", f"{subscription['TopicArn']}|{subscription['Endpoint']}"


def _rules(events: Any) -> Found:
    for rule in listed(events, "list_rules", "Rules"):
        yield "event-rule", rule["Name"]
        for target in listed(events, "list_targets_by_rule", "Targets", Rule=rule["Name"]):
            yield "event-target", f"{rule['Name']}|{target['Id']}"


def _functions(functions: Any) -> Found:
    for function in listed(functions, "list_functions", "Functions"):
        name = function["FunctionName"]
        yield "lambda-function", name
        with suppress(functions.exceptions.ResourceNotFoundException):
            yield "lambda-permission", f"{name}|{functions.get_policy(FunctionName=name)['Policy']}"


def _databases(rds: Any) -> Found:
    """Global databases are shown by every region that has a member; an empty one by the region it was made in."""
    for database in listed(rds, "describe_global_clusters", "GlobalClusters"):
        yield "global-cluster", database["GlobalClusterIdentifier"]


def _identity(iam: Any) -> Found:
    for role in listed(iam, "list_roles", "Roles"):
        if role["Path"].startswith("/aws-service-role/"):
            continue
        yield "iam-role", role["RoleName"]
        for policy in listed(iam, "list_role_policies", "PolicyNames", RoleName=role["RoleName"]):
            yield "iam-role-policy", f"{role['RoleName']}|{policy}"
    for policy in listed(iam, "list_policies", "Policies", Scope="Local"):
        yield "iam-policy", policy["Arn"]


def _names(route53: Any) -> Found:
    for zone in listed(route53, "list_hosted_zones", "HostedZones"):
        yield "hosted-zone", zone["Id"]
        for record in listed(
            route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"]
        ):
            names = (zone["Id"], record["Name"], record["Type"], record.get("SetIdentifier", ""))
            yield "record-set", "|".join(names)
    for check in listed(route53, "list_health_checks", "HealthChecks"):
        yield "health-check", check["Id"]


def _edge(cloudfront: Any) -> Found:
    for page in cloudfront.get_paginator("list_distributions").paginate():
        for distribution in page["DistributionList"].get("Items", []):
            yield "distribution", distribution["Id"]
    controls = cloudfront.list_origin_access_controls()["OriginAccessControlList"]
    for control in controls.get("Items", []):
        yield "origin-access-control", control["Id"]


def _storage(s3: Any) -> Found:
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        yield "s3-bucket", name
        for kind, operation in (
            ("s3-bucket-policy", s3.get_bucket_policy),
            ("s3-replication", s3.get_bucket_replication),
        ):
            try:
                operation(Bucket=name)
            except ClientError:
                continue
            yield kind, name
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                yield "s3-object-version", f"{name}/{version['Key']}|{version['VersionId']}"
        for upload in s3.list_multipart_uploads(Bucket=name).get("Uploads", []):
            yield "s3-upload", f"{name}/{upload['Key']}|{upload['UploadId']}"


_REGIONAL: dict[str, Callable[[Any], Found]] = {
    "ec2": _network,
    "elbv2": _load_balancing,
    "ecs": _containers,
    "application-autoscaling": _scaling,
    "kms": _keys,
    "secretsmanager": _secrets,
    "dynamodb": _tables,
    "cloudwatch": _alarms,
    "sns": _subscriptions,
    "events": _rules,
    "lambda": _functions,
}
_GLOBAL: dict[str, Callable[[Any], Found]] = {
    "rds": _databases,
    "iam": _identity,
    "route53": _names,
    "cloudfront": _edge,
    "s3": _storage,
}
