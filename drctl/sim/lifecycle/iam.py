"""How long IAM takes to let other services see a new role, and whether a service may assume one."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends

from drctl.sim.call import Answer, Call
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.registry import after
from drctl.sim.world import World

PROPAGATING = "iam-role"


@after("iam", "CreateRole")
def propagate(call: Call, world: World, answer: Answer) -> None:
    """IAM user guide, "Changes that I make are not always immediately visible"."""
    world.begin(PROPAGATING, answer["Role"]["Arn"], "propagating", DURATIONS["role"].ready)


def role_usable(world: World, account: str, arn: str, service_principal: str) -> bool:
    """Whether ``service_principal`` (``lambda.amazonaws.com``) can assume the role now.

    False when the role does not exist, is too young to be visible, or does not trust the service.
    """
    document = trust_policy(arn)
    if document is None or world.status(PROPAGATING, arn) is not None:
        return False
    return any(
        statement.get("Effect") == "Allow" and service_principal in principals(statement, "Service")
        for statement in statements(document)
    )


def trust_policy(arn: str) -> dict[str, Any] | None:
    """The trust policy of a role by its ARN, in whatever account it lives; None when there is no such role."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        return None
    for role in iam_backends[parts[4]]["aws"].get_roles():
        if role.arn == arn:
            return dict(json.loads(role.assume_role_policy_document))
    return None


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    """A policy's statements; IAM allows a single one without its list."""
    found = document.get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def principals(statement: dict[str, Any], kind: str) -> list[str]:
    """Who a statement names under ``AWS``, ``Service`` or ``Federated``; ``*`` stands under every kind."""
    principal = statement.get("Principal", {})
    if isinstance(principal, str):
        return [principal]
    named = principal.get(kind, [])
    return [named] if isinstance(named, str) else list(named)
