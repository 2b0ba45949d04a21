"""Regions that are out: their APIs, load balancers, tasks, functions, alarms and replication sources are gone.

With us-east-1 go the control planes of IAM, Route 53 and CloudFront, which live there; what they have set up goes on:
name servers answer, health checkers check, the edge serves. ``GLOBAL`` takes those control planes down alone.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.session import Session

from drctl.sim.identify import GLOBAL_SERVICES
from drctl.sim.world import World

GLOBAL = "global"
SECTION = "outages"
WAITING = "outages-waiting"
"""World's section: region -> what happens once it is back: (seconds from then, event, its data), in order."""


def begin(world: World, region: str) -> None:
    """From now on the region is out. Again: nothing changes. Raises ValueError when there is no such region."""
    check(region)
    world.section(SECTION).setdefault(region, world.now)


def end(world: World, region: str | None = None) -> None:
    """The region is back; None: all are. Raises ValueError when there is no such region."""
    if region is not None:
        check(region)
    for each in list(world.section(SECTION)) if region is None else [region]:
        world.section(SECTION).pop(each, None)
        for seconds, event, data in world.section(WAITING).pop(each, []):
            world.later(seconds, event, **data)


def check(region: str) -> None:
    """Raises ValueError, with the names there are, when this is none of them."""
    if region not in (GLOBAL, *regions()):
        raise ValueError(f"there is no region {region}: {GLOBAL} or one of {', '.join(regions())}")


@cache
def regions() -> list[str]:
    """Those that botocore knows."""
    return sorted(Session().get_available_regions("ec2"))


def until_back(world: World, region: str, seconds: float, event: str, data: dict[str, Any]) -> None:
    """Let an event happen so many simulated seconds after a region that is out is back."""
    world.section(WAITING).setdefault(region, []).append((seconds, event, data))


def is_out(world: World, region: str) -> bool:
    """Whether a region, or ``GLOBAL``, is out."""
    return region in world.section(SECTION)


def swallows(world: World, service: str, region: str) -> bool:
    """Whether a call gets no answer. ``region``: us-east-1 for the services that are global."""
    return is_out(world, region) or (service in GLOBAL_SERVICES and is_out(world, GLOBAL))


def outages(world: World) -> dict[str, float]:
    """Region -> since when, simulated seconds since the epoch."""
    return dict(world.section(SECTION))
