"""``python -m bench``: runs the benchmark's parts, prints tables, writes JSON."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from rich.console import Console

from bench import calls, critical_path, growth, ledger, peer, report, startup, weather
from bench.critical_path import Measured
from bench.life import PROJECT, Life, live
from bench.measured import Absent
from bench.report import Part

PARTS = ("startup", "critical_path", "calls", "growth", "ledger", "weather", "peer")
WIDTH = 120
"""Columns of the tables where there is no terminal to ask."""
RESULT = PROJECT / "bench" / "results" / "latest.json"


def main() -> int:
    """The exit code: 1 when a part of drctl's own has no figures; a peer may be missing."""
    arguments = _arguments()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    parts = []
    load = os.getloadavg()[0]
    if load > (os.cpu_count() or 1):
        console.print(
            f"the machine is busy (load {load:.1f}): figures that hold time are worse than drctl is"
        )
    for name in arguments.parts:
        console.print(f"{name} ...", style="dim", highlight=False)
        try:
            found = _run(name, arguments.speed, arguments.explain)
        except Absent as absent:
            found = Part(name, absent=str(absent))
        report.show(found, console)
        parts.append(found)
    report.write(parts, load, arguments.json)
    console.print(f"written to {arguments.json}", markup=False, highlight=False, soft_wrap=True)
    return int(any(part.absent for part in parts if part.name != "peer"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all if none is named")
    parser.add_argument("--json", type=Path, default=RESULT, metavar="PATH", help="where the figures go")
    parser.add_argument(
        "--speed",
        type=float,
        action="append",
        metavar="N",
        help="simulated seconds a second, for critical_path; repeatable; 10 and 60 without",
    )
    parser.add_argument(
        "--explain", action="store_true", help="show the chains of waits that really were the longest"
    )
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.parts) - set(PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    arguments.parts = arguments.parts or PARTS
    arguments.speed = arguments.speed or critical_path.SPEEDS
    return arguments


def _run(name: str, speeds: Sequence[float], explain: bool) -> Part:
    """Raises Absent where there are no figures."""
    match name:
        case "startup":
            return startup.part()
        case "critical_path":
            return critical_path.part([_measured(speed) for speed in speeds], explain)
        case "calls":
            return calls.part(_life(1))
        case "growth":
            return growth.part([_life(size) for size in growth.SIZES])
        case "ledger":
            return ledger.part()
        case "weather":
            return weather.part()
        case _:
            return peer.part(_life(1))


def _measured(speed: float) -> Measured:
    found = _kept(speed)
    if isinstance(found, Absent):
        raise found
    return found


@cache
def _kept(speed: float) -> Measured | Absent:
    """A life that several parts read is lived once; so is its failure."""
    try:
        return critical_path.measured(speed)
    except Absent as absent:
        return absent


def _life(applications: int) -> Life:
    return _measured(growth.SPEED).life if applications == 1 else live(applications, growth.SPEED)


if __name__ == "__main__":
    sys.exit(main())
