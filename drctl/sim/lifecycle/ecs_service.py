"""ECS services over time: tasks that start and stop, deployments that roll, targets that come and go.

A service is remembered in World's section ``ecs.services`` under its ARN, a task inside its service. Times are
simulated seconds since the epoch.
"""

from __future__ import annotations

import uuid
from typing import Any

from moto.ecs.models import ecs_backends
from moto.elbv2.models import elbv2_backends

from drctl.sim.call import Moto
from drctl.sim.lifecycle import elbv2
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.lifecycle.ec2_interfaces import attach, release
from drctl.sim.registry import event
from drctl.sim.world import World

Service = dict[str, Any]
Task = dict[str, Any]

SECTION = "ecs.services"

INACTIVE_LISTED = 3600.0
"""Seconds an INACTIVE service can still be described: ECS API reference, DeleteService ("in the future, INACTIVE
services may be cleaned up and purged")."""

STAGGER = 10.0
"""Seconds between the starts of two tasks of one service: the scheduler places them one after the other."""


def services(world: World) -> dict[str, Service]:
    return world.section(SECTION)


def running(service: Service, deployment: str | None = None) -> list[Task]:
    """Tasks that run, of one deployment or of all."""
    return [
        task
        for task in service["tasks"].values()
        if task["status"] == "RUNNING" and deployment in (None, task["deployment"])
    ]


def pending(service: Service, deployment: str | None = None) -> list[Task]:
    return [
        task
        for task in service["tasks"].values()
        if task["status"] == "PENDING" and deployment in (None, task["deployment"])
    ]


def deploy(world: World, service: Service) -> None:
    """Start a deployment of the service's task definition beside the one that serves."""
    for older in service["deployments"]:
        older["status"] = "ACTIVE"
    number = int(uuid.uuid4().int % 10**19)
    primary = {
        "id": f"ecs-svc/{number:019d}",
        "status": "PRIMARY",
        "taskDefinition": service["taskDefinition"],
        "createdAt": world.now,
        "updatedAt": world.now,
        "rolloutState": "IN_PROGRESS",
    }
    service["deployments"].insert(0, primary)
    scale(world, service)
    steady = DURATIONS["ecs-service"].ready if service["desiredCount"] else DURATIONS["ecs-cluster"].ready
    world.later(steady, "ecs.deployment-steady", service=service["arn"], deployment=primary["id"])


def scale(world: World, service: Service) -> None:
    """Start or stop tasks of the primary deployment until it has as many as desired."""
    primary = service["deployments"][0]
    primary["updatedAt"] = world.now
    live = pending(service, primary["id"]) + running(service, primary["id"])
    missing = service["desiredCount"] - len(live)
    for position in range(missing):
        start(world, service, primary["id"], position)
    for task in live[: max(0, -missing)]:
        stop(world, service, task)


def start(world: World, service: Service, deployment: str, position: int) -> None:
    """Place a task: its interface exists at once, it runs a while later."""
    network = service["networkConfiguration"]["awsvpcConfiguration"]
    identifier = uuid.uuid4().hex
    arn = f"{service['clusterArn'].replace(':cluster/', ':task/')}/{identifier}"
    subnet = network["subnets"][len(service["tasks"]) % len(network["subnets"])]
    interface, address = attach(
        service["account"],
        service["region"],
        subnet,
        network.get("securityGroups", []),
        arn.replace(":task/", ":attachment/"),
        public=network.get("assignPublicIp") == "ENABLED",
    )
    service["tasks"][arn] = {
        "arn": arn,
        "deployment": deployment,
        "taskDefinition": service["taskDefinition"],
        "status": "PENDING",
        "interface": interface,
        "address": address,
        "subnet": subnet,
        "createdAt": world.now,
        "startedAt": None,
    }
    latest = DURATIONS["ecs-service"].ready - DURATIONS["target-registration"].ready
    seconds = min(DURATIONS["ecs-task"].ready + position * STAGGER, latest)
    world.later(seconds, "ecs.task-running", service=service["arn"], task=arn)


def stop(world: World, service: Service, task: Task) -> None:
    """Deregister the task's targets, let them drain, then stop it."""
    delays = [0.0]
    for balancer in service.get("loadBalancers", []):
        delays.append(
            elbv2.deregister(
                world, service["account"], service["region"], balancer["targetGroupArn"], task["address"]
            )
        )
    task["status"] = "DEACTIVATING"
    world.later(
        max(delays) + DURATIONS["ecs-task"].gone, "ecs.task-stopped", service=service["arn"], task=task["arn"]
    )


@event("ecs.task-running")
def task_running(world: World, moto: Moto, data: dict[str, Any]) -> None:
    service = services(world).get(data["service"])
    task = service["tasks"].get(data["task"]) if service else None
    if service is None or task is None or task["status"] != "PENDING":
        return
    task["status"] = "RUNNING"
    task["startedAt"] = world.now
    groups = elbv2_backends[service["account"]][service["region"]].target_groups
    for balancer in service.get("loadBalancers", []):
        if balancer["targetGroupArn"] in groups:
            elbv2.register(
                world,
                service["account"],
                service["region"],
                balancer["targetGroupArn"],
                task["address"],
                balancer["containerPort"],
            )
    remember_counts(service)


@event("ecs.task-stopped")
def task_stopped(world: World, moto: Moto, data: dict[str, Any]) -> None:
    service = services(world).get(data["service"])
    task = service["tasks"].pop(data["task"], None) if service else None
    if service is None or task is None:
        return
    release(service["account"], service["region"], [task["interface"]])
    if service["status"] == "DRAINING" and not service["tasks"]:
        end(world, service)


@event("ecs.deployment-steady")
def deployment_steady(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """The deployment is complete once all its tasks run; then the tasks of older ones are stopped."""
    service = services(world).get(data["service"])
    if (
        service is None
        or service["status"] != "ACTIVE"
        or service["deployments"][0]["id"] != data["deployment"]
    ):
        return
    if len(running(service, data["deployment"])) < service["desiredCount"]:
        world.later(STAGGER, "ecs.deployment-steady", **data)
        return
    for task in list(service["tasks"].values()):
        if task["deployment"] != data["deployment"] and task["status"] in ("RUNNING", "PENDING"):
            stop(world, service, task)
    del service["deployments"][1:]
    service["deployments"][0]["rolloutState"] = "COMPLETED"
    service["deployments"][0]["updatedAt"] = world.now
    remember_counts(service)


def drain(world: World, service: Service) -> None:
    """Delete a service: it drains until its last task has stopped."""
    service["status"] = "DRAINING"
    service["desiredCount"] = 0
    for task in list(service["tasks"].values()):
        if task["status"] in ("RUNNING", "PENDING"):
            stop(world, service, task)
    remember_counts(service)
    if not service["tasks"]:
        end(world, service)


def end(world: World, service: Service) -> None:
    service["status"] = "INACTIVE"
    service["deployments"] = []
    service["endedAt"] = world.now
    backend = ecs_backends[service["account"]][service["region"]]
    gone = backend.services.pop(f"{service['cluster']}:{service['name']}", None)
    service["tags"] = list(gone.tags) if gone is not None else []
    world.later(INACTIVE_LISTED, "ecs.service-forgotten", service=service["arn"], ended=world.now)


@event("ecs.service-forgotten")
def service_forgotten(world: World, moto: Moto, data: dict[str, Any]) -> None:
    service = services(world).get(data["service"])
    if service is not None and service.get("endedAt") == data["ended"]:
        del services(world)[data["service"]]


def remember_counts(service: Service) -> None:
    """Tell moto's own record, which other services of moto look at."""
    backend = ecs_backends[service["account"]][service["region"]]
    record = backend.services.get(f"{service['cluster']}:{service['name']}")
    if record is not None:
        record.status = service["status"]
        record.desired_count = service["desiredCount"]
        record.running_count = len(running(service))
        record.pending_count = len(pending(service))
        record.task_definition = service["taskDefinition"]
