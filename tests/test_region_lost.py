"""A region is lost in the middle of a run: said once, what was built is kept, and the next run finishes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from drctl.sim import client
from tests.environment import TIMEOUT, Installation, P, Ran, S
from tests.shape import SHAPE, shape
from tests.strangers import bystanders

SPEED = 100.0
"""At the usual one a minute without an answer is shorter than a call on a busy machine."""

GLOBAL = "the control planes of IAM, Route 53 and CloudFront do not answer"
SAID = {
    P: {f"{P} does not answer", GLOBAL},
    S: {f"{S} does not answer"},
    "global": {GLOBAL},
}
"""What is wrong when a place is out: the global control planes live in the primary region here."""

LEFT = "resources are left"


@pytest.fixture
def slower(fresh: Installation) -> Iterator[Installation]:
    """An empty AWS at a speed at which its outages last."""
    fresh.sim.set_speed(SPEED)
    yield fresh
    back(fresh)
    fresh.sim.set_speed(600.0)


def out(installation: Installation, place: str) -> None:
    """Who asks there is refused at once."""
    client.begin_outage(installation.sim.status(), place)


def back(installation: Installation) -> None:
    """Whatever was lost is there again."""
    client.end_outage(installation.sim.status())
    installation.sim.heal()


@pytest.mark.xdist_group("fresh")
def test_a_region_that_is_lost_on_the_way_is_named_once_and_the_next_run_finishes(
    slower: Installation,
) -> None:
    """tests/exhaustive/lost_places.py loses the others."""
    lost_on_the_way(slower, P)


def lost_on_the_way(
    slower: Installation, place: str, lose: Callable[[Installation, str], None] = out
) -> None:
    """Of an up, then of a destroy, beside what others have."""
    with bystanders(slower):
        before = slower.census()
        ran = _lost(slower, "up", place, lose, after=60)
        _says(ran, place)
        kept = {record["address"] for record in slower.ok("state", "list").json["records"]}
        assert len(kept) > 60
        assert kept >= ran.done.keys()

        back(slower)
        slower.sim.set_speed(600.0)
        slower.up()
        assert slower.changes() == {}
        assert shape(before, slower.census()) == SHAPE, "something is there twice, or missing"

        slower.sim.set_speed(SPEED)
        _says(_lost(slower, "destroy", place, lose, after=40), place)
        back(slower)
        slower.sim.set_speed(600.0)
        slower.destroy()
        assert slower.census() == before


@pytest.mark.xdist_group("fresh")
@pytest.mark.parametrize("place", [P, S, "global"])
def test_a_place_that_is_out_from_the_start_is_named_and_nothing_is_changed(
    fresh: Installation, place: str
) -> None:
    calls = fresh.calls()
    client.begin_outage(fresh.sim.status(), place)
    ran = fresh.on_sim("up", "--yes")
    client.end_outage(fresh.sim.status())
    assert ran.code == 1
    said = {error["summary"] + error["cause"] for error in ran.json["errors"]}
    assert len(said) <= len(SAID[place])
    assert all(P in each or S in each or GLOBAL in each for each in said)
    assert fresh.mutations(calls) == []


def _says(ran: Ran, place: str) -> None:
    assert ran.code == 1, ran.err
    errors = [error for error in ran.json["errors"] if LEFT not in error["summary"]]
    assert {error["summary"] for error in errors} == SAID[place]
    assert len(errors) == len(SAID[place])
    for error in errors:
        assert "no answer for" in error["cause"]
        assert "run the same command again when it is back" in error["remedy"]


def _lost(
    place: Installation, command: str, region: str, lose: Callable[[Installation, str], None], after: int
) -> Ran:
    """A run, in the middle of which a region goes: when so many of its mutating calls have arrived."""
    calls = place.calls()
    child = place.start("--sim", "--output", "json", command, "--yes")
    deadline = time.monotonic() + TIMEOUT
    while len(place.mutations(calls)) < after:
        assert child.poll() is None, "it had ended before the region was lost"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    lose(place, region)
    said, told = child.communicate(timeout=TIMEOUT)
    return Ran(child.returncode, said, told)
