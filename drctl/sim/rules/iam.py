"""What IAM refuses and moto accepts."""

from __future__ import annotations

import json
import re
from typing import Any

from moto.iam.models import iam_backends

from drctl.sim.call import Call, Refused
from drctl.sim.lifecycle.iam import PROPAGATING, statements
from drctl.sim.registry import rule
from drctl.sim.world import World

ROOT = re.compile(r"^(\d{12}|arn:aws:iam::\d{12}:root)$")
IDENTITY = re.compile(r"^arn:aws:(iam|sts)::(\d{12}):(role|user|assumed-role|federated-user)/.+$")
SERVICE = re.compile(r"^[a-z0-9.-]+\.amazonaws\.com$")
INLINE_LIMIT = 10_240
"""Characters of all inline policies of one role, white space not counted."""


@rule(
    "iam",
    "CreateRole",
    "UpdateAssumeRolePolicy",
    source='MalformedPolicyDocument "Invalid principal in policy"; IAM user guide, "AWS JSON policy elements: '
    'Principal"; "AssumeRole policy may only specify STS AssumeRole actions."',
)
def trust_policy_names_somebody(call: Call, world: World) -> None:
    text = call.params.get("AssumeRolePolicyDocument") or call.params.get("PolicyDocument") or ""
    try:
        document = json.loads(text)
    except ValueError:
        raise malformed("This policy contains invalid Json") from None
    if not isinstance(document, dict) or not statements(document):
        raise malformed("Syntax errors in policy.")
    for statement in statements(document):
        if "Resource" in statement or "NotResource" in statement:
            raise malformed("Has prohibited field Resource")
        actions = statement.get("Action", [])
        for action in [actions] if isinstance(actions, str) else actions:
            if not action.lower().startswith("sts:"):
                raise malformed("AssumeRole policy may only specify STS AssumeRole actions.")
        principal = statement.get("Principal")
        if not principal:
            raise malformed("Missing required field Principal")
        if isinstance(principal, dict):
            for kind, named in principal.items():
                require_existing(call, world, kind, [named] if isinstance(named, str) else named)
        elif principal != "*":
            raise malformed(f'Invalid principal in policy: "AWS":"{principal}"')


def require_existing(call: Call, world: World, kind: str, named: list[Any]) -> None:
    """Refuse a principal that names nobody. Identities of other accounts cannot be known here and pass."""
    if kind not in ("AWS", "Service", "Federated", "CanonicalUser"):
        raise malformed(f'Invalid principal in policy: "{kind}"')
    if not named:
        raise malformed(f'Invalid principal in policy: "{kind.upper()}":""')
    for name in named:
        known = isinstance(name, str) and (
            (kind == "AWS" and (name == "*" or bool(ROOT.match(name)) or identity_exists(call, world, name)))
            or (kind == "Service" and bool(SERVICE.match(name)))
            or (kind in ("Federated", "CanonicalUser") and bool(name))
        )
        if not known:
            raise malformed(f'Invalid principal in policy: "{kind.upper()}":"{name}"')


def identity_exists(call: Call, world: World, arn: str) -> bool:
    match = IDENTITY.match(arn)
    if match is None or "*" in arn:  # a wildcard can only stand for everyone
        return False
    if match[1] == "sts" or match[2] != call.account:
        return True
    backend = iam_backends[call.account]["aws"]
    if match[3] == "user":
        return any(user.arn == arn for user in backend.users.values())
    if world.status(PROPAGATING, arn) is not None:
        return False
    return any(role.arn == arn for role in backend.get_roles())


@rule("iam", "CreateRole", "UpdateRole", source="CreateRole API reference: MaxSessionDuration 3600 to 43200")
def session_duration_within_a_working_day(call: Call, world: World) -> None:
    seconds = int(call.params.get("MaxSessionDuration", 3600))
    if not 3600 <= seconds <= 43_200:
        bound = "greater than or equal to 3600" if seconds < 3600 else "less than or equal to 43200"
        raise Refused(
            "ValidationError",
            f"1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy "
            f"constraint: Member must have value {bound}",
        )


@rule("iam", "PutRolePolicy", source='LimitExceeded "Maximum policy size of 10240 bytes exceeded for role"')
def inline_policies_within_quota(call: Call, world: World) -> None:
    name = call.params.get("RoleName", "")
    role = next((r for r in iam_backends[call.account]["aws"].get_roles() if r.name == name), None)
    if role is None:
        return
    policies = {**role.policies, call.params["PolicyName"]: call.params["PolicyDocument"]}
    if sum(len(re.sub(r"\s", "", text)) for text in policies.values()) > INLINE_LIMIT:
        raise Refused(
            "LimitExceeded", f"Maximum policy size of {INLINE_LIMIT} bytes exceeded for role {name}", 409
        )


@rule("iam", "DeletePolicy", source='DeleteConflict "Cannot delete a policy attached to entities."')
def attached_policy_stays(call: Call, world: World) -> None:
    arn = call.params["PolicyArn"]
    backend = iam_backends[call.account]["aws"]
    holders: list[Any] = [*backend.get_roles(), *backend.users.values(), *backend.groups.values()]
    if any(arn in holder.managed_policies for holder in holders):
        raise Refused("DeleteConflict", "Cannot delete a policy attached to entities.", 409)


def malformed(message: str) -> Refused:
    return Refused("MalformedPolicyDocument", message)
