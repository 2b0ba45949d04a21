"""What a Fargate task definition must hold (ECS developer guide, "Task definition parameters for Fargate")."""

from __future__ import annotations

import re
from typing import Any

from drctl.sim.call import Call, Refused
from drctl.sim.lifecycle.iam import role_usable, trust_policy
from drctl.sim.registry import rule
from drctl.sim.world import World

GIB = 1024

MEMORY_BY_CPU: dict[int, list[int]] = {
    256: [512, GIB, 2 * GIB],
    512: [gib * GIB for gib in range(1, 5)],
    1024: [gib * GIB for gib in range(2, 9)],
    2048: [gib * GIB for gib in range(4, 17)],
    4096: [gib * GIB for gib in range(8, 31)],
    8192: [gib * GIB for gib in range(16, 61, 4)],
    16384: [gib * GIB for gib in range(32, 121, 8)],
}
"""ECS developer guide, "Task size": CPU units -> memory in MiB."""


def client(message: str) -> Refused:
    return Refused("ClientException", message)


def fargate(call: Call) -> bool:
    return "FARGATE" in call.params.get("requiresCompatibilities", [])


def units(text: str, unit: str) -> int:
    """CPU units or MiB, written as a number or as ``1 vCPU`` and ``2 GB``; 0 when it is neither."""
    if text.strip().isdigit():
        return int(text)
    written = re.fullmatch(rf"\s*(\d*\.?\d+)\s*{unit}\s*", text, re.IGNORECASE)
    return int(float(written.group(1)) * GIB) if written else 0


@rule(
    "ecs",
    "RegisterTaskDefinition",
    source='"Fargate only supports network mode awsvpc."; "Fargate requires that \'cpu\' be defined at the task '
    'level."; "No Fargate configuration exists for given values." (ClientException)',
)
def fargate_size_exists(call: Call, world: World) -> None:
    if not fargate(call):
        return
    if call.params.get("networkMode") != "awsvpc":
        raise client("Fargate only supports network mode ‘awsvpc’.")  # noqa: RUF001 (AWS's own quotes)
    for name in ("cpu", "memory"):
        if name not in call.params:
            raise client(f"Fargate requires that '{name}' be defined at the task level.")
    cpu, memory = units(call.params["cpu"], "vcpu"), units(call.params["memory"], "gb")
    if memory not in MEMORY_BY_CPU.get(cpu, []):
        raise client("No Fargate configuration exists for given values.")


@rule(
    "ecs",
    "RegisterTaskDefinition",
    source='"Fargate requires task definition to have execution role ARN to support log driver awslogs."; "... ECR '
    'images."; "When you are specifying container secrets, you must also specify a value for \'executionRoleArn\'." '
    "(ClientException)",
)
def fargate_needs_an_execution_role(call: Call, world: World) -> None:
    if not fargate(call) or "executionRoleArn" in call.params:
        return
    for container in call.params["containerDefinitions"]:
        driver = container.get("logConfiguration", {}).get("logDriver")
        if driver == "awslogs":
            raise client(
                "Fargate requires task definition to have execution role ARN to support log driver awslogs."
            )
        if container.get("secrets"):
            raise client(
                "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
            )
        if ".dkr.ecr." in container.get("image", ""):
            raise client("Fargate requires task definition to have execution role ARN to support ECR images.")


@rule("ecs", "RegisterTaskDefinition", source='"Role is not valid" (ClientException)')
def roles_are_assumed_by_tasks(call: Call, world: World) -> None:
    for name in ("executionRoleArn", "taskRoleArn"):
        role: Any = call.params.get(name)
        if role is None:
            continue
        if trust_policy(role) is None or not role_usable(
            world, call.account, role, "ecs-tasks.amazonaws.com"
        ):
            raise client("Role is not valid")
