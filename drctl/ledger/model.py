"""What drctl remembers of an environment. Plain data: it is a JSON file that a person may have to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

VERSION = 1
"""The state file's format: the first. A newer one is refused."""

CONDEMNED = "~"
"""In an address: what it names was replaced and waits for its removal (``us-east-1/subnet/private-a~1``)."""

CREATING = "creating"
"""The phase of a record from the first create until the thing has once been seen as it should be."""


LEAVING = "leaving"
"""The phase of a record from the first request for removal on."""


def successor(address: str) -> str:
    """The address that something replaced had, and what replaced it has; any other address as it is."""
    return address.partition(CONDEMNED)[0]


GONE = "gone"
"""The phase of a record whose thing is gone, kept while records that refer to it are."""


@dataclass(frozen=True)
class Intent:
    """A mutating call that was about to be sent; on record before it is, so that a crash loses nothing.

    operation: create, update or delete
    token: the idempotency token of a create, random, the same for every repetition of this intent
    time: when it was decided, seconds since the epoch; renewed when the request is sent again
    """

    operation: str
    token: str
    time: float


@dataclass(frozen=True)
class Record:
    """One resource: what it was built from, what AWS answered, and what was about to be done to it.

    fields: the desired state it was last ensured with; references stand as {"$ref": address}
    outputs: ids and names that AWS gave; empty until the first create has been answered
    """

    address: str
    kind: str
    region: str
    name: str
    phase: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    created_at: float = 0.0
    intent: Intent | None = None

    @property
    def unfinished(self) -> bool:
        """Whether its making was begun and not ended: what goes on with it goes on creating it."""
        return self.phase == CREATING

    @property
    def removal_begun(self) -> bool:
        """Whether somebody asked for its removal, and nobody has seen since that it is whole."""
        return self.phase == LEAVING or (self.intent is not None and self.intent.operation == "delete")

    def with_intent(self, intent: Intent | None) -> Record:
        """The same record with another open intent, or with none."""
        return replace(self, intent=intent)

    def as_json(self) -> dict[str, Any]:
        """The record as JSON can hold it."""
        return asdict(self)


def record_from_json(data: Mapping[str, Any]) -> Record:
    """The inverse of Record.as_json. Raises KeyError or TypeError when it is not a record."""
    intent = data.get("intent")
    return Record(
        **{
            **data,
            "depends_on": tuple(data.get("depends_on", ())),
            "intent": Intent(**intent) if intent else None,
        }
    )


@dataclass(frozen=True)
class Meta:
    """What the state file says of the environment as a whole.

    lineage: a random name given at birth; two files of one environment with different lineages are strangers
    serial: the number of the last journal entry that the snapshot contains
    """

    environment: str
    lineage: str
    serial: int = 0
    version: int = VERSION
    account: str = ""
    partition: str = "aws"
    regions: tuple[str, ...] = ()
    settings_digest: str = ""
    written_at: float = 0.0
