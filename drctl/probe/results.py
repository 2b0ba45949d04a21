"""What was measured: plain numbers, seconds of the environment's time throughout. None: it was not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recovery:
    """How clients on one path fared from the outage until failback began.

    first_failure, served_again: times; served_again is None when nobody saw it, or not long enough to say so
    seconds: from the outage to served_again; 0 when the path was never lost
    at_most: a gap, in which nobody looked, lay before served_again: ``seconds`` is the longest it can have been
    failed, total: looks
    met: whether ``seconds`` is within the objective; False when it was not served again
    """

    first_failure: float | None
    served_again: float | None
    seconds: float | None
    never_lost: bool
    at_most: bool
    failed: int
    total: int
    met: bool


@dataclass(frozen=True)
class Phases:
    """Where the time went. From the outage, except decide_s (from detection) and promote_s (from asking for it).

    dns_s: the name servers gave the standby; first_read_s, first_write_s: the standby served one, through the name
    """

    detect_s: float | None
    decide_s: float | None
    promote_s: float | None
    dns_s: float | None
    first_read_s: float | None
    first_write_s: float | None


@dataclass(frozen=True)
class Loss:
    """What became of the writes that one data store acknowledged in the primary.

    arrived, lost, met: None while nobody has asked the standby, or nothing was written; lost: the writes' numbers
    seconds: from the oldest write that was lost to the outage; 0 when none was
    """

    acknowledged: int
    arrived: int | None
    lost: tuple[int, ...] | None
    oldest_lost_at: float | None
    seconds: float | None
    met: bool | None


@dataclass(frozen=True)
class Availability:
    """failed, total: looks; seconds: not served, from a failed look to the next good one; unwatched_s: gaps"""

    failed: int
    total: int
    seconds: float
    unwatched_s: float


@dataclass(frozen=True)
class Results:
    """All of it.

    paths: by probe, those that were watched; stores: ``database``, ``table``, ``bucket``, those that were written to
    outage, failback: by probe, in the two phases of a run
    rto_met: reads and, where they are probed, writes through the name; rpo_met: every store. None: cannot be said
    """

    rto_objective_s: float
    rto_met: bool | None
    paths: Mapping[str, Recovery]
    phases: Phases
    rpo_objective_s: float
    rpo_met: bool | None
    stores: Mapping[str, Loss]
    outage: Mapping[str, Availability]
    failback: Mapping[str, Availability]

    def as_json(self) -> dict[str, Any]:
        """For the journal's verdict and the report."""

        def each(found: Mapping[str, Any]) -> dict[str, Any]:
            return {name: asdict(one) for name, one in found.items()}

        return {
            "rto": {
                "objective_s": self.rto_objective_s,
                "met": self.rto_met,
                "paths": each(self.paths),
                "phases": asdict(self.phases),
            },
            "rpo": {"objective_s": self.rpo_objective_s, "met": self.rpo_met, "stores": each(self.stores)},
            "availability": {"outage": each(self.outage), "failback": each(self.failback)},
        }


def all_met(each: list[bool | None]) -> bool | None:
    """False if one is missed, None if nothing or not everything can be said."""
    if False in each:
        return False
    return None if None in each or not each else True
