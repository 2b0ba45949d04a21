"""drctl as an operator has it: a folder with settings and state, a simulated AWS, the program run as a process.

Fixtures (a pytest plugin, see conftest.py): ``built`` is one whole environment, shared by all tests of the xdist group
ENVIRONMENT, which leave it as they found it; ``fresh`` is an empty AWS and an empty folder for each test.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drctl.sim import client
from tests.census import REGIONS, Census, census
from tests.conftest import IDLE_STOP, Sim

PROGRAM = str(Path(sys.executable).with_name("drctl"))
SPEED = 600.0
TIMEOUT = 180.0
"""Real seconds after which a run of the program counts as hung."""

ENVIRONMENT = "environment"
"""The xdist group of what uses ``built``."""

P, S = REGIONS
DOMAIN = "drctl-demo.com"
EMAIL = "oncall@drctl-demo.com"
OPERATOR_ACCOUNT = "210987654321"
EXTERNAL_ID = "a-phrase-we-agreed-on"

EVERYTHING = f"""
[domain]
name = "{DOMAIN}"
[operators]
accounts = ["{OPERATOR_ACCOUNT}"]
external_id = "{EXTERNAL_ID}"
[tags]
team = "payments"
[alarms]
emails = ["{EMAIL}"]
"""
"""Settings with everything that can be left out."""


DID = {"created": "create", "updated": "update", "replaced": "replace", "deleted": "delete"}


@dataclass(frozen=True)
class Ran:
    """What a run of the program came to."""

    code: int
    out: str
    err: str

    @property
    def done(self) -> dict[str, str]:
        """What it told on the way that it has done: action by address."""
        told = re.findall(r"^.*\] +(created|updated|replaced|deleted) +(\S+) ", self.err, re.MULTILINE)
        return {address: DID[word] for word, address in told}

    @property
    def json(self) -> dict[str, Any]:
        """Its one document."""
        document: dict[str, Any] = json.loads(self.out)
        return document


class Desk:
    """A folder in which an operator works."""

    patience_s = TIMEOUT
    """Real seconds after which a run counts as hung."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "drctl.toml"

    def settings(self, text: str) -> None:
        """Write drctl.toml."""
        self.config.write_text(text, encoding="utf-8")

    def start(
        self, *arguments: str, environment: dict[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """The program, running in the folder, with pipes for everything."""
        return self.spawn([PROGRAM, *arguments], environment=environment, **options)

    def spawn(
        self, command: Sequence[str], *, environment: dict[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Any program, in the way of ``start``."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**clean_environment(), **(environment or {})},
            text=True,
            **{**pipes, **options},
        )

    def run(self, *arguments: str, environment: dict[str, str] | None = None, **options: Any) -> Ran:
        """The program, run to its end, whatever that is."""
        child = self.start(*arguments, environment=environment, **options)
        try:
            out, err = child.communicate(timeout=self.patience_s)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            raise AssertionError(f"{arguments} did not end:\n{out[-4000:]}\n{err[-4000:]}") from None
        return Ran(child.returncode, out, err)


class Installation(Desk):
    """A folder in which an operator works, with a simulator of its own."""

    def __init__(self, folder: Path, settings: str | None = EVERYTHING, speed: float = SPEED) -> None:
        super().__init__(folder)
        if settings is not None:
            self.settings(settings)
        self.sim = Sim(client.start(self.state, speed, idle_stop=IDLE_STOP))

    def client(self, service: str, region: str) -> Any:
        """See Sim.client."""
        return self.sim.client(service, region)

    def on_sim(self, *arguments: str) -> Ran:
        """``drctl --sim --output json ...``."""
        return self.run("--sim", "--output", "json", *arguments)

    def ok(self, *arguments: str) -> Ran:
        """A command that must succeed."""
        ran = self.on_sim(*arguments)
        assert ran.code == 0, f"{arguments}: exit {ran.code}\n{ran.out[-6000:]}\n{ran.err[-6000:]}"
        return ran

    def up(self) -> Ran:
        """Build, or bring to where the settings want it."""
        return self.ok("up", "--yes")

    def changes(self) -> dict[str, str]:
        """What ``up`` would do: action by address."""
        return {change["address"]: change["action"] for change in self.ok("plan").json["changes"]}

    def destroy(self) -> Ran:
        """Take it away."""
        return self.ok("destroy", "--yes")

    def census(self) -> Census:
        """Everything there is on the simulated AWS."""
        return census(self.client)

    def calls(self) -> int:
        """How many calls AWS has received."""
        return len(self.sim.access_log())

    def mutations(self, since: int) -> list[str]:
        """The mutating calls that AWS received after the first ``since``."""
        return [entry["operation"] for entry in self.sim.access_log()[since:] if entry["mutating"]]

    def renew(self, settings: str | None = EVERYTHING) -> None:
        """An empty AWS, and no state."""
        self.sim = Sim(client.reset(self.state))
        for path in [*self.state.iterdir(), self.config]:
            if path.is_file():
                path.unlink()
        if settings is not None:
            self.settings(settings)

    def close(self) -> None:
        """Stop the simulator; it must not have failed itself."""
        errors = self.sim.internal_errors()
        client.stop(self.state)
        assert errors == 0, f"{errors} internal errors of the simulator: see {self.state}/sim/server.log"


class Built(Installation):
    """A whole environment, and what stood on the account before it came."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        from tests.strangers import settle

        self.strangers = settle(self)
        self.before = self.census()
        self.first_plan = self.changes()
        self.first_up = self.on_sim("up", "--yes")
        assert self.first_up.code == 0, self.first_up.out + self.first_up.err

    def restore(self) -> None:
        """As it was when it was first built, whatever a test did to it."""
        self.sim.heal()
        self.settings(EVERYTHING)
        self.up()


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """See ``built``."""
    made = Built(tmp_path_factory.mktemp("built"))
    yield made
    made.close()


@pytest.fixture
def built(built_once: Built) -> Built:
    """The whole environment, with strangers around it."""
    if not (built_once.state / "demo.json").exists():
        built_once.restore()
    return built_once


@pytest.fixture(scope="session")
def spare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """See ``fresh``."""
    made = Installation(tmp_path_factory.mktemp("fresh"))
    yield made
    made.close()


@pytest.fixture
def fresh(spare: Installation) -> Installation:
    """An empty AWS, no state, and settings with everything that can be left out."""
    spare.renew()
    return spare


def clean_environment() -> dict[str, str]:
    """This process's, without what would change what drctl does."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "DRCTL_")) and name not in ("NO_COLOR", "TERM", "COLUMNS")
    }
