"""A state in the team's bucket on the worst day: minutes, so not named as the suite collects (`make rehearse`)."""

from __future__ import annotations

from pathlib import Path

from tests.environment import Installation, P, S
from tests.rehearsal import PATHS
from tests.test_team_state import BUCKET, SHARED, Machine, addresses, buckets

CALM = 100.0
"""A speed at which an entry of the journal, a request that takes some real hundredths, is no long time."""

MOVING = 20.0
"""A speed at which names, checkers and databases move."""


def test_the_primary_is_lost_and_another_machine_fails_over(fresh: Installation, tmp_path: Path) -> None:
    """The whole environment: what its state costs, and that it is there on the worst day."""
    fresh.settings(SHARED + PATHS)
    fresh.sim.set_speed(CALM)
    calls = fresh.calls()
    fresh.up()
    asked = [e for e in fresh.sim.access_log()[calls:] if e["service"] == "s3"]
    puts = [e for e in asked if e["operation"] == "PutObject"]
    print(f"requests of a whole up to S3: {len(asked)}, of these writes of objects: {len(puts)}")
    other = Machine(tmp_path / "other", fresh, SHARED + PATHS)
    known = addresses(other.ok("state", "list"))
    assert len(known) > 150
    fresh.sim.set_speed(MOVING)
    assert fresh.run("sim", "outage", P).code == 0
    try:
        assert addresses(other.ok("state", "list")) == known
        assert any(P in each["summary"] for each in other.ok("status").json["unreadable"])
        ran = other.run(
            *("--sim", "--output", "json", "failover", "--yes"), environment={"DRCTL_SIM_SPEED": str(MOVING)}
        )
        assert ran.code == 0, ran.out[-4000:] + ran.err[-4000:]
        assert other.ok("status").json["writer_region"] == S
    finally:
        assert fresh.run("sim", "heal", P).code == 0
        fresh.sim.set_speed(CALM)
    assert other.ok("destroy", "--yes").json["left"] == []
    assert BUCKET not in buckets(fresh)
