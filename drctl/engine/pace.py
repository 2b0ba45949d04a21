"""How long to wait before looking again, and how long to put up with what.

Waiting is reading again. Sleeping to half the usual duration and then looking every few seconds costs an ``up``
90 seconds over all its waits, where boto3's waiters with their fixed naps cost 700 (measured).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from drctl.engine.trouble import Meaning

LOOK_EVERY = 2.5
"""Seconds between looks at something that takes minutes."""

READING_SHARE = 8
"""A wait is at least this many times what the last look took, so that looking is a small part of waiting."""

REQUEST_LIFE = 60.0
"""Seconds for which a request whose answer was lost may still be under way and yet take effect."""

VISIBLE_WITHIN = 90.0
"""Seconds within which AWS shows what it has made (EC2 developer guide, "Eventual consistency")."""


class Pause(NamedTuple):
    """A step of a procedure is over: go on in ``seconds``; ``reason`` is what is being waited for.

    going: the thing is on its way out, and what it lets go of may follow (see Resource.lets_go)
    """

    seconds: float
    reason: str
    going: bool = False


PATIENCE: dict[Meaning, float] = {
    Meaning.THROTTLED: 600.0,
    Meaning.NOT_YET: 300.0,
    Meaning.IN_USE: 2700.0,
    Meaning.EXISTS: 120.0,
    Meaning.LOST: 300.0,
    Meaning.GONE: 120.0,
}
"""Seconds for which an error of that meaning is put up with, per resource. Interfaces of a load balancer or a
function can keep a subnet busy for half an hour; a role is usable within a minute."""

FIRST_RETRY = 0.5
LAST_RETRY = 15.0


def retries() -> Iterator[float]:
    """Seconds before each next attempt: dense at first, doubling to a quarter of a minute."""
    seconds = FIRST_RETRY
    while True:
        yield seconds
        seconds = min(seconds * 2, LAST_RETRY)


def next_look(typical: float, waited: float, look_took: float) -> float:
    """Seconds until the next look at something that usually takes ``typical`` and has been waited for ``waited``."""
    half = typical / 2
    if waited < half:
        return max(half - waited, look_took)
    return max(min(LOOK_EVERY, max(typical / 4, 0.25)), READING_SHARE * look_took)


def left_of(life: float, since: float, now: float, met: float) -> float:
    """Seconds until ``since`` is ``life`` ago. A ``since`` still to come was written before the clock was set back: its
    age is unknown, and counts from ``met``, when this run met it."""
    return (since if since <= now else met) + life - now


def under_way(asked: float, now: float, met: float) -> float:
    """Seconds for which a request that was noted at ``asked`` may still take effect. One of a former run counts from
    ``met``: that run may have slept between noting and sending it, and nobody knows when it died."""
    return left_of(REQUEST_LIFE, max(asked, met), now, met)


def deadline(typical: float) -> float:
    """Seconds after which a thing that is still not there has failed: far beyond the longest ever seen."""
    return 600.0 + 6 * typical
