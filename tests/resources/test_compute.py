"""The kinds that answer requests, each through its whole life."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drctl.engine.resource import NotOurs
from drctl.engine.run import ResourceFailed
from drctl.resources.ecs_cluster import EcsCluster
from drctl.resources.ecs_service import EcsService
from drctl.resources.iam_role import AccountTrust, IamRole, ServiceTrust
from drctl.resources.iam_role_policy import Condition, IamRolePolicy, Statement
from drctl.resources.internet_gateway import InternetGateway
from drctl.resources.kms_key import KmsKey
from drctl.resources.listener import Listener
from drctl.resources.listener_rule import ListenerRule
from drctl.resources.load_balancer import LoadBalancer
from drctl.resources.log_group import LogGroup
from drctl.resources.output_of import OutputOf
from drctl.resources.s3_bucket import S3Bucket
from drctl.resources.s3_bucket_policy import S3BucketPolicy
from drctl.resources.scalable_target import ScalableTarget
from drctl.resources.scaling_policy import ScalingPolicy
from drctl.resources.security_group import SecurityGroup
from drctl.resources.subnet import Subnet
from drctl.resources.target_group import TargetGroup
from drctl.resources.task_definition import TaskDefinition
from drctl.resources.vpc import Vpc
from tests.contract import Trial, assert_unchanged, whole_life

if TYPE_CHECKING:
    from tests.conftest import Sim

EAST = "us-east-1"

VPC = Vpc(name="main", region=EAST, cidr="10.0.0.0/16")
GATEWAY = InternetGateway(name="main", region=EAST, vpc=VPC)
SUBNETS = tuple(
    Subnet(name=f"public-{zone}", region=EAST, vpc=VPC, cidr=f"10.0.{number}.0/24", zone=zone)
    for number, zone in enumerate("ab")
)
GROUP = SecurityGroup(name="alb", region=EAST, vpc=VPC, aws_name="trial-alb", description="edge")
KEY = KmsKey(name="main", region=EAST, alias="trial")
LOG_GROUP = LogGroup(name="service", region=EAST, aws_name="/trial/service", key=KEY, retention_days=7)
LOGS = S3Bucket(
    name="logs",
    region=EAST,
    aws_name="trial-logs-us-east-1",
    key=None,
    versioned=False,
    logs=None,
    expire_days=30,
)
LOGS_POLICY = S3BucketPolicy(name="logs", region=EAST, bucket=LOGS, receives_logs=True)
BALANCER = LoadBalancer(
    name="main",
    region=EAST,
    aws_name="trial-use1",
    subnets=SUBNETS,
    security_groups=(GROUP,),
    internet_gateway=GATEWAY,
    access_logs=LOGS,
    access_logs_policy=LOGS_POLICY,
)
TARGETS = TargetGroup(
    name="main", region=EAST, aws_name="trial-use1", vpc=VPC, port=80, health_path="/health"
)
LISTENER = Listener(
    name="http",
    region=EAST,
    load_balancer=BALANCER,
    port=80,
    target_group=TARGETS,
    certificate=None,
)
REDIRECT = Listener(
    name="redirect",
    region=EAST,
    load_balancer=BALANCER,
    port=8080,
    target_group=None,
    certificate=None,
)
RULE = ListenerRule(
    name="api", region=EAST, listener=REDIRECT, priority=10, path="/api/*", target_group=TARGETS
)
CLUSTER = EcsCluster(name="main", region=EAST, aws_name="trial")
ROLE = IamRole(
    name="task",
    region="global",
    aws_name="trial-task",
    trust=ServiceTrust("ecs-tasks.amazonaws.com"),
    description="what the tasks may do",
)
POLICY = IamRolePolicy(
    name="task",
    region="global",
    role=ROLE,
    aws_name="logs",
    statements=(
        Statement(
            ("logs:PutLogEvents",),
            (OutputOf(LOG_GROUP, "arn", suffix=":*"),),
            (Condition("StringEquals", "aws:RequestedRegion", (EAST,)),),
        ),
    ),
)


def task_definition(image: str = "nginx:1.29") -> TaskDefinition:
    return TaskDefinition(
        name="main",
        region=EAST,
        family="trial",
        cpu=1024,
        memory=2048,
        image=image,
        port=80,
        log_group=LOG_GROUP,
        execution_role=ROLE,
        task_role=ROLE,
        environment=(("REGION", EAST), ("LOGS", OutputOf(LOGS, "bucket"))),
        secret=None,
    )


def service(tasks: int = 2, image: str = "nginx:1.29") -> EcsService:
    return EcsService(
        name="main",
        region=EAST,
        aws_name="trial",
        cluster=CLUSTER,
        task_definition=task_definition(image),
        tasks=tasks,
        subnets=SUBNETS,
        security_group=GROUP,
        target_group=TARGETS,
        listener=LISTENER,
        port=80,
        container="app",
        execution_needs=(POLICY,),
    )


def scalable_target(min_tasks: int = 1, max_tasks: int = 4) -> ScalableTarget:
    return ScalableTarget(
        name="main", region=EAST, service=service(), min_tasks=min_tasks, max_tasks=max_tasks
    )


def test_a_role_is_trusted_by_whom_the_settings_say(sim: Sim, tmp_path: Path) -> None:
    iam = sim.client("iam")

    def trust_everybody(role: Any) -> None:
        iam.update_assume_role_policy(
            RoleName=role.role_name,
            PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",'
            ' "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}]}',
        )

    operator = IamRole(
        name="operator",
        region="global",
        aws_name="trial-operator",
        trust=AccountTrust(("222222222222", "111111111111"), "some-external-id"),
        description="disaster recovery",
    )
    whole_life(
        sim,
        tmp_path,
        operator,
        {
            "trust": trust_everybody,
            "max_session_s": lambda role: iam.update_role(RoleName=role.role_name, MaxSessionDuration=7200),
        },
    )


def test_a_role_of_our_name_that_is_not_ours_is_left_alone(sim: Sim, tmp_path: Path) -> None:
    somebodys = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
        ' "Principal": {"Service": "ec2.amazonaws.com"}}]}'
    )
    sim.client("iam").create_role(RoleName="trial-task", AssumeRolePolicyDocument=somebodys)
    with Trial(sim, tmp_path) as trial:
        with trial.mutations() as mutations, pytest.raises((ResourceFailed, NotOurs)):
            trial.ensure(ROLE)
        assert mutations == []


def test_a_role_policy_says_what_the_settings_say(sim: Sim, tmp_path: Path) -> None:
    iam = sim.client("iam")

    def allow_everything(policy: Any) -> None:
        role, _, name = policy.policy_id.partition("|")
        iam.put_role_policy(
            RoleName=role,
            PolicyName=name,
            PolicyDocument='{"Version": "2012-10-17", "Statement":'
            ' {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
        )

    whole_life(sim, tmp_path, POLICY, {"statements": allow_everything})


def test_a_log_group_forgets_in_time(sim: Sim, tmp_path: Path) -> None:
    logs = sim.client("logs")
    whole_life(
        sim,
        tmp_path,
        LOG_GROUP,
        {
            "retention_days": lambda group: logs.put_retention_policy(
                logGroupName=group.log_group_name, retentionInDays=365
            ),
            "absent": lambda group: logs.delete_log_group(logGroupName=group.log_group_name),
        },
    )


def test_a_load_balancer_logs_and_drops_invalid_headers(sim: Sim, tmp_path: Path) -> None:
    elbv2 = sim.client("elbv2")

    def modify(key: str, value: str) -> Callable[[Any], object]:
        return lambda balancer: elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=balancer.arn, Attributes=[{"Key": key, "Value": value}]
        )

    headers = "routing.http.drop_invalid_header_fields.enabled"
    logs = "access_logs.s3.enabled"
    whole_life(sim, tmp_path, BALANCER, {headers: modify(headers, "false"), logs: modify(logs, "false")})


def test_a_target_group_asks_for_health_as_settled(sim: Sim, tmp_path: Path) -> None:
    elbv2 = sim.client("elbv2")
    delay = "deregistration_delay.timeout_seconds"

    def wait_longer(group: Any) -> None:
        elbv2.modify_target_group_attributes(
            TargetGroupArn=group.arn, Attributes=[{"Key": delay, "Value": "300"}]
        )

    def ask_elsewhere(group: Any) -> None:
        elbv2.modify_target_group(TargetGroupArn=group.arn, HealthCheckPath="/")

    whole_life(sim, tmp_path, TARGETS, {delay: wait_longer, "HealthCheckPath": ask_elsewhere})


def test_a_listener_and_its_rule(sim: Sim, tmp_path: Path) -> None:
    elbv2 = sim.client("elbv2")

    def answer_itself(rule: Any) -> None:
        elbv2.modify_rule(
            RuleArn=rule.arn,
            Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
        )

    with Trial(sim, tmp_path) as trial:
        trial.ensure(REDIRECT)
        elbv2.modify_listener(
            ListenerArn=trial.outputs(REDIRECT).arn,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": trial_target(trial)}],
        )
        assert trial.inspect(REDIRECT).fields.keys() == {"action"}
        assert trial.ensure(REDIRECT) == "update"
    whole_life(sim, tmp_path, RULE, {"action": answer_itself})


def trial_target(trial: Trial) -> str:
    trial.ensure(TARGETS)
    return str(trial.outputs(TARGETS).arn)


def test_a_cluster_keeps_container_insights(sim: Sim, tmp_path: Path) -> None:
    ecs = sim.client("ecs")

    def turn_off(cluster: Any) -> None:
        ecs.update_cluster_settings(
            cluster=cluster.arn, settings=[{"name": "containerInsights", "value": "disabled"}]
        )

    whole_life(sim, tmp_path, CLUSTER, {"containerInsights": turn_off})


def test_a_task_definition_is_never_changed_but_replaced(sim: Sim, tmp_path: Path) -> None:
    ecs = sim.client("ecs")

    def deregister(definition: Any) -> None:
        ecs.deregister_task_definition(taskDefinition=definition.arn)

    whole_life(sim, tmp_path, task_definition(), {"status": deregister})


def test_a_service_follows_its_task_definition(sim: Sim, tmp_path: Path) -> None:
    with Trial(sim, tmp_path) as trial:
        assert trial.ensure(service()) == "create"
        newer = service(image="nginx:1.30")
        assert trial.inspect(newer).action == "update"
        assert trial.ensure(newer) == "update"
        assert_unchanged(trial, newer)
        (described,) = sim.client("ecs").describe_services(cluster="trial", services=["trial"])["services"]
        assert described["taskDefinition"] == trial.outputs(newer.task_definition).arn
        trial.remove_all(trial.rebuilt(newer))


def test_a_service_s_count_belongs_to_autoscaling_until_the_setting_changes(sim: Sim, tmp_path: Path) -> None:
    ecs = sim.client("ecs")

    def desired() -> int:
        (described,) = ecs.describe_services(cluster="trial", services=["trial"])["services"]
        return int(described["desiredCount"])

    with Trial(sim, tmp_path) as trial:
        trial.ensure(service(tasks=1))
        ecs.update_service(cluster="trial", service="trial", desiredCount=3)
        assert trial.ensure(service(tasks=1)) == "unchanged"
        assert desired() == 3
        assert trial.inspect(service(tasks=2)).fields.keys() == {"tasks"}
        assert trial.ensure(service(tasks=2)) == "update"
        assert desired() == 2


def test_bounds_that_a_failover_raised_stay_raised(sim: Sim, tmp_path: Path) -> None:
    scaling = sim.client("application-autoscaling")

    def register(low: int, high: int) -> None:
        scaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId="service/trial/trial",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=low,
            MaxCapacity=high,
        )

    with Trial(sim, tmp_path) as trial:
        trial.ensure(scalable_target(1, 4))
        register(3, 10)
        assert_unchanged(trial, scalable_target(1, 4))
        register(0, 2)
        assert trial.inspect(scalable_target(1, 4)).fields.keys() == {"min_tasks", "max_tasks"}
        assert trial.ensure(scalable_target(1, 4)) == "update"
        register(3, 10)
        assert trial.ensure(scalable_target(2, 6)) == "update"
        assert_unchanged(trial, scalable_target(2, 6))


def test_a_scaling_policy_keeps_its_target_value(sim: Sim, tmp_path: Path) -> None:
    scaling = sim.client("application-autoscaling")
    policy = ScalingPolicy(
        name="cpu",
        region=EAST,
        target=scalable_target(),
        aws_name="cpu",
        metric="ECSServiceAverageCPUUtilization",
        target_value=70,
    )

    def aim_higher(made: Any) -> None:
        scaling.put_scaling_policy(
            PolicyName=made.policy_name,
            ServiceNamespace="ecs",
            ResourceId=made.resource_id,
            ScalableDimension="ecs:service:DesiredCount",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 95.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": policy.metric},
            },
        )

    whole_life(sim, tmp_path, policy, {"target_value": aim_higher})
