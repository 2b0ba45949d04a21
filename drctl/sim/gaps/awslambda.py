"""Invoking is not modelled: moto answers with an echo of the payload, which a caller would take for the function's."""

from __future__ import annotations

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.moto_cloud import NotInMoto
from drctl.sim.registry import gap
from drctl.sim.world import World


@gap("lambda", "Invoke", "InvokeAsync", "InvokeWithResponseStream")
def invoke(call: Call, world: World, moto: Moto) -> Answer:
    raise NotInMoto("functions do not run in the simulator")
