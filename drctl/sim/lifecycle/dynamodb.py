"""What the simulator knows of tables beside moto: passing statuses and groups of replicas."""

from __future__ import annotations

from typing import Any

from moto.dynamodb.models import dynamodb_backends

from drctl.sim.world import World

TABLE = "dynamodb-table"
BACKUPS = "dynamodb-backups"
TTL = "dynamodb-ttl"
"""Kinds of transition; all go by the table's ARN."""
GROUPS = "dynamodb-global-tables"
"""Section: (account, table) -> ``replicas`` {region: {"KMSMasterKeyId"?}} and ``sources`` {region: when it last was
the source of a new replica}. The group outlives its last replica, because AWS remembers the sources for a day."""


def find_table(account: str, region: str, name: str) -> Any | None:
    """moto's table by name or ARN."""
    if name.startswith("arn:"):
        name = name.rsplit("/", 1)[1]
    return dynamodb_backends[account][region].tables.get(name)


def table_name(name_or_arn: str) -> str:
    return name_or_arn.rsplit("/", 1)[-1]


def table_arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:dynamodb:{region}:{account}:table/{name}"


def status(world: World, arn: str) -> str:
    return world.status(TABLE, arn) or "ACTIVE"


def group(world: World, account: str, name: str) -> dict[str, Any]:
    """The replicas of a table, its own region included; empty unless it is a global table."""
    return world.section(GROUPS).get((account, name), {"replicas": {}, "sources": {}})


def other_regions(world: World, account: str, region: str, name: str) -> list[str]:
    """Where else a table is replicated; empty when it is not replicated from ``region``."""
    replicas = group(world, account, name)["replicas"]
    return [other for other in replicas if other != region] if region in replicas else []


def customer_key(table: Any) -> str | None:
    """The ARN of the customer key a table is encrypted with; None under DynamoDB's own."""
    specification = table.sse_specification or {}
    key = specification.get("KMSMasterKeyId") if specification.get("Enabled") else None
    return str(key) if key else None
