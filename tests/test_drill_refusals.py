"""What a drill, a failover and a failback refuse: each says why and what to do, and changes nothing."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drctl.sim import client
from tests.environment import EVERYTHING, TIMEOUT, Ran, S
from tests.rehearsal import PATHS, REHEARSAL, Rehearsal
from tests.rehearsal_kills import at, left_behind, roles

pytestmark = pytest.mark.xdist_group(REHEARSAL)

SETTINGS = EVERYTHING + PATHS
SPEED = 30.0
DRILL: tuple[str, ...] = ("drill", "--simulate-outage", "--method", "tasks")
QUIET_S = 900.0
"""Simulated seconds in which the metrics' windows pass and alarms fall silent."""


@pytest.fixture
def place(rehearsed: Rehearsal) -> Iterator[Rehearsal]:
    """The environment in a world that moves; as it was when the test has ended."""
    with rehearsed.moving(SPEED):
        yield rehearsed
    rehearsed.settings(SETTINGS)


def errors(ran: Ran, code: int) -> list[dict[str, Any]]:
    """What it says is wrong; each tells why and what to do."""
    assert ran.code == code, ran.out[-3000:] + ran.err[-3000:]
    found: list[dict[str, Any]] = ran.json["errors"]
    assert found
    assert all(error["summary"] and error["cause"] and error["remedy"] for error in found)
    return found


@contextmanager
def unchanged(place: Rehearsal) -> Iterator[None]:
    """The operator sends AWS nothing that changes anything; functions of the environment go on with their work."""
    since = place.calls()
    yield
    sent = [c for c in place.sim.access_log()[since:] if c["mutating"] and c["caller"] == "simulated"]
    assert sent == []


def on_aws(place: Rehearsal, state_dir: Path, *arguments: str) -> Ran:
    """drctl without ``--sim``, as it speaks to AWS."""
    options = ("--state-dir", str(state_dir), "--output", "json")
    return place.run(*options, *arguments, environment=client.environment(place.sim.status()))


def test_a_drill_says_in_as_many_words_that_it_breaks_something(place: Rehearsal) -> None:
    with unchanged(place):
        (error,) = errors(place.runbook("drill"), 5)
    assert "--simulate-outage" in error["remedy"]


@pytest.mark.parametrize("runbook", [DRILL, ("failover",), ("failback",)])
def test_without_a_terminal_it_needs_a_yes(place: Rehearsal, runbook: tuple[str, ...]) -> None:
    known = place.journals
    with unchanged(place):
        (error,) = errors(place.on_sim(*runbook), 5)
    assert "--yes" in error["remedy"]
    assert place.journals == known


def test_a_drill_needs_a_domain(place: Rehearsal) -> None:
    place.settings("")
    with unchanged(place):
        (error,) = errors(place.runbook(*DRILL), 5)
    assert error["address"] == "domain.name"


def test_the_monitor_does_not_see_an_inverted_health_check(place: Rehearsal) -> None:
    arguments = ("drill", "--simulate-outage", "--method", "health", "--trigger", "automatic")
    with unchanged(place):
        (error,) = errors(place.runbook(*arguments), 5)
    assert "--trigger operator" in error["remedy"]


def test_a_region_is_taken_out_on_the_simulator_only(place: Rehearsal) -> None:
    with unchanged(place):
        ran = on_aws(place, place.state, "drill", "--simulate-outage", "--method", "region", "--yes")
    (error,) = errors(ran, 5)
    assert "--sim" in error["remedy"]


@pytest.mark.parametrize("runbook", [DRILL, ("failover",), ("failback",)])
def test_without_its_state_there_is_nothing_to_work_with(
    place: Rehearsal, runbook: tuple[str, ...], tmp_path: Path
) -> None:
    with unchanged(place):
        (error,) = errors(on_aws(place, tmp_path, *runbook, "--yes"), 1)
    assert error["summary"] == "the environment 'demo' has not been built"
    assert "`drctl up`" in error["remedy"]


@pytest.mark.parametrize("runbook", [DRILL, ("failover",)])
def test_another_account_is_refused(place: Rehearsal, runbook: tuple[str, ...]) -> None:
    place.settings('account = "999999999999"\n' + SETTINGS)
    with unchanged(place):
        (error,) = errors(place.runbook(*runbook), 5)
    assert error["address"] == "account"
    assert "999999999999" in error["cause"]


@pytest.mark.parametrize("runbook", [("drill",), ("failover",), ("failback",)])
def test_there_is_nothing_to_go_on_with_or_to_take_back(place: Rehearsal, runbook: tuple[str, ...]) -> None:
    known = place.journals
    with unchanged(place):
        for way in ("--resume", "--abort"):
            (error,) = errors(place.runbook(*runbook, way), 1)
            assert error["summary"] == f"there is no {runbook[0]} to go on with"
    assert place.journals == known
    assert place.runbook(*runbook, "--resume", "--abort").code == 5


def test_a_standby_that_is_not_healthy_takes_nothing_over(place: Rehearsal) -> None:
    ecs = place.client("ecs", S)
    (cluster,) = ecs.list_clusters()["clusterArns"]
    (service,) = ecs.list_services(cluster=cluster)["serviceArns"]
    (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
    ecs.update_service(cluster=cluster, service=service, desiredCount=0)
    place.sim.advance(60)
    try:
        with unchanged(place):
            found_wrong = errors(place.runbook(*DRILL), 1)
    finally:
        ecs.update_service(cluster=cluster, service=service, desiredCount=found["desiredCount"])
        place.sim.advance(QUIET_S)
    said = {error["summary"]: error["cause"] for error in found_wrong}
    assert f"not steady: {S}: tasks" in said
    assert f"0 of {found['desiredCount']}" in said[f"not steady: {S}: tasks"]
    assert f"not steady: {S}: load balancer" in said
    assert refused(place)
    assert place.changes() == {}


def test_a_standby_that_is_further_behind_than_the_objective_takes_nothing_over(place: Rehearsal) -> None:
    status = place.sim.status()
    usual = client.lags(status)
    client.set_lags(status, {"database": 120})
    place.sim.advance(120)
    try:
        with unchanged(place):
            found_wrong = errors(place.runbook(*DRILL), 1)
    finally:
        client.set_lags(status, usual)
        place.sim.advance(QUIET_S)
    said = {error["summary"]: error["cause"] for error in found_wrong}
    assert said["not steady: the database has caught up"] == "120.0 s behind"
    assert refused(place)


def refused(place: Rehearsal) -> bool:
    """Whether the last run broke nothing, and is closed."""
    entries = place.journal()
    return entries[-1].get("outcome") == "refused" and not any(e["kind"] == "undo" for e in entries)


def test_one_runbook_at_a_time_and_an_unfinished_one_first(place: Rehearsal) -> None:
    before = roles(place)
    child = begun(place, "health")
    child.send_signal(signal.SIGSTOP)  # it would be through before the others have come to their refusal
    try:
        for other in (DRILL, ("failover",)):
            (error,) = errors(place.runbook(*other), 4)
            assert f"process {child.pid}" in error["cause"]
            assert "drctl drill" in error["cause"]
    finally:
        child.kill()
        child.wait()

    unfinished = place.journals[-1].stem
    with unchanged(place):
        for other in (DRILL, ("failback",), ("failback", "--resume"), ("failover", "--abort")):
            (error,) = errors(place.runbook(*other), 1)
            assert error["summary"] == f"the drill {unfinished} was interrupted and is still open"
            assert "`drctl drill --resume`" in error["remedy"]
            assert "`drctl drill --abort`" in error["remedy"]

    (error,) = errors(place.runbook("drill", "--abort"), 1)
    assert "has been taken back" in error["summary"]
    assert place.journals[-1].stem == unfinished
    assert place.journal()[-1]["outcome"] == "aborted"
    assert roles(place) == before
    assert left_behind(place) == []
    assert place.changes() == {}


def begun(place: Rehearsal, method: str) -> subprocess.Popen[str]:
    """A drill that runs, and has begun its outage."""
    known = place.journals
    child = place.start(
        *("--sim", "drill", "--simulate-outage", "--method", method, "--yes"),
        environment={"DRCTL_SIM_SPEED": str(SPEED)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + TIMEOUT
    wanted = at("outage.inject", "done")
    while place.journals == known or not any(map(wanted, place.journal())):
        assert child.poll() is None, "the drill ended before its outage"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return child
