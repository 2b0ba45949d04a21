"""The journal of one run: JSON lines, each holding the hash of all before it, so that editing shows.

An entry is ``{"n", "time", "kind", ...data, "hash"}``. ``hash`` is the SHA-256 of the entry before's hash followed by
the entry itself as canonical JSON without its hash. What must not be lost (an intent, an undo) is on the disk before
``add`` returns; samples are only handed to the system, because losing the last second of them loses no safety.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from drctl.errors import Diagnostic, DrctlError

Entry = Mapping[str, Any]

ORIGIN = "0" * 64
"""The hash before the first entry."""

MEASUREMENTS = frozenset({"samples", "calls"})
"""Kinds of entries that come many a minute and are not waited for."""


class Journal:
    """Appends; thread-safe. Opening an existing one drops a torn last line and goes on after it."""

    def __init__(self, path: Path) -> None:
        """Raises DrctlError when what is there is damaged or cannot be written."""
        self.path = path
        self._guard = threading.Lock()
        self._sealed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._entries, sound = _read(path)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            os.ftruncate(self._descriptor, sound)
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise _unwritable(path, error) from error
        altered = verify(self._entries)
        if altered is not None:
            raise DrctlError(
                Diagnostic(
                    f"the journal {path} has been altered",
                    cause=f"entry {altered} does not fit the hash of what stands before it",
                    remedy="put the original back; without it, look with `drctl status` at where things stand",
                )
            )
        self._facts = {e["name"]: e["value"] for e in self._entries if e["kind"] == "fact"}

    def fact(self, name: str) -> Any:
        """The last value written down for a name; None when there is none. Kept by name: it is asked all the time."""
        return self._facts.get(name)

    @property
    def entries(self) -> list[Entry]:
        """All of them so far, in order."""
        with self._guard:
            return list(self._entries)

    def add(self, kind: str, time: float, **data: Any) -> Entry:
        """Append an entry. ``time``: the environment's seconds since the epoch. Raises DrctlError, nothing written."""
        with self._guard:
            entry = {"n": len(self._entries), "time": round(time, 3), "kind": kind, **data}
            entry["hash"] = chained(self._entries[-1]["hash"] if self._entries else ORIGIN, entry)
            if self._sealed:
                return entry
            self._append((_canonical(entry) + "\n").encode(), sync=kind not in MEASUREMENTS)
            self._entries.append(entry)
            if kind == "fact":
                self._facts[data["name"]] = data["value"]
            return entry

    def _append(self, line: bytes, *, sync: bool) -> None:
        """All of it or nothing: whatever is appended to a torn line makes it a damaged one."""
        sound = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, line)
            if written != len(line):
                raise OSError(f"only {written} of {len(line)} bytes could be written")
            if sync:
                os.fdatasync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, sound)
            raise _unwritable(self.path, error) from error

    def seal(self) -> None:
        """From now on nothing is written: another process has the run."""
        with self._guard:
            self._sealed = True

    def close(self) -> None:
        """Let go of the file, with everything in it on the disk."""
        os.fdatasync(self._descriptor)
        os.close(self._descriptor)


def _unwritable(path: Path, error: OSError) -> DrctlError:
    return DrctlError(
        Diagnostic(
            f"the run's journal {path} cannot be written",
            cause=str(error),
            remedy="make room on that disk, or give this user the right to it; then --resume or --abort",
        )
    )


def chained(before: str, entry: Entry) -> str:
    """The hash that an entry has after one whose hash is ``before``."""
    body = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256((before + _canonical(body)).encode()).hexdigest()


def verify(entries: Iterable[Entry]) -> int | None:
    """The number of the first entry that does not fit what stands before it; None when all do."""
    before = ORIGIN
    for number, entry in enumerate(entries):
        if entry.get("n") != number or entry.get("hash") != chained(before, entry):
            return number
        before = entry["hash"]
    return None


def open_undos(entries: Sequence[Entry]) -> list[tuple[str, Mapping[str, Any]]]:
    """What a journal says was begun and not taken back yet, in the order in which it was begun; also what
    it inherited from the run before."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for entry in entries:
        if entry["kind"] == "run":
            found += [(name, arguments) for name, arguments in entry.get("inherited", ())]
        elif entry["kind"] == "undo" and entry["name"] not in [name for name, _ in found]:
            found.append((entry["name"], entry["arguments"]))
        elif entry["kind"] == "undone":
            found = [each for each in found if each[0] != entry["name"]]
    return found


def read(path: Path) -> list[Entry]:
    """The entries of a journal, for looking only; a torn last line is left out.

    Raises DrctlError when a line is not JSON. Whether the hashes fit is ``verify``'s to say.
    """
    try:
        return list(_read(path)[0])
    except OSError as error:
        raise DrctlError(Diagnostic(f"the run's journal {path} cannot be read", cause=str(error))) from error


def _read(path: Path) -> tuple[list[Entry], int]:
    """The entries, and the length in bytes of what is whole."""
    data = path.read_bytes() if path.exists() else b""
    entries: list[Entry] = []
    sound = 0
    for number, line in enumerate(data.splitlines(keepends=True), start=1):
        if not line.endswith(b"\n"):
            break
        try:
            entries.append(json.loads(line))
        except ValueError as error:
            raise DrctlError(
                Diagnostic(
                    f"the journal {path} is damaged",
                    cause=f"line {number}: {error}",
                    remedy="put the original back; without it, move the file away and look with `drctl status` and "
                    "`drctl plan` at where things stand. A failover does not wait for it",
                )
            ) from error
        sound += len(line)
    return entries, sound


def _canonical(entry: Entry) -> str:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"))
