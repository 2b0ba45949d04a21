"""The worst day: the primary region is gone, and with it the control planes of us-east-1. The monitor decides by
itself, traffic moves and stays, an operator fails over and back; and what the monitor must not take for an outage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drctl.aws import function_zip
from drctl.sim import client
from drctl.sim.access_log import FUNCTION
from drctl.sim.motion.invocations import Deployed, Invocation
from drctl.sim.motion.sandbox import Sandbox
from tests.environment import Installation, P, S
from tests.rehearsal import NAME, REHEARSAL, Rehearsal
from tests.rehearsal_kills import SPEED, assert_as_before, difference, moving, roles
from tests.sim.visitor import Visitor

pytestmark = pytest.mark.xdist_group(REHEARSAL)

FAST = 30.0
"""The world's speed while no user looks; a runbook slows it down to SPEED."""

PATIENCE_S = 120.0
"""Real seconds for what the world does by itself within some simulated minutes."""


class Day:
    """What goes on in an environment, asked of the standby region and of the name servers alone."""

    def __init__(self, place: Installation) -> None:
        self.place = place
        self.visitor = Visitor(place.sim)

    def lose_primary(self) -> None:
        """As an operator of the simulator does."""
        ran = self.place.run("sim", "outage", P)
        assert ran.code == 0, ran.err

    def heal(self) -> None:
        """The region is back."""
        ran = self.place.run("sim", "heal", P)
        assert ran.code == 0, ran.err

    def breaker(self) -> tuple[str, int]:
        """Its state, and the failed probes in a row."""
        tables = self.place.client("dynamodb", S)
        (name,) = (each for each in tables.list_tables()["TableNames"] if "breaker" in each)
        items = tables.scan(TableName=name, ConsistentRead=True)["Items"]
        return (items[0]["state"]["S"], int(items[0]["failures"]["N"])) if items else ("CLOSED", 0)

    def thrown(self) -> bool:
        """Whether the switch's alarm rings."""
        alarms = self.place.client("cloudwatch", S).describe_alarms()["MetricAlarms"]
        return any("failover-trigger" in a["AlarmName"] and a["StateValue"] == "ALARM" for a in alarms)

    def address(self) -> str:
        """Where the name servers send users."""
        return self.visitor.resolve(NAME)

    def probes(self) -> int:
        """How many times the standby's monitor has published what it saw."""
        return sum(
            entry["operation"] == "PutMetricData" and entry["region"] == S
            for entry in self.place.sim.access_log()
            if entry["caller"].startswith(FUNCTION)
        )

    def pass_probes(self, number: int) -> None:
        """Wait until the monitor has probed so often."""
        wanted = self.probes() + number
        until(lambda: self.probes() >= wanted)

    def quiet(self) -> None:
        """As every test here begins: the breaker closed, the switch put back."""
        until(lambda: self.breaker()[0] == "CLOSED" and self.breaker()[1] == 0)
        assert not self.thrown()


def until(condition: Callable[[], bool]) -> None:
    """Raises AssertionError when it does not come about."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.fixture
def day(rehearsed: Rehearsal) -> Iterator[Day]:
    """A day that begins well, and ends with every region back."""
    with moving(rehearsed, FAST):
        made = Day(rehearsed)
        made.quiet()
        yield made
        made.heal()
        rehearsed.sim.heal()


@contextmanager
def cold_starts(place: Installation) -> Iterator[None]:
    """Every invocation has a new sandbox."""
    status = place.sim.status()
    client.request(status, "POST", "functions", {"cold_every": 1})
    try:
        yield
    finally:
        client.request(status, "POST", "functions", {"cold_every": None})


@contextmanager
def second_monitor(place: Installation, folder: Path) -> Iterator[None]:
    """The standby's monitor once more, deployed code in a sandbox of its own, invoked again and again beside it."""
    (shown,) = place.client("lambda", S).list_functions()["Functions"]
    function = Deployed(
        account=shown["FunctionArn"].split(":")[4],
        region=S,
        name=shown["FunctionName"],
        arn=shown["FunctionArn"],
        handler=shown["Handler"],
        timeout=float(shown["Timeout"]),
        memory=shown["MemorySize"],
        variables=shown["Environment"]["Variables"],
        modified=shown["LastModified"],
        package=function_zip.build(function_zip.source("health_monitor"))[0],
    )
    status = place.sim.status()
    facts = {"name_server": status.name_server, "ports": status.ports, "ca_bundle": status.ca_bundle}
    sandbox = Sandbox(function, place.sim.clock, folder, status.endpoint, facts)
    stopped, failures = threading.Event(), []

    def work() -> None:
        while not stopped.is_set():
            outcome = sandbox.invoke(Invocation("second", "{}", function))
            failures.extend([outcome.error] if outcome.error and not stopped.is_set() else [])

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        sandbox.close()
    assert failures == []


def test_a_single_failed_probe_is_no_outage(day: Day) -> None:
    at_home = day.address()
    day.lose_primary()
    until(lambda: day.breaker()[1] == 1)
    day.heal()
    until(lambda: day.breaker()[1] == 0)
    assert day.breaker()[0] == "CLOSED"
    day.pass_probes(3)
    assert not day.thrown()
    until(lambda: day.address() == at_home)


def test_a_monitor_that_cannot_reach_its_table_decides_nothing(day: Day) -> None:
    at_home, before = day.address(), day.breaker()
    day.place.sim.fault("error", service="dynamodb", region=S, operation="GetItem")
    day.place.sim.fault("error", service="dynamodb", region=S, operation="PutItem")
    day.pass_probes(4)
    assert (day.thrown(), day.address(), day.breaker()) == (False, at_home, before)
    day.lose_primary()
    day.pass_probes(5)
    assert (day.thrown(), day.breaker()) == (False, before)
    day.heal()
    until(lambda: day.address() == at_home)
    assert not day.thrown()


def test_the_worst_day(day: Day) -> None:
    place, before = day.place, roles(day.place)
    with cold_starts(place):
        breaker_opens_by_itself(day)
    away = day.address()
    assert away != before["DNS"]
    traffic_stays_while_the_primary_flaps(day, away)
    operator_fails_over(day)
    day.heal()
    up_leaves_the_roles_alone(day, away)
    ran = place.runbook("failback", speed=SPEED)
    assert ran.code == 0, ran.out[-2000:] + ran.err
    assert_as_before(place, before, "passed")


def breaker_opens_by_itself(day: Day) -> None:
    """After three failed probes in a row, no fewer; the switch follows, and DNS."""
    seen: list[tuple[str, int]] = []
    day.lose_primary()

    def opened() -> bool:
        found = day.breaker()
        if found[1] and (not seen or seen[-1] != found):
            seen.append(found)
        return found[0] == "OPEN"

    until(opened)
    assert seen == [("CLOSED", 1), ("CLOSED", 2), ("OPEN", 3)]
    until(day.thrown)


def traffic_stays_while_the_primary_flaps(day: Day, away: str) -> None:
    """Each time long enough for its health checks to find it healthy, and sick again."""
    seen = set()
    for change in (day.heal, day.lose_primary, day.heal, day.lose_primary):
        change()
        wanted = day.probes() + 2
        while day.probes() < wanted:
            seen.add(day.address())
            time.sleep(0.02)
    assert seen == {away}


def operator_fails_over(day: Day) -> None:
    """The standby's own endpoints are all that is called."""
    calls = day.place.calls()
    ran = day.place.runbook("failover", speed=SPEED)
    assert ran.code == 0, ran.out[-2000:] + ran.err
    forbidden = [
        entry
        for entry in day.place.sim.access_log()[calls:]
        if not entry["caller"].startswith(FUNCTION)
        and (entry["region"] != S or entry["service"] in ("iam", "route53", "cloudfront"))
    ]
    assert forbidden == []
    facts = day.place.facts()
    assert (facts["serving"], facts["writer"]) == (S, S)


def up_leaves_the_roles_alone(day: Day, away: str) -> None:
    """Who serves, who writes and how many tasks run is not desired state."""
    until(lambda: day.place.on_sim("plan").code == 0)
    failed_over = roles(day.place)
    assert S in failed_over[f"{S} writer"][0]
    day.place.up()
    assert difference(failed_over, roles(day.place)) == {}
    assert (day.thrown(), day.address()) == (True, away)


def test_a_drill_that_waits_for_the_breaker_while_two_monitors_watch(day: Day, tmp_path: Path) -> None:
    place, before = day.place, roles(day.place)
    arguments = ("drill", "--simulate-outage", "--trigger", "automatic", "--method", "tasks")
    with second_monitor(place, tmp_path):
        ran = place.runbook(*arguments, speed=SPEED)
    assert ran.code == 0, ran.out[-2000:] + ran.err
    (thrown,) = (e for e in place.journal() if e.get("step") == "failover.switch" and e["state"] == "done")
    assert thrown["evidence"] == {"by": "the monitor's circuit breaker"}
    assert_as_before(place, before, "passed")


def test_after_a_failover_without_a_failback_destroy_leaves_nothing(fresh: Installation) -> None:
    before = fresh.census()
    fresh.up()
    fresh.sim.set_speed(SPEED)
    day = Day(fresh)
    day.lose_primary()
    environment = {"DRCTL_SIM_SPEED": str(SPEED)}
    ran = fresh.run("--sim", "--output", "json", "failover", "--yes", environment=environment)
    assert ran.code == 0, ran.out[-2000:] + ran.err
    assert day.thrown()
    day.heal()
    fresh.sim.set_speed(600.0)
    fresh.destroy()
    assert fresh.census() == before
