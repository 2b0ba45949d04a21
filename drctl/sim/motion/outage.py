"""Regions that are out: their APIs, load balancers, tasks, functions, alarms and replication sources are gone.

With us-east-1 go the control planes of IAM, Route 53 and CloudFront, which live there; what they have set up goes on:
name servers answer, health checkers check, the edge serves. ``GLOBAL`` takes those control planes down alone.
"""

from __future__ import annotations

from drctl.sim.identify import GLOBAL_SERVICES
from drctl.sim.world import World

GLOBAL = "global"
SECTION = "outages"


def begin(world: World, region: str) -> None:
    """From now on the region is out. Again: nothing changes."""
    world.section(SECTION).setdefault(region, world.now)


def end(world: World, region: str | None = None) -> None:
    """The region is back; None: all are."""
    for each in list(world.section(SECTION)) if region is None else [region]:
        world.section(SECTION).pop(each, None)


def is_out(world: World, region: str) -> bool:
    """Whether a region, or ``GLOBAL``, is out."""
    return region in world.section(SECTION)


def swallows(world: World, service: str, region: str) -> bool:
    """Whether a call gets no answer. ``region``: us-east-1 for the services that are global."""
    return is_out(world, region) or (service in GLOBAL_SERVICES and is_out(world, GLOBAL))


def outages(world: World) -> dict[str, float]:
    """Region -> since when, simulated seconds since the epoch."""
    return dict(world.section(SECTION))
