"""Everything that takes tags says whose it is: the environment, the address, and what the operator adds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.census import listed
from tests.environment import ENVIRONMENT, Built, P, S

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)
Tagged = Iterator[tuple[str, Any]]


def test_whatever_takes_tags_carries_ours_and_the_operators(built: Built) -> None:
    records = {record["address"] for record in built.ok("state", "list").json["records"]}
    seen: dict[str, str] = {}
    for look, regions in LOOKS.items():
        for region in regions:
            for name, held in look(built, region):
                tags = _as_dict(held)
                if tags.get("drctl:environment") != "demo" or "drctl:address" not in tags:
                    continue
                address = tags["drctl:address"]
                assert address in records, (
                    f"{name} carries the address {address}, which the state does not know"
                )
                assert tags.get("team") == "payments", f"{name} ({address})"
                assert tags["Name"].startswith("demo-"), f"{name} ({address})"
                seen[name] = address
    kinds = {address.split("/")[1] for address in seen.values()}
    assert kinds >= TAKE_TAGS, TAKE_TAGS - kinds


TAKE_TAGS = {
    "vpc",
    "subnet",
    "internet-gateway",
    "elastic-ip",
    "nat-gateway",
    "route-table",
    "security-group",
    "security-group-rule",
    "vpc-endpoint",
    "vpc-peering",
    "flow-log",
    "aurora-cluster",
    "aurora-instance",
    "db-subnet-group",
    "db-cluster-parameter-group",
    "dynamodb-table",
    "s3-bucket",
    "iam-role",
    "kms-key",
    "secret",
    "log-group",
    "lambda-function",
    "load-balancer",
    "target-group",
    "alarm",
    "sns-topic",
}


def _ec2(built: Built, region: str) -> Tagged:
    ec2 = built.client("ec2", region)
    tags: dict[str, list[dict[str, str]]] = {}
    for tag in listed(ec2, "describe_tags", "Tags"):
        tags.setdefault(tag["ResourceId"], []).append(tag)
    yield from tags.items()


def _rds(built: Built, region: str) -> Tagged:
    rds = built.client("rds", region)
    for operation, items, arn in (
        ("describe_db_clusters", "DBClusters", "DBClusterArn"),
        ("describe_db_instances", "DBInstances", "DBInstanceArn"),
        ("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupArn"),
        (
            "describe_db_cluster_parameter_groups",
            "DBClusterParameterGroups",
            "DBClusterParameterGroupArn",
        ),
    ):
        for each in listed(rds, operation, items):
            yield each[arn], rds.list_tags_for_resource(ResourceName=each[arn])["TagList"]


def _stores(built: Built, region: str) -> Tagged:
    dynamodb, kms = built.client("dynamodb", region), built.client("kms", region)
    for table in listed(dynamodb, "list_tables", "TableNames"):
        arn = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
        yield arn, dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]
    for key in listed(kms, "list_keys", "Keys"):
        yield key["KeyId"], kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]
    for secret in listed(built.client("secretsmanager", region), "list_secrets", "SecretList"):
        yield secret["ARN"], secret.get("Tags", [])


def _watchers(built: Built, region: str) -> Tagged:
    logs, functions = built.client("logs", region), built.client("lambda", region)
    cloudwatch, sns = built.client("cloudwatch", region), built.client("sns", region)
    for group in listed(logs, "describe_log_groups", "logGroups"):
        arn = group["arn"].removesuffix(":*")
        yield arn, logs.list_tags_for_resource(resourceArn=arn)["tags"]
    for function in listed(functions, "list_functions", "Functions"):
        yield function["FunctionArn"], functions.list_tags(Resource=function["FunctionArn"])["Tags"]
    for alarm in listed(cloudwatch, "describe_alarms", "MetricAlarms"):
        arn = alarm["AlarmArn"]
        yield arn, cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    for topic in listed(sns, "list_topics", "Topics"):
        yield topic["TopicArn"], sns.list_tags_for_resource(ResourceArn=topic["TopicArn"])["Tags"]


def _load_balancing(built: Built, region: str) -> Tagged:
    elbv2 = built.client("elbv2", region)
    arns = [
        *(each["LoadBalancerArn"] for each in listed(elbv2, "describe_load_balancers", "LoadBalancers")),
        *(each["TargetGroupArn"] for each in listed(elbv2, "describe_target_groups", "TargetGroups")),
    ]
    for shown in elbv2.describe_tags(ResourceArns=arns)["TagDescriptions"]:
        yield shown["ResourceArn"], shown["Tags"]


def _global(built: Built, region: str) -> Tagged:
    iam, s3 = built.client("iam", region), built.client("s3", region)
    for role in listed(iam, "list_roles", "Roles"):
        yield role["Arn"], iam.list_role_tags(RoleName=role["RoleName"])["Tags"]
    for bucket in s3.list_buckets()["Buckets"]:
        yield bucket["Name"], s3.get_bucket_tagging(Bucket=bucket["Name"])["TagSet"]


LOOKS: dict[Callable[[Built, str], Tagged], tuple[str, ...]] = {
    _ec2: (P, S),
    _rds: (P, S),
    _stores: (P, S),
    _watchers: (P, S),
    _load_balancing: (P, S),
    _global: (P,),
}


def _as_dict(held: Any) -> dict[str, str]:
    if isinstance(held, dict):
        return held
    return {tag.get("Key") or tag["TagKey"]: tag.get("Value", tag.get("TagValue", "")) for tag in held}
