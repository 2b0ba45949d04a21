"""How many tasks run in a region: raised for a failover, lowered after it, stopped by a fence or a drill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drctl.runbook.journal import open_undos
from drctl.runbook.step import Finding

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling.type_defs import SuspendedStateTypeDef
    from mypy_boto3_ecs.type_defs import ServiceTypeDef

    from drctl.aws.clients import Aws
    from drctl.runbook.recovery import Recovery
    from drctl.runbook.site import Service, Side

SCALING: SuspendedStateTypeDef = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}
SUSPENDED: SuspendedStateTypeDef = {
    "DynamicScalingInSuspended": True,
    "DynamicScalingOutSuspended": True,
    "ScheduledScalingSuspended": True,
}
"""Keeps autoscaling from filling up what is held at zero ("Suspending and resuming scaling", Application Auto Scaling
user guide)."""


def at_least(aws: Aws, region: str, here: Service, wanted: Service) -> None:
    """Let ``here`` run no fewer tasks than ``wanted`` has in normal times. What already runs more is left alone."""
    _bound(aws, region, here, wanted.min_tasks, max(wanted.max_tasks, here.max_tasks))
    if _service(aws, region, here)["desiredCount"] < wanted.tasks:
        aws.ecs(region).update_service(cluster=here.cluster, service=here.arn, desiredCount=wanted.tasks)


def exactly(aws: Aws, region: str, service: Service) -> None:
    """Bounds and number of tasks as they are in normal times; what autoscaling has added goes."""
    _bound(aws, region, service, service.min_tasks, service.max_tasks)
    if _service(aws, region, service)["desiredCount"] != service.tasks:
        aws.ecs(region).update_service(
            cluster=service.cluster, service=service.arn, desiredCount=service.tasks
        )


def _bound(aws: Aws, region: str, service: Service, least: int, most: int) -> None:
    """Autoscaling chooses from these numbers, and is not suspended."""
    aws.application_autoscaling(region).register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=service.scalable_id,
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=least,
        MaxCapacity=most,
        SuspendedState=SCALING,
    )


def stop(recovery: Recovery, aws: Aws, side: Side) -> list[str]:
    """Take every service of a side to zero tasks and hold it there; ``recovery`` gets the undo before that."""
    desired = {each.name: _service(aws, side.region, each)["desiredCount"] for each in side.services}
    begun = [arguments for name, arguments in open_undos(recovery.journal.entries) if name == "tasks"]
    if not begun:
        recovery.note("undo", name="tasks", arguments={"region": side.region, "desired": desired})
    for service in side.services:
        aws.application_autoscaling(side.region).register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=service.scalable_id,
            ScalableDimension="ecs:service:DesiredCount",
            SuspendedState=SUSPENDED,
        )
        aws.ecs(side.region).update_service(cluster=service.cluster, service=service.arn, desiredCount=0)
    return [service.name for service in side.services]


def start(aws: Aws, side: Side, desired: Mapping[str, int]) -> None:
    """The undo of ``stop``: as many tasks as before, or as in normal times if that is more."""
    for service in side.services:
        wanted = replace(service, tasks=max(service.tasks, desired.get(service.name, 0)))
        at_least(aws, side.region, service, wanted)


def healthy_targets(aws: Aws, side: Side) -> Finding:
    """Whether a side has as many healthy targets as tasks in normal times."""
    wanted = sum(service.tasks for service in side.services)
    healthy = 0
    for group in side.target_groups:
        found = aws.elbv2(side.region).describe_target_health(TargetGroupArn=group)
        healthy += sum(t["TargetHealth"]["State"] == "healthy" for t in found["TargetHealthDescriptions"])
    return Finding(healthy >= wanted, f"{healthy} of {wanted} targets are healthy", healthy, wanted)


def asked_too_little(aws: Aws, side: Side, wanted: Side) -> list[str]:
    """The services of ``side`` that are asked for fewer tasks than ``wanted`` has in normal times."""
    return _short(aws, side, wanted, "desiredCount")


def running_too_few(aws: Aws, side: Side, wanted: Side) -> list[str]:
    """The services of ``side`` that run fewer tasks than ``wanted`` has in normal times."""
    return _short(aws, side, wanted, "runningCount")


def running_too_many(aws: Aws, side: Side) -> list[str]:
    """The services of ``side`` that run more tasks than in normal times."""
    found = []
    for service in side.services:
        number = _service(aws, side.region, service)["runningCount"]
        if number > service.tasks:
            found.append(f"{service.name} {number}, usually {service.tasks}")
    return found


def _short(aws: Aws, side: Side, wanted: Side, count: Any) -> list[str]:
    found = []
    for here, there in zip(side.services, wanted.services, strict=True):
        number = int(_service(aws, side.region, here)[count])  # type: ignore[literal-required]
        if number < there.tasks:
            found.append(f"{here.name} {number} of {there.tasks}")
    return found


def _service(aws: Aws, region: str, service: Service) -> ServiceTypeDef:
    (found,) = aws.ecs(region).describe_services(cluster=service.cluster, services=[service.arn])["services"]
    return found
