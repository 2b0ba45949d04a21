"""The circuit breaker itself: a state, an outcome and the time give the next state. No AWS, no clock.

    CLOSED --- THRESHOLD failed probes in a row ---> OPEN
    OPEN   --- a good probe after TIMEOUT_S -------> HALF_OPEN
    OPEN   --- a failed probe after TIMEOUT_S -----> OPEN, its timeout started again
    HALF_OPEN - a good probe ----------------------> CLOSED
    HALF_OPEN - a failed probe --------------------> OPEN, its timeout started again

The breaker says whether the primary's request path can be believed. It does not move traffic back: the
failover switch that an opening breaker throws is sticky until an operator's failback, because the data has
to be brought home first. A breaker that closes again therefore only means that a *new* outage would be
noticed.

``published`` and ``promoted`` say which consequences of an opening have been carried out. They are kept with
the state, so that an opening whose announcement failed is announced by a later probe, perhaps by another
sandbox, rather than lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    CLOSED = "CLOSED"
    HALF_OPEN = "HALF_OPEN"
    OPEN = "OPEN"


@dataclass(frozen=True)
class Breaker:
    """``failures`` counts failed probes in a row; ``opened_at`` is the epoch second of the last opening."""

    state: State = State.CLOSED
    failures: int = 0
    opened_at: float = 0.0
    published: bool = False
    promoted: bool = False


def after_probe(breaker: Breaker, healthy: bool, now: float, threshold: int, timeout_s: float) -> Breaker:
    """The breaker after one more probe, made at epoch second ``now``."""
    failures = 0 if healthy else breaker.failures + 1
    counted = replace(breaker, failures=failures)
    match breaker.state:
        case State.CLOSED:
            # A new outage: what an earlier one had published or promoted no longer counts.
            opened = replace(counted, state=State.OPEN, opened_at=now, published=False, promoted=False)
            return opened if failures >= threshold else counted
        case State.OPEN:
            if now < breaker.opened_at + timeout_s:
                return counted
            return replace(counted, state=State.HALF_OPEN) if healthy else _reopened(counted, now)
        case State.HALF_OPEN:
            return replace(counted, state=State.CLOSED) if healthy else _reopened(counted, now)


def _reopened(breaker: Breaker, now: float) -> Breaker:
    """Announced again: an operator may have failed back since the first opening, and the primary been lost
    again before the breaker could close. Not promoted again: that loses data, and is done once an outage."""
    return replace(breaker, state=State.OPEN, opened_at=now, published=False)
