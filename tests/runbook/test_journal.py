"""The journal of a run: append-only, chained, and honest about what was done to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drctl.errors import DrctlError
from drctl.runbook import journal
from drctl.runbook.journal import open_undos


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Three entries on the disk."""
    path = tmp_path / "runs" / "one.jsonl"
    made = journal.Journal(path)
    made.add("run", 1.0, run="one")
    made.add("fact", 2.0, name="outage_at", value=2.0)
    made.add("samples", 3.0, rows=[[3.0, "dns", True]])
    made.close()
    return path


def test_entries_come_back_as_they_were_written_and_the_chain_holds(written: Path) -> None:
    entries = journal.read(written)
    assert [(e["n"], e["kind"], e["time"]) for e in entries] == [
        (0, "run", 1.0),
        (1, "fact", 2.0),
        (2, "samples", 3.0),
    ]
    assert entries[0]["hash"] == journal.chained(journal.ORIGIN, entries[0])
    assert journal.verify(entries) is None


def test_only_its_owner_reads_it(written: Path) -> None:
    assert written.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_edited_entry_shows_and_nothing_is_appended_to_it(written: Path, number: int) -> None:
    lines = written.read_text(encoding="utf-8").splitlines()
    entry = json.loads(lines[number])
    lines[number] = json.dumps({**entry, "time": entry["time"] + 1})
    written.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert journal.verify(journal.read(written)) == number
    with pytest.raises(DrctlError, match="altered"):
        journal.Journal(written)


def test_a_removed_entry_shows(written: Path) -> None:
    lines = written.read_text(encoding="utf-8").splitlines(keepends=True)
    written.write_text("".join([lines[0], lines[2]]), encoding="utf-8")
    assert journal.verify(journal.read(written)) == 1


def test_a_line_torn_at_any_byte_is_dropped_and_the_run_goes_on_after_the_last_whole_one(
    written: Path,
) -> None:
    whole = written.read_bytes()
    start = whole.rindex(b"\n", 0, len(whole) - 1) + 1
    for length in range(start, len(whole)):
        written.write_bytes(whole[:length])
        again = journal.Journal(written)
        assert len(again.entries) == 2
        again.add("fact", 4.0, name="gap", value={"from": 3.0, "to": 4.0})
        again.close()
        entries = journal.read(written)
        assert [e["n"] for e in entries] == [0, 1, 2]
        assert journal.verify(entries) is None


def test_a_line_in_the_middle_that_is_no_json_is_damage(written: Path) -> None:
    written.write_bytes(written.read_bytes().replace(b'"kind":"fact"', b'"kind":"fact', 1))
    with pytest.raises(DrctlError, match="line 2"):
        journal.read(written)


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("", encoding="utf-8")
    with pytest.raises(DrctlError, match="cannot be written"):
        journal.Journal(tmp_path / "runs" / "one.jsonl")


def test_an_undo_is_open_until_it_is_called_undone() -> None:
    entries = [
        {"kind": "undo", "name": "health", "arguments": {"health_check_id": "1"}},
        {"kind": "undo", "name": "network", "arguments": {}},
        {"kind": "undone", "name": "health"},
    ]
    assert open_undos(entries) == [("network", {})]
    assert open_undos([*entries, {"kind": "undone", "name": "network"}]) == []
