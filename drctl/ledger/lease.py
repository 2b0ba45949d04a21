"""The lock file: the kernel decides between living processes, a lease ends the hold of one that sleeps.

``flock`` goes with its process, so that a killed run blocks nobody, not for a moment. A process that is stopped keeps
it: therefore the holder also touches the file every so often, and who finds it untouched for a lease puts another file
in its place. So does ``state unlock``. Whoever holds the lock is who has locked the file that stands at the path.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from drctl.errors import LockedError
from drctl.ledger.disk import Disk, untouchable
from drctl.ledger.store import Holder, locked, lost

LOOKS = (0.02, 0.02, 0.0)
"""Real seconds between looks at a lock before it counts as taken: who only looks (``holder``) has it for an instant."""


class Lease:
    """The lock at a path, held and renewed from construction to ``release``."""

    def __init__(self, path: Path, holder: Holder, lease_s: float, renew_s: float, disk: Disk) -> None:
        """Take it, or raise LockedError naming the holder. Raises OSError."""
        self._path, self._lease_s, self._renew_s, self._disk = path, lease_s, renew_s, disk
        self._text = json.dumps(asdict(holder)).encode()
        self._descriptor = self._acquire()
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._renewing.start()

    def check(self) -> None:
        """Raise HoldLost unless this is still the lock at its path."""
        try:
            if stands_at(self._path, self._descriptor):
                return
        except OSError as error:
            raise untouchable(self._path, "read", error) from error
        raise lost(str(self._path), self._lease_s)

    def release(self) -> None:
        """Let go; the file's text goes too, so that it names nobody. Never raises."""
        self._over.set()
        self._renewing.join()
        with suppress(OSError):
            self._disk.cut(self._descriptor, 0)
        os.close(self._descriptor)

    def _renew(self) -> None:
        while not self._over.wait(self._renew_s):
            with suppress(OSError):  # the next one may succeed; else the lease ends, which is what it is for
                os.utime(self._descriptor)

    def _acquire(self) -> int:
        while True:
            descriptor = _open(self._path)
            try:
                if _age(descriptor) >= self._lease_s:
                    successor = self._replace(descriptor)
                    if successor is not None:
                        os.close(descriptor)
                        return successor
                elif not _flock(descriptor):
                    raise LockedError(locked(str(self._path), _holder(descriptor), self._lease_s))
                elif stands_at(self._path, descriptor):
                    self._sign(descriptor)
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _replace(self, stale: int) -> int | None:
        """Put a lock of ours in the place of one whose lease is over; None when somebody else was faster.

        Who does it takes turns, by the lock of the file that is to be the next.
        """
        path = self._path.with_suffix(".lock.next")
        descriptor = _open(path)
        try:
            if not _flock(descriptor):
                raise LockedError(locked(str(self._path), _holder(stale), self._lease_s))
            if stands_at(path, descriptor):
                self._sign(descriptor)
                if stands_at(self._path, stale) and _age(stale) >= self._lease_s:
                    self._disk.move(path, self._path)
                    return descriptor
                self._disk.remove(path)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def _sign(self, descriptor: int) -> None:
        os.utime(descriptor)
        self._disk.cut(descriptor, 0)
        self._disk.write(descriptor, self._text, 0)


def holder(path: Path, lease_s: float) -> Holder | None:
    """Who holds the lock at ``path`` now; None: nobody, or somebody whose lease is over. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if _age(descriptor) >= lease_s or os.fstat(descriptor).st_size == 0:
            return None
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _holder(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _flock(descriptor: int) -> bool:
    for pause in LOOKS:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(pause)
    return False


def stands_at(path: Path, descriptor: int) -> bool:
    try:
        there, ours = path.stat(), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _age(descriptor: int) -> float:
    return time.time() - os.fstat(descriptor).st_mtime


def _holder(descriptor: int) -> Holder | None:
    try:
        return Holder(**json.loads(os.pread(descriptor, 4096, 0)))
    except (ValueError, TypeError):
        return None
