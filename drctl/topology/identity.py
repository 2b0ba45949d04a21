"""What the tasks may do, and what an operator may do in a disaster: no more than they must."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from drctl.resources.iam_role import AccountTrust, IamRole
from drctl.resources.iam_role_policy import Condition, IamRolePolicy, Statement
from drctl.resources.output_of import OutputOf, Text
from drctl.topology.foundation import policy, role
from drctl.topology.scope import GLOBAL, METRICS, Graph, Role, Scope

if TYPE_CHECKING:
    from drctl.topology.compute import Site
    from drctl.topology.data import Stores
    from drctl.topology.foundation import Foundation

SESSION_S = 3600
"""An operator's session: one hour."""


def task_role_policies(
    graph: Graph, scope: Scope, base: Foundation, stores: Stores
) -> dict[str, IamRolePolicy]:
    """The policies of the role that runs tasks and of the one that the tasks have, by ``execution`` and ``task``."""
    execution = role(
        graph, scope, "execution", "ecs-tasks", "ECS starts tasks: image, logs, the database's secret"
    )
    task = role(graph, scope, "task", "ecs-tasks", "what the application itself may do")
    return {
        "execution": policy(graph, execution, *_execution(scope, base)),
        "task": policy(graph, task, *_task(scope, base, stores)),
    }


def operator(graph: Graph, scope: Scope, stores: Stores, sites: Mapping[Role, Site]) -> None:
    """The role that the listed other accounts assume to fail over and back; none is listed: there is no role."""
    wanted = scope.settings.operators
    if not wanted.accounts or wanted.external_id is None:
        return
    made = graph.add(
        IamRole(
            name="operator",
            region=GLOBAL,
            aws_name=scope.named("operator"),
            trust=AccountTrust(wanted.accounts, wanted.external_id),
            description="disaster recovery: what failover and failback call, for one hour",
            max_session_s=SESSION_S,
        )
    )
    policy(graph, made, *_operator(scope, stores, sites))


def _execution(scope: Scope, base: Foundation) -> tuple[Statement, ...]:
    """ECS developer guide, "Task execution IAM role"; the image's registry may be ECR of this account."""
    groups: tuple[Text, ...] = tuple(
        f"arn:{scope.partition}:logs:{side.region}:{scope.account}:log-group:/ecs/{scope.named('*')}"
        for side in scope.sides
    )
    images = tuple(f"arn:{scope.partition}:ecr:{s.region}:{scope.account}:repository/*" for s in scope.sides)
    return (
        Statement(("ecr:GetAuthorizationToken",), ("*",)),
        Statement(
            ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"), images
        ),
        Statement(("logs:CreateLogStream", "logs:PutLogEvents"), groups),
        *_secret(scope, base),
    )


def _task(scope: Scope, base: Foundation, stores: Stores) -> tuple[Statement, ...]:
    tables: list[Text] = []
    for each in stores.tables:
        tables += [OutputOf(each.table, "arn"), OutputOf(each.replica, "arn")]
    buckets = [bucket for pair in stores.buckets for bucket in pair.values()]
    keys = tuple(OutputOf(key, "arn") for key in base.keys.values())
    services = tuple(
        f"{service}.{s.region}.amazonaws.com" for service in ("s3", "dynamodb") for s in scope.sides
    )
    return (
        Statement(
            (
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "dynamodb:DeleteItem",
                "dynamodb:Query",
            ),
            tuple(tables),
        ),
        Statement(("s3:ListBucket",), tuple(OutputOf(bucket, "arn") for bucket in buckets)),
        Statement(
            ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
            tuple(OutputOf(bucket, "arn", suffix="/*") for bucket in buckets),
        ),
        Statement(
            ("kms:Decrypt", "kms:GenerateDataKey"),
            keys,
            (Condition("StringEquals", "kms:ViaService", services),),
        ),
        *_secret(scope, base),
    )


def _secret(scope: Scope, base: Foundation) -> tuple[Statement, ...]:
    """The secret in both regions: a replica's ARN differs in the region only (Secrets Manager user guide)."""
    here = f"arn:{scope.partition}:secretsmanager:{{}}:{scope.account}:secret:{scope.settings.environment}/database-*"
    services = tuple(f"secretsmanager.{side.region}.amazonaws.com" for side in scope.sides)
    return (
        Statement(
            ("secretsmanager:GetSecretValue",), tuple(here.format(side.region) for side in scope.sides)
        ),
        Statement(
            ("kms:Decrypt",),
            tuple(OutputOf(key, "arn") for key in base.keys.values()),
            (Condition("StringEquals", "kms:ViaService", services),),
        ),
    )


def _operator(scope: Scope, stores: Stores, sites: Mapping[Role, Site]) -> tuple[Statement, ...]:
    """Exactly what a failover and a failback call (system.md "What a failover may call" is the list's source)."""
    regions = tuple(side.region for side in scope.sides)
    clusters: list[Text] = [OutputOf(stores.database.cluster, "arn")]
    clusters += [OutputOf(cluster, "arn") for cluster in stores.clusters.values()]
    services = tuple(OutputOf(each, "arn") for site in sites.values() for each in site.services.values())
    in_regions = (Condition("StringEquals", "aws:RequestedRegion", regions),)
    metrics = (Condition("StringEquals", "cloudwatch:namespace", (METRICS,)),)
    return (
        Statement(("rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"), tuple(clusters)),
        Statement(("ecs:UpdateService",), services),
        Statement(
            # Describe and list actions take no resource (Service Authorization Reference).
            (
                "rds:DescribeDBClusters",
                "rds:DescribeGlobalClusters",
                "ecs:DescribeServices",
                "application-autoscaling:DescribeScalableTargets",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricData",
                "cloudwatch:GetMetricStatistics",
                "elasticloadbalancing:DescribeTargetHealth",
            ),
            ("*",),
            in_regions,
        ),
        Statement(
            ("application-autoscaling:RegisterScalableTarget",),
            tuple(
                f"arn:{scope.partition}:application-autoscaling:{region}:{scope.account}:scalable-target/*"
                for region in regions
            ),
            (Condition("StringEquals", "application-autoscaling:service-namespace", ("ecs",)),),
        ),
        Statement(("cloudwatch:PutMetricData",), ("*",), metrics),
        Statement(("route53:GetHealthCheckStatus",), (f"arn:{scope.partition}:route53:::healthcheck/*",)),
    )
