"""The append-only journal beside the snapshot: JSON lines, each numbered and checksummed.

An entry is a set of puts, ``{address: record or null}``, each the whole new value of that address, so that replaying
is assigning and replaying twice is harmless. An entry is durable before the call it announces is sent.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
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


def replay(data: bytes) -> tuple[list[Entry], int]:
    """The entries of a journal's bytes and the length in bytes of their sound part.

    A last line that is cut short, as a crash in the middle of a write leaves it, announces a call that was never
    sent: it is dropped. Anything else that does not check raises JournalDamaged.
    """
    entries: list[Entry] = []
    *lines, torn = data.split(b"\n")
    for number, line in enumerate(lines, start=1):
        entry = _decode(line)
        if entry is None or (entries and entry.sequence != entries[-1].sequence + 1):
            raise JournalDamaged(f"line {number} of the journal does not check")
        entries.append(entry)
    return entries, len(data) - len(torn)


def _decode(line: bytes) -> Entry | None:
    checksum, _, body = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(body):
            return None
        data = json.loads(body)
        return Entry(data["sequence"], data["puts"])
    except (ValueError, KeyError, TypeError):
        return None
