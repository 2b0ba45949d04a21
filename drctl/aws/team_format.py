"""What the objects of a team's store say, see team_store.py."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from drctl.ledger import journal
from drctl.ledger.journal import Entry
from drctl.ledger.store import newer

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

POINTER = "state.json"

VERSION = 1
"""Of lock.json and state.json."""


def encoded(what: DataclassInstance) -> bytes:
    """As it is stored, with the version."""
    return json.dumps({"version": VERSION, **asdict(what)}, indent=1).encode()


def decoded(body: bytes, where: str) -> dict[str, Any]:
    """The inverse, as a mapping. Raises ValueError; DrctlError when a newer drctl has written it."""
    data = json.loads(body)
    if not isinstance(data, dict) or not isinstance(version := data.pop("version", None), int):
        raise ValueError("it does not say its version")
    if version > VERSION:
        raise newer(where, version, VERSION)
    return data


@dataclass(frozen=True)
class Pointer:
    """What state.json says.

    slot: the last one that ``snapshot`` contains
    previous: the snapshot before
    fences: slots that must stay filled, because of who had not let go when they were
    hold: the one that wrote it
    key: of KMS, with which snapshots and entries are written; None: S3's own
    write: no two are the same
    """

    life: str = ""
    slot: int = 0
    snapshot: str | None = None
    previous: str | None = None
    fences: tuple[int, ...] = ()
    hold: str = ""
    key: str | None = None
    write: str = ""

    def encode(self) -> bytes:
        """As it is stored."""
        return encoded(self)

    @classmethod
    def decode(cls, body: bytes, where: str) -> Pointer:
        """The inverse. Raises ValueError, DrctlError when it is a newer drctl's."""
        data = decoded(body, f"{where}/{POINTER}")
        try:
            return cls(**{**data, "fences": tuple(data["fences"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error

    def slot_key(self, slot: int) -> str:
        """Where a slot is kept."""
        return f"journal/{self.life}/{slot:012d}"

    def contains(self, key: str) -> bool:
        """Whether what a key names is a slot or a snapshot no later than this."""
        return number(key) <= self.slot


@dataclass(frozen=True)
class Slot:
    """What stands in one. ``hold``: the one that filled it; ``entry``: None for a fence."""

    hold: str
    entry: Entry | None

    def encode(self) -> bytes:
        """As it is stored: whose it is, then a line of the journal."""
        line = journal.encode(self.entry) if self.entry else b""
        return json.dumps({"hold": self.hold}).encode() + b"\n" + line

    @classmethod
    def decode(cls, body: bytes) -> Slot:
        """The inverse. Raises ValueError."""
        head, _, line = body.partition(b"\n")
        try:
            entries, sound = journal.replay(line)
            if sound != len(line) or len(entries) > 1:
                raise ValueError("it is not one line")
            return cls(entry=entries[0] if entries else None, **json.loads(head))
        except (journal.JournalDamaged, TypeError) as error:
            raise ValueError(str(error)) from error


def number(key: str) -> int:
    """The number in a slot's key, or in a snapshot's."""
    return int(key.rpartition("/")[2].partition("-")[0])
