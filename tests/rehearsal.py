"""A whole environment to rehearse with, and the world around it at a speed at which it moves.

The fixture ``rehearsed`` is one environment for all tests of the xdist group REHEARSAL, each of which leaves it serving
from the primary, as ``plan`` wants it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.environment import DOMAIN, EVERYTHING, SPEED, Installation, Ran

REHEARSAL = "rehearsal"
"""The xdist group of what uses ``rehearsed``."""

LONG = "long"
"""The xdist group of what takes a minute and more."""

NAME = f"app.{DOMAIN}"
"""The name that follows the failover."""

PATHS = """
[drill]
read_path = "/sessions"
write_path = "/api/sessions/{id}"
record_path = "/api/records/{id}"
hold_s = 10
"""
"""What the application behind the simulator's load balancers offers."""


class Rehearsal(Installation):
    """An installation whose environment is built."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, EVERYTHING + PATHS)
        self.up()

    @contextmanager
    def moving(self, speed: float) -> Iterator[None]:
        """The world moves, so fast; afterwards it sleeps again."""
        self.sim.set_speed(speed)
        try:
            yield
        finally:
            self.sim.set_speed(SPEED)

    def runbook(self, *arguments: str, speed: float = 20.0) -> Ran:
        """``drctl --sim --output json drill|failover|failback ...`` at that speed."""
        environment = {"DRCTL_SIM_SPEED": str(speed)}
        return self.run("--sim", "--output", "json", *arguments, "--yes", environment=environment)

    @property
    def journals(self) -> list[Path]:
        """Of all runs so far, the oldest first."""
        return sorted((self.state / "demo.runs").glob("*.jsonl"))

    def journal(self) -> list[dict[str, Any]]:
        """The last run's entries; a line that is being written is not one yet."""
        whole, _, _ = self.journals[-1].read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def facts(self) -> dict[str, Any]:
        """The last run's facts, the first value of each."""
        found: dict[str, Any] = {}
        for entry in self.journal():
            if entry["kind"] == "fact":
                found.setdefault(entry["name"], entry["value"])
        return found


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """See the module."""
    made = Rehearsal(tmp_path_factory.mktemp("rehearsed"))
    yield made
    made.sim.set_speed(SPEED)
    made.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what takes longest: the rehearsals, which mostly wait, then what is long by itself, lest it comes last when
    the other workers have nothing left to do."""

    def rank(item: pytest.Item) -> int:
        groups = _groups(item)
        return next((place for place, group in enumerate((REHEARSAL, LONG)) if group in groups), 2)

    items.sort(key=rank)


def _groups(item: pytest.Item) -> list[str]:
    return [str(marker.args[0]) for marker in item.iter_markers("xdist_group")]
