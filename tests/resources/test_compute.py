"""The kinds that answer requests, each through its whole life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drctl.engine.resource import NotOurs, Resource
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
from drctl.resources.route import Route
from drctl.resources.route_table import RouteTable
from drctl.resources.route_table_association import RouteTableAssociation
from drctl.resources.s3_bucket import S3Bucket
from drctl.resources.s3_bucket_policy import S3BucketPolicy
from drctl.resources.scalable_target import ScalableTarget
from drctl.resources.scaling_policy import ScalingPolicy
from drctl.resources.security_group import SecurityGroup
from drctl.resources.subnet import Subnet
from drctl.resources.target_group import TargetGroup
from drctl.resources.task_definition import TaskDefinition
from drctl.resources.vpc import Vpc
from tests.contract import Trial, assert_unchanged, survives_crashes, whole_life

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
