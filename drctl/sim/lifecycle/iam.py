"""How long IAM takes to let others see a new role or another trust policy, and whether a service may assume one."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.registry import after, gap
from drctl.sim.world import World

PROPAGATING = "iam-role"
UNSEEN = "iam-role-unseen"
"""What IAM itself does not show yet either: account and name of the role."""
TRUSTED_BEFORE = "iam-trust"
"""Also the world's section of them: ARN -> the trust policy that other services still go by."""
DELAY = "iam-delay"


@after("iam", "CreateRole")
def propagate(call: Call, world: World, answer: Answer) -> None:
    """IAM user guide, "Changes that I make are not always immediately visible": from all possible endpoints, so
    that IAM's own may not know the role either. As long as nothing holds it back, they do."""
    role, seconds = answer["Role"], call.held_back(DELAY)
    world.section(TRUSTED_BEFORE).pop(role["Arn"], None)
    world.begin(
        PROPAGATING, role["Arn"], "propagating", DURATIONS["role"].ready if seconds is None else seconds
    )
    world.begin(UNSEEN, f"{call.account}/{role['RoleName']}", "propagating", seconds or 0)


@gap("iam", "UpdateAssumeRolePolicy")
def update_trust_policy(call: Call, world: World, moto: Moto) -> Answer:
    """Seen at once, as long as nothing holds it back; then other services go by the one before."""
    arn = next(
        (r.arn for r in iam_backends[call.account]["aws"].get_roles() if r.name == call.params["RoleName"]),
        "",
    )
    before = trust_in_force(world, arn)
    answer = moto(call)
    seconds = call.held_back(DELAY)
    if seconds is not None and before is not None:
        world.section(TRUSTED_BEFORE)[arn] = before
        world.begin(TRUSTED_BEFORE, arn, "propagating", seconds)
    return answer


def role_usable(world: World, account: str, arn: str, service_principal: str) -> bool:
    """Whether ``service_principal`` (``lambda.amazonaws.com``) can assume the role now.

    False when the role does not exist, is too young to be visible, or does not trust the service.
    """
    return any(
        statement.get("Effect") == "Allow" and service_principal in principals(statement, "Service")
        for statement in statements(trust_in_force(world, arn) or {})
    )


def trust_in_force(world: World, arn: str) -> dict[str, Any] | None:
    """The trust policy that other services go by; None when they know no such role, or not yet."""
    document = trust_policy(arn)
    if document is None or world.status(PROPAGATING, arn) is not None:
        return None
    before: dict[str, Any] | None = world.section(TRUSTED_BEFORE).get(arn)
    if before is not None and world.status(TRUSTED_BEFORE, arn) is not None:
        return before
    world.section(TRUSTED_BEFORE).pop(arn, None)
    return document


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
