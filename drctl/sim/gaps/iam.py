"""Where moto's IAM changes more than AWS does."""

from __future__ import annotations

from dataclasses import replace

from moto.iam.models import iam_backends

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.registry import gap
from drctl.sim.world import World


@gap("iam", "UpdateRole")
def update_role(call: Call, world: World, moto: Moto) -> Answer:
    """What an UpdateRole leaves out stays; moto empties the description and resets the session duration."""
    roles = iam_backends[call.account]["aws"].get_roles()
    before = next((role for role in roles if role.name == call.params["RoleName"]), None)
    if before is None:
        return moto(call)
    kept = {
        "Description": before.description or "",
        "MaxSessionDuration": int(before.max_session_duration or 3600),
    }
    return moto(replace(call, params=kept | call.params))
