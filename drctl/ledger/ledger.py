"""The ledger: a snapshot, a journal and a lock in one folder.

``<environment>.json`` is the snapshot, ``.journal`` what has happened since, ``.lock`` the lock, ``.backup`` the
snapshot before the last. Writing costs one appended line; the journal is folded into the snapshot when a run
ends and whenever it has grown long. No secret ever comes here.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from drctl.errors import Diagnostic, DrctlError
from drctl.ledger import journal
from drctl.ledger.lock import Lock
from drctl.ledger.model import CONDEMNED, VERSION, Meta, Record, record_from_json, successor

FOLD_AFTER = 2000
"""Journal entries after which a long run folds them in: the snapshot is rewritten rarely, replay stays short."""


class StateDamaged(DrctlError):
    """The state file or its journal cannot be read as what it should be."""


class Ledger:
    """The records of one environment. Thread-safe. Reading needs no lock; the first write takes ``lock``."""

    def __init__(self, folder: Path, environment: str, lock: Lock | None = None) -> None:
        """Open, replaying the journal. An environment never seen before is empty; a damaged one raises StateDamaged."""
        self.path = folder / f"{environment}.json"
        self._journal_path = self.path.with_suffix(".journal")
        self._lock = lock
        self._guard = threading.Lock()
        self._descriptor: int | None = None
        self._records: dict[str, Record] = {}
        self._dependents: dict[str, set[str]] = defaultdict(set)
        self._condemned: dict[str, set[str]] = defaultdict(set)
        with _told(self.path, "read"):
            self.meta, records, entries, self._sound = self._open(environment)
        for address, record in records.items():
            self._set(address, record)
        self._pending = 0
        for entry in entries:
            if entry.sequence > self.meta.serial:
                self._apply(entry.puts)
                self._pending += 1
        self._sequence = max([self.meta.serial, *(entry.sequence for entry in entries)])

    def get(self, address: str) -> Record | None:
        """The record of an address, or None."""
        return self._records.get(address)

    def records(self) -> Mapping[str, Record]:
        """All records by address, as they are now."""
        with self._guard:
            return dict(self._records)

    def condemned(self, address: str) -> tuple[Record, ...]:
        """What this address used to be and has not been removed yet."""
        with self._guard:
            return tuple(self._records[each] for each in sorted(self._condemned[address]))

    def dependents(self, address: str) -> tuple[Record, ...]:
        """The records that refer to this address."""
        with self._guard:
            return tuple(self._records[each] for each in sorted(self._dependents[address]))

    def put(self, record: Record) -> None:
        """Set a record; it is on the disk when this returns."""
        self._write({record.address: record})

    def forget(self, address: str) -> None:
        """Drop a record."""
        if address in self._records:
            self._write({address: None})

    def condemn(self, record: Record, successor: Record) -> None:
        """In one entry: what the address was is to be removed later, and ``successor`` takes its place."""
        number = 1 + max(
            (int(r.address.rpartition(CONDEMNED)[2]) for r in self.condemned(record.address)), default=0
        )
        address = f"{record.address}{CONDEMNED}{number}"
        old = replace(record, address=address, intent=None)
        self._write({address: old, successor.address: successor})

    def describe(self, **changes: Any) -> None:
        """Change what the snapshot says of the environment as a whole (see Meta); written with the next fold."""
        with self._guard:
            self.meta = replace(self.meta, **changes)

    def check_lock(self) -> None:
        """Raises DrctlError when this run's lock was broken by somebody else."""
        if self._lock is not None:
            self._lock.check()

    def fold(self, now: float) -> None:
        """Write the snapshot with everything in it, keep the one before as ``.backup``, empty the journal."""
        with self._guard, _told(self.path, "written"):
            self._fold(now)

    def close(self) -> None:
        """Let go of the journal."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def erase(self) -> None:
        """The environment is gone: remove its files (the lock's stays until it is released).

        The snapshot goes last: a journal without one, as a crash between the two would leave it, is a damaged state.
        """
        with self._guard, _told(self.path, "removed"):
            self.close()
            for path in (self.path.with_suffix(".backup"), self._journal_path, self.path):
                path.unlink(missing_ok=True)

    def _write(self, puts: Mapping[str, Record | None]) -> None:
        with self._guard, _told(self.path, "written"):
            if self._lock is None:
                raise RuntimeError("this ledger was opened for reading")
            self._lock.check()
            entry = journal.Entry(
                self._sequence + 1, {address: r.as_json() if r else None for address, r in puts.items()}
            )
            journal.append(self._open_journal(), entry)
            self._sequence += 1
            self._pending += 1
            for address, record in puts.items():
                self._set(address, record)
            if self._pending >= FOLD_AFTER:
                self._fold(self.meta.written_at)

    def _apply(self, puts: journal.Puts) -> None:
        for address, data in puts.items():
            self._set(address, record_from_json(data) if data is not None else None)

    def _set(self, address: str, record: Record | None) -> None:
        """The one place that changes the records, and with them the two ways of finding them."""
        before = self._records.get(address)
        for need in before.depends_on if before else ():
            self._dependents[need].discard(address)
        if record is None:
            self._records.pop(address, None)
            self._condemned[successor(address)].discard(address)
            return
        self._records[address] = record  # in one step: ``get`` looks without the guard
        for need in record.depends_on:
            self._dependents[need].add(address)
        if CONDEMNED in address:
            self._condemned[successor(address)].add(address)

    def _open_journal(self) -> int:
        if self._descriptor is None:
            if not self.path.exists():
                self._fold(self.meta.written_at)
            self._descriptor = os.open(
                self._journal_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
            )
            os.ftruncate(self._descriptor, self._sound)
        return self._descriptor

    def _fold(self, now: float) -> None:
        if self._lock is None:
            raise RuntimeError("this ledger was opened for reading")
        self._lock.check()
        self.meta = replace(self.meta, serial=self._sequence, written_at=now)
        records = {address: self._records[address].as_json() for address in sorted(self._records)}
        body = {**asdict(self.meta), "records": records}
        write_atomically(
            self.path, json.dumps({"checksum": _checksum(body), **body}, indent=1), keep_backup=True
        )
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
        elif self._journal_path.exists():
            self._journal_path.unlink()
        self._sound = 0
        self._pending = 0

    def _open(self, environment: str) -> tuple[Meta, dict[str, Record], list[journal.Entry], int]:
        """Snapshot and journal of one moment: a run may be folding one into the other while they are read."""
        while True:
            stamp = self._stamp()
            found = *self._load(environment), *self._replay()
            if self._stamp() == stamp:
                return found

    def _stamp(self) -> tuple[int, int]:
        """Another one for every snapshot that is written."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return 0, 0
        return stat.st_ino, stat.st_mtime_ns

    def _load(self, environment: str) -> tuple[Meta, dict[str, Record]]:
        if not self.path.exists():
            if self._journal_path.exists():
                raise self._damaged("the journal is there, the state file is not")
            return Meta(environment, uuid.uuid4().hex), {}
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            version = data["version"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(f"{type(error).__name__}: {error}") from error
        if version > VERSION:
            raise DrctlError(
                Diagnostic(
                    f"{self.path} was written by a newer drctl",
                    cause=f"its format is version {version}, this drctl knows up to {VERSION}",
                    remedy="install the newer drctl; nothing was changed",
                )
            )
        return self._parse(data, environment)

    def _parse(self, data: dict[str, Any], environment: str) -> tuple[Meta, dict[str, Record]]:
        try:
            if data.pop("checksum") != _checksum(data):
                raise self._damaged("its checksum does not match its content")
            records = {address: record_from_json(each) for address, each in data.pop("records").items()}
            meta = Meta(**{**data, "regions": tuple(data["regions"])})
        except (KeyError, TypeError, AttributeError) as error:
            raise self._damaged(f"{type(error).__name__}: {error}") from error
        if meta.environment != environment:
            raise self._damaged(f"it belongs to the environment {meta.environment!r}")
        return meta, records

    def _replay(self) -> tuple[list[journal.Entry], int]:
        try:
            return journal.replay(self._journal_path)
        except journal.JournalDamaged as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, cause: str) -> StateDamaged:
        return StateDamaged(
            Diagnostic(
                f"the state of this environment is damaged: {self.path}",
                cause=cause,
                remedy=f"nothing was changed. Restore {self.path.name} and its journal from a copy; without one, move "
                "them away and run `drctl up`, which finds what is there by tags and names and records it anew",
            )
        )


@contextmanager
def _told(path: Path, done: str) -> Iterator[None]:
    """A full disk, a folder one may not write to: the operator's to mend, so said like everything else."""
    try:
        yield
    except OSError as error:
        raise DrctlError(
            Diagnostic(
                f"the state cannot be {done}: {path}",
                cause=str(error),
                remedy="make room on that disk, or give this user the right to it, then run the same command again: "
                "it goes on from what is recorded",
            )
        ) from error


def _checksum(body: Mapping[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return f"{zlib.crc32(canonical.encode()):08x}"


def write_atomically(path: Path, text: str, *, keep_backup: bool = False) -> None:
    """Either the whole new text stands at ``path`` afterwards, or the old one does. Mode 0600."""
    temporary = path.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if keep_backup and path.exists():
        spare = path.with_suffix(".backup.tmp")
        spare.unlink(missing_ok=True)
        os.link(path, spare)
        spare.replace(path.with_suffix(".backup"))
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
