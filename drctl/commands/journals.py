"""The journals of an environment's runs: ``<state folder>/<environment>.runs/<run>.jsonl``.

A run whose journal has no verdict was interrupted; nothing else is begun before it was resumed or taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from drctl.errors import Diagnostic, DrctlError
from drctl.runbook import journal

if TYPE_CHECKING:
    from drctl.runbook.journal import Entry


LONGEST_VERDICT = 1_000_000
"""Bytes at the end of a journal in which its verdict stands, results and all."""


def folder(state_dir: Path, environment: str) -> Path:
    """Where the journals of an environment's runs lie."""
    return state_dir / f"{environment}.runs"


def newest(state_dir: Path, environment: str) -> Path | None:
    """The journal of the last run; None when there is none. One that is open comes first, wherever it was copied from;
    then by the files' times, because a simulator's clock may begin anew."""
    written = [path for path in folder(state_dir, environment).glob("*.jsonl") if path.stat().st_size]
    return max(written, key=lambda path: (not _has_verdict(path), path.stat().st_mtime_ns), default=None)


def _has_verdict(path: Path) -> bool:
    """Whether the last lines tell; a journal is long, and there may be many."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_VERDICT))
        return b'"kind":"verdict"' in file.read()


def is_open(entries: Sequence[Entry]) -> bool:
    """Whether a run was interrupted: it was begun, and has no verdict."""
    return bool(entries) and not any(entry["kind"] == "verdict" for entry in entries)


def refuse_while_broken(state_dir: Path, environment: str) -> None:
    """Raises DrctlError while an interrupted run's outage is on: what it did to the primary is no drift to repair."""
    last = newest(state_dir, environment)
    entries = journal.read(last) if last else []
    staged = bool(entries) and entries[0]["runbook"] == "drill"
    if last is not None and staged and is_open(entries) and journal.open_undos(entries):
        raise unfinished(last, entries)


def unfinished(path: Path, entries: Sequence[Entry]) -> DrctlError:
    """What to say when a run stands in the way, and which two ways lead on."""
    named = entries[0]["runbook"]
    steps = [e["step"] for e in entries if e["kind"] == "step"]
    return DrctlError(
        Diagnostic(
            f"the {named} {path.stem} was interrupted and is still open",
            cause=f"its last step was {steps[-1] if steps else 'none'}; its journal is {path}",
            remedy=f"`drctl {named} --resume` goes on with it, `drctl {named} --abort` takes it back",
        )
    )
