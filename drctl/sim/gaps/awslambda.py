"""Invoking: as an event only, because the answer of a function that calls back would wait for itself."""

from __future__ import annotations

import json
from typing import Any

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.lifecycle.awslambda import CREATING, function_arn
from drctl.sim.motion import invocations
from drctl.sim.moto_cloud import NotInMoto
from drctl.sim.registry import gap
from drctl.sim.world import World


@gap("lambda", "Invoke")
def invoke(call: Call, world: World, moto: Moto) -> Answer:
    """Invoke API reference, InvocationType Event. moto would answer with an echo of the payload, which a caller would
    take for the function's."""
    if call.params.get("InvocationType", "RequestResponse") != "Event":
        raise NotInMoto("functions answer nobody in the simulator: only InvocationType Event is")
    arn = function_arn(call)
    key = (call.account, call.region, arn.rsplit(":", 1)[-1])
    if invocations.deployed(key) is None:
        raise Refused("ResourceNotFoundException", f"Function not found: {arn}", 404)
    if world.status(CREATING, arn) is not None:
        refusal = "The operation cannot be performed at this time. The function is currently in the following state:"
        raise Refused("ResourceConflictException", f"{refusal} Pending", 409)
    if not invocations.ask(world, key, payload(call.params.get("Payload"))):
        raise Refused("TooManyRequestsException", "Rate Exceeded.", 429)
    return {"StatusCode": 202, "Payload": b""}


def payload(given: Any) -> Any:
    """The event that a caller sends; none is an empty object."""
    text = given.read() if hasattr(given, "read") else given
    try:
        return json.loads(text or b"{}")
    except ValueError:
        raise Refused(
            "InvalidRequestContentException",
            "Could not parse request body into json: Could not parse payload into json",
        ) from None


@gap("lambda", "InvokeAsync", "InvokeWithResponseStream")
def answer_nobody(call: Call, world: World, moto: Moto) -> Answer:
    raise NotInMoto("functions answer nobody in the simulator: only Invoke with InvocationType Event is")
