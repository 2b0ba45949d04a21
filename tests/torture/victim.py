"""drctl's command line in a process that kills itself at a write of its journal: not mended, not mocked, only ended.

``python victim.py VISITED SEED SHARE ARGUMENTS...``: at a write that is not in the file VISITED, with the probability
SHARE, it notes the write there and dies by SIGKILL: before the write, in the middle of it, or when the disk has it.
SHARE 0 notes every write and never dies.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

WAYS = ("before", "torn", "after")

real_write, real_pwrite, real_fdatasync, real_fsync = os.write, os.pwrite, os.fdatasync, os.fsync


def described(line: bytes) -> str | None:
    """What a line of the journal says, without what differs from run to run: ``address what`` of each record. None: it
    is none."""
    try:
        puts = json.loads(line.partition(b" ")[2])["puts"]
    except (ValueError, TypeError, KeyError):
        return None
    return ", ".join(f"{address} {_said(record)}" for address, record in sorted(puts.items()))


def _said(record: dict[str, Any] | None) -> str:
    if record is None:
        return "forgotten"
    intent = record.get("intent")
    about = f", to {intent['operation']}" if intent else ""
    return f"{record['phase']}{about}{', made' if record.get('outputs') else ''}"


class Death:
    """Decides at which write."""

    def __init__(self, visited: Path, seed: str, share: float) -> None:
        self._visited = visited
        self._known = set(visited.read_text(encoding="utf-8").splitlines()) if visited.exists() else set()
        self._seed = seed
        self._share = share
        self._random = random.Random(f"{seed} share")
        self._lock = threading.Lock()
        self._folds = 0
        self._at_sync: set[int] = set()

    def write(self, descriptor: int, data: bytes) -> int:
        """os.write."""
        return self._written(descriptor, data, partial(real_write, descriptor))

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        """os.pwrite."""
        return self._written(descriptor, data, lambda some: real_pwrite(descriptor, some, offset))

    def _written(self, descriptor: int, data: bytes, write: Callable[[bytes], int]) -> int:
        what = described(data)
        way = self._way(what) if what is not None else None
        if way == "before":
            die()
        if way == "torn":
            write(data[: len(data) // 2])
            die()
        if way == "after":
            self._at_sync.add(descriptor)
        return write(data)

    def fdatasync(self, descriptor: int) -> None:
        """os.fdatasync."""
        real_fdatasync(descriptor)
        if descriptor in self._at_sync:
            die()

    def fsync(self, descriptor: int) -> None:
        """os.fsync: of the folder, where a snapshot or a journal was put in place."""
        with self._lock:
            self._folds += 1
            number = self._folds
        way = self._way(f"snapshot, step {number}")
        if way in ("before", "torn"):
            die()
        real_fsync(descriptor)
        if way == "after":
            die()

    def _way(self, what: str) -> str | None:
        """How to die at this write; None: live on."""
        with self._lock:
            if what in self._known:
                return None
            chosen = self._share == 0 or self._random.random() < self._share
            if not chosen:
                return None
            self._known.add(what)
            with self._visited.open("a", encoding="utf-8") as file:
                file.write(f"{what}\n")
            if self._share == 0:
                return None
            return random.Random(f"{self._seed} {what}").choice(WAYS)


def die() -> None:
    """As the kernel's out-of-memory killer does it."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: list[str]) -> None:
    """Become drctl."""
    visited, seed, share, *rest = arguments
    death = Death(Path(visited), seed, float(share))
    replaced: dict[str, Callable[..., Any]] = {
        "write": death.write,
        "pwrite": death.pwrite,
        "fdatasync": death.fdatasync,
        "fsync": death.fsync,
    }
    for name, function in replaced.items():
        setattr(os, name, function)
    sys.argv = ["drctl", *rest]
    from drctl.cli import main as drctl

    drctl()


if __name__ == "__main__":
    main(sys.argv[1:])
