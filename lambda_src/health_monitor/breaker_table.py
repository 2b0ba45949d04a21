"""Where the breaker lives between invocations: one item of a DynamoDB table, written conditionally.

In memory it would be lost at every cold start and differ between sandboxes. The item's key is ``id``, the
environment's name; beside the breaker's fields it holds ``version``, ``updated_at`` (epoch seconds) and
``decided_by`` (the invocation that wrote it, as its log stream names it).

The table is a global one, whose replicas settle conflicts by the last writer: conditions hold within one
region only. They suffice because the standby's function is the only writer.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from breaker import Breaker, State
from clients import AWS_FAILURES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

ATTEMPTS = 5
"""Writes tried before a contested change is given up. Invocations that overlap are two or three."""


class BreakerUnavailableError(Exception):
    """The breaker could not be read or written; nothing may be decided without it."""


@dataclass(frozen=True)
class _Stored:
    breaker: Breaker
    version: int
    decided_by: str


class BreakerTable:
    """The item of one environment."""

    def __init__(self, dynamodb: DynamoDBClient, table: str, environment: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._key = environment

    def change(self, transition: Callable[[Breaker], Breaker], now: float, writer: str) -> Breaker:
        """Apply ``transition`` to what is stored, once, and return what then is.

        ``writer`` must be unique to this call. Losing a race means reading again and applying the
        transition to what the winner stored, so that both are counted. Raises BreakerUnavailableError.
        """
        try:
            for _ in range(ATTEMPTS):
                stored = self._read()
                if stored.decided_by == writer:
                    # Lost against ourselves: the write's answer went missing, the SDK sent it again, and
                    # its condition met the version the first had made.
                    return stored.breaker
                changed = transition(stored.breaker)
                if self._write(changed, stored.version, now, writer):
                    return changed
        except AWS_FAILURES as failure:
            raise BreakerUnavailableError(f"table {self._table}: {failure}") from failure
        except (KeyError, ValueError) as failure:
            raise BreakerUnavailableError(
                f"table {self._table}: item {self._key!r} is damaged: {failure!r}"
            ) from failure
        raise BreakerUnavailableError(f"table {self._table}: contested {ATTEMPTS} times in a row")

    def _read(self) -> _Stored:
        answer = self._dynamodb.get_item(
            TableName=self._table, Key={"id": {"S": self._key}}, ConsistentRead=True
        )
        item = answer.get("Item")
        if item is None:
            return _Stored(Breaker(), version=0, decided_by="")
        return _Stored(
            Breaker(
                state=State(item["state"]["S"]),
                failures=int(item["failures"]["N"]),
                opened_at=float(item["opened_at"]["N"]),
                published=item["published"]["BOOL"],
                promoted=item["promoted"]["BOOL"],
            ),
            version=int(item["version"]["N"]),
            decided_by=item["decided_by"]["S"],
        )

    def _write(self, breaker: Breaker, version: int, now: float, writer: str) -> bool:
        """Store over exactly ``version`` (0: no item yet); False when somebody else was first."""
        item: dict[str, AttributeValueTypeDef] = {
            "id": {"S": self._key},
            "state": {"S": breaker.state.value},
            "failures": {"N": str(breaker.failures)},
            "opened_at": {"N": str(breaker.opened_at)},
            "published": {"BOOL": breaker.published},
            "promoted": {"BOOL": breaker.promoted},
            "version": {"N": str(version + 1)},
            "updated_at": {"N": str(now)},
            "decided_by": {"S": writer},
        }
        try:
            if version == 0:
                self._dynamodb.put_item(
                    TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(id)"
                )
            else:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="version = :version",
                    ExpressionAttributeValues={":version": {"N": str(version)}},
                )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True
