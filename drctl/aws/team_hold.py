"""An environment in a team's store, held for writing. Why a former holder does no harm: see team_store.py."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from drctl.aws import team_lease
from drctl.aws.errors import code_of
from drctl.aws.state_objects import PAUSES_S, Conflict, Stored
from drctl.aws.team_format import POINTER, Pointer, Slot
from drctl.ledger.store import HoldLost, StateDamaged

if TYPE_CHECKING:
    from drctl.aws.team_store import TeamStore
    from drctl.ledger.journal import Entry

REMOVALS = 5
"""So often a bucket is asked to go that S3 calls not empty, a second apart."""


class TeamHold:
    """See Hold in drctl/ledger/store.py."""

    def __init__(self, store: TeamStore, lease: team_lease.Lease, command: str) -> None:
        """Raises HoldLost when succeeded meanwhile, ClientError, BotoCoreError."""
        self._store, self._command = store, command
        self._guard = threading.Lock()
        self._pointer = Pointer()
        self._stored: Stored | None = None
        self._last = 0
        self._unsettled: Slot | None = None
        self._damage: StateDamaged | None = None
        self._begin(lease)

    def check(self) -> None:
        """See Hold. Without a call: it knows what a write or a renewal found, and when the last one succeeded."""
        if not self._erased:
            self._lease.check()

    def append(self, entry: Entry) -> None:
        """See Hold. What an earlier append left open is settled first, so that no slot between two is ever empty."""
        with self._guard, self._store.told("written"):
            self._begin_after_erasing()
            self._check_sound()
            if self._unsettled is not None:
                self._fill(self._unsettled)
            self._fill(Slot(self._lease.hold, entry))
            self.check()

    def fold(self, snapshot: str, serial: int) -> None:  # noqa: ARG002 - the snapshot tells it, too
        """See Hold. The snapshot, then the pointer to it, then what they have made superfluous."""
        with self._guard, self._store.told("written"):
            self._begin_after_erasing()
            self._check_sound()
            key = self._snapshot_key()
            self._store.objects.put(key, snapshot.encode(), None, self._pointer.key)
            self._point(
                replace(
                    self._pointer,
                    slot=self._last,
                    snapshot=key,
                    previous=self._pointer.snapshot,
                )
            )
            with suppress(ClientError, BotoCoreError):  # the next fold finds what is left
                self._sweep()

    def encrypt(self, key: str | None) -> None:
        """See Hold. The pointer names it: lock and pointer hold nothing to hide, and are never written with it.

        Only after something was written and read with it, which the next fold sweeps: a key that we may not use must
        not come between us and the state.
        """
        with self._guard, self._store.told("encrypted"):
            self._begin_after_erasing()
            self._check_sound()
            if self._pointer.key == key:
                return
            if key is not None:
                name = self._snapshot_key()
                self._store.objects.put(name, b"", None, key)
                self._store.objects.get(name)
            self._point(replace(self._pointer, key=key))

    def erase(self) -> None:
        """See Hold. The bucket goes too, and this hold with it."""
        objects, lease = self._store.objects, self._lease
        with self._guard, self._store.told("removed"):
            self._check_sound()
            lease.stop()
            old = objects.versions()
            lease.began = False
            lock = lease.renew()
            pointer = self._point(Pointer(self._pointer.life, self._last))
            objects.purge(old)
            objects.purge([{"Key": POINTER, "VersionId": pointer.version}])
            objects.purge([{"Key": team_lease.KEY, "VersionId": lock.version}])
            lease.lose()
            self._delete_bucket()
            self._erased = True

    def set_aside(self, mark: str) -> list[str]:
        """See Hold. What led to it gets another name; the next life has names of its own for everything."""
        objects = self._store.objects
        with self._guard, self._store.told("set aside"):
            self.check()
            kept = []
            self._stored = objects.get(POINTER)
            self._lease.renew()  # see _shut_out
            if self._stored is not None:
                name = f"{POINTER}.{mark}"
                with suppress(Conflict):  # it is there from an attempt that died
                    objects.put(name, self._stored.body, None)
                kept.append(f"{self._store.where}/{name}")
            try:
                self._write(Pointer(uuid.uuid4().hex))
            except Conflict as error:
                raise self._lost() from error
            self._damage, self._unsettled, self._last = None, None, 0
            return kept

    def release(self) -> None:
        """See Hold."""
        self._lease.release()

    def _begin(self, lease: team_lease.Lease) -> None:
        """Shut the former holder out; what there is then is what this hold goes on from."""
        self._lease, self._erased = lease, False
        self._unsettled, self._damage = None, None
        self._pointer, self._stored = Pointer(), None
        self._last = 0
        try:
            self._shut_out()
        except StateDamaged as damage:
            self._damage = damage  # held all the same: it can be set aside
        except BaseException:
            lease.release()
            raise

    def _check_sound(self) -> None:
        self.check()
        if self._damage is not None:
            raise self._damage

    def _begin_after_erasing(self) -> None:
        if self._erased:
            self._begin(self._store.lease(self._command))

    def _fill(self, slot: Slot) -> None:
        """Put it into the next slot. Whether it stands there is open until S3 has answered."""
        self._unsettled = slot
        try:
            key = self._pointer.slot_key(self._last + 1)
            self._store.objects.put(key, slot.encode(), None, self._pointer.key)
        except Conflict as error:
            raise self._lost() from error
        self._unsettled = None
        self._last += 1

    def _shut_out(self) -> None:
        """Write the pointer anew and fill the next free slot, however fast the former holder folds and appends.

        Between reading and writing the pointer the lock is written: who is succeeded before that fails there, and who
        is succeeded after it fails at the pointer, because the successor has written it.
        """
        fence = Slot(self._lease.hold, None).encode()
        while True:
            there, self._stored = self._store.pointer()
            self._lease.renew()
            life = there.life or uuid.uuid4().hex
            there = replace(there, life=life)
            self._last = max(self._store.slots(there), default=there.slot) + 1
            stays = (self._last,) if self._lease.succeeds else ()
            with suppress(Conflict):
                self._write(replace(there, fences=(*there.fences, *stays)))
                self._lease.began = True
                # Without the key, which may be out of use: a hold can always be taken.
                self._store.objects.put(there.slot_key(self._last), fence, None)
                return
            time.sleep(PAUSES_S[0])

    def _point(self, pointer: Pointer) -> Stored:
        """Write the pointer. Raises HoldLost when somebody else has, or may have."""
        while True:
            try:
                stored = self._write(pointer)
            except Conflict as error:
                self._lease.check()
                there, self._stored = self._store.pointer()
                # Ours, when S3 did what it was asked for and never said so.
                if there.hold != self._lease.hold:
                    raise self._lost() from error
            else:
                self._lease.check()
                return stored

    def _write(self, pointer: Pointer) -> Stored:
        made = replace(pointer, hold=self._lease.hold, write=uuid.uuid4().hex)
        etag = self._stored.etag if self._stored else None
        self._stored = self._store.objects.put(POINTER, made.encode(), etag)
        self._pointer = made
        return self._stored

    def _snapshot_key(self) -> str:
        """A name that nothing has had."""
        return f"snapshot/{self._pointer.life}/{self._last:012d}-{uuid.uuid4().hex}"

    def _sweep(self) -> None:
        """Remove what the pointer contains. Nothing that a successor has written has so low a number."""
        objects, pointer = self._store.objects, self._pointer
        stay = {*map(pointer.slot_key, pointer.fences), pointer.snapshot, pointer.previous}
        keys = [*objects.keys(f"journal/{pointer.life}/"), *objects.keys(f"snapshot/{pointer.life}/")]
        objects.hide([key for key in keys if pointer.contains(key) and key not in stay])

    def _delete_bucket(self) -> None:
        for attempt in range(1, REMOVALS + 1):
            try:
                return self._store.bucket.delete()
            except ClientError as error:
                if code_of(error) != "BucketNotEmpty" or attempt == REMOVALS:
                    raise
            found = self._store.objects.versions()
            if self._store.locks.read() is not None:
                raise self._lost()  # somebody has begun anew
            self._store.objects.purge(found)  # a former holder's, who wrote late: there was no lock
            time.sleep(1)
        return None

    def _lost(self) -> HoldLost:
        return self._lease.lose()
