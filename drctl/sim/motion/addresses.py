"""The addresses of what answers requests: loopback, because everything is on this machine.

On AWS these are public addresses that change; here each load balancer and distribution keeps one of its own, for ever,
out of 127.77.0.0/16.
"""

from __future__ import annotations

from typing import Literal

from drctl.sim.world import World

Kind = Literal["balancer", "distribution"]
Owner = tuple[Kind, str]
"""What has an address: a load balancer by ARN, a distribution by id."""

ADDRESSES = "addresses"
"""World's section: owner -> address."""
OWNERS = "address-owners"
"""World's section: address -> owner."""


def of_balancer(world: World, arn: str) -> str:
    """Where a load balancer is, or will be once it listens."""
    return _of(world, ("balancer", arn))


def of_distribution(world: World, distribution_id: str) -> str:
    """Where the edge locations are for a distribution."""
    return _of(world, ("distribution", distribution_id))


def owner(world: World, address: str) -> Owner | None:
    """Whose address it is, even after the owner is gone; None: nobody's."""
    found: Owner | None = world.section(OWNERS).get(address)
    return found


def _of(world: World, wanted: Owner) -> str:
    known = world.section(ADDRESSES)
    if wanted not in known:
        number = len(known) + 1
        known[wanted] = f"127.77.{number // 250}.{number % 250 + 1}"
        world.section(OWNERS)[known[wanted]] = wanted
    address: str = known[wanted]
    return address
