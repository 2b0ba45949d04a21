"""The append-only journal beside the snapshot: JSON lines, each numbered and checksummed.

An entry is a set of puts, ``{address: record or null}``, each the whole new value of that address, so that replaying
is assigning and replaying twice is harmless. An entry is on the disk before the call it announces is sent.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

Puts = Mapping[str, Mapping[str, Any] | None]


class Entry(NamedTuple):
    """A journal line, checked."""

    sequence: int
    puts: Puts


class JournalDamaged(Exception):
    """A line other than a torn last one does not check."""


def encode(entry: Entry) -> bytes:
    """One line, its checksum first."""
    body = json.dumps({"sequence": entry.sequence, "puts": entry.puts}, separators=(",", ":"), sort_keys=True)
    return f"{zlib.crc32(body.encode()):08x} {body}\n".encode()


def replay(path: Path) -> tuple[list[Entry], int]:
    """The entries of a journal and the length in bytes of its sound part.

    A last line that is cut short, as a crash in the middle of a write leaves it, announces a call that was never
    sent: it is dropped. Anything else that does not check raises JournalDamaged.
    """
    entries: list[Entry] = []
    sound = 0
    data = path.read_bytes() if path.exists() else b""
    for number, line in enumerate(data.splitlines(keepends=True), start=1):
        last = sound + len(line) == len(data)
        if last and not line.endswith(b"\n"):
            break
        entry = _decode(line)
        if entry is None or (entries and entry.sequence != entries[-1].sequence + 1):
            raise JournalDamaged(f"line {number} of {path}")
        entries.append(entry)
        sound += len(line)
    return entries, sound


def _decode(line: bytes) -> Entry | None:
    checksum, _, body = line.rstrip(b"\n").partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(body):
            return None
        data = json.loads(body)
        return Entry(data["sequence"], data["puts"])
    except (ValueError, KeyError, TypeError):
        return None


def append(descriptor: int, entry: Entry) -> None:
    """Write one entry and wait until the disk has it. Raises OSError, a short write counting as one: then the journal
    is as it was, because whatever is appended to a torn line makes it a damaged one."""
    line, sound = encode(entry), os.fstat(descriptor).st_size
    try:
        written = os.write(descriptor, line)
        if written != len(line):
            raise OSError(f"only {written} of {len(line)} bytes could be written")
        os.fdatasync(descriptor)
    except OSError:
        os.ftruncate(descriptor, sound)
        raise
