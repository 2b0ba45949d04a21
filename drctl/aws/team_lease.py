"""Who is at work, for a team: ``lock.json``, an object that its holder writes anew again and again.

No two machines' clocks are ever compared to decide that somebody is dead. Who finds the lock held watches it, for as
long as the lease lasts on his own monotonic clock: a living holder writes it meanwhile, and its ETag changes; if it has
stood still, it is taken over on the condition that it still does. The time that stands in it only tells whether
watching is worth the while: a lock that was renewed a moment ago is refused at once. A clock that is wrong costs a
watch, or one more lease until a dead holder is succeeded, and never a living one's hold.
"""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drctl.aws.state_objects import PAUSES_S, Conflict, StateObjects, Stored
from drctl.aws.team_format import decoded, encoded
from drctl.errors import LockedError
from drctl.ledger.store import LEASE_S, RENEW_S, Holder, HoldLost, StateDamaged, damaged, locked, lost

KEY = "lock.json"
RENEWALS = LEASE_S / RENEW_S
"""Renewals in a lease: all but one may fail before anybody takes over."""

WATCHED = 2
"""Leases until a dead holder is succeeded: one in which its lock seems alive, one in which it is watched."""

CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps, where the system has such a clock."""

LOOK_S = 1.0
"""Real seconds between two looks at a lock that may be nobody's; a lease has ten of them at least."""


@dataclass(frozen=True)
class Lock:
    """What lock.json says.

    holder: None when it was let go
    hold: another one each time it is taken
    began: whether there has been a state: from then on its absence is damage, not a beginning
    renewal: counts, so that no two writes are the same
    at: when it was written, by the holder's clock, seconds since the epoch
    """

    environment: str
    holder: Holder | None
    hold: str
    began: bool
    renewal: int
    lease_s: float
    at: float

    def seems_alive(self) -> bool:
        """Whether it was renewed a lease ago at most, if the two clocks agree."""
        return self.holder is not None and abs(time.time() - self.at) < self.lease_s

    def encode(self) -> bytes:
        """As it is stored."""
        return encoded(self)


class Locks:
    """The lock of one environment, for whoever looks at it or wants it."""

    def __init__(
        self,
        objects: StateObjects,
        quick: StateObjects,
        environment: str,
        where: str,
        lease_s: float,
        renew_s: float | None,
    ) -> None:
        """quick: the same objects, for who must know soon whether S3 answers: a renewal
        where: for people
        """
        self.objects, self.quick = objects, quick
        self.where, self.renew_s = where, renew_s or lease_s / RENEWALS
        self._environment, self._lease_s = environment, lease_s

    def read(self) -> tuple[Lock, Stored] | None:
        """The lock as it stands; None when there never was one."""
        stored = self.objects.get(KEY)
        return (self.parse(stored), stored) if stored is not None else None

    def parse(self, stored: Stored) -> Lock:
        """Raises StateDamaged, also for another environment's; DrctlError for a newer drctl's."""
        try:
            data = decoded(stored.body, f"{self.where}/{KEY}")
            holder = Holder(**data.pop("holder")) if data["holder"] else data.pop("holder")
            lock = Lock(holder=holder, **data)
        except (ValueError, KeyError, TypeError) as error:
            raise damaged(self.where, f"{KEY} cannot be read: {error}") from error
        if lock.environment != self._environment:
            raise damaged(self.where, f"it belongs to the environment {lock.environment!r}")
        return lock

    def take(self, command: str, *, broken: Lock | None = None) -> Lease:
        """Take it: when nobody has it, when who had it is dead. Raises LockedError.

        broken: whose it may be all the same
        """
        while True:
            found = self.read()
            if (
                found is not None
                and found[0].holder is not None
                and found[0].hold != (broken and broken.hold)
            ):
                self._watch(*found)
            lease = self._try(command, *(found or (None, None)))
            if lease is not None:
                return lease
            time.sleep(PAUSES_S[0])  # renewed, or another's by now

    def break_hold(self, command: str) -> tuple[Holder | None, Lease | None]:
        """Take it from whoever has it, and who that was; nothing when nobody has.

        One that cannot be read is written over: there may be a holder, and there may have been a state.
        """
        stored = self.objects.get(KEY)
        if stored is None:
            return None, None
        try:
            lock = self.parse(stored)
        except StateDamaged:
            return None, self._try(command, None, stored) or self.take(command)
        return lock.holder, self.take(command, broken=lock) if lock.holder is not None else None

    def _try(self, command: str, lock: Lock | None, stored: Stored | None) -> Lease | None:
        """Write over what stands there; None when that has changed. ``lock``: None when it says nothing."""
        began = lock.began if lock is not None else stored is not None
        mine = Lock(
            self._environment,
            Holder.here(command),
            uuid.uuid4().hex,
            began,
            0,
            self._lease_s,
            time.time(),
        )
        asked = _elapsed()
        try:
            made = self.objects.put(KEY, mine.encode(), stored.etag if stored else None)
        except Conflict:
            return None
        succeeds = stored is not None and (lock is None or lock.holder is not None)
        return Lease(self, mine, made, asked, succeeds=succeeds)

    def _watch(self, lock: Lock, stored: Stored) -> None:
        """Return when the lock has not been renewed for a whole lease. Raises LockedError when it has been."""
        if lock.seems_alive():
            raise LockedError(locked(self.where, lock.holder, WATCHED * lock.lease_s))
        until = _elapsed() + lock.lease_s
        while (left := until - _elapsed()) > 0:
            time.sleep(min(left, LOOK_S, lock.lease_s / 10))
            found = self.read()
            if found is None or found[1].etag != stored.etag:
                if found is None or found[0].holder is None:
                    return
                raise LockedError(locked(self.where, found[0].holder, WATCHED * lock.lease_s))


class Lease:
    """The lock, held: a thread renews it until it is released or lost. Thread-safe.

    succeeds: it was taken from somebody who had not let go
    """

    def __init__(self, locks: Locks, mine: Lock, stored: Stored, asked: float, *, succeeds: bool) -> None:
        self.hold, self.began, self.succeeds = mine.hold, mine.began, succeeds
        self._locks, self._mine, self._stored = locks, mine, stored
        self._good_until = asked + mine.lease_s
        self._lost = False
        self._guard = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renewing, name="drctl-lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise HoldLost when it is lost, or has not been renewed for a lease: then it may be."""
        if self._lost or _elapsed() > self._good_until:
            raise lost(self._locks.where, self._mine.lease_s)

    def lose(self) -> HoldLost:
        """It is known to be another's, or to be no more. The value is what to tell its run."""
        self._lost = True
        self._over.set()
        return lost(self._locks.where, self._mine.lease_s)

    def renew(self) -> Stored:
        """Write it anew. Raises HoldLost when it is another's by now, ClientError, BotoCoreError."""
        return self._renew(self._locks.objects)

    def stop(self) -> None:
        """No renewal is under way, and there will be none."""
        self._over.set()
        self._thread.join()

    def release(self) -> None:
        """Let go. Never raises: what cannot be said ends with the lease."""
        self.stop()
        if self._lost:
            return
        try:
            with self._guard:
                self._write(replace(self._mine, holder=None, began=self.began), self._locks.quick)
        except Exception:  # noqa: S110 - whatever it was, the lease runs out
            pass
        self._lost = True

    def _renewing(self) -> None:
        while not self._over.wait(self._locks.renew_s):
            try:
                self._renew(self._locks.quick)
            except (ClientError, BotoCoreError):
                continue  # S3 may answer the next time; ``check`` knows how long that may take
            except Exception:
                self.lose()

    def _renew(self, objects: StateObjects) -> Stored:
        with self._guard:
            return self._write(replace(self._mine, began=self.began), objects)

    def _write(self, lock: Lock, objects: StateObjects) -> Stored:
        asked = _elapsed()
        while True:
            lock = replace(lock, renewal=self._mine.renewal + 1, at=time.time())
            self._mine = replace(self._mine, renewal=lock.renewal)
            try:
                self._stored = objects.put(KEY, lock.encode(), self._stored.etag)
            except Conflict:
                self._stored = self._still_ours(objects)
                continue
            self._good_until = asked + lock.lease_s
            return self._stored

    def _still_ours(self, objects: StateObjects) -> Stored:
        """What stands there, when it is a renewal of ours that S3 did not answer. Raises HoldLost."""
        there: Any = objects.get(KEY)
        if there is None or self._locks.parse(there).hold != self.hold:
            raise self.lose()
        return there  # type: ignore[no-any-return]


def _elapsed() -> float:
    return time.clock_gettime(CLOCK)
