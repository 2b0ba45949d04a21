"""Replicas of secrets on their way, and names that are not free yet."""

from __future__ import annotations

from typing import Any

from moto.secretsmanager.models import ReplicaSecret, secretsmanager_backends

from drctl.sim.world import World

REPLICA = "secret-replica"
"""Kind of transition, by the replica's ARN."""
NAME = "secret-name"
"""Kind of transition of a name that a forced deletion has not freed yet, by ``name_key``."""


def find_secret(account: str, region: str, identifier: str) -> Any | None:
    """moto's secret or replica by name or ARN."""
    return secretsmanager_backends[account][region].secrets.get(identifier)


def is_replica(secret: Any) -> bool:
    return isinstance(secret, ReplicaSecret)


def name_key(account: str, region: str, name: str) -> str:
    return f"{account}/{region}/{name}"


def free_later(world: World, account: str, region: str, name: str, seconds: float) -> None:
    world.begin(NAME, name_key(account, region, name), "deleting", seconds)
