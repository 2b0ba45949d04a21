"""The command line: ``python -m tests.torture [--seed N] [--kills N] [--minutes M] [--folder F] [--resume]``, and
``python -m tests.torture matrix [--folder F] [--stage NAME] [--fault NAME]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.torture import matrix, page
from tests.torture.book import COUNTED
from tests.torture.stages import STAGES
from tests.torture.torture import Torture

FOLDER = Path("state/torture")
FULL = 1000
"""Kills after which a run counts as whole, and is told in docs/reliability.md."""


def table(torture: Torture) -> Iterator[tuple[str, str]]:
    """What it all came to: name and number."""
    kills = torture.book.kills()
    yield "kills", str(kills.total())
    for way, count in sorted(kills.items()):
        yield f"of these: {way}", str(count)
    for name, told in COUNTED.items():
        yield told, str(torture.book.total(name))
    for what, (visited, of) in torture.points.coverage().items():
        yield f"killed at {what}", f"{visited} of {of}"


def _write(torture: Torture) -> None:
    told = f"Seed {torture.book.seed}, begun on {torture.book.began}; {len(torture.book.cycles)} cycles."
    page.write("torture", [told, "", *page.rows(["what", "how many"], table(torture))])


def _matrix(folder: Path, stage: str | None, fault: str | None) -> int:
    trials = [each for each in matrix.TRIALS if fault in (None, each.name)]
    found = matrix.Matrix(folder, stage).run(trials)
    if stage is None and fault is None:
        matrix.write(found)
    wrong = [(*operation, fault, result) for operation, row in found.items() for fault, result in row.items()]
    wrong = [each for each in wrong if each[-1] not in (matrix.ONCE, matrix.NOT_STRUCK)]
    print("\n".join(" ".join(each) for each in wrong) or f"{len(found)} operations: nothing went wrong")
    return 1 if wrong else 0


def main() -> int:
    """Exit code 0 when nothing went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("kill", "matrix"), default="kill")
    parser.add_argument("--seed", type=int, help="draws everything; one is drawn and told when there is none")
    parser.add_argument("--kills", type=int, default=FULL, help="at least so many")
    parser.add_argument("--minutes", type=float, default=240.0)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--resume", action="store_true", help="go on with what the folder holds")
    parser.add_argument("--cycle", type=int, help="only this cycle")
    stages, faults = [each.name for each in STAGES], [each.name for each in matrix.TRIALS]
    parser.add_argument("--stage", choices=stages, help="matrix: disturb only this one, write no table")
    parser.add_argument("--fault", choices=faults, help="matrix: only this one, likewise")
    options = parser.parse_args()
    if options.what == "matrix":
        return _matrix(options.folder, options.stage, options.fault)
    torture = Torture(options.folder, options.seed, resume=options.resume)
    well = torture.run(options.kills, options.minutes, options.cycle)
    print("\n".join(f"{name:<52}{number:>14}" for name, number in table(torture)), flush=True)
    if options.cycle is None and torture.book.kills().total() >= FULL:
        _write(torture)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
