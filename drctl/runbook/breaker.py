"""The health monitor's circuit breaker, read where its only writer is: lambda_src/health_monitor/breaker_table.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drctl.aws.clients import Aws

CLOSED = "CLOSED"


@dataclass(frozen=True)
class Breaker:
    """state: CLOSED, OPEN or HALF_OPEN; failures: failed probes in a row
    since: of the last opening, None while CLOSED; updated_at: of the last probe, None before the first. Epoch seconds.
    """

    state: str
    failures: int
    since: float | None
    updated_at: float | None


def read(aws: Aws, region: str, table: str, environment: str) -> Breaker:
    """The item of an environment; one that was never written is a closed breaker."""
    answer = aws.dynamodb(region).get_item(
        TableName=table, Key={"id": {"S": environment}}, ConsistentRead=True
    )
    item = answer.get("Item")
    if item is None:
        return Breaker(CLOSED, 0, None, None)
    state = item["state"]["S"]
    opened = None if state == CLOSED else float(item["opened_at"]["N"])
    return Breaker(state, int(item["failures"]["N"]), opened, float(item["updated_at"]["N"]))
