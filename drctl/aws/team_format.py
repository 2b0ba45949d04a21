"""What the objects of a team's store say, see team_store.py."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from drctl.ledger import journal
from drctl.ledger.journal import Entry

POINTER = "state.json"


@dataclass(frozen=True)
class Pointer:
    """What state.json says.

    slot: the last one that ``snapshot`` contains
    previous: the snapshot before
    fences: slots that must stay filled, because of who had not let go when they were
    term: of the hold that wrote it
    write: no two are the same
    """

    life: str = ""
    slot: int = 0
    snapshot: str | None = None
    previous: str | None = None
    fences: tuple[int, ...] = ()
    term: int = 0
    write: str = ""

    def encode(self) -> bytes:
        """As it is stored."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def decode(cls, body: bytes) -> Pointer:
        """The inverse. Raises ValueError."""
        try:
            data = json.loads(body)
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
    """What stands in one. ``term``: of the hold that filled it; ``entry``: None for a fence."""

    term: int
    entry: Entry | None

    def encode(self) -> bytes:
        """As it is stored: whose it is, then a line of the journal."""
        line = journal.encode(self.entry) if self.entry else b""
        return json.dumps({"term": self.term}).encode() + b"\n" + line

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
