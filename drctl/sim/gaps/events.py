"""Where moto's EventBridge changes more than AWS does."""

from __future__ import annotations

from dataclasses import replace

from moto.events.models import events_backends

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.registry import gap
from drctl.sim.world import World


@gap("events", "PutRule")
def put_rule(call: Call, world: World, moto: Moto) -> Answer:
    """PutRule API reference: "If you are updating an existing rule ... any tags you specify are ignored"."""
    bus = call.params.get("EventBusName", "default").rsplit("/", 1)[-1]
    found = events_backends[call.account][call.region].event_buses.get(bus)
    if found is None or call.params["Name"] not in found.rules:
        return moto(call)
    return moto(replace(call, params={name: value for name, value in call.params.items() if name != "Tags"}))
