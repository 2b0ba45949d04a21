"""What stands before anything else: a key in each region, the roles of services, the log buckets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drctl.resources.iam_role import IamRole, ServiceTrust
from drctl.resources.iam_role_policy import IamRolePolicy, Statement
from drctl.resources.kms_key import KmsKey
from drctl.resources.log_group import LogGroup
from drctl.resources.output_of import OutputOf
from drctl.resources.s3_bucket import S3Bucket
from drctl.resources.s3_bucket_policy import S3BucketPolicy
from drctl.resources.sns_subscription import SnsSubscription
from drctl.resources.sns_topic import SnsTopic
from drctl.settings import LOG_BUCKET
from drctl.topology.scope import GLOBAL, Graph, Role, Scope, Side

if TYPE_CHECKING:
    from drctl.resources.output_of import Text

LOG_DAYS = 90
"""Access logs are kept so long: audits of the last quarter."""


@dataclass(frozen=True)
class Foundation:
    """What all parts lean on; dictionaries are by side."""

    keys: dict[Role, KmsKey]
    topics: dict[Role, SnsTopic]
    log_buckets: dict[Role, S3Bucket]
    log_policies: dict[Role, S3BucketPolicy]
    flow_log_groups: dict[Role, LogGroup]
    flow_log_role: IamRole
    database_monitoring_role: IamRole


def foundation(graph: Graph, scope: Scope) -> Foundation:
    """Keys, topics, log buckets, flow logs' groups, and the roles of VPC flow logs and of RDS."""
    keys = {side.role: key(graph, scope, side) for side in scope.sides}
    log_buckets = {side.role: log_bucket(graph, scope, side) for side in scope.sides}
    flow_log_groups = {
        side.role: log_group(
            graph, scope, side, keys[side.role], "flow-logs", f"/drctl/{scope.named('flow-logs')}"
        )
        for side in scope.sides
    }
    flow_log_role = role(
        graph, scope, "flow-logs", "vpc-flow-logs", "VPC flow logs write to their log groups"
    )
    database_role = role(graph, scope, "rds-monitoring", "monitoring.rds", "RDS writes enhanced monitoring")
    policy(graph, flow_log_role, _write_logs(*(OutputOf(g, "arn") for g in flow_log_groups.values())))
    # RDS user guide, "Setting up and enabling Enhanced Monitoring": the log group's name is AWS's.
    metrics = [f"arn:{scope.partition}:logs:{s.region}:{scope.account}:log-group:RDS*" for s in scope.sides]
    policy(graph, database_role, _write_logs(*metrics))
    return Foundation(
        keys,
        {side.role: topic(graph, scope, side, keys[side.role]) for side in scope.sides},
        log_buckets,
        {side.role: log_policy(graph, side, log_buckets[side.role]) for side in scope.sides},
        flow_log_groups,
        flow_log_role,
        database_role,
    )


def key(graph: Graph, scope: Scope, side: Side) -> KmsKey:
    """The region's customer-managed key."""
    return graph.add(KmsKey(name="main", region=side.region, alias=scope.settings.environment))


def topic(graph: Graph, scope: Scope, side: Side, key: KmsKey) -> SnsTopic:
    """Where the region's alarms speak, and who listens."""
    made = graph.add(SnsTopic(name="alerts", region=side.region, aws_name=scope.named("alerts"), key=key))
    for number, email in enumerate(scope.settings.alarms.emails, start=1):
        graph.add(SnsSubscription(name=f"email-{number}", region=side.region, topic=made, email=email))
    return made


def log_bucket(graph: Graph, scope: Scope, side: Side) -> S3Bucket:
    """Access logs of load balancer, buckets and distribution. CloudFront's standard logs need ACLs, and neither they
    nor a load balancer's can be encrypted with a customer-managed key (CloudFront and ELB guides, "access logs")."""
    return graph.add(
        S3Bucket(
            name=LOG_BUCKET,
            region=side.region,
            aws_name=scope.bucket(LOG_BUCKET, side),
            key=None,
            versioned=False,
            logs=None,
            expire_days=LOG_DAYS,
            owner="BucketOwnerPreferred",
        )
    )


def log_policy(graph: Graph, side: Side, bucket: S3Bucket) -> S3BucketPolicy:
    """Load balancers and other buckets may deliver there."""
    return graph.add(S3BucketPolicy(name=LOG_BUCKET, region=side.region, bucket=bucket, receives_logs=True))


def log_group(graph: Graph, scope: Scope, side: Side, key: KmsKey, name: str, aws_name: str) -> LogGroup:
    """A log group kept as long as the settings say."""
    days = scope.settings.logs.retention_days
    return graph.add(LogGroup(name=name, region=side.region, aws_name=aws_name, key=key, retention_days=days))


def role(graph: Graph, scope: Scope, name: str, service: str, description: str) -> IamRole:
    """A role that one AWS service may assume."""
    trust = ServiceTrust(f"{service}.amazonaws.com")
    return graph.add(
        IamRole(name=name, region=GLOBAL, aws_name=scope.named(name), trust=trust, description=description)
    )


def policy(graph: Graph, role: IamRole, *statements: Statement) -> IamRolePolicy:
    """The role's one inline policy."""
    return graph.add(
        IamRolePolicy(name=role.name, region=GLOBAL, role=role, aws_name=role.name, statements=statements)
    )


def _write_logs(*arns: Text) -> Statement:
    resources: list[Text] = []
    for arn in arns:
        within = OutputOf(arn.resource, arn.field, suffix=":*") if isinstance(arn, OutputOf) else f"{arn}:*"
        resources += [arn, within]
    return Statement(
        (
            "logs:CreateLogGroup",
            "logs:PutRetentionPolicy",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
            "logs:GetLogEvents",
        ),
        tuple(resources),
    )
