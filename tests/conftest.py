"""The simulated AWS as a fixture: a real server process, spoken to over HTTP."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import boto3
import pytest
from botocore.config import Config

from drctl.sim import client

gc.set_threshold(100_000, 20, 100)
"""boto3's models stay, and are much to look through: see drctl.cli."""

pytest_plugins = ["tests.environment", "tests.rehearsal"]

TEST_SPEED = 600.0

IDLE_STOP = 3600.0
"""Real seconds. Longer than a whole run of the tests, in which a shared simulator may wait long for its next test."""


class Sim:
    """A simulator with nothing in it but what this test puts there.

    A test may fail only for what it tests: an internal error of the simulator fails it too, unless the
    test says that it expects some by setting ``internal_errors_expected``.
    """

    def __init__(self, status: client.Status) -> None:
        self._status = status
        self.endpoint = status.endpoint
        self.clock = client.ScaledClock(status)
        self.internal_errors_expected = False

    def session(self) -> boto3.Session:
        """A session with credentials; the endpoint is the client's business, see ``client``."""
        return _session()

    def client(self, service: Any, region: str = "us-east-1", **config: Any) -> Any:
        """A boto3 client of the simulated AWS. ``config``: fields of botocore's Config."""
        with _making:
            return (_made if config else _shared)(self.endpoint, service, region, **config)

    def status(self) -> client.Status:
        """As it describes itself now."""
        return client.refresh(self._status)

    def environment(self) -> dict[str, str]:
        """For a child process that should speak to this simulator."""
        return client.environment(self._status)

    def access_log(self) -> list[dict[str, Any]]:
        """Every call since the reset, in order.

        The server may be writing while we read: what has no end of line yet is not a call yet.
        """
        written = self._status.access_log.read_text(encoding="utf-8")
        whole, _, _ = written.rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def calls(self, **wanted: Any) -> list[dict[str, Any]]:
        """The calls in the access log whose fields are these, e.g. ``calls(operation="CreateVpc")``."""
        return [
            entry
            for entry in self.access_log()
            if all(entry[field] == value for field, value in wanted.items())
        ]

    def fault(self, kind: str, **wish: Any) -> dict[str, Any]:
        """Put a fault in force: see drctl.sim.faults.Fault for its fields."""
        return client.request(self._status, "POST", "faults", {"kind": kind, **wish})

    def heal(self) -> None:
        """Take all faults away."""
        client.request(self._status, "DELETE", "faults")

    def faults(self) -> list[dict[str, Any]]:
        """The faults in force, each with how many calls it has ``seen`` and ``hit``."""
        answer: list[dict[str, Any]] = client.request(self._status, "GET", "faults")["faults"]
        return answer

    def set_speed(self, speed: float) -> None:
        """Until the end of the test."""
        self._status = client.set_speed(self._status, speed)
        self.clock = client.ScaledClock(self._status)

    def advance(self, seconds: float) -> None:
        """Let simulated time jump forward; what comes due on the way happens, in order, before this returns."""
        client.request(self._status, "POST", "advance", {"seconds": seconds})
        self._status = client.refresh(self._status)
        self.clock = client.ScaledClock(self._status)

    def internal_errors(self) -> int:
        """Failures of the simulator itself since the reset."""
        return client.refresh(self._status).internal_errors


@cache
def _session() -> boto3.Session:
    """One for all tests: each new one reads the models of all services from the disk again."""
    return boto3.Session("simulated", "simulated", region_name="us-east-1")


def _made(endpoint: str, service: str, region: str, **config: Any) -> Any:
    settings: dict[str, Any] = {
        "retries": {"mode": "standard", "total_max_attempts": 1},
        "max_pool_connections": 50,
        "user_agent": "tests",  # botocore's own costs a tenth of a call
        "proxies": {},  # one of the environment has no business on loopback
        **config,
    }
    return _session().client(service, region_name=region, endpoint_url=endpoint, config=Config(**settings))


_shared = cache(_made)
"""Making one costs more than most tests: all of them share these."""

_making = Lock()
"""boto3 makes one client at a time."""


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state directory of a simulator that runs as long as the tests of this worker do."""
    state_dir = tmp_path_factory.mktemp("simulator")
    client.start(state_dir, TEST_SPEED, idle_stop=IDLE_STOP)
    yield state_dir
    client.stop(state_dir)


@pytest.fixture
def sim(simulator: Path) -> Iterator[Sim]:
    """An empty simulated AWS, running TEST_SPEED times as fast as the wall."""
    client.start(simulator, TEST_SPEED, idle_stop=IDLE_STOP)
    made = Sim(client.reset(simulator))
    yield made
    if not made.internal_errors_expected:
        errors = made.internal_errors()
        assert errors == 0, f"{errors} internal errors of the simulator: see {simulator}/sim/server.log"
