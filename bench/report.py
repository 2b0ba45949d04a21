"""What a part of the benchmark found: tables for people, and the same as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

FORMAT = 1
"""Of the JSON document."""


@dataclass(frozen=True)
class Table:
    """A title, headings, and rows as they are shown; the first column is text, the others are figures."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Part:
    """One part's figures. ``absent``: why there are none."""

    name: str
    tables: Sequence[Table] = ()
    data: dict[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    absent: str = ""


def show(part: Part, console: Console) -> None:
    """Print a part for people."""
    for each in part.tables:
        table = RichTable(title=each.title, title_justify="left", title_style="bold", header_style="")
        for position, heading in enumerate(each.headings):
            table.add_column(heading, justify="right" if position else "left", overflow="fold")
        for row in each.rows:
            table.add_row(*row)
        console.print(table)
    if part.absent:
        console.print(f"{part.name}: no figures, because {part.absent}", markup=False, soft_wrap=True)
    for note in part.notes:
        console.print(f"  {note}", markup=False, highlight=False)
    console.print()


def write(parts: Iterable[Part], load: float, path: Path) -> None:
    """Write all parts as one JSON document. ``load``: the machine's load average before the benchmark began."""
    document = {
        "format": FORMAT,
        "drctl": version("drctl"),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": platform.system(),
            "python": platform.python_version(),
            "processors": os.cpu_count(),
            "load_before": round(load, 2),
        },
        "parts": {part.name: {"absent": part.absent} if part.absent else part.data for part in parts},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def number(value: float | None, unit: str = "") -> str:
    """A figure with its unit; a dash for none."""
    if value is None:
        return "-"
    text = f"{value:,.1f}" if abs(value) < 100 and value != int(value) else f"{value:,.0f}"
    return f"{text} {unit}".rstrip()


def percent(share: float) -> str:
    """A share as per cent."""
    return f"{share * 100:.0f} %"
