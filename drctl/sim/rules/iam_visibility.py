"""A new role is not visible at once at every endpoint of IAM: only while a fault holds it back."""

from __future__ import annotations

from drctl.sim.call import Answer, Call, Refused
from drctl.sim.lifecycle.iam import UNSEEN
from drctl.sim.registry import after, rule
from drctl.sim.world import World


@rule(
    "iam",
    "GetRole",
    "GetRolePolicy",
    "ListRolePolicies",
    "ListAttachedRolePolicies",
    "ListRoleTags",
    source='IAM user guide, "Changes that I make are not always immediately visible"; NoSuchEntity "The role with name '
    '... cannot be found."',
)
def unseen_role_is_not_found(call: Call, world: World) -> None:
    name = call.params.get("RoleName", "")
    if world.status(UNSEEN, f"{call.account}/{name}") is not None:
        raise Refused("NoSuchEntity", f"The role with name {name} cannot be found.", 404)


@after("iam", "ListRoles")
def unseen_roles_are_not_listed(call: Call, world: World, answer: Answer) -> None:
    answer["Roles"] = [
        role for role in answer["Roles"] if world.status(UNSEEN, f"{call.account}/{role['RoleName']}") is None
    ]
