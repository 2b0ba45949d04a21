"""What one run of the engine shares: the door to AWS, the ledger, the clock, and what has been seen so far."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drctl.engine.clock import Clock
from drctl.engine.events import Emit
from drctl.engine.resource import Given, Observed, Resource, identity
from drctl.engine.spec import fields_as_json
from drctl.engine.trouble import Classify
from drctl.engine.unknown import unknown_outputs
from drctl.errors import Diagnostic
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import Intent, Record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from drctl.aws.clients import Aws

AnyResource = Resource["DataclassInstance"]


class ResourceFailed(Exception):
    """A resource could not be brought where it should be; the diagnostic says why and what to do."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.summary)
        self.diagnostic = diagnostic


@dataclass
class Run:
    """The surroundings of ensure, inspect and remove.

    seen: the outputs read or minted in this run
    everywhere: what was found to be wrong with more than one resource, said as it was said first (Trouble.everywhere)
    """

    aws: Aws
    ledger: Ledger
    clock: Clock
    classify: Classify
    emit: Emit
    environment: str
    account: str
    partition: str
    operators_tags: Mapping[str, str] = field(default_factory=dict)
    seen: dict[str, DataclassInstance] = field(default_factory=dict)
    everywhere: dict[str, Diagnostic] = field(default_factory=dict)

    def given(self, resource: AnyResource, record: Record | None = None, token: str = "") -> Given:
        """What a verb of this resource may know. ``record``: the one it is about, when not the address's own."""
        mine = record or self.ledger.get(resource.address)

        def recorded(other: AnyResource) -> DataclassInstance | None:
            return _outputs_in(mine if other is resource else self.ledger.get(other.address), other)

        return Given(
            self.environment,
            self.account,
            self.partition,
            outputs_of=self._outputs,
            recorded_of=recorded,
            token=token,
            others=frozenset(self._others(resource, mine)),
            operators_tags=self.operators_tags,
        )

    def look(self, resource: AnyResource, record: Record | None = None) -> Observed[DataclassInstance] | None:
        """Read; what carries our tags but is known to be another of this address does not count. See ``given``."""
        given = self.given(resource, record)
        observed = resource.read(self.aws, given)
        return None if observed is not None and identity(observed.outputs) in given.others else observed

    def _others(self, resource: AnyResource, mine: Record | None) -> Iterator[str]:
        successor = self.ledger.get(resource.address)
        for each in (successor, *self.ledger.condemned(resource.address)):
            if each is not None and each != mine and each.outputs:
                yield next(iter(each.outputs.values()))

    def _outputs(self, resource: AnyResource) -> DataclassInstance:
        seen = self.seen.get(resource.address)
        recorded = seen or _outputs_in(self.ledger.get(resource.address), resource)
        return recorded or unknown_outputs(resource.outputs_type, resource.address)

    def record(self, resource: AnyResource) -> Record:
        """The resource's record as the ledger has it, or a fresh one."""
        return self.ledger.get(resource.address) or Record(
            resource.address,
            resource.kind,
            resource.region,
            resource.name,
            phase="absent",
            created_at=self.clock.now(),
        )

    def describe(self, resource: AnyResource, record: Record, **changes: object) -> Record:
        """The record with today's desired state in it, and ``changes``."""
        data: Mapping[str, object] = {
            **vars(record),
            "fields": fields_as_json(resource),
            "depends_on": tuple(need.address for need in resource.needs),
            **changes,
        }
        return Record(**data)  # type: ignore[arg-type]

    def intend(self, operation: str) -> Intent:
        """A new intent, with a token of its own."""
        return Intent(operation, uuid.uuid4().hex, self.clock.now())


def _outputs_in(record: Record | None, resource: AnyResource) -> DataclassInstance | None:
    return resource.outputs_type(**record.outputs) if record and record.outputs else None
