"""What is under way between regions (rows, items, objects), and how long it takes.

A copy arrives a lag after it was sent, in the order of sending. It neither leaves a region that is out nor enters one:
it waits, and arrives a lag after that region is back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from drctl.sim import registry
from drctl.sim.call import Moto
from drctl.sim.motion import outage
from drctl.sim.world import World

DATABASE = 0.1
"""Simulated seconds from a commit in Aurora's primary region until the others show it: "typically under one second"
("Using Amazon Aurora Global Database")."""
TABLE = 0.6
"""Simulated seconds between a table's replicas: "typically less than a second" ("Global tables - how it works")."""
BUCKET = 5.0
"""Simulated seconds from a write to its replica in the other bucket. Most objects replicate in seconds, 99.9 % in 15
minutes (RTC)."""

USUAL = {"database": DATABASE, "table": TABLE, "bucket": BUCKET}
"""What can be sent, and its lag until another is set."""

LAGS = "replication-lags"
UNDER_WAY = "replication"
"""World's section: link -> what has been sent and has not arrived, oldest first."""


@dataclass(frozen=True)
class Link:
    """A way that copies take, from region to region. ``kind``: a key of USUAL; ``ends``: what of it is copied."""

    kind: str
    source: str
    target: str
    ends: tuple[str, ...]


class Sent(NamedTuple):
    """A copy under way: since when, and the event that it is on arrival."""

    since: float
    event: str
    data: dict[str, Any]


def send(world: World, link: Link, event: str, /, **data: Any) -> None:
    """Let ``event`` happen at the other end, when this copy arrives there."""
    under_way(world, link).append(Sent(world.now, event, data))
    world.later(lag(world, link.kind), "replication-arrives", link=link)


@registry.event("replication-arrives")
def arrives(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """Whatever was sent first on this link: copies do not overtake each other when the lag changes."""
    link: Link = data["link"]
    for region in (link.source, link.target):
        if outage.is_out(world, region):
            outage.until_back(world, region, lag(world, link.kind), "replication-arrives", data)
            return
    sent = under_way(world, link).pop(0)
    registry.EVENTS[sent.event](world, moto, sent.data)


def under_way(world: World, link: Link) -> list[Sent]:
    held: list[Sent] = world.section(UNDER_WAY).setdefault(link, [])
    return held


def behind(world: World, link: Link) -> float:
    """Simulated seconds that the target is behind: the usual lag, or the age of the oldest copy that waits."""
    waiting = under_way(world, link)
    usual = lag(world, link.kind)
    return max(usual, world.now - waiting[0].since) if waiting else usual


def lag(world: World, kind: str) -> float:
    """Simulated seconds that a copy of this kind takes if it is sent now."""
    return float(world.section(LAGS).get(kind, USUAL[kind]))


def lags(world: World) -> dict[str, float]:
    return {kind: lag(world, kind) for kind in USUAL}


def set_lags(world: World, wanted: Mapping[str, Any]) -> None:
    """For what is sent from now on; kinds that are not named keep theirs. Raises ValueError, and then sets none."""
    unknown = sorted(wanted.keys() - USUAL.keys())
    if unknown:
        raise ValueError(f"no lag is called {', '.join(unknown)}; there are {', '.join(USUAL)}")
    checked = {kind: float(seconds) for kind, seconds in wanted.items()}
    for kind, seconds in checked.items():
        if not 0 <= seconds < math.inf:
            raise ValueError(f"the lag of a {kind} must be 0 s or more, not {seconds}")
    world.section(LAGS).update(checked)
