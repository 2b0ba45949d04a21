"""What stops a drill, and what a disaster does that comes in the middle of one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.environment import EVERYTHING, P
from tests.rehearsal import PATHS, REHEARSAL, Rehearsal
from tests.rehearsal_kills import SELDOM, SPEED, Kills, assert_as_before, at, left_behind, roles

pytestmark = pytest.mark.xdist_group(REHEARSAL)


@pytest.fixture
def moving(rehearsed: Rehearsal) -> Iterator[Rehearsal]:
    """The world moves; afterwards the settings are what they were."""
    with rehearsed.moving(SPEED):
        yield rehearsed
    rehearsed.settings(EVERYTHING + PATHS)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ('stop_alarms = ["demo-failover-trigger"]', "the alarm demo-failover-trigger rings"),
        ("error_budget_s = 15", "users were not served for"),
    ],
)
def test_a_stop_condition_takes_the_drill_back(moving: Rehearsal, setting: str, reason: str) -> None:
    before = roles(moving)
    moving.settings(f"{EVERYTHING}{PATHS}{SELDOM}{setting}\n")
    ran = moving.runbook("drill", "--simulate-outage", "--method", "network", speed=SPEED)
    assert ran.code == 1, ran.out[-2000:] + ran.err[-2000:]
    (error,) = ran.json["errors"]
    assert error["summary"] == "the drill was aborted and has been taken back"
    assert reason in error["cause"]
    assert "report.html" in error["remedy"]
    assert_as_before(moving, before, "aborted")


def test_a_failover_takes_the_place_of_an_open_drill_and_the_failback_undoes_its_outage(
    moving: Rehearsal,
) -> None:
    before = roles(moving)
    moving.settings(EVERYTHING + PATHS + SELDOM)
    kills = Kills(moving)
    kills.kill(("drill", "--simulate-outage", "--method", "network"), at("outage.detect", "begun"))
    drilled = moving.journals[-1].stem

    calls = moving.calls()
    for command in (("up", "--yes"), ("destroy", "--yes"), ("failback", "--yes")):
        refused = moving.on_sim(*command)
        (error,) = refused.json["errors"]
        assert (refused.code, drilled in error["summary"]) == (1, True), refused.out
        assert "drctl drill --resume" in error["remedy"]
        assert "drctl drill --abort" in error["remedy"]
    assert not [c for c in moving.sim.access_log()[calls:] if c["mutating"] and c["caller"] == "simulated"]

    failed_over = kills.run("failover")
    assert failed_over.code == 0, failed_over.out[-2000:] + failed_over.err[-2000:]
    (open_still,) = [fault for fault in failed_over.json["faults"] if fault["undone_at"] is None]
    assert (open_still["name"], open_still["arguments"]["run"]) == ("network", drilled)
    cut = moving.client("ec2", P).describe_network_acls(
        Filters=[{"Name": "tag:drctl:drill", "Values": [drilled]}]
    )["NetworkAcls"]
    assert len(cut) == 1

    back = kills.run("failback")
    assert back.code == 0, back.out[-2000:] + back.err[-2000:]
    assert roles(moving) == before
    assert moving.ok("drift").json["drift"] == []
    assert left_behind(moving) == [], "of the drill's probes too"
    (closed,) = [path for path in moving.journals if path.stem == drilled]
    assert '"reasons":["a failover took its place"]' in closed.read_text(encoding="utf-8").splitlines()[-1]
