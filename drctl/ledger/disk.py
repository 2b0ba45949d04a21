"""Everything that is done to a disk for the ledger, in one place, and whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from drctl.errors import Diagnostic, DrctlError


class Disk:
    """What is done to a disk. Each raises OSError. Files are for their owner only."""

    def open(self, path: Path) -> int:
        """A descriptor of a file, for reading."""
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self, descriptor: int) -> bytes:
        """All of a file that was just opened."""
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()

    def make_folder(self, path: Path, mode: int = 0o777) -> None:
        """A folder, and those above it."""
        path.mkdir(mode, parents=True, exist_ok=True)

    def create(self, path: Path) -> int:
        """An empty file; the value is its descriptor, for writing. What stood there goes."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        """All of it, at a place. A disk that fills up takes a part; then it says why it does not take the rest."""
        done = 0
        while done < len(data):
            done += os.pwrite(descriptor, data[done:], offset + done)

    def cut(self, descriptor: int, size: int) -> None:
        """Shorten a file."""
        os.ftruncate(descriptor, size)

    def sync(self, descriptor: int) -> None:
        """Wait until the disk has the file's bytes."""
        os.fdatasync(descriptor)

    def sync_folder(self, path: Path) -> None:
        """Wait until the disk has the folder's names."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def link(self, path: Path, other: Path) -> None:
        """Give a file a second name."""
        os.link(path, other)

    def remove(self, path: Path) -> None:
        """A file, if it is there."""
        path.unlink(missing_ok=True)

    def move(self, path: Path, to: Path) -> None:
        """Give a file another name, in one step; what had that name goes."""
        path.replace(to)

    def remove_folder(self, path: Path) -> None:
        """A folder and the files in it, even while somebody puts in or takes out another one."""
        while path.exists():
            try:
                shutil.rmtree(path)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTEMPTY):
                    raise


def untouchable(where: object, done: str, error: OSError) -> DrctlError:
    """What to tell of a full disk, a folder one may not write to: the operator's to mend, said like everything else."""
    return DrctlError(
        Diagnostic(
            f"the state cannot be {done}: {where}",
            cause=str(error),
            remedy="make room on that disk, or give this user the right to it, then run the same command again: "
            "it goes on from what is recorded",
        )
    )


def write_atomically(path: Path, text: str) -> None:
    """Either the whole new text stands at ``path`` afterwards, or the old one does. Raises OSError."""
    disk, temporary = Disk(), path.with_suffix(".tmp")
    descriptor = disk.create(temporary)
    try:
        disk.write(descriptor, text.encode(), 0)
        disk.sync(descriptor)
    finally:
        os.close(descriptor)
    disk.move(temporary, path)
    disk.sync_folder(path.parent)
