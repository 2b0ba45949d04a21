"""Files that somebody or something damaged: what is read is what was written, or an error with the way out."""

from __future__ import annotations

import json
import os
import random
import zlib
from pathlib import Path
from typing import Any

import pytest

from drctl.errors import DrctlError
from drctl.ledger import journal
from drctl.ledger.file_store import FileStore
from drctl.ledger.journal import PADDING
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import Record
from drctl.ledger.store import StateDamaged
from tests.ledger.contract import ENVIRONMENT, a_record, writing

Known = dict[str, Record]


class Damaged:
    """A state of a snapshot with one record and a journal that goes on from it, to be damaged.

    states: what was known after so many of the journal's entries
    sound_lines: of the journal, without the padding behind them
    sound_journal: with a little padding, so that every byte of it can be tried
    """

    def __init__(self, folder: Path) -> None:
        self.store = FileStore(folder, ENVIRONMENT)
        self.snapshot, self.journal = folder / "demo.json", folder / "demo.journal"
        with writing(self.store) as ledger:
            ledger.describe(account="123456789012", regions=("us-east-1", "us-west-2"))
            ledger.put(a_record())
            ledger.fold(1.0)
            self.states = [dict(ledger.records())]
            for change in (
                lambda: ledger.put(a_record(outputs={"vpc_id": "vpc-2"})),
                lambda: ledger.put(a_record("us-west-2/vpc/main", depends_on=("us-east-1/vpc/main",))),
                lambda: ledger.forget("us-west-2/vpc/main"),
            ):
                change()
                self.states.append(dict(ledger.records()))
        self.meta = ledger.meta
        self.sound_snapshot = self.snapshot.read_bytes()
        self.sound_lines = self.journal.read_bytes().rstrip(PADDING)
        self.sound_journal = self.sound_lines + 8 * PADDING

    def read(self) -> Known | None:
        """What is read; None when it is refused as damaged, with the way out."""
        try:
            found = Ledger(self.store, ENVIRONMENT)
        except StateDamaged as error:
            assert "drctl state rebuild" in error.diagnostics[0].remedy
            assert str(self.snapshot) in error.diagnostics[0].summary
            return None
        assert found.meta == self.meta
        return dict(found.records())


@pytest.fixture
def state(tmp_path: Path) -> Damaged:
    return Damaged(tmp_path)


def test_a_journal_cut_anywhere_is_refused_or_loses_nothing(state: Damaged) -> None:
    written = state.journal.read_bytes()
    assert len(written) > len(state.sound_lines) + 1000
    for size in range(len(written) + 1):
        state.journal.write_bytes(written[:size])
        assert state.read() == (state.states[-1] if size > len(state.sound_lines) else None), f"cut at {size}"


def test_a_folded_journal_cut_to_nothing_is_refused(state: Damaged) -> None:
    with writing(state.store) as ledger:
        ledger.fold(2.0)
    assert Ledger(state.store, ENVIRONMENT).records() == state.states[-1]
    assert state.journal.read_bytes().strip(PADDING) == b""
    state.journal.write_bytes(b"")
    with pytest.raises(StateDamaged, match="the end of the journal is missing"):
        Ledger(state.store, ENVIRONMENT)


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_line_torn_anywhere_loses_what_was_not_acknowledged_and_nothing_else(
    state: Damaged, line: int
) -> None:
    lines = state.sound_lines.splitlines(keepends=True)
    before, torn = b"".join(lines[:line]), lines[line]
    for size in range(len(torn)):
        state.journal.write_bytes(before + torn[:size] + (len(torn) - size + 1) * PADDING)
        assert state.read() == state.states[line], f"torn at {size}"


@pytest.mark.parametrize("sector", [2, 7, 64])
def test_a_line_of_which_a_disk_wrote_any_of_its_sectors_is_whole_or_torn(
    state: Damaged, sector: int
) -> None:
    """When the power fails. Wherever the sectors begin."""
    start = state.sound_lines.rindex(b"\n", 0, -1) + 1
    last = state.sound_lines[start:]
    count, chance = len(last) // sector + 2, random.Random(sector)
    missing = [{each} for each in range(count)]
    missing += [{each for each in range(count) if chance.random() < 0.5} for _ in range(100)]
    for gaps in missing:
        for shift in (0, 1, sector // 2, sector - 1):
            parts = [
                PADDING if (at + shift) // sector in gaps else last[at : at + 1] for at in range(len(last))
            ]
            state.journal.write_bytes(state.sound_lines[:start] + b"".join(parts) + PADDING)
            assert state.read() == state.states[-2 if PADDING in parts else -1], (gaps, shift)


def test_after_a_torn_last_line_the_next_run_goes_on(state: Damaged) -> None:
    last = state.sound_lines.rindex(b"\n", 0, -1) + 1
    for size in (last, last + 1, last + 9, len(state.sound_lines) - 1):
        state.journal.write_bytes(state.sound_lines[:size] + 100 * PADDING)
        with writing(state.store) as ledger:
            ledger.put(a_record("eu-west-1/vpc/main"))
        expected = {**state.states[2], "eu-west-1/vpc/main": a_record("eu-west-1/vpc/main")}
        assert state.read() == expected


def test_a_bit_flipped_anywhere_in_the_journal_changes_nothing_unnoticed(state: Damaged) -> None:
    refused = 0
    for position in range(len(state.sound_journal)):
        for bit in range(8):
            data = bytearray(state.sound_journal)
            data[position] ^= 1 << bit
            state.journal.write_bytes(data)
            found = state.read()
            refused += found is None
            assert found in (None, state.states[-1]), (position, bit)
    assert refused > 8 * len(state.sound_journal) * 0.9


def test_a_snapshot_cut_anywhere_is_refused(state: Damaged) -> None:
    for size in range(len(state.sound_snapshot)):
        state.snapshot.write_bytes(state.sound_snapshot[:size])
        assert state.read() is None, f"cut at {size}"


def test_a_bit_flipped_anywhere_in_the_snapshot_changes_nothing_unnoticed(state: Damaged) -> None:
    for position in range(len(state.sound_snapshot)):
        for bit in range(8):
            data = bytearray(state.sound_snapshot)
            data[position] ^= 1 << bit
            state.snapshot.write_bytes(data)
            assert state.read() in (None, state.states[-1]), (position, bit)


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "[[]]", '{"version": 1}', '"text"', "null", "1", "\0" * 4096]
)
def test_what_is_no_snapshot_is_never_an_empty_environment(state: Damaged, damage: str) -> None:
    state.snapshot.write_text(damage)
    assert state.read() is None
    state.journal.unlink()
    assert state.read() is None


def test_what_does_not_belong_together_is_refused(state: Damaged, tmp_path: Path) -> None:
    """Files put back from copies of different days."""
    with writing(state.store) as ledger:
        ledger.put(a_record("eu-west-1/vpc/main"))
        ledger.fold(2.0)
        ledger.put(a_record("eu-west-2/vpc/main"))
    state.snapshot.write_bytes(state.sound_snapshot)
    assert state.read() is None
    with pytest.raises(StateDamaged, match="entry 2 of the journal is missing"):
        Ledger(state.store, ENVIRONMENT)


def test_an_entry_missing_in_the_middle_is_refused(state: Damaged) -> None:
    lines = state.sound_lines.splitlines(keepends=True)
    for number in range(len(lines) - 1):
        state.journal.write_bytes(b"".join(lines[:number] + lines[number + 1 :]) + PADDING)
        assert state.read() is None


def test_the_journal_of_a_fold_that_did_not_get_to_empty_it_is_applied_once(state: Damaged) -> None:
    with writing(state.store) as ledger:
        ledger.fold(2.0)
    state.journal.write_bytes(state.sound_journal)
    assert Ledger(state.store, ENVIRONMENT).records() == state.states[-1]
    with writing(state.store) as ledger:
        ledger.put(a_record("eu-west-1/vpc/main"))
    assert set(Ledger(state.store, ENVIRONMENT).records()) == {"us-east-1/vpc/main", "eu-west-1/vpc/main"}


def test_a_journal_without_a_snapshot_is_refused(state: Damaged) -> None:
    state.snapshot.unlink()
    assert state.read() is None
    state.journal.write_bytes(b"")
    assert state.read() is None


def test_a_snapshot_without_its_journal_is_refused(state: Damaged) -> None:
    state.journal.unlink()
    assert state.read() is None


def test_the_journal_of_a_run_that_has_only_begun_is_missed_too(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with writing(FileStore(state, ENVIRONMENT)) as ledger:
        ledger.put(a_record())
        (state / "demo.journal").unlink()
        with pytest.raises(StateDamaged, match="the journal is not"):
            Ledger(FileStore(state, ENVIRONMENT), ENVIRONMENT)


def test_the_backup_is_never_read(state: Damaged) -> None:
    (state.snapshot.with_suffix(".backup")).write_bytes(b"anything")
    assert state.read() == state.states[-1]
    state.snapshot.unlink()
    state.journal.unlink()
    assert Ledger(state.store, ENVIRONMENT).records() == {}


def test_an_entry_that_checks_and_is_no_record_is_refused(state: Damaged) -> None:
    entry = journal.Entry(5, {"us-east-1/vpc/main": {"address": "us-east-1/vpc/main", "colour": "red"}})
    state.journal.write_bytes(state.sound_lines + journal.encode(entry) + PADDING)
    assert state.read() is None


def checked(snapshot: dict[str, Any]) -> str:
    """With a checksum that fits."""
    body = {name: value for name, value in snapshot.items() if name != "checksum"}
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return json.dumps({"checksum": f"{zlib.crc32(canonical.encode()):08x}", **body})


def test_a_format_that_never_was_is_damage(state: Damaged) -> None:
    state.snapshot.write_text(checked({**json.loads(state.sound_snapshot), "version": 0}))
    assert state.read() is None


def test_a_newer_format_is_told_from_a_damaged_one_and_left_alone(state: Damaged) -> None:
    newer = {**json.loads(state.sound_snapshot), "version": 99, "novelty": [1.5]}
    state.snapshot.write_text(checked(newer))
    before = state.snapshot.read_bytes()
    with pytest.raises(DrctlError, match="newer drctl") as caught:
        state.read()
    assert "install the newer drctl" in caught.value.diagnostics[0].remedy
    with pytest.raises(DrctlError, match="newer drctl"), writing(state.store):
        pass
    assert state.snapshot.read_bytes() == before


def test_a_damaged_state_can_be_held_and_is_left_as_it_is(state: Damaged) -> None:
    """Who makes it anew must hold it."""
    damaged = state.sound_journal[:50] + b"?" + state.sound_journal[51:]
    state.journal.write_bytes(damaged)
    state.store.hold("state rebuild").release()
    assert state.journal.read_bytes() == damaged
    hold = state.store.hold("state rebuild")
    hold.fold(state.sound_snapshot.decode(), 1)
    hold.release()
    assert state.read() == state.states[0]


def test_nothing_is_appended_to_a_journal_that_is_damaged_or_cut_meanwhile(state: Damaged) -> None:
    """It would look whole again."""
    state.journal.write_bytes(state.sound_lines)
    hold = state.store.hold("up")
    with pytest.raises(StateDamaged):
        hold.append(journal.Entry(5, {}))
    hold.release()
    assert state.journal.read_bytes() == state.sound_lines

    state.journal.write_bytes(state.sound_journal)
    with writing(state.store) as ledger:
        os.truncate(state.journal, state.sound_lines.rindex(b"\n", 0, -1) + 1)
        with pytest.raises(StateDamaged, match="cut while a run wrote to it"):
            ledger.put(a_record("eu-west-1/vpc/main"))
    assert state.read() is None
