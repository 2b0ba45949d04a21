"""A ledger kept in files of a folder on this machine: state/README.md says which, and how to recover them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drctl.errors import Diagnostic, DrctlError
from drctl.ledger import journal, lease
from drctl.ledger.disk import Disk, untouchable
from drctl.ledger.file_hold import FileHold, Files
from drctl.ledger.store import LEASE_S, RENEW_S, Holder, HoldLost, Kept, damaged


@dataclass(frozen=True)
class FileStore:
    """The files of one environment. Leases are in real seconds."""

    folder: Path
    environment: str
    lease_s: float = LEASE_S
    renew_s: float = RENEW_S
    disk: Disk = field(default_factory=Disk)

    @property
    def where(self) -> str:
        """The snapshot's path."""
        return str(self._files.snapshot)

    def load(self) -> Kept:
        """See Store."""
        seen = None
        while True:
            try:
                snapshot, entries = found = self._read()
            except OSError as error:
                raise untouchable(self.where, "read", error) from error
            if snapshot is None and entries is not None:
                raise damaged(self.where, "the journal is there, the state file is not")
            try:
                text = snapshot.decode() if snapshot is not None else None
                return Kept(text, self._replayed(entries))
            except (UnicodeDecodeError, journal.JournalDamaged) as error:
                if found == seen:  # else lines may have been written while they were read
                    raise damaged(self.where, str(error)) from error
                seen = found

    def hold(self, command: str) -> FileHold:
        """See Store."""
        try:
            self.disk.make_folder(self.folder)
            held = lease.Lease(self._files.lock, Holder.here(command), self.lease_s, self.renew_s, self.disk)
            return FileHold(self._files, held, self.disk)
        except HoldLost:  # this process slept before it had begun: somebody else is at work, or was
            return self.hold(command)
        except OSError as error:
            raise DrctlError(
                Diagnostic(
                    f"the state folder {self.folder} cannot be written",
                    cause=str(error),
                    remedy="give this user the right to write there, or choose another with --state-dir",
                )
            ) from error

    def holder(self) -> Holder | None:
        """See Store."""
        try:
            return lease.holder(self._files.lock, self.lease_s)
        except OSError as error:
            raise untouchable(self._files.lock, "read", error) from error

    def break_hold(self) -> Holder | None:
        """See Store. Its lock is no longer the one at the path."""
        try:
            found = lease.holder(self._files.lock, math.inf)
            self.disk.remove(self._files.lock)
            return found
        except OSError as error:
            raise untouchable(self._files.lock, "unlocked", error) from error

    @property
    def _files(self) -> Files:
        return Files(self.folder, self.environment)

    def _read(self) -> tuple[bytes | None, bytes | None]:
        """Snapshot and journal of one moment: a run may be folding one into the other while they are read."""
        while True:
            try:
                file = self.disk.open(self._files.snapshot)
            except FileNotFoundError:
                entries = self._read_journal()
                if not self._files.snapshot.exists():
                    return None, entries
                continue
            try:
                found = self.disk.read(file), self._read_journal()
                if lease.stands_at(
                    self._files.snapshot, file
                ):  # open until here: its number is nobody else's
                    return found
            finally:
                os.close(file)

    def _replayed(self, entries: bytes | None) -> Sequence[journal.Entry]:
        """Without a journal there may be a snapshot that never had one, which then has no backup either."""
        if entries is not None:
            return journal.read(entries)[0]
        if self._files.snapshot.exists() and self._files.backup.exists():
            raise journal.JournalDamaged("the state file and its backup are there, the journal is not")
        return ()

    def _read_journal(self) -> bytes | None:
        try:
            file = self.disk.open(self._files.journal)
        except FileNotFoundError:
            return None
        try:
            return self.disk.read(file)
        finally:
            os.close(file)
