"""A machine that loses its power at any instant: the disk has what was synced, and any part of what was not."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from pathlib import Path

from drctl.errors import DrctlError
from drctl.ledger.disk import Disk
from drctl.ledger.file_hold import ROOM
from drctl.ledger.file_store import FileStore
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import Record
from tests.ledger.contract import ENVIRONMENT, NEVER, a_record, opened

SECTORS = (16, 512, 4096)


class CachedDisk(Disk):
    """Knows, by the number of a file, what the disk is sure to have of it.

    named: the number of the journal that it is sure to have at its place
    failing: the next write fails half-way, or the next sync, or that of the journal's name
    """

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.synced: dict[int, bytes] = {}
        self.named: int | None = None
        self.failing = ""
        self._kept: list[int] = []

    def create(self, path: Path) -> int:
        descriptor = super().create(path)
        self._kept.append(os.dup(descriptor))  # or its number would be given to another one
        self.synced[os.fstat(descriptor).st_ino] = b""
        return descriptor

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        if self.failing == "write":
            super().write(descriptor, data[: len(data) // 2], offset)
            self._fail()
        super().write(descriptor, data, offset)

    def sync(self, descriptor: int) -> None:
        if self.failing == "sync":
            self._fail()
        super().sync(descriptor)
        status = os.fstat(descriptor)
        self.synced[status.st_ino] = os.pread(descriptor, status.st_size, 0)

    def sync_folder(self, path: Path) -> None:
        number = self.journal.stat().st_ino if self.journal.exists() else None
        if self.failing == "name" and number != self.named:
            self._fail()
        super().sync_folder(path)
        self.named = number

    def close(self) -> None:
        """Forget it all."""
        for descriptor in self._kept:
            os.close(descriptor)

    def _fail(self) -> None:
        self.failing = ""
        raise OSError(5, "failed")


class Observed(CachedDisk):
    """Looks, after each write and each sync, at what would be read if the power failed now."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder / "demo.journal")
        self._folder, self._chance = folder, random.Random(seed)
        self.known: dict[str, Record] = {}
        self.possible: dict[str, Record] = {}
        self.looks = 0

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        try:
            super().write(descriptor, data, offset)
        finally:
            self.look()

    def sync(self, descriptor: int) -> None:
        super().sync(descriptor)
        self.look()

    def look(self) -> None:
        journal, snapshot = self.journal, self._folder / "demo.json"
        if not journal.exists():
            return
        there = journal.stat().st_ino
        after = self._folder / "after"
        after.mkdir(exist_ok=True)
        (after / snapshot.name).write_bytes(snapshot.read_bytes())
        for sector in SECTORS:
            left = self._left(self.synced[there], journal.read_bytes(), sector)
            if self.named not in (None, there) and self._chance.random() < 0.5:
                left = self.synced[self.named]
            (after / journal.name).write_bytes(left)
            found = Ledger(FileStore(after, ENVIRONMENT), ENVIRONMENT).records()
            assert self.known.items() <= found.items() <= self.possible.items()
            self.looks += 1

    def _left(self, synced: bytes, written: bytes, sector: int) -> bytes:
        """A file gets longer on the disk when what makes it longer is there."""
        size = self._chance.choice(
            (len(synced), self._chance.randint(len(synced), len(written)), len(written))
        )
        left = bytearray(written[:size])
        for start in range(0, len(synced), sector):
            if self._chance.random() < 0.5:
                end = min(start + sector, len(synced))
                left[start:end] = synced[start:end]
        return bytes(left)


def test_what_was_acknowledged_is_there_after_any_loss_of_power(tmp_path: Path) -> None:
    """While lines are written, long and short ones, and fail, and are folded."""
    disk = Observed(tmp_path, 1)
    chance = random.Random(2)
    for _ in range(8):
        hold, ledger = opened(FileStore(tmp_path, ENVIRONMENT, 60.0, NEVER, disk))
        for _ in range(15):
            length = chance.choice((0, 300, 700, chance.randrange(2 * ROOM)))
            record = a_record(f"us-east-1/vpc/{len(disk.possible)}", outputs={"vpc_id": length * "x"})
            disk.failing = chance.choice(("", "", "write", "sync"))
            disk.possible[record.address] = record
            with suppress(DrctlError):
                ledger.put(record)
                disk.known[record.address] = record
            disk.failing = chance.choice(("", "name"))
            disk.look()
            if chance.random() < 0.1:
                with suppress(DrctlError):
                    ledger.fold(1.0)
            disk.failing = ""
        hold.release()
    assert disk.looks > 500
    disk.close()
