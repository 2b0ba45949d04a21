"""Show a run's report, and write it: as JSON, as a page for people, as JUnit XML for a pipeline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drctl.commands.context import Context
from drctl.commands.journals import folder as folder_of
from drctl.commands.journals import newest
from drctl.errors import Diagnostic, DrctlError
from drctl.ledger.disk import write_atomically
from drctl.runbook.document import Report
from drctl.runbook.journal import Entry
from drctl.runbook.report import report as reported

UNREADABLE: Entry = {"kind": "unreadable"}
"""What stands for a line of a journal that is no entry; it fits no hash."""


@dataclass(frozen=True)
class ReportResult:
    """A report and the files it was written to."""

    environment: str
    report: Report
    files: tuple[Path, ...]

    def as_json(self) -> dict[str, Any]:
        """cli.md: the report; and ``files``."""
        return {**self.report.as_json(), "files": [str(path) for path in self.files]}


def report(context: Context, run: str | None, folder: Path | None = None) -> ReportResult:
    """The report of a run, the last one unless it is named, written anew into ``folder``, else beside its journal.

    Raises DrctlError when there is no such run; and, after all was written, when its journal has been altered.
    """
    environment = context.environment()
    runs = folder_of(context.state_dir, environment)
    found = sorted(runs.glob("*.jsonl"))
    named = next((each for each in found if each.stem == run), None)
    path = named if run else newest(context.state_dir, environment)
    if path is None:
        raise DrctlError(
            Diagnostic(
                f"there is no run {run!r}" if run else "nothing was ever run here",
                cause=f"{runs} holds {', '.join(each.stem for each in found[-5:]) or 'no journal'}",
                remedy="`drctl report` shows the last run"
                if found
                else "`drctl drill --simulate-outage` makes one",
            )
        )
    made = of(path)
    files = write(made, folder or path.with_suffix(""))
    if made.evidence.altered_at is not None:
        raise DrctlError(
            Diagnostic(
                f"evidence altered at entry {made.evidence.altered_at}",
                cause=f"that entry of {path} does not fit the hash of what stands before it",
                remedy=f"put the original back; what there is was rendered, marked as altered: {files[1]}",
            )
        )
    return ReportResult(environment, made, files)


def of(path: Path) -> Report:
    """The report of a journal, compared with the last finished run of the same runbook before it.

    Raises DrctlError when the file cannot be read; a damaged line is evidence that was altered, not an error.
    """
    made = reported(entries(path))
    for earlier in sorted(path.parent.glob("*.jsonl"), reverse=True):
        if earlier.stem < path.stem and made.runbook and earlier.stem.endswith(made.runbook):
            before = reported(entries(earlier))
            if before.finished and before.evidence.altered_at is None:
                return reported(entries(path), before)
    return made


def entries(path: Path) -> Sequence[Entry]:
    """Every line of a journal but a torn last one, whatever was done to them."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise DrctlError(Diagnostic(f"the run's journal {path} cannot be read", cause=str(error))) from error
    return [_entry(line) for line in lines]


def _entry(line: bytes) -> Entry:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return UNREADABLE
    return said if isinstance(said, dict) else UNREADABLE


def write(report: Report, folder: Path) -> tuple[Path, ...]:
    """``report.json``, ``report.html`` and ``junit.xml`` in the folder, each whole or not at all.

    Raises DrctlError when they cannot be written.
    """
    from drctl.view.html.page import page
    from drctl.view.junit import junit

    texts = {
        "report.json": json.dumps(report.as_json(), indent=1) + "\n",
        "report.html": page(report),
        "junit.xml": junit(report),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_atomically(folder / name, text)
    except OSError as error:
        raise DrctlError(
            Diagnostic(
                f"the report cannot be written to {folder}",
                cause=str(error),
                remedy="choose another folder with --report; the run's journal is whole and `drctl report` renders it",
            )
        ) from error
    return tuple(folder / name for name in texts)
