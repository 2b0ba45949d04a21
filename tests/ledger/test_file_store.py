"""The store of files: the contract of all stores, and what only files have."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from drctl.errors import DrctlError, LockedError
from drctl.ledger import journal
from drctl.ledger import ledger as ledger_module
from drctl.ledger.disk import Disk
from drctl.ledger.file_hold import ROOM
from drctl.ledger.file_store import FileStore
from drctl.ledger.journal import PADDING
from drctl.ledger.ledger import Ledger
from drctl.ledger.store import StateDamaged
from tests.ledger.contract import (
    ENVIRONMENT,
    NEVER,
    Died,
    Dying,
    StoreContract,
    a_record,
    numbered,
    opened,
    seen,
    writing,
)
from tests.ledger.disks import WatchedDisk


class Folder:
    """A folder that several machines share, as far as the ledger is concerned."""

    lease_s = 0.5
    stride = 1

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = 0

    def store(self, lease_s: float = 60.0, renew_s: float = 15.0) -> FileStore:
        return FileStore(self.path, ENVIRONMENT, lease_s, renew_s, WatchedDisk(self._count))

    def watched(self, before: Callable[[], None]) -> FileStore:
        def watch(data: bytes) -> None:
            before()

        return FileStore(self.path, ENVIRONMENT, 60.0, NEVER, WatchedDisk(watch))

    def written(self) -> int:
        return self._written

    def _count(self, data: bytes) -> None:
        self._written += len(data)


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "state")


class TestFileStore(StoreContract):
    """The contract."""


def test_files_are_for_their_owner_only_and_the_snapshot_before_is_kept(place: Folder) -> None:
    with writing(place.store()) as ledger:
        ledger.put(a_record())
        ledger.fold(now=1.0)
        ledger.forget("us-east-1/vpc/main")
        ledger.fold(now=2.0)
        assert all(path.stat().st_mode & 0o077 == 0 for path in place.path.iterdir())
    names = {path.name for path in place.path.iterdir()}
    assert names == {"demo.json", "demo.backup", "demo.journal", "demo.lock"}
    backup = json.loads((place.path / "demo.backup").read_text())
    assert list(backup["records"]) == ["us-east-1/vpc/main"]


def test_an_erased_environment_leaves_its_lock_only(place: Folder) -> None:
    with writing(place.store()) as ledger:
        ledger.put(a_record())
        ledger.fold(now=1.0)
        ledger.erase()
    assert [path.name for path in place.path.iterdir()] == ["demo.lock"]
    assert (place.path / "demo.lock").read_bytes() == b""


def test_a_beginning_and_a_fold_after_it_that_die_anywhere_are_no_damage(tmp_path: Path) -> None:
    """Until the first journal stands beside the first snapshot and its backup, its absence means nothing."""
    folder = (Folder(tmp_path / f"state-{number}") for number in itertools.count())
    for begun in itertools.count():
        if dies(next(folder), begun, lambda ledger: ledger.put(a_record())) is None:
            break
        for folded in itertools.count():
            place = next(folder)
            dies(place, begun, lambda ledger: ledger.put(a_record()))
            known = dict(seen(place).records())
            found = dies(place, folded, lambda ledger: ledger.fold(1.0))
            assert dict(seen(place).records()) == known, f"died before operations {begun} and {folded}"
            if found is None:
                break
    assert begun > 10


def dies(place: Folder, operations: int, act: Callable[[Ledger], object]) -> Died | None:
    """Do it, and die before an operation; None: it was done before that."""
    try:
        hold, ledger = opened(place.watched(Dying(operations)))
        act(ledger)
        hold.release()
    except Died as death:
        return death
    finally:
        place.store().break_hold()
    return None


def test_a_lock_file_of_long_ago_locks_nobody_out(place: Folder) -> None:
    place.store().hold("up").release()
    os.utime(place.path / "demo.lock", (1.0, 1.0))
    hold = place.store().hold("up")
    with pytest.raises(LockedError):
        place.store().hold("destroy")
    hold.check()
    hold.release()
    assert [path.name for path in place.path.iterdir()] == ["demo.lock"]


def test_a_killed_run_holds_no_lock_and_what_it_left_lying_about_goes(place: Folder) -> None:
    program = textwrap.dedent(f"""
        import pathlib, sys
        from drctl.ledger.file_store import FileStore
        hold = FileStore(pathlib.Path({str(place.path)!r}), "demo").hold("up")
        print("held", flush=True)
        sys.stdin.read()
    """)
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match=f"process {child.pid}"):
        place.store().hold("up")
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert list(place.path.glob("*.hold"))
    place.store().hold("up").release()
    assert [path.name for path in place.path.iterdir()] == ["demo.lock"]


def test_one_environment_does_not_disturb_another_in_the_same_folder(place: Folder) -> None:
    with writing(place.store()) as ledger:
        ledger.put(a_record())
        other = FileStore(place.path, "demo-two")
        hold = other.hold("up")
        Ledger(other, "demo-two", hold).put(a_record())
        hold.release()
        ledger.fold(1.0)
    assert set(seen(place).records()) == {a_record().address}
    assert Ledger(other, "demo-two").meta.lineage != ledger.meta.lineage


def test_the_files_of_another_environment_are_refused(place: Folder) -> None:
    with writing(place.store()) as ledger:
        ledger.put(a_record())
        ledger.fold(1.0)
    (place.path / "other.json").write_bytes((place.path / "demo.json").read_bytes())
    with pytest.raises(StateDamaged, match="belongs to the environment 'demo'"):
        Ledger(FileStore(place.path, "other"), "other")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DrctlError, match="cannot be written") as caught:
        FileStore(tmp_path / "file" / "state", ENVIRONMENT).hold("up")
    assert "--state-dir" in caught.value.diagnostics[0].remedy


def test_the_journal_never_stands_there_without_an_end(tmp_path: Path) -> None:
    """Before whatever is done to the disk, and however long the lines are."""
    path, found = tmp_path / "demo.journal", list[bytes]()

    def look(_: bytes) -> None:
        if path.exists():
            found.append(path.read_bytes()[-1:])

    with writing(FileStore(tmp_path, ENVIRONMENT, 60.0, NEVER, WatchedDisk(look))) as ledger:
        for length in range(0, 3 * ROOM, 211):
            ledger.put(a_record(outputs={"vpc_id": length * "x"}))
            look(b"")
            if length % 4 == 0:
                ledger.fold(1.0)
                look(b"")
        for spare in range(5):  # bytes that a line leaves of its room; none would be too little
            ledger.put(a_record())
            lines = path.read_bytes().rstrip(PADDING)
            number = journal.read(path.read_bytes())[0][-1].sequence + 1
            short = len(journal.encode(journal.Entry(number, {a_record().address: a_record().as_json()})))
            room = path.stat().st_size - len(lines) - short - spare
            ledger.put(a_record(outputs={"vpc_id": "vpc-1" + room * "x"}))
            look(b"")
    assert set(found) == {PADDING}


def test_most_lines_do_not_change_the_size_of_the_journal(tmp_path: Path) -> None:
    sizes = list[int]()
    with writing(FileStore(tmp_path, ENVIRONMENT)) as ledger:
        for _ in range(200):
            ledger.put(a_record())
            sizes.append((tmp_path / "demo.journal").stat().st_size)
    assert len(set(sizes)) < 200 / 10


class SlowDisk(Disk):
    """Between the two halves of what it reads something happens, once."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile: Callable[[], None] | None = meanwhile

    def read(self, descriptor: int) -> bytes:
        size = os.fstat(descriptor).st_size
        first = os.pread(descriptor, size // 2, 0)
        if b'"sequence"' in first and self._meanwhile:  # the journal
            self._meanwhile = self._meanwhile()
        return first + os.pread(descriptor, 1 << 20, size // 2)


@pytest.mark.parametrize("lines", range(1, 20))
def test_a_reader_between_whose_pages_lines_are_written(tmp_path: Path, lines: int) -> None:
    """It sees the ends of lines, and lines, whose beginnings or predecessors it does not."""
    with writing(FileStore(tmp_path, ENVIRONMENT)) as ledger:
        ledger.put(a_record())
        before = ledger.records()

        def write() -> None:
            for number in range(lines):
                ledger.put(a_record(f"us-east-1/vpc/{number}", outputs={"vpc_id": "long" * 30}))

        found = Ledger(FileStore(tmp_path, ENVIRONMENT, disk=SlowDisk(write)), ENVIRONMENT).records()
        assert before.items() <= found.items() <= ledger.records().items()
        assert len(ledger.records()) == lines + 1


def test_the_disk_of_the_product_is_the_plain_one() -> None:
    assert type(FileStore(Path(), ENVIRONMENT).disk) is Disk


def test_the_larger_a_state_the_more_rarely_it_is_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "FOLD_AFTER", 10)
    serials = set()
    with writing(FileStore(tmp_path, ENVIRONMENT)) as ledger:
        for number in range(200):
            for phase in ("creating", "pending", "ready"):
                ledger.put(replace(numbered(number), phase=phase))
                serials.add(json.loads((tmp_path / "demo.json").read_bytes())["serial"])
    assert 3 <= len(serials) < 10
