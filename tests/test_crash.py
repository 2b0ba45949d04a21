"""The program killed on its way up. tests/test_torture.py kills it again and again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.environment import TIMEOUT, Installation

SPEED = 300.0


@pytest.fixture
def slower(fresh: Installation) -> Iterator[Installation]:
    """A killed client's last requests are executed within seconds; at this speed these are fewer than drctl waits."""
    fresh.sim.set_speed(SPEED)
    yield fresh
    fresh.sim.set_speed(600.0)


def test_a_half_built_environment_goes_without_a_trace(slower: Installation) -> None:
    """Killed on the way up, and then nobody remembers the settings."""
    before = slower.census()
    assert _killed(slower, "up", 120)
    slower.config.unlink()
    slower.destroy()
    assert slower.census() == before


def _killed(place: Installation, command: str, after: int) -> bool:
    """Whether the run was still under way when so many of its mutating calls had arrived; then it is killed."""
    calls = place.calls()
    child = place.start("--sim", command, "--yes")
    deadline = time.monotonic() + TIMEOUT
    while len(place.mutations(calls)) < after and child.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    alive = child.poll() is None
    child.kill()
    child.communicate()
    return alive
