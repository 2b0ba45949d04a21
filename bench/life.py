"""The life of an environment on a simulator of its own: up, up again, destroy, each of them measured."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import applications
from bench.measured import Absent, Usage, measure, processor_seconds
from drctl.ledger.file_store import FileStore
from drctl.ledger.ledger import Ledger
from drctl.sim import client

PROJECT = Path(__file__).resolve().parent.parent
IDLE_STOP = 900.0


@dataclass(frozen=True)
class Call:
    """An API call, as the simulator's access log has it. ``code``: AWS's error, or None."""

    service: str
    operation: str
    region: str
    mutating: bool
    code: str | None


@dataclass(frozen=True)
class Event:
    """Something the engine told: Walking, Started or Finished, at a simulated time."""

    kind: str
    time: float
    address: str


@dataclass(frozen=True)
class Step:
    """One command of a life. ``began`` and ``ended`` are simulated seconds since the epoch."""

    usage: Usage
    began: float
    ended: float
    calls: tuple[Call, ...]
    simulator_cpu: float | None
    events: tuple[Event, ...] = ()

    @property
    def simulated(self) -> float:
        """Seconds the command took as the simulated AWS lives them."""
        return self.ended - self.began


@dataclass
class Simulation:
    """A simulator with an empty AWS, and a folder for whoever uses it."""

    folder: Path
    state_dir: Path
    status: client.Status
    clock: client.ScaledClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = client.ScaledClock(self.status)

    def step(self, command: list[str], env: dict[str, str] | None = None, events: Path | None = None) -> Step:
        """Run a command against it, measured. It may fail: see ``usage.code``."""
        known, cpu = self._log_size(), processor_seconds(self.status.pid)
        began = self.clock.now()
        usage = measure(command, self.folder, env or clean_environment())
        ended = self.clock.now()
        after = processor_seconds(self.status.pid)
        return Step(
            usage,
            began,
            ended,
            self._calls_after(known),
            after - cpu if after is not None and cpu is not None else None,
            _events(events) if events and events.exists() else (),
        )

    def drctl(self, command: str) -> Step:
        """``drctl --sim plan``, ``up`` or ``destroy``, with the engine's events. Raises Absent when it fails."""
        events = self.folder / "events.jsonl"
        events.unlink(missing_ok=True)
        words = [command, str(self.state_dir), str(self.config), str(events)]
        step = self.step([sys.executable, "-m", "bench.recorded", *words], events=events)
        if step.usage.code:
            raise Absent(f"`drctl {command}` failed: {_why(step.usage)}")
        return step

    @property
    def config(self) -> Path:
        """The settings of the environment."""
        return self.folder / "drctl.toml"

    def ledger(self) -> Ledger:
        """What drctl has written down, for looking only."""
        return Ledger(FileStore(self.state_dir, applications.ENVIRONMENT), applications.ENVIRONMENT)

    def _log_size(self) -> int:
        return self.status.access_log.stat().st_size

    def _calls_after(self, position: int) -> tuple[Call, ...]:
        with self.status.access_log.open("rb") as log:
            log.seek(position)
            lines = [json.loads(line) for line in log]
        return tuple(
            Call(each["service"], each["operation"], each["region"], each["mutating"], each["code"])
            for each in lines
        )


@dataclass(frozen=True)
class Life:
    """What was measured. ``objects``: resources in the ledger; ``entries``: journal lines that up wrote."""

    applications: int
    speed: float
    objects: int
    entries: int
    up: Step
    again: Step
    destroy: Step


@contextmanager
def simulation(speed: float, number_of_applications: int = 1) -> Iterator[Simulation]:
    """A simulator of its own, which ends with the block. Raises Absent when it cannot start."""
    with tempfile.TemporaryDirectory(prefix="drctl-bench-") as name:
        folder = Path(name)
        state_dir = folder / "state"
        state_dir.mkdir()
        try:
            status = client.start(state_dir, speed, idle_stop=IDLE_STOP)
        except client.SimulatorError as error:
            raise Absent(f"the simulator does not run: {error}") from error
        try:
            _settle(status.pid)
            made = Simulation(folder, state_dir, client.refresh(status))
            made.config.write_text(applications.settings(number_of_applications), encoding="utf-8")
            yield made
        finally:
            client.stop(state_dir)


def _settle(pid: int) -> None:
    """Wait until the simulator has loaded what it loads in the background: that is no cost of the command's."""
    used = processor_seconds(pid)
    while used is not None:
        time.sleep(0.5)
        now = processor_seconds(pid)
        if now is None or now - used < 0.1:
            return
        used = now


def live(
    number_of_applications: int, speed: float, visit: Callable[[Simulation], None] = lambda _: None
) -> Life:
    """One whole life. ``visit`` is called while the environment stands. Raises Absent when a command fails."""
    with simulation(speed, number_of_applications) as simulated:
        simulated.drctl("plan")  # a simulated service's first answer takes long: no cost of drctl's
        up = simulated.drctl("up")
        again = simulated.drctl("up")
        summary = json.loads(again.usage.out)["summary"]
        changed = {action: count for action, count in summary.items() if count and action != "unchanged"}
        if changed:
            raise Absent(f"a second up was to change nothing and did {changed}")
        visit(simulated)
        ledger = simulated.ledger()
        objects, entries = len(ledger.records()), ledger.meta.serial
        destroy = simulated.drctl("destroy")
    return Life(number_of_applications, speed, objects, entries, up, again, destroy)


def clean_environment() -> dict[str, str]:
    """This process's environment without what would lead drctl or boto3 somewhere else."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DRCTL_"))}
    return {**kept, "PYTHONPATH": str(PROJECT), "NO_COLOR": "1"}


def _why(usage: Usage) -> str:
    """The errors in a command's JSON, or the last line it said."""
    try:
        errors: list[dict[str, Any]] = json.loads(usage.out)["errors"]
        return "; ".join(f"{each['summary']}: {each['cause']}" for each in errors[:3])
    except (ValueError, KeyError):
        lines = (usage.err or usage.out).strip().splitlines()
        return lines[-1] if lines else f"exit code {usage.code}"


def _events(path: Path) -> tuple[Event, ...]:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(Event(each["event"], each["time"], each["address"]) for each in lines)
