"""A team's store: an environment's ledger in a bucket of the standby region, for all who share the settings.

=========================  ==========================================================================================
``lock.json``              who is at work: see team_lease.py
``state.json``             the pointer: which snapshot counts, and the last slot of the journal that is contained in it
``snapshot/<life>/...``    snapshots, each under a name of its own; none is ever written over
``journal/<life>/<slot>``  one object per entry, in slots that are filled one after the other, each of them once
=========================  ==========================================================================================

A life is what is between the first hold of an environment and its erasing: whoever is left over from an earlier one
writes beside the later.

**Why who has lost the hold changes nothing.** S3 judges every write that counts at the moment of the write. Who takes
the hold does two things before anything else (team_hold.py), once it has read the pointer and then written its lock
again. (1) The pointer is written anew, so that its ETag is another one: the former holder's fold, which writes the
pointer on the condition of the ETag it knows, fails from then on. (2) A *fence* is put into the next free slot: the
former holder takes that slot for free, and its next append fails, whenever it wakes. What it managed before (1) and
(2) is part of what the new holder then loads. One that is itself succeeded while it does this fails at the lock, or
at the pointer, which the successor has written. It cannot have put its fence among the successor's slots: it chose
the slot before it wrote the pointer, and the successor, who wrote the pointer later, fills that slot or finds it
filled. The fence of a hold that was taken from somebody who had not let go is named by the pointer before it is put,
and stays when the journal is swept, as long as this life lasts: an emptied slot would be free again. What a former
holder sweeps late is harmless too: it is what its own pointer contained, and every later slot and snapshot has a
higher number.

Who was broken by hand, and whose environment was then erased, all within a lease, may still append to the life that is
over: nobody reads that; its next renewal, or its next fold, tells it.

**Erasing** deletes versions, not keys, and only such as were listed before lock and pointer could be written on their
condition: none of them is a successor's. The bucket goes last, and S3 lets none go that is not empty.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from drctl.aws import team_lease
from drctl.aws.errors import classify, code_of
from drctl.aws.state_bucket import StateBucket
from drctl.aws.state_objects import PAUSES_S, StateObjects, Stored
from drctl.aws.team_format import POINTER, Pointer, Slot, number
from drctl.aws.team_hold import TeamHold
from drctl.engine.resource import NotOurs
from drctl.errors import Diagnostic, DrctlError
from drctl.ledger.journal import Entry
from drctl.ledger.store import LEASE_S, Holder, Kept, StateDamaged, damaged

if TYPE_CHECKING:
    from drctl.aws.clients import Aws

UNSETTLED = ("NoSuchBucket", "OperationAborted")
"""What a bucket answers that was made, or removed, a moment ago, by us or by another run."""

UNSETTLED_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Real seconds before it is asked again."""


class TeamStore:
    """See drctl/ledger/store.py, whose contract this fulfils."""

    def __init__(
        self,
        aws: Aws,
        environment: str,
        account: str,
        region: str,
        lease_s: float = LEASE_S,
        renew_s: float | None = None,
    ) -> None:
        """lease_s, renew_s: real seconds, the latter a part of the former"""
        self.bucket = StateBucket(aws, environment, account, region)
        self.objects = StateObjects(self.bucket.s3, self.bucket.ours)
        quick = StateObjects(aws.brief.s3(region), self.bucket.ours)
        self.locks = team_lease.Locks(self.objects, quick, environment, self.where, lease_s, renew_s)

    @property
    def where(self) -> str:
        """The bucket."""
        return f"s3://{self.bucket.name}"

    def load(self) -> Kept:
        """See Store."""
        with self.told("read"):
            pauses = iter(PAUSES_S)
            while True:
                pointer, stored = self.pointer()
                found = self._kept(pointer)
                if _etag(self.pointer()[1]) != _etag(stored):
                    continue  # somebody has folded meanwhile
                if found is not None:
                    return found
                pause = next(pauses, None)
                if pause is None:
                    raise self.damaged(f"{POINTER} names what is not there, or not whole")
                time.sleep(pause)

    def hold(self, command: str) -> TeamHold:
        """See Store. Makes the bucket when there is none."""
        with self.told("locked"):
            return TeamHold(self, self.lease(command), command)

    def lease(self, command: str) -> team_lease.Lease:
        """The lock, in a bucket that is as it should be. Raises LockedError, NotOurs, ClientError, BotoCoreError."""
        for pause in (*UNSETTLED_PAUSES_S, None):
            try:
                if self.locks.read() is None:
                    self.bucket.prepare()
                return self.locks.take(command)
            except ClientError as error:
                if code_of(error) not in UNSETTLED or pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("the last pause raises")

    def holder(self) -> Holder | None:
        """See Store. As far as the clocks agree."""
        with self.told("read"):
            found = self.locks.read()
            return found[0].holder if found and found[0].seems_alive() else None

    def break_hold(self) -> Holder | None:
        """See Store. Succeed the holder, and let go at once."""
        with self.told("unlocked"):
            command = "state unlock"
            holder, lease = self.locks.break_hold(command)
            if lease is not None:
                TeamHold(self, lease, command).release()
            return holder

    def pointer(self) -> tuple[Pointer, Stored | None]:
        """The pointer as it stands. Raises StateDamaged where there is none and must be one."""
        for pause in (*PAUSES_S, None):
            stored = self.objects.get(POINTER)
            if stored is not None:
                return self._parsed(stored), stored
            found = self.locks.read()
            if found is None or not found[0].began:
                return Pointer(), None
            if pause is not None:
                time.sleep(pause)
        raise self.damaged(f"{POINTER} is missing; the bucket keeps what was deleted for a while")

    def slots(self, pointer: Pointer) -> Mapping[int, str]:
        """The keys of the slots after the pointer's that are filled."""
        keys = self.objects.keys(f"journal/{pointer.life}/", pointer.slot_key(pointer.slot))
        return {number(key): key for key in keys}

    @contextmanager
    def told(self, done: str) -> Iterator[None]:
        """S3 does not answer, or does not let us: the operator's to mend, so said like everything else."""
        try:
            yield
        except (ClientError, BotoCoreError, NotOurs) as error:
            trouble = classify(error)
            raise DrctlError(
                Diagnostic(
                    f"the state cannot be {done}: {self.where}",
                    cause=trouble.cause,
                    remedy=trouble.remedy
                    or "mend that, then run the same command again: it goes on from what is recorded",
                )
            ) from error

    def damaged(self, cause: str) -> StateDamaged:
        """What to tell of what cannot be read."""
        return damaged(self.where, cause)

    def _kept(self, pointer: Pointer) -> Kept | None:
        """What this pointer leads to; None when some of it has gone, as it does when somebody folds.

        Of two entries of the same sequence the later counts: the writer was told that the earlier had failed.
        """
        snapshot = self.objects.get(pointer.snapshot) if pointer.snapshot else None
        if pointer.snapshot and snapshot is None:
            return None
        slots = self.slots(pointer)
        if list(slots) != list(range(pointer.slot + 1, pointer.slot + 1 + len(slots))):
            return None
        entries = {}
        for key, stored in zip(slots.values(), self.objects.get_all(slots.values()), strict=True):
            if stored is None:
                return None
            entry = self._decoded(key, stored)
            if entry is not None:
                entries[entry.sequence] = entry
        try:
            text = snapshot.body.decode() if snapshot else None
        except UnicodeDecodeError as error:
            raise self.damaged(f"{pointer.snapshot} is no text: {error}") from error
        return Kept(text, [entries[sequence] for sequence in sorted(entries)])

    def _decoded(self, key: str, stored: Stored) -> Entry | None:
        try:
            return Slot.decode(stored.body).entry
        except ValueError as error:
            raise self.damaged(f"{key} does not check: {error}") from error

    def _parsed(self, stored: Stored) -> Pointer:
        try:
            return Pointer.decode(stored.body, self.where)
        except ValueError as error:
            raise self.damaged(f"{POINTER} cannot be read: {error}") from error


def _etag(stored: Stored | None) -> str | None:
    return stored.etag if stored else None
