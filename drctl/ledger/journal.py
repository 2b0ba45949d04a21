"""The append-only journal beside the snapshot: JSON lines, each numbered and checksummed.

An entry is a set of puts, ``{address: record or null}``, each the whole new value of that address, so that replaying
is assigning and replaying twice is harmless. An entry is durable before the call it announces is sent.

In a file (file_hold.py) padding stands behind the last line, always at least one byte of it, durable before the line
is; lines are written over it. So wherever a file is cut, the cut is seen: either padding ends it or it is damaged. What
an interrupted write leaves has padding behind it, or in it, which no line contains.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

PADDING = b"\t"
"""What stands where no line is: JSON never contains it as it is, and a terminal shows a row of it as nothing."""

Puts = Mapping[str, Mapping[str, Any] | None]


class Entry(NamedTuple):
    """A journal line, checked."""

    sequence: int
    puts: Puts


class JournalDamaged(Exception):
    """It is cut, or a line other than a torn last one does not check."""


def encode(entry: Entry) -> bytes:
    """One line, its checksum first."""
    body = json.dumps({"sequence": entry.sequence, "puts": entry.puts}, separators=(",", ":"), sort_keys=True)
    return f"{zlib.crc32(body.encode()):08x} {body}\n".encode()


def read(data: bytes) -> tuple[list[Entry], int]:
    """As ``replay``, of a journal's file. Raises JournalDamaged also when it was cut, wherever, be it to nothing."""
    if not data.endswith(PADDING):
        raise JournalDamaged("the end of the journal is missing")
    lines = data.rstrip(PADDING)
    last = lines.rfind(b"\n", 0, -1) + 1
    return replay(lines[:last] if _has_gap(lines[last:]) else lines)


def _has_gap(line: bytes) -> bool:
    """Whether a part of it is padding still: a disk that loses its power, and a read beside a write, may have the end
    of a line and not what stands before it. One flipped bit does not look like that."""
    return line.startswith(PADDING) or 2 * PADDING in line


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
    if _decode(torn[:-1]) is not None:
        raise JournalDamaged("the last line of the journal is whole but for its end")
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
