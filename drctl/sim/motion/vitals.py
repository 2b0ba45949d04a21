"""What AWS publishes by itself about load balancers and services, once a minute.

Sources: "CloudWatch metrics for your Application Load Balancer", "Amazon ECS Container Insights metrics" and "Amazon
ECS service utilization metrics". Functions publish when they are invoked, replication where it happens.
"""

from __future__ import annotations

from typing import Any

from moto.ecs.models import ecs_backends
from moto.elbv2.models import elbv2_backends

from drctl.sim.call import Moto
from drctl.sim.gaps.cloudwatch_metrics import record
from drctl.sim.lifecycle import elbv2
from drctl.sim.lifecycle.ecs_service import Service, pending, running, services
from drctl.sim.motion import outage
from drctl.sim.motion.balancer import TRAFFIC
from drctl.sim.motion.pulse import pulse
from drctl.sim.world import World

PUBLISHED = 60.0
"""Simulated seconds between two data points of what services publish about themselves."""

BUSY = 3.0
"""Percent of its processor and memory that a task is said to use: nothing runs in it."""


@pulse("vitals", PUBLISHED)
def publish(world: World, moto: Moto) -> None:
    """One data point of everything that lives in a region that is not out."""
    for account, region, _ in elbv2_backends.iter_backends():
        if outage.is_out(world, region):
            continue
        backend = elbv2_backends[account][region]
        for arn, balancer in backend.load_balancers.items():
            if world.status(elbv2.PROVISIONING, arn) is None and balancer.type == "application":
                publish_hosts(world, (account, region), backend, balancer)
    publish_traffic(world)
    for service in services(world).values():
        if service["status"] != "INACTIVE" and not outage.is_out(world, service["region"]):
            publish_service(world, service)


def full_name(arn: str) -> str:
    """How metrics name a load balancer or a target group: what follows in its ARN."""
    last = arn.rsplit(":", 1)[-1]
    return last.removeprefix("loadbalancer/")


def publish_hosts(world: World, where: tuple[str, str], backend: Any, balancer: Any) -> None:
    """Healthy and unhealthy targets of every target group that has some."""
    for group in backend.target_groups.values():
        if balancer.arn not in elbv2.balancers_of(backend, group.arn):
            continue
        states = [shown["TargetHealth"]["State"] for shown in elbv2.health(world, *where, group.arn)]
        if not states:
            continue
        dimensions = {"TargetGroup": full_name(group.arn), "LoadBalancer": full_name(balancer.arn)}
        for metric, state in (("HealthyHostCount", "healthy"), ("UnHealthyHostCount", "unhealthy")):
            record(world, where, "AWS/ApplicationELB", metric, dimensions, states.count(state))


def publish_traffic(world: World) -> None:
    """What load balancers answered since the last time; nothing of those that had no requests."""
    traffic = world.section(TRAFFIC)
    for (balancer, group), counts in traffic.items():
        _, _, _, region, account, _ = balancer.split(":", 5)
        if outage.is_out(world, region):
            continue
        dimensions = {"LoadBalancer": full_name(balancer)}
        if group:
            dimensions["TargetGroup"] = full_name(group)
        for metric, number in counts.items():
            record(world, (account, region), "AWS/ApplicationELB", metric, dimensions, 1.0, number)
    traffic.clear()


def publish_service(world: World, service: Service) -> None:
    """Its tasks, if the cluster is watched by Container Insights, and what they use."""
    where = (service["account"], service["region"])
    dimensions = {"ClusterName": service["cluster"], "ServiceName": service["name"]}
    if insights(service):
        counts = {
            "DesiredTaskCount": service["desiredCount"],
            "RunningTaskCount": len(running(service)),
            "PendingTaskCount": len(pending(service)),
        }
        for metric, number in counts.items():
            record(world, where, "ECS/ContainerInsights", metric, dimensions, number)
    if running(service):
        for metric in ("CPUUtilization", "MemoryUtilization"):
            record(world, where, "AWS/ECS", metric, dimensions, BUSY)


def insights(service: Service) -> bool:
    """Whether the service's cluster has Container Insights, plain or with enhanced observability."""
    cluster = ecs_backends[service["account"]][service["region"]].clusters.get(service["cluster"])
    settings = (cluster.settings if cluster is not None else None) or []
    return any(
        one["name"] == "containerInsights" and one["value"] in ("enabled", "enhanced") for one in settings
    )
