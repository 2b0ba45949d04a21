"""How long it takes until drctl answers: ``--help``, and ``status`` of a whole environment."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from bench.life import PROJECT, Simulation, clean_environment, simulation
from bench.measured import Absent, Usage, measure
from bench.report import Part, Table

ROUNDS = 15
SPEED = 60.0
HEAVY = ("boto3", "botocore", "moto", "pydantic", "rich")
"""What ``--help`` has no use for."""

LOADED = f"""
import sys
from drctl.cli import app
app(["--help"], prog_name="drctl", standalone_mode=False)
print(len(sys.modules), *(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)
"""


def part() -> Part:
    """Medians over interleaved rounds, as multiples of an empty typer program. Raises Absent."""
    with simulation(SPEED) as simulated:
        simulated.drctl("up")
        return _measured(simulated)


def _measured(simulated: Simulation) -> Part:
    drctl = Path(sys.executable).with_name("drctl")
    if not drctl.exists():
        raise Absent("the drctl program is not installed beside this Python: run `make setup`")
    status = ["--sim", "--state-dir", str(simulated.state_dir), "--config", str(simulated.config), "status"]
    commands = {
        "empty": [sys.executable, str(PROJECT / "bench" / "empty_program.py"), "--help"],
        "help": [str(drctl), "--help"],
        "status": [str(drctl), *status],
    }
    runs: dict[str, list[Usage]] = {name: [] for name in commands}
    for command in commands.values():
        _run(command, simulated.folder)  # compiles what is not compiled yet, fills the disk's cache
    for _ in range(ROUNDS):
        for name, command in commands.items():
            runs[name].append(_run(command, simulated.folder))
    wall = {name: statistics.median(run.wall for run in each) for name, each in runs.items()}
    cpu = {name: statistics.median(run.cpu for run in each) for name, each in runs.items()}
    modules, *heavy = _loaded(simulated.folder)
    objects = len(simulated.ledger().records())
    titles = {
        "empty": "an empty typer program, --help",
        "help": "drctl --help",
        "status": f"drctl status, {objects} resources",
    }
    rows = [
        (
            title,
            f"{wall[name] / wall['empty']:.2f}",
            f"{wall[name] * 1000:.0f} ms",
            f"{cpu[name] * 1000:.0f} ms",
        )
        for name, title in titles.items()
    ]
    data = {
        "rounds": ROUNDS,
        "ratio": {name: round(wall[name] / wall["empty"], 3) for name in wall},
        "wall_s": {name: round(each, 4) for name, each in wall.items()},
        "cpu_s": {name: round(each, 4) for name, each in cpu.items()},
        "status_resources": objects,
        "help_modules": int(modules),
        "help_loads": heavy,
    }
    said = ", ".join(heavy) or f"none of {', '.join(HEAVY)}"
    notes = [f"Medians of {ROUNDS} interleaved rounds. `drctl --help` loads {modules} modules, and {said}."]
    heading = ("a. start-up", "ratio", "time", "processor")
    return Part(
        "startup", [Table("a. start-up, as multiples of an empty typer program", heading, rows)], data, notes
    )


def _run(command: list[str], folder: Path) -> Usage:
    usage = measure(command, folder, clean_environment())
    if usage.code:
        raise Absent(
            f"{Path(command[0]).name} {' '.join(command[-1:])} ended with {usage.code}: {usage.err.strip()}"
        )
    return usage


def _loaded(folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=folder,
        env={**os.environ, **clean_environment()},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.split()
