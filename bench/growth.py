"""What more applications cost: the same life with 1, 4 and 16 applications' tables, buckets and services."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.life import Life, Step
from bench.report import Part, Table, number

SIZES = (1, 4, 16)
SPEED = 60.0


def part(lives: Iterable[Life]) -> Part:
    """Totals, and the same per resource: a flat second half is what is wanted."""
    rows = [row for life in lives for row in _rows(life)]
    columns = (
        ("applications", "applications", ""),
        ("command", "command", ""),
        ("resources", "resources", ""),
        ("calls", "calls", ""),
        ("written_kb", "written", "kB"),
        ("client_cpu_s", "drctl's processor", "s"),
        ("simulator_cpu_s", "simulator's processor", "s"),
        ("wall_s", "wall", "s"),
        ("memory_mb", "memory", "MB"),
    )
    per = (
        ("calls_per_resource", "calls", ""),
        ("written_kb_per_resource", "written", "kB"),
        ("client_cpu_ms_per_resource", "drctl's processor", "ms"),
        ("simulator_cpu_ms_per_resource", "simulator's processor", "ms"),
        ("wall_ms_per_resource", "wall", "ms"),
    )
    tables = [
        Table("d. growth", [title for _, title, _ in columns], [_cells(row, columns) for row in rows]),
        Table(
            "d. growth, per resource",
            ["applications", "command", *(title for _, title, _ in per)],
            [(str(row["applications"]), row["command"], *_cells(row, per)) for row in rows],
        ),
    ]
    notes = [
        f"Speed {SPEED:.0f}. written: to files, by drctl, journal and snapshots; of up, the number of journal lines is "
        "in the JSON. The wall has a floor: what AWS takes does not shrink.",
    ]
    return Part("growth", tables, {"speed": SPEED, "runs": rows}, notes)


def _cells(row: dict[str, Any], columns: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
    return tuple(
        row[key] if isinstance(row[key], str) else number(row[key], unit) for key, _, unit in columns
    )


def _rows(life: Life) -> list[dict[str, Any]]:
    steps = {"up": life.up, "up again": life.again, "destroy": life.destroy}
    rows = [_row(life, name, step) for name, step in steps.items()]
    rows[0]["journal_entries"] = life.entries
    return rows


def _row(life: Life, name: str, step: Step) -> dict[str, Any]:
    usage, objects = step.usage, life.objects
    written = usage.written / 1e3 if usage.written is not None else None
    return {
        "applications": life.applications,
        "command": name,
        "resources": objects,
        "calls": len(step.calls),
        "written_kb": _rounded(written, 1),
        "client_cpu_s": _rounded(usage.cpu, 2),
        "simulator_cpu_s": _rounded(step.simulator_cpu, 2),
        "wall_s": _rounded(usage.wall, 2),
        "memory_mb": _rounded(usage.memory / 1e6, 0),
        "calls_per_resource": _rounded(len(step.calls) / objects, 1),
        "written_kb_per_resource": _rounded(written, 2, objects),
        "client_cpu_ms_per_resource": _rounded(usage.cpu * 1000, 1, objects),
        "simulator_cpu_ms_per_resource": _rounded(step.simulator_cpu, 1, objects / 1000),
        "wall_ms_per_resource": _rounded(usage.wall * 1000, 1, objects),
    }


def _rounded(value: float | None, digits: int, by: float = 1.0) -> float | None:
    return round(value / by, digits) if value is not None else None
