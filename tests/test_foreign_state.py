"""A state that is not for these settings, these credentials or this drctl: refused, and nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from drctl.ledger.model import VERSION
from tests.environment import ENVIRONMENT, SPEED, Built, Installation
from tests.ledger.test_damage import checked

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)

COMMANDS = ("up", "plan", "drift", "status", "destroy", "drill --simulate-outage", "failover")
APPROVED = ("up", "destroy", "drill --simulate-outage", "failover")

OPERATOR = "simulated"
"""The access log's name of whoever is not a function or a task."""

OURS, THEIRS = "123456789012", "210987654321"


@pytest.fixture
def theirs(built: Built) -> Iterator[Built]:
    """The environment, with a state that may be spoilt."""
    path = built.state / "demo.json"
    sound = path.read_bytes()
    yield built
    path.write_bytes(sound)
    built.sim.set_speed(SPEED)  # a runbook lets the world move


def spoil(desk: Installation, **values: Any) -> None:
    """Write something else into the snapshot, with a checksum that fits."""
    path = desk.state / "demo.json"
    path.write_text(checked(json.loads(path.read_bytes()) | values), encoding="utf-8")


def assert_refused(desk: Installation, *said: str) -> None:
    """Every command says so; AWS and the state are as before."""
    kept, calls = (desk.state / "demo.json").read_bytes(), desk.calls()
    for command in COMMANDS:
        yes = ("--yes",) if command in APPROVED else ()
        ran = desk.on_sim(*command.split(), *yes)
        assert ran.code == 1, f"{command}: {ran.code}\n{ran.out}"
        told = " ".join(map(str, ran.json["errors"][0].values()))
        assert all(each in told for each in said), f"{command}: {told}"
    mutations = [each for each in desk.sim.access_log()[calls:] if each["mutating"]]
    assert [each for each in mutations if each["caller"] == OPERATOR] == []
    assert (desk.state / "demo.json").read_bytes() == kept


def test_a_state_of_another_account(theirs: Built) -> None:
    spoil(theirs, account=THEIRS)
    assert_refused(theirs, OURS, THEIRS, "--profile")


def test_a_state_of_another_environment(theirs: Built) -> None:
    spoil(theirs, environment="shop")
    assert_refused(theirs, "'shop'", "state rebuild")


def test_a_state_of_a_newer_drctl(theirs: Built) -> None:
    spoil(theirs, version=VERSION + 1, what="nobody knows yet")
    assert_refused(theirs, "newer")
