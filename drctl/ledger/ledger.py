"""The ledger: what drctl remembers of one environment, as records by address.

It is kept in a store (drctl/ledger/store.py) as a snapshot and a journal of what has happened since. Writing costs one
appended entry; the journal is folded into the snapshot when a run ends and whenever it has grown long. No secret ever
comes here.
"""

from __future__ import annotations

import json
import threading
import uuid
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from drctl.ledger import journal
from drctl.ledger.model import CONDEMNED, VERSION, Meta, Record, record_from_json, successor
from drctl.ledger.store import Hold, Kept, StateDamaged, Store, damaged, newer

FOLD_AFTER = 2000
"""Journal entries, at least, after which a long run folds them in; and twice as many as there are records: a snapshot
that is written anew ever more rarely as it grows costs each record the same, however many there are."""


class Ledger:
    """The records of one environment. Thread-safe. Looking needs no hold, writing does."""

    def __init__(
        self,
        store: Store,
        environment: str,
        hold: Hold | None = None,
        *,
        anew: Iterable[Record] | None = None,
    ) -> None:
        """Open, replaying the journal; a hold is taken before, so that nobody writes meanwhile.

        An environment never seen before is empty; a damaged one raises StateDamaged. anew: begin with these alone,
        whatever the store holds; before the first write that is to be set aside (Hold.set_aside).
        """
        self.where = store.where
        self._hold = hold
        self._guard = threading.Lock()
        self._records: dict[str, Record] = {}
        self._dependents: dict[str, set[str]] = defaultdict(set)
        self._condemned: dict[str, set[str]] = defaultdict(set)
        kept = store.load() if anew is None else Kept(None, ())
        if kept.snapshot is None and kept.entries:
            raise self._damaged("the journal is there, the state file is not")
        self._has_snapshot = kept.snapshot is not None
        if kept.snapshot is None:
            self.meta = Meta(environment, uuid.uuid4().hex)
            records = {record.address: record for record in anew or ()}
        else:
            self.meta, records = self._parse(kept.snapshot, environment)
        for address, record in records.items():
            self._set(address, record)
        self._sequence, self._pending = self.meta.serial, 0
        for entry in kept.entries:
            if entry.sequence > self._sequence:
                self._replay(entry)

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

    def put(self, *records: Record) -> None:
        """Set a record, or several in one entry: all or none; they are durable when this returns."""
        self._write({record.address: record for record in records})

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
        """Raises HoldLost when this run's lock is no longer its own."""
        if self._hold is not None:
            self._hold.check()

    def fold(self, now: float) -> None:
        """Write the snapshot with everything in it, which empties the journal. Raises DrctlError."""
        with self._guard:
            self._fold(now)

    def encrypt(self, key: str | None) -> None:
        """Have it kept encrypted with this key of KMS; None: as the store does by itself. All of it after a fold."""
        self._held().encrypt(key)

    def erase(self) -> None:
        """The environment is gone: nothing of it stays in the store. Raises DrctlError."""
        with self._guard:
            if self._pending:
                self._fold(self.meta.written_at)
            self._has_snapshot = False  # perhaps, should this fail half-way: what is put then begins with one
            self._held().erase()

    def _held(self) -> Hold:
        if self._hold is None:
            raise RuntimeError("this ledger was opened for reading")
        return self._hold

    def _write(self, puts: Mapping[str, Record | None]) -> None:
        with self._guard:
            hold = self._held()
            hold.check()
            if not self._has_snapshot:
                self._fold(self.meta.written_at)  # a journal without one is a damaged state
            entry = journal.Entry(
                self._sequence + 1, {address: r.as_json() if r else None for address, r in puts.items()}
            )
            hold.append(entry)
            self._sequence += 1
            self._pending += 1
            for address, record in puts.items():
                self._set(address, record)
            if self._pending >= max(FOLD_AFTER, 2 * len(self._records)):
                self._fold(self.meta.written_at)

    def _replay(self, entry: journal.Entry) -> None:
        if entry.sequence != self._sequence + 1:
            raise self._damaged(f"entry {self._sequence + 1} of the journal is missing")
        try:
            for address, data in entry.puts.items():
                self._set(address, record_from_json(data) if data is not None else None)
        except (KeyError, TypeError, AttributeError) as error:
            raise self._damaged(f"entry {entry.sequence} of the journal is no record: {error}") from error
        self._sequence += 1
        self._pending += 1

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

    def _fold(self, now: float) -> None:
        meta = replace(self.meta, serial=self._sequence, written_at=now)
        records = {address: self._records[address].as_json() for address in sorted(self._records)}
        body = {**asdict(meta), "records": records}
        self._held().fold(json.dumps({"checksum": _checksum(body), **body}, indent=1), meta.serial)
        self.meta = meta
        self._has_snapshot = True
        self._pending = 0

    def _parse(self, text: str, environment: str) -> tuple[Meta, dict[str, Record]]:
        """The snapshot. Its checksum is taken the same way in every version: a newer one is told from a damaged one."""
        try:
            data = json.loads(text)
            if data.pop("checksum") != _checksum(data):
                raise self._damaged("its checksum does not match its content")
            if data["version"] > VERSION:
                raise newer(self.where, data["version"], VERSION)
            if data["version"] != VERSION:
                raise self._damaged(f"there is no format {data['version']}")
            records = {address: record_from_json(each) for address, each in data.pop("records").items()}
            meta = Meta(**{**data, "regions": tuple(data["regions"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(f"{type(error).__name__}: {error}") from error
        if meta.environment != environment:
            raise self._damaged(f"it belongs to the environment {meta.environment!r}")
        return meta, records

    def _damaged(self, cause: str) -> StateDamaged:
        return damaged(self.where, cause)


def _checksum(body: Mapping[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return f"{zlib.crc32(canonical.encode()):08x}"
