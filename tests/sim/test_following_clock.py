"""The clock of who looks on while others change the simulator's time."""

from __future__ import annotations

import time

from drctl.sim import client
from tests.conftest import Sim

HOUR = 3600.0


def test_it_follows_a_jump_and_a_change_of_speed(sim: Sim) -> None:
    clock = client.FollowingClock(sim.status())
    before = clock.now()
    sim.set_speed(1)
    sim.advance(HOUR)
    deadline = time.monotonic() + 60
    while clock.real(1.0) != 1.0 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert clock.real(1.0) == 1.0
    assert clock.now() > before + HOUR / 2
