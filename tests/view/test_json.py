"""``--output json``: what the program prints is what docs/json.schema.json says, all of it, and docs/json.md tells it.

The published schema is open: a later version of drctl may add members. Here it is closed, so that whatever a command
prints must be in it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from drctl.cli import app, sim_app, state_app
from drctl.ledger.file_store import FileStore
from drctl.sim import client
from drctl.view.json import SCHEMA
from tests.environment import Desk, Installation, Ran

pytestmark = pytest.mark.xdist_group("fresh")

DOCS = Path(__file__).parents[2] / "docs"
PUBLISHED: dict[str, Any] = json.loads((DOCS / "json.schema.json").read_text(encoding="utf-8"))
COMMANDS: list[str] = PUBLISHED["properties"]["command"]["enum"]

SMALL = ("--target", "global/iam-role/*", "--target", "us-west-2/alarm/heartbeat")
"""A part of the environment that is built in seconds and has something of everything that is shown."""


def closed(schema: Any) -> Any:
    """The same schema, admitting no member that it does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(each) for name, each in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        made.setdefault("unevaluatedProperties", False)
    return made


VALIDATOR = Draft202012Validator(closed(PUBLISHED))


def checked(ran: Ran, command: str, code: int = 0) -> dict[str, Any]:
    """The document, once it has been found to be what the schema says of this command."""
    document = ran.json
    found = [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(document)]
    assert found == [], ran.out[:2000]
    assert (document["command"], ran.code) == (command, code), ran.out + ran.err
    return document


def declining(desk: Desk, *arguments: str) -> Ran:
    """The program at a terminal where somebody answers the question with no."""
    ours, theirs = os.openpty()
    try:
        os.write(ours, b"no\n")
        return desk.run("--sim", "--output", "json", *arguments, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def test_every_command_that_changes_or_reads_an_environment(fresh: Installation) -> None:
    planned = checked(fresh.on_sim("plan", *SMALL), "plan")
    assert planned["summary"]["create"] == len(planned["changes"])
    checked(declining(fresh, "up", *SMALL), "up", code=1)
    checked(fresh.on_sim("up", "--yes", *SMALL), "up")

    fresh.client("iam", "us-east-1").update_role(RoleName="demo-task", Description="somebody's")
    (change,) = checked(fresh.on_sim("plan", *SMALL), "plan")["changes"]
    assert (change["action"], change["fields"]["description"]["actual"]) == ("update", "somebody's")

    (drifted,) = checked(fresh.on_sim("drift"), "drift", code=2)["drift"]
    assert drifted == {"address": change["address"], "phase": "ready", "fields": change["fields"]}
    seen = checked(fresh.on_sim("status"), "status")
    assert [alarm["name"] for alarm in seen["alarms"]] == ["demo-heartbeat"]
    assert checked(fresh.on_sim("outputs"), "outputs")["outputs"].keys() == {"global/iam-role/operator"}
    records = checked(fresh.on_sim("state", "list"), "state list")["records"]
    assert records == sorted(records, key=lambda record: record["address"])
    checked(fresh.on_sim("state", "show", "global/iam-role/task"), "state show")

    fresh.sim.fault("error", service="iam", operation="GetRole", code="AccessDenied", status=403)
    assert checked(fresh.on_sim("status"), "status")["unreadable"]
    fresh.sim.heal()
    checked(declining(fresh, "destroy"), "destroy", code=1)
    gone = checked(fresh.on_sim("destroy", "--yes"), "destroy")
    assert (gone["summary"]["delete"], gone["left"]) == (len(records), [])


def test_a_failure_says_why_and_what_to_do(fresh: Installation) -> None:
    denied = {"code": "AccessDenied", "message": "not authorized to perform: iam:CreateRole", "status": 403}
    fresh.sim.fault("error", service="iam", operation="CreateRole", **denied)
    failed = checked(fresh.on_sim("up", "--yes", "--target", "global/iam-role/task"), "up", code=1)
    (error,) = failed["errors"]
    assert error["address"] == "global/iam-role/task"
    assert "AccessDenied: not authorized to perform: iam:CreateRole" in error["cause"]
    checked(fresh.on_sim("plan", "--target", "nothing"), "plan", code=5)
    checked(fresh.on_sim("state", "show", "global/iam-role/task-of-nobody"), "state show", code=5)

    hold = FileStore(fresh.state, "demo").hold("up")
    try:
        checked(fresh.on_sim("destroy", "--yes"), "destroy", code=4)
        broken = checked(fresh.on_sim("state", "unlock"), "state unlock")["broken"]
        assert (broken["pid"], broken["command"]) == (os.getpid(), "up")
    finally:
        hold.release()
    assert checked(fresh.on_sim("state", "unlock"), "state unlock")["broken"] is None


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A folder with nothing in it; the simulator that a test starts there is gone afterwards."""
    yield Desk(tmp_path)
    client.stop(tmp_path / "state")


def test_the_commands_that_need_no_environment(desk: Desk) -> None:
    def ask(*arguments: str) -> Ran:
        return desk.run("--output", "json", *arguments)

    assert Path(checked(ask("init"), "init")["path"]).name == "drctl.toml"
    assert checked(ask("init"), "init", code=5)["errors"]
    assert checked(ask("sim", "status"), "sim status") | {"duration_s": 0} == {
        "schema": SCHEMA,
        "command": "sim status",
        "environment": "",
        "ok": True,
        "duration_s": 0,
        "running": False,
    }
    assert checked(ask("sim", "reset"), "sim reset", code=1)["errors"]
    started = checked(ask("sim", "start", "--speed", "100"), "sim start")
    assert started["speed"] == 100
    running = client.status(desk.state)
    client.request(running, "POST", "faults", {"kind": "lost", "operation": "CreateVpc", "times": 1})
    assert checked(ask("sim", "status"), "sim status")["faults"][0]["kind"] == "lost"
    assert checked(ask("sim", "reset"), "sim reset")["faults"] == []
    began = checked(ask("sim", "outage", "us-east-1"), "sim outage")
    assert began["outages"].keys() == {"us-east-1"}
    assert checked(ask("sim", "status"), "sim status")["outages"] == began["outages"]
    assert checked(ask("sim", "heal", "us-east-1"), "sim heal")["outages"] == {}
    assert checked(ask("sim", "stop"), "sim stop")["was_running"] is True


def test_the_schema_is_one_and_knows_every_command() -> None:
    Draft202012Validator.check_schema(PUBLISHED)
    assert PUBLISHED["properties"]["schema"]["const"] == SCHEMA
    there = {name(command) for command in app.registered_commands}
    there |= {f"state {name(command)}" for command in state_app.registered_commands}
    there |= {f"sim {name(command)}" for command in sim_app.registered_commands}
    assert set(COMMANDS) == there, (
        "docs/json.schema.json: a $defs/result for each command, and its name in `command`"
    )
    assert set(PUBLISHED["$defs"]["result"]) == {command.replace(" ", "-") for command in COMMANDS}


def name(command: Any) -> str:
    return str(command.name or command.callback.__name__)


def test_the_page_tells_of_every_member() -> None:
    page = (DOCS / "json.md").read_text(encoding="utf-8")
    members = {member for member in members_of(PUBLISHED) if f"`{member}`" not in page}
    assert members == set(), "docs/json.md does not name these"
    assert [command for command in COMMANDS if f"| `{command}` |" not in page] == []


def members_of(schema: Any) -> Iterator[str]:
    """The names of all members of all objects in the schema."""
    if isinstance(schema, list):
        for each in schema:
            yield from members_of(each)
    elif isinstance(schema, dict):
        for keyword, each in schema.items():
            if keyword == "properties":
                yield from each
            yield from members_of(each)
