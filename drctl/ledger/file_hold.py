"""An environment's files, held for writing, and the fence that keeps a former holder out of them."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from drctl.ledger import journal
from drctl.ledger.disk import Disk, untouchable
from drctl.ledger.lease import Lease
from drctl.ledger.store import damaged

ROOM = 4096
"""Bytes of padding by which the journal grows at a time, so that few of its writes change its size."""


@dataclass(frozen=True)
class Files:
    """The files of one environment in a folder."""

    folder: Path
    environment: str

    def named(self, suffix: str) -> Path:
        """One of them."""
        return self.folder / f"{self.environment}.{suffix}"

    @property
    def snapshot(self) -> Path:
        """Everything, as of the last fold."""
        return self.named("json")

    @property
    def journal(self) -> Path:
        """What has happened since."""
        return self.named("journal")

    @property
    def backup(self) -> Path:
        """The snapshot before the last, for people: drctl never reads it. Where it is, there is a journal too."""
        return self.named("backup")

    @property
    def lock(self) -> Path:
        """Who holds them."""
        return self.named("lock")

    def workplace(self) -> Path:
        """A folder for a new hold."""
        return self.named(f"{uuid.uuid4().hex}.hold")

    def workplaces(self) -> list[Path]:
        """The folders of all holds there are."""
        return list(self.folder.glob(f"{self.environment}.*.hold"))


class FileHold:
    """The hold of an environment's files.

    A process may be stopped between any two of its instructions and wake when it has been succeeded, so that looking
    at the lock before a step is not enough. Therefore every step is one that can no longer reach what the successor
    sees:

    - A file is put in place, or taken away, by renaming it out of, or into, a folder that is this hold's own. A
      successor removes the folders of all former holds before it looks at anything: such a rename then fails.
    - The journal is written through the descriptor of a file that this hold itself put in place, when it began,
      first appended or last folded. A successor puts a copy in its place: what is still appended to the former goes
      nowhere. Nobody acts on it either, because the lock is looked at once more after an entry has been written.

    What a former holder has done before that is whole, and the successor finds it.
    """

    def __init__(self, files: Files, lease: Lease, disk: Disk) -> None:
        """Begin, and put an end to what former holds may still do. Raises DrctlError."""
        self._files, self._lease, self._disk = files, lease, disk
        self._guard = threading.Lock()
        self._journal: int | None = None
        self._sound = 0
        self._settled = True  # whether its name, and padding behind its sound part, are durable
        self._own = files.workplace()
        try:
            with self._step("written"):
                disk.make_folder(self._own, 0o700)
                others = [each for each in files.workplaces() if each != self._own]
                lease.check()  # so none of these is a successor's, and every successor will find ours
                for each in others:
                    disk.remove_folder(each)
                if files.journal.exists():
                    self._replace_journal()
        except BaseException:
            self.release()
            raise

    def check(self) -> None:
        """See Hold."""
        self._lease.check()

    def append(self, entry: journal.Entry) -> None:
        """See Hold."""
        with self._step("written"):
            descriptor = self._replace_journal() if self._journal is None else self._journal
            line = journal.encode(entry)
            self._make_room(descriptor, len(line))
            self._settled = False
            self._disk.write(descriptor, line, self._sound)
            self._disk.sync(descriptor)
            self._lease.check()
            self._sound += len(line)
            self._settled = True

    def fold(self, snapshot: str, serial: int) -> None:  # noqa: ARG002 - all entries go, whatever their numbers
        """See Hold."""
        with self._step("written"):
            fresh = self._own / "snapshot"
            os.close(self._written(fresh, snapshot.encode()))
            if self._files.snapshot.exists():
                if self._journal is None:
                    self._replace_journal()
                self._back_up()
            self._disk.move(fresh, self._files.snapshot)
            self._disk.sync_folder(self._files.folder)
            self._put_journal(journal.PADDING, 0)
            if not self._files.backup.exists():
                self._back_up()  # from now on a missing journal is seen

    def erase(self) -> None:
        """See Hold."""
        with self._step("removed"):
            self._let_go_of_journal()  # should this fail half-way, what is put then goes to the file that is there
            for path in (self._files.backup, self._files.journal, self._files.snapshot):
                if path.exists():
                    self._disk.move(path, self._own / path.name)
                    self._disk.sync_folder(self._files.folder)

    def set_aside(self, mark: str) -> list[str]:
        """See Hold."""
        kept = []
        with self._step("set aside"):
            self._let_go_of_journal()
            for path in (self._files.snapshot, self._files.journal, self._files.backup):
                if path.exists():
                    aside = path.with_name(f"{path.name}.{mark}")
                    self._disk.link(path, aside)
                    self._disk.move(path, self._own / path.name)
                    self._disk.sync_folder(self._files.folder)
                    kept.append(str(aside))
        return kept

    def encrypt(self, key: str | None) -> None:
        """See Hold. Files are as their disk is."""

    def release(self) -> None:
        """See Hold."""
        with self._guard:
            with suppress(OSError):
                self._disk.remove_folder(self._own)
            self._let_go_of_journal()
            self._lease.release()

    @contextmanager
    def _step(self, done: str) -> Iterator[None]:
        """One at a time, while the hold is ours. That it has been lost is also why the disk refuses."""
        with self._guard:
            self._lease.check()
            try:
                yield
            except OSError as error:
                self._lease.check()
                raise untouchable(self._files.snapshot, done, error) from error

    def _make_room(self, descriptor: int, length: int) -> None:
        """Padding, durable before a line is written over it: under a line of so many bytes, and behind it."""
        size, end = os.fstat(descriptor).st_size, self._sound + length + len(journal.PADDING)
        if size <= self._sound:  # padding would make it look whole again
            raise damaged(str(self._files.snapshot), "it was damaged before, or cut while a run wrote to it")
        grown = size if size >= end else end + ROOM
        start = size if self._settled else self._sound  # nothing of a line that failed may outlast the next
        if not self._settled:
            self._disk.sync_folder(self._files.folder)
        if start < grown:
            self._settled = False
            self._disk.write(descriptor, journal.PADDING * (grown - start), start)
            self._disk.sync(descriptor)

    def _replace_journal(self) -> int:
        """Put a file of our own in the journal's place, without a torn last line; a damaged one stays as it is."""
        if not self._files.journal.exists():
            return self._put_journal(journal.PADDING, 0)
        data = self._files.journal.read_bytes()
        try:
            _, sound = journal.read(data)
        except journal.JournalDamaged:
            return self._put_journal(data, len(data))
        return self._put_journal(data[:sound] + journal.PADDING, sound)

    def _put_journal(self, data: bytes, sound: int) -> int:
        """In the journal's place, in one step: there is none without an end. From then on it is what is written to,
        even if that it stands there is not durable yet."""
        fresh = self._own / "journal"
        descriptor = self._written(fresh, data)
        try:
            self._disk.move(fresh, self._files.journal)
        except BaseException:
            os.close(descriptor)
            raise
        self._let_go_of_journal()
        self._journal, self._sound, self._settled = descriptor, sound, False
        self._disk.sync_folder(self._files.folder)
        self._settled = True
        return descriptor

    def _back_up(self) -> None:
        spare = self._own / "backup"
        self._disk.remove(spare)
        self._disk.link(self._files.snapshot, spare)
        self._disk.move(spare, self._files.backup)
        self._disk.sync_folder(self._files.folder)

    def _written(self, path: Path, data: bytes) -> int:
        descriptor = self._disk.create(path)
        try:
            self._disk.write(descriptor, data, 0)
            self._disk.sync(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _let_go_of_journal(self) -> None:
        if self._journal is not None:
            os.close(self._journal)
            self._journal, self._sound, self._settled = None, 0, True
