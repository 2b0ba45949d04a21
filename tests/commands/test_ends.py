"""Commands that are stopped, and what a run leaves that was killed at its very end."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from drctl.ledger.file_store import FileStore
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import Record
from tests.environment import TIMEOUT, Desk, Installation

pytestmark = pytest.mark.xdist_group("fresh")


def test_a_plan_that_is_stopped_leaves_with_130(fresh: Installation) -> None:
    unanswered = {"code": "InternalError", "message": "try later", "status": 400}
    fresh.sim.fault("error", service="ec2", operation="DescribeVpcs", **unanswered)
    fresh.sim.set_speed(30)
    child = fresh.start("--sim", "--output", "json", "plan")
    deadline = time.monotonic() + TIMEOUT
    while not fresh.sim.calls(operation="DescribeVpcs"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=TIMEOUT)
    fresh.sim.set_speed(600.0)
    assert child.returncode == 130
    assert json.loads(out)["errors"][0]["summary"] == "interrupted; nothing was changed"


def test_stopping_at_once_still_leaves_a_script_its_document(fresh: Installation) -> None:
    fresh.sim.set_speed(10)
    child = fresh.start("--sim", "--output", "json", "up", "--yes")
    deadline = time.monotonic() + TIMEOUT
    while not fresh.sim.calls(operation="CreateVpc"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGTERM)  # two of one kind at once would arrive as one
    out, _ = child.communicate(timeout=TIMEOUT)
    fresh.sim.set_speed(600.0)
    assert child.returncode == 130
    assert json.loads(out)["errors"][0]["remedy"].startswith("`drctl up` goes on")


def test_destroy_clears_away_a_state_without_records(tmp_path: Path) -> None:
    """As a destroy leaves it that was killed when everything was gone but the files."""
    desk = Desk(tmp_path)
    desk.state.mkdir()
    record = Record("us-east-1/vpc/main", "vpc", "us-east-1", "main", phase="gone")
    store = FileStore(desk.state, "demo")
    hold = store.hold("destroy")
    ledger = Ledger(store, "demo", hold)
    ledger.put(record)
    ledger.forget(record.address)
    hold.release()
    assert desk.run("destroy", "--yes").code == 0
    assert [path.name for path in desk.state.iterdir()] == ["demo.lock"]
