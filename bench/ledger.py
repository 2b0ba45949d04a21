"""What the ledger writes during an ``up``, by the number of resources, to more than an environment will ever have.

The growth of a whole environment is in ``growth``; here the ledger alone makes the same entries for as many records of
the real kinds as are wanted, in a process of its own: ``python -m bench.ledger RECORDS FOLDER``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import cycle, islice
from pathlib import Path

from bench.applications import ENVIRONMENT, settings
from bench.life import clean_environment
from bench.measured import Absent, measure
from bench.report import Part, Table, number
from drctl.engine.spec import fields_as_json
from drctl.engine.unknown import unknown_outputs
from drctl.ledger.file_store import FileStore
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import Intent, Record
from drctl.settings.file import load
from drctl.topology import build

SIZES = (250, 500, 1000, 2500, 5000)
ACCOUNT = "123456789012"


def part() -> Part:
    """Bytes and time by size. Raises Absent where the system does not tell what a process has written."""
    runs = [_run(size) for size in SIZES]
    rows = [
        (
            number(run["records"]),
            number(run["written_kb"], "kB"),
            number(run["written_kb"] / run["records"], "kB"),
            f"{run['written_kb'] / run['records'] / (runs[0]['written_kb'] / runs[0]['records']):.2f}",
            number(run["wall_s"], "s"),
        )
        for run in runs
    ]
    headings = ("records", "written", "per record", "to the smallest", "wall")
    notes = [
        "Intent, ids and readiness of each resource, each durable by itself, and the snapshot at the end."
    ]
    return Part("ledger", [Table("e. the ledger alone", headings, rows)], {"runs": runs}, notes)


def _run(records: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="drctl-bench-") as folder:
        command = [sys.executable, "-m", "bench.ledger", str(records), folder]
        usage = measure(command, Path(folder), clean_environment())
    if usage.code:
        raise Absent(f"{' '.join(command[1:])} failed: {usage.err.strip()[-300:]}")
    if usage.written is None:
        raise Absent("this system does not tell what a process has written")
    return {"records": records, "written_kb": round(usage.written / 1e3, 1), "wall_s": round(usage.wall, 2)}


def made(folder: Path) -> Iterator[Record]:
    """The records of one environment after the other, as they are when all is ready."""
    config = folder / "drctl.toml"
    config.write_text(settings(1), encoding="utf-8")
    graph = build(load(config), ACCOUNT, "aws")
    for place, resource in enumerate(cycle(graph)):
        turn = place // len(graph)
        yield Record(
            f"{resource.address}-{turn}",
            resource.kind,
            resource.region,
            resource.name,
            phase="ready",
            created_at=0.0,
            fields=fields_as_json(resource),
            outputs=asdict(unknown_outputs(resource.outputs_type, resource.address)),
            depends_on=tuple(f"{need.address}-{turn}" for need in resource.needs),
        )


def write(records: int, folder: Path) -> None:
    """What ``up`` writes for so many resources."""
    store = FileStore(folder, ENVIRONMENT)
    hold = store.hold("up")
    ledger = Ledger(store, ENVIRONMENT, hold)
    for record in islice(made(folder), records):
        asked = replace(record, phase="creating", outputs={}, intent=Intent("create", "0" * 32, 0.0))
        ledger.put(asked)
        ledger.put(replace(record, phase="creating"))
        ledger.put(record)
    ledger.fold(0.0)
    hold.release()


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
