"""The store of files: the contract of all stores, and what only files have."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from drctl.errors import DrctlError, LockedError
from drctl.ledger.disk import Disk
from drctl.ledger.file_store import FileStore
from drctl.ledger.ledger import Ledger
from drctl.ledger.store import StateDamaged
from tests.ledger.contract import ENVIRONMENT, NEVER, StoreContract, a_record, seen, writing
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


def test_the_disk_of_the_product_is_the_plain_one() -> None:
    assert type(FileStore(Path(), ENVIRONMENT).disk) is Disk
