"""API calls that something inside of the simulated AWS makes: through the same layers as a call from outside."""

from __future__ import annotations

from drctl.sim import registry
from drctl.sim.call import Answer, Call, Moto
from drctl.sim.world import World


def perform(call: Call, world: World, moto: Moto) -> Answer:
    """The answer, as boto3 would show it. Raises Refused. Neither faults nor the access log see the call."""
    key = (call.service, call.operation)
    for rule in registry.RULES.get(key, ()):
        rule(call, world)
    gap = registry.GAPS.get(key)
    answer = gap(call, world, moto) if gap is not None else moto(call)
    for after in registry.AFTERS.get(key, ()):
        after(call, world, answer)
    return answer
