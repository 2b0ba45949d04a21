"""``drctl status``: what it says of a whole environment, and what is left of that when a region is out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drctl.ledger.file_store import FileStore
from drctl.runbook.journal import Journal
from drctl.sim import client
from tests.environment import ENVIRONMENT, Built, P, S
from tests.view.test_json import checked

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)

TABLE = "demo-breaker"
SWITCH = "demo-failover-trigger"


def status(built: Built) -> dict[str, Any]:
    """The document, which is what the schema says."""
    return checked(built.on_sim("status"), "status")


def phases(seen: dict[str, Any], place: str) -> set[str]:
    return {each["phase"] for each in seen["resources"] if each["address"].startswith(f"{place}/")}


@pytest.fixture
def outage(built: Built) -> Iterator[None]:
    """The primary region, which is us-east-1, is out."""
    client.begin_outage(built.sim.status(), P)
    yield
    client.end_outage(built.sim.status())


def test_a_whole_environment(built: Built) -> None:
    seen = status(built)
    assert (seen["serving_region"], seen["writer_region"], seen["run"]) == (P, P, None)
    assert (seen["switch"]["thrown"], seen["unreadable"]) == (False, [])
    assert {phase for place in ("global", P, S) for phase in phases(seen, place)} == {"ready"}


def test_a_region_that_is_out_is_not_asked_for_each_of_its_resources(built: Built, outage: None) -> None:
    calls = built.calls()
    seen = status(built)
    assert [each["summary"] for each in seen["unreadable"][:2]] == [
        "the control planes of IAM, Route 53 and CloudFront do not answer",
        f"{P} does not answer",
    ]
    assert f"drctl failover` lets {S} take over" in seen["unreadable"][1]["remedy"]
    assert phases(seen, P) == phases(seen, "global") == {"unreadable"}
    of_standby = [each["phase"] for each in seen["resources"] if each["address"].startswith(f"{S}/")]
    assert of_standby.count("ready") > 0.9 * len(of_standby), "only what has a part in the primary is missing"
    assert len([c for c in built.sim.access_log()[calls:] if c["region"] == P]) < 20
    assert (seen["serving_region"], seen["writer_region"]) == (S, P), "from name servers and from the standby"
    assert {alarm["region"] for alarm in seen["alarms"]} == {S}
    shown = built.run("--sim", "status")
    assert shown.code == 0
    assert f"error: {P} does not answer" in shown.out
    assert f"{P}/vpc/main" not in shown.out, "a hundred lines would hide the rest"


def test_the_breaker_as_the_monitor_writes_it(built: Built) -> None:
    dynamodb = built.client("dynamodb", S)
    key = {"id": {"S": "demo"}}
    before = dynamodb.get_item(TableName=TABLE, Key=key).get("Item")
    dynamodb.delete_item(TableName=TABLE, Key=key)
    never = {"state": "CLOSED", "failures": 0, "since": None, "updated_at": None}
    assert status(built)["breaker"] == never
    assert "has not written it yet" in built.run("--sim", "status").out
    now = built.sim.clock.now()
    item = {
        **key,
        "state": {"S": "OPEN"},
        "failures": {"N": "4"},
        "opened_at": {"N": str(now - 60)},
        "updated_at": {"N": str(now)},
    }
    dynamodb.put_item(TableName=TABLE, Item=item)
    told = status(built)["breaker"]
    assert (told["state"], told["failures"]) == ("OPEN", 4)
    assert (told["since"], told["updated_at"]) == (pytest.approx(now - 60), pytest.approx(now))
    assert "4 probes in a row have failed" in built.run("--sim", "status").out
    dynamodb.put_item(TableName=TABLE, Item=before) if before else dynamodb.delete_item(
        TableName=TABLE, Key=key
    )


def test_the_switch_as_its_alarm_stands(built: Built) -> None:
    cloudwatch = built.client("cloudwatch", S)
    cloudwatch.set_alarm_state(AlarmName=SWITCH, StateValue="ALARM", StateReason="thrown by a test")
    try:
        told = status(built)["switch"]
        assert (told["thrown"], told["state"]) == (True, "ALARM")
        assert told["since"] is not None
        assert "THROWN" in built.run("--sim", "status").out
    finally:
        cloudwatch.set_alarm_state(AlarmName=SWITCH, StateValue="OK", StateReason="put back by a test")


def test_how_far_behind_database_tables_and_buckets_are(built: Built) -> None:
    built.sim.set_speed(10)
    try:
        built.sim.advance(70)  # replication is told about once a minute, while the world is awake
        lag = status(built)["lag"]
    finally:
        built.sim.set_speed(600)
    assert lag.keys() == {"database_s", "table_s", "bucket_s"}
    assert None not in lag.values()


@pytest.fixture
def interrupted(built: Built) -> Iterator[Path]:
    """The journal of a run that was interrupted."""
    path = built.state / "demo.runs" / "20260101T000000Z-failover.jsonl"
    journal = Journal(path)
    journal.add("run", 1.0, runbook="failover")
    journal.add("step", 2.0, step="switch.throw", state="begun")
    journal.close()
    yield path
    path.unlink()


def test_an_open_run_and_the_two_ways_on(built: Built, interrupted: Path) -> None:
    run = {"run": interrupted.stem, "runbook": "failover", "step": "switch.throw", "under_way": False}
    assert status(built)["run"] == run
    shown = built.run("--sim", "status").out
    assert "`drctl failover --resume`" in shown
    assert "`drctl failover --abort`" in shown
    hold = FileStore(built.state, "demo").hold("failover")
    try:
        assert status(built)["run"] == {**run, "under_way": True}
    finally:
        hold.release()
