"""Disks that are watched: real ones, on which something happens before each thing that is done to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from drctl.ledger.disk import Disk


class WatchedDisk(Disk):
    """Calls ``before`` with the bytes about to be written, none for everything else that is done."""

    def __init__(self, before: Callable[[bytes], None]) -> None:
        self._before = before

    def open(self, path: Path) -> int:
        self._before(b"")
        return super().open(path)

    def read(self, descriptor: int) -> bytes:
        self._before(b"")
        return super().read(descriptor)

    def make_folder(self, path: Path, mode: int = 0o777) -> None:
        self._before(b"")
        super().make_folder(path, mode)

    def create(self, path: Path) -> int:
        self._before(b"")
        return super().create(path)

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        self._before(data)
        super().write(descriptor, data, offset)

    def cut(self, descriptor: int, size: int) -> None:
        self._before(b"")
        super().cut(descriptor, size)

    def sync(self, descriptor: int) -> None:
        self._before(b"")
        super().sync(descriptor)

    def sync_folder(self, path: Path) -> None:
        self._before(b"")
        super().sync_folder(path)

    def link(self, path: Path, other: Path) -> None:
        self._before(b"")
        super().link(path, other)

    def remove(self, path: Path) -> None:
        self._before(b"")
        super().remove(path)

    def move(self, path: Path, to: Path) -> None:
        self._before(b"")
        super().move(path, to)

    def remove_folder(self, path: Path) -> None:
        self._before(b"")
        super().remove_folder(path)
