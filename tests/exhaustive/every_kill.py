"""Every runbook, killed with SIGKILL before and after each of its steps: `--resume` ends it, `--abort` takes it back.

Too long for the suite (about an hour), and therefore not named as it collects: `make rehearse` runs it, up to the first
failure, which it leaves as it is. Tests build on each other: each leaves the environment at home.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from drctl.commands import drill, failback, failover
from drctl.commands.runs import Script
from drctl.runbook.recovery import Parameters
from tests.environment import P
from tests.rehearsal import REHEARSAL, Rehearsal
from tests.rehearsal_kills import Kills, assert_as_before, assert_clean, at, difference, moving, roles

DRILL = ("drill", "--simulate-outage", "--method", "region")

Point = tuple[str, str]
"""A step, and the state that its journal is to say."""


def points(script: Script) -> list[Point]:
    """Before and after every step."""
    return [(step.name, state) for step in script.forward for state in ("begun", "done")]


OF_DRILL = points(drill.script(Parameters("drill", "region", "operator")))
OF_FAILOVER = points(failover.script(Parameters("failover")))
OF_FAILBACK = points(failback.script(Parameters("failback")))


def named(point: Point) -> str:
    return "-".join(point)


@pytest.fixture
def kills(rehearsed: Rehearsal) -> Iterator[Kills]:
    """The world moves; afterwards no region is out."""
    with moving(rehearsed):
        yield Kills(rehearsed)
        rehearsed.run("sim", "heal")


@pytest.fixture
def before(rehearsed: Rehearsal, kills: Kills) -> dict[str, Any]:
    """What the environment is like."""
    return roles(rehearsed)


@pytest.fixture(scope="module")
def failed_over(rehearsed: Rehearsal) -> Iterator[dict[str, Any]]:
    """The standby serves and writes; what that is like. Afterwards all is at home again."""
    kills = Kills(rehearsed)
    with moving(rehearsed):
        done(kills, "failover")
        yield roles(rehearsed)
        done(kills, "failback")


def done(kills: Kills, *arguments: str) -> None:
    """A run that must succeed; that its pauses make it miss an objective is no failure."""
    ran = kills.run(*arguments)
    assert ran.code in (0, 3), f"exit {ran.code}\n{ran.out[-2000:]}{ran.err}"


def killed_everywhere(kills: Kills, arguments: tuple[str, ...], points: list[Point]) -> None:
    """One run, killed at each of these points in turn and resumed, to its end."""
    kills.kill_at_each(arguments, points)
    if not kills.too_late:
        done(kills, arguments[0], "--resume")


@pytest.mark.xdist_group(REHEARSAL)
class TestDrill:
    def test_resumed_at_every_point(self, rehearsed: Rehearsal, kills: Kills, before: dict[str, Any]) -> None:
        killed_everywhere(kills, DRILL, OF_DRILL)
        assert_as_before(rehearsed, before, "passed", "objective missed")

    @pytest.mark.parametrize("point", OF_DRILL, ids=named)
    def test_aborted(self, rehearsed: Rehearsal, kills: Kills, before: dict[str, Any], point: Point) -> None:
        kills.kill(DRILL, at(*point))
        if kills.too_late:
            assert point == OF_DRILL[-1]
            assert_as_before(rehearsed, before, "passed", "objective missed")
            return
        ran = kills.run("drill", "--abort")
        assert ran.code == 1, ran.out[-2000:] + ran.err
        assert_as_before(rehearsed, before, "aborted")


@pytest.mark.xdist_group("failover")
class TestFailover:
    @pytest.mark.parametrize("lost", [False, True], ids=["primary-lives", "primary-lost"])
    def test_resumed_at_every_point(
        self, rehearsed: Rehearsal, kills: Kills, before: dict[str, Any], lost: bool
    ) -> None:
        if lost:
            rehearsed.run("sim", "outage", P)
        killed_everywhere(kills, ("failover",), OF_FAILOVER)
        rehearsed.run("sim", "heal")
        assert_clean(rehearsed, "passed", "objective missed")
        done(kills, "failback")
        assert_as_before(rehearsed, before, "passed")

    @pytest.mark.parametrize("point", OF_FAILOVER, ids=named)
    def test_aborted(self, rehearsed: Rehearsal, kills: Kills, before: dict[str, Any], point: Point) -> None:
        kills.kill(("failover",), at(*point))
        if kills.too_late:
            assert point == OF_FAILOVER[-1]
            done(kills, "failback")
            assert_as_before(rehearsed, before, "passed")
            return
        ran = kills.run("failover", "--abort")
        assert ran.code == 1, ran.out[-2000:] + ran.err
        assert_as_before(rehearsed, before, "aborted")

    def test_it_is_not_taken_back_while_the_primary_is_lost(
        self, rehearsed: Rehearsal, kills: Kills, before: dict[str, Any]
    ) -> None:
        rehearsed.run("sim", "outage", P)
        kills.kill(("failover",), at("failover.promote", "done"))
        refused = kills.run("failover", "--abort")
        assert refused.code == 1
        remedy = refused.json["errors"][-1]["remedy"]
        assert "`drctl failover --abort`" in remedy and "`drctl failover` takes its place" in remedy
        rehearsed.run("sim", "heal")
        kills.run("failover", "--abort")
        assert_as_before(rehearsed, before, "aborted")


@pytest.mark.xdist_group("failover")
class TestFailback:
    def test_resumed_at_every_point(self, rehearsed: Rehearsal, kills: Kills, before: dict[str, Any]) -> None:
        done(kills, "failover")
        killed_everywhere(kills, ("failback",), OF_FAILBACK)
        assert_as_before(rehearsed, before, "passed", "objective missed")

    @pytest.mark.parametrize("point", OF_FAILBACK, ids=named)
    def test_aborted(
        self, rehearsed: Rehearsal, failed_over: dict[str, Any], kills: Kills, point: Point
    ) -> None:
        """The standby serves and writes on; the primary, whose tasks a failover may have stopped, stands by."""
        kills.kill(("failback",), at(*point))
        if kills.too_late:
            assert point == OF_FAILBACK[-1]
            done(kills, "failover")
            return
        ran = kills.run("failback", "--abort")
        assert ran.code == 1, ran.out[-2000:] + ran.err
        assert_clean(rehearsed, "aborted")
        changed = difference(failed_over, roles(rehearsed))
        assert changed.keys() <= {f"{P} services"}, changed
