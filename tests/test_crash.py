"""The program killed with SIGKILL, again and again: the next run goes on, and there is never one thing twice."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.environment import TIMEOUT, Installation
from tests.shape import SHAPE, shape

SPEED = 300.0
UP_POINTS = (20, 70, 150, 90, 60)
"""Mutating calls that AWS has received from each killed ``up`` in turn when it dies."""
DESTROY_POINTS = (30, 80, 60)


@pytest.fixture
def slower(fresh: Installation) -> Iterator[Installation]:
    """A killed client's last requests are executed within seconds; at this speed these are fewer than drctl waits."""
    fresh.sim.set_speed(SPEED)
    yield fresh
    fresh.sim.set_speed(600.0)


def test_up_and_destroy_killed_at_many_points_leave_no_orphan_and_no_duplicate(slower: Installation) -> None:
    before = slower.census()
    killed = [_killed(slower, "up", point) for point in UP_POINTS]
    assert sum(killed) >= 3, "too few runs were killed to prove anything"
    slower.up()
    assert slower.changes() == {}
    assert shape(before, slower.census()) == SHAPE, "something is there twice, or missing"
    records = slower.ok("state", "list").json["records"]
    assert all(record["intent"] is None for record in records)

    killed = [_killed(slower, "destroy", point) for point in DESTROY_POINTS]
    assert sum(killed) >= 2, "too few runs were killed to prove anything"
    slower.destroy()
    assert slower.census() == before


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
