"""What watches a region: the monitor on its schedule, alarms that act, a dashboard; and the failover switch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drctl.resources import dashboard
from drctl.resources.alarm import Alarm, Comparison, Missing
from drctl.resources.event_rule import EventRule
from drctl.resources.event_target import EventTarget
from drctl.resources.iam_role_policy import Condition, Statement
from drctl.resources.lambda_function import LambdaFunction
from drctl.resources.lambda_permission import LambdaPermission
from drctl.resources.output_of import OutputOf, Text
from drctl.resources.s3_replication import RULE_ID
from drctl.topology.foundation import log_group, policy, role
from drctl.topology.scope import METRICS, Graph, Role, Scope, Side

if TYPE_CHECKING:
    from drctl.topology.compute import Site
    from drctl.topology.data import Stores
    from drctl.topology.foundation import Foundation

MINUTE = 60
MONITOR_TIMEOUT_S = 60
MONITOR_MEMORY = 256

Dimensions = tuple[tuple[str, Text], ...]


@dataclass(frozen=True)
class _Watch:
    """An alarm to be: when ``statistic`` of the metric over a minute compares so with the threshold, for so long."""

    name: str
    namespace: str
    metric: str
    dimensions: Dimensions
    statistic: str
    threshold: float
    comparison: Comparison = "GreaterThanOrEqualToThreshold"
    minutes: int = 1
    missing: Missing = "notBreaching"
    minus: str | None = None


def switch(graph: Graph, scope: Scope, base: Foundation) -> Alarm:
    """The failover switch: sticky, because missing data changes nothing; in the standby's own CloudWatch."""
    return graph.add(_alarm(scope, scope.standby, base, _switch(scope)))


def monitoring(
    graph: Graph,
    scope: Scope,
    side: Side,
    base: Foundation,
    stores: Stores,
    sites: Mapping[Role, Site],
    switch: Alarm,
) -> None:
    """The monitor, the alarms and the dashboard of a region."""
    _monitor(graph, scope, side, base, stores, sites)
    watches = list(_watches(scope, side, stores, sites[side.role]))
    alarms = [graph.add(_alarm(scope, side, base, watch)) for watch in watches]
    if side.role == "standby":
        watches, alarms = [_switch(scope), *watches], [switch, *alarms]
    graph.add(
        dashboard.Dashboard(
            name="main",
            region=side.region,
            aws_name=scope.named(side.region),
            title=f"{scope.settings.environment}: {side.role} region {side.region}",
            alarms=tuple(alarms),
            graphs=tuple(_graph(watch) for watch in watches),
        )
    )


def _switch(scope: Scope) -> _Watch:
    dimensions: Dimensions = (("Environment", scope.settings.environment),)
    return _Watch("failover-trigger", METRICS, "FailoverTrigger", dimensions, "Maximum", 1, missing="ignore")


def _monitor(
    graph: Graph, scope: Scope, side: Side, base: Foundation, stores: Stores, sites: Mapping[Role, Site]
) -> None:
    """The function of lambda_src/health_monitor, once a minute; it probes twice in that minute by itself."""
    name = scope.named("health-monitor")
    assumed = role(graph, scope, f"monitor-{side.role}", "lambda", f"the health monitor in {side.region}")
    permissions = policy(graph, assumed, *_permissions(scope, side, base, stores))
    function = graph.add(
        LambdaFunction(
            name="health-monitor",
            region=side.region,
            aws_name=name,
            role=assumed,
            role_policy=permissions,
            folder="health_monitor",
            environment=_environment(scope, side, stores, sites),
            log_group=log_group(
                graph, scope, side, base.keys[side.role], "health-monitor", f"/aws/lambda/{name}"
            ),
            key=base.keys[side.role],
            timeout_s=MONITOR_TIMEOUT_S,
            memory_mb=MONITOR_MEMORY,
        )
    )
    rule = graph.add(
        EventRule(name="health-monitor", region=side.region, aws_name=name, schedule="rate(1 minute)")
    )
    graph.add(LambdaPermission(name="health-monitor", region=side.region, function=function, rule=rule))
    graph.add(EventTarget(name="health-monitor", region=side.region, rule=rule, function=function))


def _environment(
    scope: Scope, side: Side, stores: Stores, sites: Mapping[Role, Site]
) -> tuple[tuple[str, Text], ...]:
    """See lambda_src/health_monitor/settings.py for what each means. Both functions probe the primary's path."""
    settings, path = scope.settings, scope.settings.services[0].health_path
    host = scope.host(scope.primary)
    endpoint: Text = (
        f"https://{host}{path}"
        if host
        else OutputOf(sites["primary"].load_balancer, "dns_name", prefix="http://", suffix=path)
    )
    pairs: list[tuple[str, Text]] = [
        ("DRCTL_ENVIRONMENT", settings.environment),
        ("ROLE", side.role),
        ("PRIMARY_REGION", scope.primary.region),
        ("STANDBY_REGION", scope.standby.region),
        ("ENDPOINT_URL", endpoint),
        ("CLUSTER", scope.named("main")),
        ("SERVICES", ",".join(scope.named(service.name) for service in settings.services[:10])),
        ("DB_CLUSTER", stores.clusters[side.role].aws_name),
        ("TABLES", ",".join(each.table.aws_name for each in (*stores.tables, stores.breaker))),
        ("BUCKETS", ",".join(pair[side.role].aws_name for pair in stores.buckets)),
        ("METRIC_NAMESPACE", METRICS),
    ]
    if side.role == "standby":
        pairs += [
            ("TABLE", stores.breaker.table.aws_name),
            ("THRESHOLD", str(settings.monitor.threshold)),
            ("TIMEOUT_S", str(settings.monitor.timeout_s)),
            ("PROMOTE_DATABASE", str(settings.monitor.promote_database).lower()),
            ("GLOBAL_CLUSTER", stores.database.cluster.aws_name),
        ]
    return tuple(pairs)


def _permissions(scope: Scope, side: Side, base: Foundation, stores: Stores) -> tuple[Statement, ...]:
    """What the monitor looks at, in its own region only; the standby's writes the breaker, and nobody else does."""
    arn = f"arn:{scope.partition}:{{}}:{side.region}:{scope.account}:{{}}"
    cluster = scope.named("main")
    tables = [scope.named(table.name) for table in scope.settings.tables]
    breaker = arn.format("dynamodb", f"table/{stores.breaker.table.aws_name}")
    statements = [
        Statement(
            ("logs:CreateLogStream", "logs:PutLogEvents"),
            (arn.format("logs", f"log-group:/aws/lambda/{scope.named('health-monitor')}:*"),),
        ),
        Statement(
            ("cloudwatch:PutMetricData",),
            ("*",),
            (Condition("StringEquals", "cloudwatch:namespace", (METRICS,)),),
        ),
        Statement(("ecs:DescribeServices",), (arn.format("ecs", f"service/{cluster}/*"),)),
        Statement(
            ("rds:DescribeDBClusters",),
            (arn.format("rds", f"cluster:{stores.clusters[side.role].aws_name}"),),
        ),
        Statement(
            ("dynamodb:DescribeTable",),
            (breaker, *(arn.format("dynamodb", f"table/{table}") for table in tables)),
        ),
        Statement(
            ("s3:ListBucket",),
            tuple(f"arn:{scope.partition}:s3:::{pair[side.role].aws_name}" for pair in stores.buckets),
        ),
    ]
    if side.role == "standby":
        via = (Condition("StringEquals", "kms:ViaService", (f"dynamodb.{side.region}.amazonaws.com",)),)
        statements += [
            Statement(("dynamodb:GetItem", "dynamodb:PutItem"), (breaker,)),
            Statement(("kms:Decrypt", "kms:GenerateDataKey"), (OutputOf(base.keys[side.role], "arn"),), via),
        ]
    if side.role == "standby" and scope.settings.monitor.promote_database:
        clusters = tuple(OutputOf(each, "arn") for each in stores.clusters.values())
        everything = (OutputOf(stores.database.cluster, "arn"), *clusters)
        statements.append(Statement(("rds:DescribeGlobalClusters", "rds:FailoverGlobalCluster"), everything))
    return tuple(statements)


def _alarm(scope: Scope, side: Side, base: Foundation, watch: _Watch) -> Alarm:
    return Alarm(
        name=watch.name,
        region=side.region,
        aws_name=scope.named(watch.name),
        namespace=watch.namespace,
        metric=watch.metric,
        minus=watch.minus,
        dimensions=watch.dimensions,
        statistic=watch.statistic,
        period=MINUTE,
        evaluation_periods=watch.minutes,
        datapoints=watch.minutes,
        threshold=float(watch.threshold),
        comparison=watch.comparison,
        missing=watch.missing,
        topic=base.topics[side.role],
    )


def _graph(watch: _Watch) -> dashboard.Graph:
    metrics = [watch.metric, *([watch.minus] if watch.minus else [])]
    lines = (dashboard.Line(watch.namespace, metric, watch.dimensions, watch.statistic) for metric in metrics)
    return dashboard.Graph(watch.name, tuple(lines))


def _watches(scope: Scope, side: Side, stores: Stores, site: Site) -> Iterator[_Watch]:
    """Every alarm of system.md's "Monitoring and decision" that a region has; sources are AWS's own namespaces."""
    wanted = scope.settings.alarms
    here: Dimensions = (("Environment", scope.settings.environment), ("Region", side.region))
    yield _Watch(
        "service-health",
        METRICS,
        "ServiceHealth",
        here,
        "Minimum",
        1,
        "LessThanThreshold",
        minutes=wanted.unhealthy_minutes,
    )
    yield _Watch(
        "heartbeat",
        METRICS,
        "Heartbeat",
        here,
        "Sum",
        1,
        "LessThanThreshold",
        minutes=wanted.heartbeat_minutes,
        missing="breaching",
    )
    yield _Watch(
        "monitor-errors",
        "AWS/Lambda",
        "Errors",
        (("FunctionName", scope.named("health-monitor")),),
        "Sum",
        wanted.function_errors,
    )
    yield from _site_watches(scope, site)
    yield from _store_watches(scope, side, stores)


def _site_watches(scope: Scope, site: Site) -> Iterator[_Watch]:
    wanted = scope.settings.alarms
    balancer: tuple[str, Text] = ("LoadBalancer", OutputOf(site.load_balancer, "full_name"))
    yield _Watch(
        "http-5xx", "AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", (balancer,), "Sum", wanted.http_5xx
    )
    for service in scope.settings.services:
        group: tuple[str, Text] = ("TargetGroup", OutputOf(site.target_groups[service.name], "full_name"))
        yield _Watch(
            f"{service.name}-unhealthy-hosts",
            "AWS/ApplicationELB",
            "UnHealthyHostCount",
            (group, balancer),
            "Maximum",
            wanted.unhealthy_hosts,
        )
        yield _Watch(
            f"{service.name}-missing-tasks",
            "ECS/ContainerInsights",
            "DesiredTaskCount",
            (("ClusterName", scope.named("main")), ("ServiceName", scope.named(service.name))),
            "Maximum",
            wanted.missing_tasks,
            minus="RunningTaskCount",
        )


def _store_watches(scope: Scope, side: Side, stores: Stores) -> Iterator[_Watch]:
    """Both regions have all of them, because after a failover the other one is the source."""
    wanted, there = scope.settings.alarms, scope.other(side)
    cluster: Dimensions = (("DBClusterIdentifier", stores.clusters[side.role].aws_name),)
    yield _Watch(
        "database-replication-lag",
        "AWS/RDS",
        "AuroraGlobalDBReplicationLag",
        cluster,
        "Maximum",
        wanted.replication_lag_ms,
    )
    yield _Watch("database-rpo-lag", "AWS/RDS", "AuroraGlobalDBRPOLag", cluster, "Maximum", wanted.rpo_lag_ms)
    for each in (*stores.tables, stores.breaker):
        yield _Watch(
            f"{each.table.name}-replication-latency",
            "AWS/DynamoDB",
            "ReplicationLatency",
            (("TableName", each.table.aws_name), ("ReceivingRegion", there.region)),
            "Average",
            wanted.table_latency_ms,
        )
    for pair in stores.buckets:
        source, destination = pair[side.role], pair[there.role]
        rule: Dimensions = (
            ("SourceBucket", source.aws_name),
            ("DestinationBucket", destination.aws_name),
            ("RuleId", RULE_ID),
        )
        yield _Watch(
            f"{source.name}-replication-failures",
            "AWS/S3",
            "OperationsFailedReplication",
            rule,
            "Sum",
            wanted.object_failures,
        )
        yield _Watch(
            f"{source.name}-replication-latency",
            "AWS/S3",
            "ReplicationLatency",
            rule,
            "Maximum",
            wanted.object_latency_s,
        )
