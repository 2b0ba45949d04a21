"""What a probe found, and what is kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Row = Sequence[Any]
"""A sample in the journal: its fields in the order of the class."""


@dataclass(frozen=True)
class Finding:
    """One look of a probe.

    ok: whether a client would say that it was served
    who: the region that answered, "" when nothing tells
    detail: status, addresses or error, in a few words
    sequence: the number of what was written; None for what writes nothing
    """

    ok: bool
    who: str = ""
    detail: str = ""
    sequence: int | None = None


@dataclass(frozen=True)
class Sample:
    """A finding, when and how long.

    time: the environment's seconds since the epoch at which the look began
    latency_ms: milliseconds of real time, the wire's, whatever speed the environment lives at
    """

    time: float
    probe: str
    ok: bool
    latency_ms: float
    who: str
    detail: str
    sequence: int | None

    def row(self) -> list[Any]:
        """For the journal: milliseconds and tenths of them are all that is meant."""
        return [
            round(self.time, 3),
            self.probe,
            self.ok,
            round(self.latency_ms, 1),
            self.who,
            self.detail,
            self.sequence,
        ]

    @classmethod
    def from_row(cls, row: Row) -> Sample:
        """The inverse of ``row``."""
        return cls(*row)
