"""Client tokens: the same request under the same token is one request (EC2 API reference, "Ensuring idempotency")."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.registry import gap
from drctl.sim.world import World


def once(call: Call, world: World, make: Callable[[], Answer]) -> Answer:
    """Make it, or give the answer of the first time. Raises Refused when the parameters changed meanwhile."""
    token = call.params.get("ClientToken")
    if token is None:
        return make()
    rest = {name: value for name, value in call.params.items() if name != "ClientToken"}
    wish = json.dumps(rest, sort_keys=True, default=str)
    seen = world.section("ec2.client-tokens")
    key = (call.account, call.region, call.operation, token)
    if key in seen:
        if seen[key]["wish"] != wish:
            raise Refused(
                "IdempotentParameterMismatch",
                "The request uses the same client token as a previous, but non-identical request.",
            )
        return deepcopy(seen[key]["answer"])
    answer = make()
    seen[key] = {"wish": wish, "answer": deepcopy(answer)}
    return answer


@gap("ec2", "CreateRouteTable", "CreateNetworkAcl")
def create_once(call: Call, world: World, moto: Moto) -> Answer:
    return once(call, world, lambda: moto(call))
