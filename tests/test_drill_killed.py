"""A drill killed with SIGKILL before and after each of its steps, aborted, or stopped with Ctrl-C: it is taken up
where it was left, or taken back, and nothing of it stays. `make rehearse` does the same to every runbook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from drctl.runbook import drill
from tests.rehearsal import REHEARSAL, Rehearsal
from tests.rehearsal_kills import Kills, assert_as_before, at, difference, moving, of_kind, roles

pytestmark = pytest.mark.xdist_group(REHEARSAL)

DRILL = ("drill", "--simulate-outage", "--method")


@pytest.fixture
def before(rehearsed: Rehearsal) -> Iterator[dict[str, Any]]:
    """What the environment is like; the world moves."""
    with moving(rehearsed):
        yield roles(rehearsed)


def test_a_drill_killed_before_and_after_every_step_is_resumed_to_its_end(
    rehearsed: Rehearsal, before: dict[str, Any]
) -> None:
    """What comes after a step is what comes before the next one. The pauses count: the recovery takes long."""
    kills = Kills(rehearsed)
    steps = [step.name for step in drill.steps()]
    kills.kill_at_each((*DRILL, "tasks"), [*((step, "begun") for step in steps), (steps[-1], "done")])
    if not kills.too_late:
        ran = kills.run("drill", "--resume")
        assert ran.code in (0, 3), ran.out[-2000:] + ran.err
    assert_as_before(rehearsed, before, "passed", "objective missed")


def test_a_drill_killed_during_the_outage_is_taken_back(rehearsed: Rehearsal, before: dict[str, Any]) -> None:
    kills = Kills(rehearsed)
    kills.kill((*DRILL, "region"), at("outage.detect", "begun"))
    assert set(rehearsed.sim.status().outages) == {"us-east-1"}
    ran = kills.run("drill", "--abort")
    assert ran.code == 1, ran.out[-2000:] + ran.err
    assert_as_before(rehearsed, before, "aborted")


def test_a_failover_taken_back_the_moment_it_began_stays_taken_back(
    rehearsed: Rehearsal, before: dict[str, Any]
) -> None:
    """The alarm looks at the minute in which the switch was thrown only when that minute is over."""
    kills = Kills(rehearsed)
    kills.kill(("failover",), at("failover.switch", "done"))
    ran = kills.run("failover", "--abort")
    assert ran.code == 1, ran.out[-2000:] + ran.err
    assert_as_before(rehearsed, before, "aborted")
    for _ in range(6):
        rehearsed.sim.advance(30)
        assert difference(before, roles(rehearsed)) == {}


def test_ctrl_c_takes_a_drill_back(rehearsed: Rehearsal, before: dict[str, Any]) -> None:
    kills = Kills(rehearsed)
    ran = kills.interrupt((*DRILL, "tasks"), of_kind("fact", name="promotion_at"))
    assert ran.code == 130, ran.out[-2000:] + ran.err
    assert_as_before(rehearsed, before, "interrupted")
    report = rehearsed.journals[-1].with_suffix("") / "report.html"
    assert report.exists()
    assert str(report.relative_to(rehearsed.folder)) in ran.json["errors"][0]["remedy"]
