"""What ECS refuses and moto accepts."""

from __future__ import annotations

from typing import Any

from moto.ecs.models import ecs_backends
from moto.elbv2.models import elbv2_backends

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.ecs import active_cluster
from drctl.sim.lifecycle.ecs_service import services
from drctl.sim.lifecycle.elbv2 import balancers_of
from drctl.sim.lifecycle.iam import role_usable
from drctl.sim.registry import rule
from drctl.sim.world import World

IN_CLUSTER = (
    "CreateService",
    "UpdateService",
    "DeleteService",
    "DescribeServices",
    "ListServices",
    "ListTasks",
    "DescribeTasks",
    "UpdateCluster",
    "UpdateClusterSettings",
    "PutClusterCapacityProviders",
    "DeleteCluster",
)


def invalid(message: str) -> Refused:
    return Refused("InvalidParameterException", message)


@rule("ecs", *IN_CLUSTER, source='"Cluster not found." (ClusterNotFoundException), also for an INACTIVE one')
def cluster_is_active(call: Call, world: World) -> None:
    if active_cluster(call, call.params.get("cluster", "default")) is None:
        raise Refused("ClusterNotFoundException", "Cluster not found.")


@rule(
    "ecs",
    "DeleteCluster",
    source='"The Cluster cannot be deleted while Services are active." (ClusterContainsServicesException); "The '
    'Cluster cannot be deleted while Tasks are active." (ClusterContainsTasksException)',
)
def cluster_is_empty(call: Call, world: World) -> None:
    cluster = active_cluster(call, call.params["cluster"])
    inside = [service for service in services(world).values() if service["clusterArn"] == cluster.arn]
    if any(service["status"] == "ACTIVE" for service in inside):
        raise Refused(
            "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
        )
    if any(service["tasks"] for service in inside):
        raise Refused(
            "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active."
        )


def definition_of(call: Call) -> Any:
    """The task definition that a request names; None when it names none, or one that does not exist."""
    reference = call.params.get("taskDefinition")
    if reference is None:
        return None
    family, _, revision = reference.rsplit("/", 1)[-1].partition(":")
    revisions = ecs_backends[call.account][call.region].task_definitions.get(family, {})
    if revision:
        return revisions.get(int(revision))
    active = [number for number, definition in revisions.items() if definition.status == "ACTIVE"]
    return revisions[max(active)] if active else None


@rule(
    "ecs",
    "CreateService",
    "UpdateService",
    source='"TaskDefinition not found.", "TaskDefinition is inactive" (ClientException)',
)
def task_definition_is_active(call: Call, world: World) -> None:
    definition = definition_of(call)
    if "taskDefinition" in call.params and definition is None:
        raise Refused("ClientException", "TaskDefinition not found.")
    if definition is not None and definition.status != "ACTIVE":
        raise Refused("ClientException", "TaskDefinition is inactive")


@rule(
    "ecs",
    "CreateService",
    source='"Network Configuration must be provided when networkMode \'awsvpc\' is specified."; "Task definition '
    'does not support launch_type FARGATE."; "Specifying both a launch type and capacity provider strategy is not '
    'supported. Remove one and try again." (InvalidParameterException)',
)
def service_fits_its_task_definition(call: Call, world: World) -> None:
    definition = definition_of(call)
    if definition is None:
        return
    if definition.network_mode == "awsvpc" and "networkConfiguration" not in call.params:
        raise invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if call.params.get("launchType") == "FARGATE" and "FARGATE" not in definition.compatibilities:
        raise invalid("Task definition does not support launch_type FARGATE.")
    if "launchType" in call.params and "capacityProviderStrategy" in call.params:
        raise invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )


@rule(
    "ecs",
    "CreateService",
    "UpdateService",
    source='"The target group with targetGroupArn ... does not have an associated load balancer."; "The provided '
    "target group ... has target type instance, which is incompatible with the awsvpc network mode specified in the "
    'task definition."; "The container ... does not exist in the task definition."; "The container ... did not have a '
    'container port ... defined." (InvalidParameterException)',
)
def target_group_can_take_the_tasks(call: Call, world: World) -> None:
    backend = elbv2_backends[call.account][call.region]
    definition = definition_of(call)
    for balancer in call.params.get("loadBalancers", []):
        arn = balancer["targetGroupArn"]
        group = backend.target_groups.get(arn)
        if group is None or not balancers_of(backend, arn):
            raise invalid(
                f"The target group with targetGroupArn {arn} does not have an associated load balancer."
            )
        if definition is None:
            continue
        if definition.network_mode == "awsvpc" and group.target_type != "ip":
            raise invalid(
                f"The provided target group {arn} has target type {group.target_type}, which is incompatible with the "
                "awsvpc network mode specified in the task definition."
            )
        containers = {container["name"]: container for container in definition.container_definitions}
        name, port = balancer.get("containerName"), balancer.get("containerPort")
        if name not in containers:
            raise invalid(f"The container {name} does not exist in the task definition.")
        if port not in [mapping.get("containerPort") for mapping in containers[name]["portMappings"]]:
            raise invalid(f"The container {name} did not have a container port {port} defined.")


@rule(
    "ecs",
    "CreateService",
    source='"Health check grace period is only valid for services configured to use load balancers" '
    "(InvalidParameterException)",
)
def grace_period_needs_a_balancer(call: Call, world: World) -> None:
    if call.params.get("healthCheckGracePeriodSeconds") and not call.params.get("loadBalancers"):
        raise invalid("Health check grace period is only valid for services configured to use load balancers")


@rule(
    "ecs",
    "CreateService",
    source='"You cannot specify an IAM role for services that require a service linked role."; "Unable to assume role '
    "and validate the specified targetGroupArn. Please verify that the ECS service role being passed has the proper "
    'permissions." (InvalidParameterException)',
)
def service_role_is_usable(call: Call, world: World) -> None:
    """Only services outside awsvpc may bring a role of their own, and ECS tries it at once."""
    role, definition = call.params.get("role"), definition_of(call)
    if role is None or definition is None:
        return
    if definition.network_mode == "awsvpc":
        raise invalid("You cannot specify an IAM role for services that require a service linked role.")
    arn = role if role.startswith("arn:") else f"arn:aws:iam::{call.account}:role/{role}"
    if not role_usable(world, call.account, arn, "ecs.amazonaws.com"):
        raise invalid(
            "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service role "
            "being passed has the proper permissions."
        )
