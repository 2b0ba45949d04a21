"""Who may assume a role."""

from __future__ import annotations

from typing import Any

from moto.iam.models import iam_backends

from drctl.sim.call import Call, Refused
from drctl.sim.lifecycle.iam import principals, statements, trust_in_force
from drctl.sim.registry import rule
from drctl.sim.world import World


@rule(
    "sts",
    "AssumeRole",
    source='AssumeRole API reference; IAM user guide, "Access to AWS accounts owned by third parties" (ExternalId)',
)
def role_must_trust_the_caller(call: Call, world: World) -> None:
    """The trust policy is judged by the caller's account: which identity of it calls is not known here."""
    arn = call.params["RoleArn"]
    if not any(admits(call, statement) for statement in statements(trust_in_force(world, arn) or {})):
        raise Refused(
            "AccessDenied",
            f"User: arn:aws:iam::{call.account}:root is not authorized to perform: sts:AssumeRole on resource: {arn}",
            403,
        )


@rule(
    "sts",
    "AssumeRole",
    source='ValidationError "The requested DurationSeconds exceeds the MaxSessionDuration"',
)
def session_no_longer_than_the_role_allows(call: Call, world: World) -> None:
    arn = call.params["RoleArn"]
    backend = iam_backends[arn.split(":")[4]]["aws"]
    role = next((r for r in backend.get_roles() if r.arn == arn), None)
    limit = int(role.max_session_duration or 3600) if role is not None else 3600
    if int(call.params.get("DurationSeconds", 900)) > limit:
        raise Refused(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )


def admits(call: Call, statement: dict[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    named = principals(statement, "AWS")
    if not any(name in ("*", call.account) or f":{call.account}:" in name for name in named):
        return False
    condition = statement.get("Condition", {}).get("StringEquals", {})
    wanted = next((value for key, value in condition.items() if key.lower() == "sts:externalid"), None)
    if wanted is None:
        return True
    return call.params.get("ExternalId") in ([wanted] if isinstance(wanted, str) else wanted)
