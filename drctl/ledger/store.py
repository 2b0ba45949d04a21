"""Where a ledger is kept: what every store can do, whether its files lie on this machine or are shared by many.

Looking needs no lock. Writing needs a ``Hold``, which is the lock: an environment has one at a time. It is a lease that
its holder renews; who has died or slept past it is succeeded, without a person. A hold that was succeeded or broken can
never again change what its successor sees, at whatever moment its process wakes: that is the store's affair, not the
caller's care. tests/ledger/contract.py is the contract of all stores.
"""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from drctl.errors import Diagnostic, DrctlError
from drctl.ledger.journal import Entry

LEASE_S = 60.0
"""Real seconds after which a holder that has not renewed its hold counts as dead."""

RENEW_S = 15.0
"""Real seconds between two renewals: three may fail before anybody takes over."""


class StateDamaged(DrctlError):
    """What the store holds cannot be read as what it should be."""


class HoldLost(DrctlError):
    """This run's hold was broken, or taken over because it was not renewed: it must neither act nor write."""


@dataclass(frozen=True)
class Holder:
    """Who holds an environment. ``since`` is that machine's time, seconds since the epoch."""

    who: str
    host: str
    pid: int
    command: str
    since: float

    @classmethod
    def here(cls, command: str) -> Holder:
        """This process."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a user id without a name, as in a container
            user = str(os.getuid())
        return cls(user, socket.gethostname(), os.getpid(), command, time.time())

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"{self.who}@{self.host} (process {self.pid}) since {since}: drctl {self.command}"


@dataclass(frozen=True)
class Kept:
    """What a store holds at one moment.

    snapshot: its text; None for an environment never seen before
    entries: what was appended since, in order; the snapshot may contain some of them already (see Meta.serial)
    """

    snapshot: str | None
    entries: Sequence[Entry]


class Store(Protocol):
    """Where the ledger of one environment is kept.

    Every method raises DrctlError, naming the store, what could not be done and the way out, when the store cannot be
    reached, read or written.
    """

    @property
    def where(self) -> str:
        """For people: a path, or an address."""

    def load(self) -> Kept:
        """Snapshot and journal of one moment, also while somebody writes. Raises StateDamaged."""

    def hold(self, command: str) -> Hold:
        """Take the environment for writing. Raises LockedError naming the holder."""

    def holder(self) -> Holder | None:
        """Who holds it now; None: nobody, or somebody who has not renewed."""

    def break_hold(self) -> Holder | None:
        """Take it away from its holder, who notices before it acts or writes again; also from one that seems dead.
        The value is who had it; None: nobody, or nobody that can be named."""


class Hold(Protocol):
    """One environment, held for writing. Thread-safe. Every method but ``release`` raises HoldLost when it is lost."""

    def check(self) -> None:
        """Raise HoldLost when it is known to be lost; cheap enough to be asked all the time."""

    def append(self, entry: Entry) -> None:
        """Add to the journal; it is durable, and this run still holds the environment, when this returns.

        When it raises, the entry may stand in the journal or not; the journal is sound either way.
        """

    def fold(self, snapshot: str, serial: int) -> None:
        """Replace the snapshot, keep the one before, and drop the entries up to ``serial``, which it contains: all."""

    def erase(self) -> None:
        """The environment is gone: remove the journal, then the snapshot, which contains all of it (the ledger folds
        first). So a crash in between never leaves what would be read as a damaged state or as an earlier one."""

    def set_aside(self, mark: str) -> Sequence[str]:
        """Let the environment be as one never seen before; what the store holds of it, sound or damaged, is kept under
        names that end in ``mark`` and that no store reads. The value is these names. A crash in between leaves what is
        read as damaged, or as empty, and never as an earlier state."""

    def encrypt(self, key: str | None) -> None:
        """What is written from now on is encrypted with this key of KMS (its ARN), where the store can do so; None: as
        the store does by itself. What is there already is when it is folded."""

    def release(self) -> None:
        """Let go. Never raises."""


def locked(where: str, holder: Holder | None, lease_s: float = LEASE_S) -> Diagnostic:
    """What to tell whom a hold was refused."""
    return Diagnostic(
        "the state is locked by another run",
        cause=str(holder or "somebody whose name cannot be read"),
        remedy=f"wait for it; when that run is gone its lock ends by itself within {lease_s:.0f} s; "
        f"`drctl state unlock` takes it from a living one ({where})",
    )


def lost(where: str, lease_s: float = LEASE_S) -> HoldLost:
    """What to tell whose hold is gone."""
    return HoldLost(
        Diagnostic(
            "the lock of this run is no longer its own",
            cause=f"somebody ran `drctl state unlock`, or took over because it was not renewed for {lease_s:.0f} s "
            f"({where})",
            remedy="find out who; when no other run is active, run this command again: it goes on from there",
        )
    )


def newer(where: str, version: int, known: int) -> DrctlError:
    """What to tell of what a newer drctl has written."""
    return DrctlError(
        Diagnostic(
            f"{where} was written by a newer drctl",
            cause=f"its format is version {version}, this drctl knows up to {known}",
            remedy="install the newer drctl; nothing was changed",
        )
    )


def damaged(where: str, cause: str) -> StateDamaged:
    """What to tell of a state that cannot be read; nothing is ever guessed from it."""
    return StateDamaged(
        Diagnostic(
            f"the state of this environment is damaged: {where}",
            cause=cause,
            remedy="nothing was changed. Restore the state and its journal from a copy; without one, "
            "`drctl state rebuild` records anew what is on AWS",
        )
    )
