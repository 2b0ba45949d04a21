"""One run at a time: a lock that says who holds it.

The kernel's own file lock decides (it goes with the process, so that a killed run blocks nobody); the file's text
says who, since when and which command, for the error of the second one. ``state unlock`` breaks it by putting a new
file in its place: a holder that still lives notices before its next write, because the file it locked is no longer
the file at that path.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from drctl.errors import Diagnostic, DrctlError, LockedError


@dataclass(frozen=True)
class Holder:
    """Who holds a lock. ``since`` is this machine's time, seconds since the epoch."""

    who: str
    host: str
    pid: int
    command: str
    since: float

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"{self.who}@{self.host} (process {self.pid}) since {since}: drctl {self.command}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in a container
        return str(os.getuid())


class Lock:
    """The lock of one state file, held from construction to ``release``."""

    def __init__(self, path: Path, command: str) -> None:
        """Take it, or raise LockedError naming the holder."""
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 4096, 0)
            os.close(self._descriptor)
            raise LockedError(_locked(path, holder)) from None
        me = Holder(_user(), socket.gethostname(), os.getpid(), command, time.time())
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(asdict(me)).encode(), 0)

    def check(self) -> None:
        """Raise unless this is still the lock at its path: somebody may have broken it."""
        try:
            there, ours = self._path.stat(), os.fstat(self._descriptor)
            if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
                return
        except FileNotFoundError:
            pass
        raise DrctlError(
            Diagnostic(
                "the lock of this run was broken by somebody else",
                cause=f"{self._path} is no longer the file this run locked",
                remedy="find out who ran `drctl state unlock`; when no other run is active, run this command again",
            )
        )

    def release(self) -> None:
        """Let go; the file's text goes too, so that it names nobody."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def holder(path: Path) -> Holder | None:
    """Who holds the lock at ``path`` now; None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _holder(os.pread(descriptor, 4096, 0))
    finally:
        os.close(descriptor)


def break_lock(path: Path) -> None:
    """Put a fresh file in the lock's place: a holder that still lives fails at its next write."""
    path.unlink(missing_ok=True)


def _holder(text: bytes) -> Holder:
    try:
        return Holder(**json.loads(text))
    except (ValueError, TypeError):
        return Holder("somebody", "unknown host", 0, "?", 0.0)


def _locked(path: Path, text: bytes) -> Diagnostic:
    return Diagnostic(
        "the state is locked by another run",
        cause=f"{_holder(text)}",
        remedy=f"wait for it; if that run is gone, `drctl state unlock` breaks the lock ({path})",
    )
