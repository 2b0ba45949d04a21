"""A disk that is full, failing or read-only: it is told, what was acknowledged stays, and the next run goes on."""

from __future__ import annotations

import errno
import itertools
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from drctl.errors import DrctlError
from drctl.ledger.disk import write_atomically
from drctl.ledger.file_store import FileStore
from drctl.ledger.journal import PADDING
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import Record
from tests.ledger.contract import ENVIRONMENT, NEVER, a_record, numbered, opened, writing
from tests.ledger.disks import WatchedDisk


class Failing(WatchedDisk):
    """Fails so many times, from the n-th operation on; a write that fails writes the first half."""

    def __init__(self, operation: int, code: int, times: int) -> None:
        super().__init__(lambda _: self._fail())
        self._left, self._code, self._times = operation, code, times

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        try:
            super().write(descriptor, data, offset)
        except OSError:
            os.pwrite(descriptor, data[: len(data) // 2], offset)
            raise

    def _fail(self) -> None:
        self._left -= 1
        if -self._times <= self._left < 0:
            raise OSError(self._code, os.strerror(self._code))


def read(folder: Path) -> dict[str, Record]:
    return dict(Ledger(FileStore(folder, ENVIRONMENT), ENVIRONMENT).records())


@pytest.mark.parametrize(
    ("code", "times"), [(errno.EIO, 1), (errno.EIO, 2), (errno.ENOSPC, 1000), (errno.EROFS, 1000)]
)
def test_a_disk_that_fails_at_any_operation(tmp_path: Path, code: int, times: int) -> None:
    """The run itself may go on as well: another of its threads writes when there is room again."""
    known: dict[str, Record] = {}
    told = 0
    for operation in itertools.count():
        store = FileStore(tmp_path, ENVIRONMENT, 60.0, NEVER, Failing(operation, code, times))
        possible = dict(known)
        failed = False
        try:
            hold, ledger = opened(store)
        except DrctlError as error:
            hold, failed = None, True
            assert os.strerror(code) in error.diagnostics[0].cause
        for number in range(4) if hold else ():
            record = numbered(10 * operation + number)
            if number % 2 == 0:
                record = replace(
                    record, outputs={"vpc_id": "long" * 99}
                )  # a rest of it outlasts the next line
            possible[record.address] = record
            try:
                ledger.put(record)
                known[record.address] = record
                if number % 2:
                    ledger.fold(1.0)
            except DrctlError as error:
                failed = True
                told += 1
                assert os.strerror(code) in error.diagnostics[0].cause
                assert "run the same command again" in error.diagnostics[0].remedy
            found = read(tmp_path)
            assert known.items() <= found.items() <= possible.items(), f"operation {operation}"
        if hold:
            hold.release()
        with writing(FileStore(tmp_path, ENVIRONMENT)) as ledger:
            assert known.items() <= ledger.records().items() <= possible.items()
            ledger.put(a_record())
            known = dict(ledger.records())
        assert read(tmp_path) == known
        if not failed:
            break
    assert told > 5


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_a_disk_that_fails_while_an_environment_is_erased(tmp_path: Path, code: int) -> None:
    for operation in itertools.count():
        with writing(FileStore(tmp_path, ENVIRONMENT)) as ledger:
            ledger.put(a_record())
            ledger.fold(1.0)
            ledger.forget(a_record().address)
        store = FileStore(tmp_path, ENVIRONMENT, 60.0, NEVER, Failing(operation, code, 1))
        failed = True
        try:
            with writing(store, "destroy") as ledger:
                ledger.erase()
            failed = False
        except DrctlError as error:
            assert os.strerror(code) in error.diagnostics[0].cause
        assert read(tmp_path) == {}, f"operation {operation}"
        if not failed and not (tmp_path / "demo.json").exists() and operation > 12:
            break


def test_what_is_put_after_an_erasure_that_failed_half_way_is_not_lost(tmp_path: Path) -> None:
    for operation, times in itertools.product(range(40), (1, 2, 3)):
        folder = tmp_path / f"{operation}-{times}"
        folder.mkdir()
        store = FileStore(folder, ENVIRONMENT, 60.0, NEVER, Failing(operation, errno.EIO, times))
        with suppress(DrctlError), writing(store, "destroy") as ledger:
            with suppress(DrctlError):
                ledger.put(numbered(1))
            with suppress(DrctlError):
                ledger.erase()
            ledger.put(numbered(2))
            assert ledger.records().items() <= read(folder).items(), f"operation {operation}"


def test_a_line_that_has_no_room_leaves_a_sound_journal(tmp_path: Path) -> None:
    """A limit of the kernel's, which writes a part of the line."""
    with writing(FileStore(tmp_path, ENVIRONMENT)) as ledger:
        ledger.put(numbered(1))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = len((tmp_path / "demo.journal").read_bytes().rstrip(PADDING))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
        try:
            with pytest.raises(DrctlError, match="cannot be written"):
                ledger.put(numbered(2))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        ledger.put(numbered(3))  # as another thread does, when there is room again
    assert set(read(tmp_path)) == {numbered(1).address, numbered(3).address}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", mount], capture_output=True)
    if made.returncode:
        pytest.skip("mounting is not allowed here")
    yield mount
    subprocess.run(["umount", mount], check=True)


def test_a_small_disk_that_really_fills_up(small_disk: Path) -> None:
    known: dict[str, Record] = {}
    filler = small_disk / "filler"
    for attempt in range(40):
        with writing(FileStore(small_disk, ENVIRONMENT)) as ledger:
            assert ledger.records() == known
            filler.write_bytes(b"x" * 1024 * (20 + attempt % 8))
            try:
                for number in range(1000):
                    ledger.put(numbered(number + attempt))
                    if number % 50 == 0:
                        ledger.fold(1.0)
            except DrctlError as error:
                assert os.strerror(errno.ENOSPC) in str(error)
            else:
                pytest.fail("it never filled up")
            known = dict(ledger.records())
            assert read(small_disk) == known
            filler.unlink()
            for address in list(known)[::2]:
                ledger.forget(address)
            ledger.fold(2.0)
            known = dict(ledger.records())
    assert len(known) > 10


def test_a_read_only_disk_is_read_and_not_written(small_disk: Path) -> None:
    with writing(FileStore(small_disk, ENVIRONMENT)) as ledger:
        ledger.put(a_record())
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    store = FileStore(small_disk, ENVIRONMENT)
    assert set(read(small_disk)) == {a_record().address}
    assert store.holder() is None
    with pytest.raises(DrctlError, match="cannot be written") as caught:
        store.hold("up")
    assert "--state-dir" in caught.value.diagnostics[0].remedy
    with pytest.raises(DrctlError, match="cannot be unlocked"):
        store.break_hold()
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)


def test_a_file_is_replaced_whole_or_not_at_all(small_disk: Path) -> None:
    """What reports are written with."""
    path = small_disk / "report.json"
    write_atomically(path, "short\n")
    with pytest.raises(OSError, match=r".+"):
        write_atomically(path, "x" * 200_000)
    assert path.read_text() == "short\n"
