"""What happens again and again while the world is awake: ``@pulse`` registers it, the calendar carries it.

The world is awake while simulated time runs slowly enough to be watched. Faster than that, an invocation of a function
would take longer than the minute between two of them: checkers, alarms and schedules rest, and go on when time slows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drctl.sim.call import Moto
from drctl.sim.registry import event
from drctl.sim.world import World

WATCHABLE = 30.0
"""The most simulated seconds in a real one at which the world is awake."""

Beat = Callable[[World, Moto], None]

PULSES: dict[str, tuple[float, Beat]] = {}
"""Name -> simulated seconds between two beats, and what happens at each."""

BEATING = "pulse"
"""World's section: the pulses whose next beat is in the calendar."""


def pulse(name: str, seconds: float) -> Callable[[Beat], Beat]:
    """Register what happens every so many simulated seconds. It runs under the simulator's lock: keep it short."""

    def register(function: Beat) -> Beat:
        PULSES[name] = (seconds, function)
        return function

    return register


def wake(world: World) -> None:
    """Let all pulses beat that do not yet; the first beat is due at once."""
    if not world.awake:
        world.awake, world.awake_since = True, world.now
    for name in PULSES.keys() - world.section(BEATING).keys():
        world.section(BEATING)[name] = True
        world.later(0.0, "pulse", name=name)


def rest(world: World) -> None:
    """Let every pulse end with its next beat."""
    world.awake = False


@event("pulse")
def beat(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """One beat, and the next one into the calendar."""
    if not world.awake:
        world.section(BEATING).pop(data["name"], None)
        return
    seconds, function = PULSES[data["name"]]
    world.later(seconds, "pulse", name=data["name"])
    function(world, moto)
