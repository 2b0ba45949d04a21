"""From records back to resources, and the jobs that remove them: neither needs today's settings."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Set
from typing import TYPE_CHECKING

from drctl.engine.pace import Pause
from drctl.engine.remove import remove
from drctl.engine.spec import rebuild
from drctl.engine.walk import After, Job
from drctl.errors import Diagnostic, DrctlError
from drctl.ledger.model import CONDEMNED, Record, successor

if TYPE_CHECKING:
    from drctl.engine.run import AnyResource, Run
    from drctl.ledger.ledger import Ledger


def rebuilt(ledger: Ledger) -> dict[str, AnyResource]:
    """Every recorded resource by the address of its record, as it was when it was last ensured.

    Raises DrctlError when a record cannot be understood by this version of drctl.
    """
    from pydantic import ValidationError

    from drctl.resources import kinds

    known, records = kinds(), ledger.records()
    resources: dict[str, AnyResource] = {}

    def resolve(address: str) -> AnyResource:
        if address not in resources:
            record = records[address]
            try:
                resources[address] = rebuild(
                    known[record.kind], record.name, record.region, record.fields, resolve
                )
            except (KeyError, ValidationError) as error:
                raise _not_understood(record, error) from error
        return resources[address]

    for address in records:
        resolve(address)
    return resources


def unwanted(ledger: Ledger, graph: Set[str], *, narrowed: bool) -> list[Record]:
    """Records of what the settings no longer ask for, and of what was replaced and still waits to go.

    narrowed: the graph is only part of what the settings ask for. Then nothing goes but what was replaced in it, and of
    that only what nobody outside of it uses: such a follower has not been told of the successor yet.
    """
    records = ledger.records()
    if not narrowed:
        return [record for address, record in records.items() if address not in graph]
    used = {need for a, r in records.items() if successor(a) not in graph for need in r.depends_on}
    return [r for a, r in records.items() if CONDEMNED in a and successor(a) in graph - used]


def removals(run: Run, records: Iterable[Record]) -> list[Job[str]]:
    """The jobs that remove these, each after whatever depends on it has gone, or has begun to where that is enough."""
    resources = rebuilt(run.ledger)
    going = list(records)
    jobs = []
    for record in going:
        base = successor(record.address)
        needs = {
            other.address: _enough(resources[other.address], record.kind)
            for other in going
            if base in other.depends_on and other.address != record.address
        }
        resource = resources[record.address]
        jobs.append(Job(record.address, _removing(run, resource, record), needs, resource.usual.gone))
    return jobs


def _removing(run: Run, resource: AnyResource, record: Record) -> Callable[[], Generator[Pause, None, str]]:
    return lambda: remove(run, resource, record)


def _enough(follower: AnyResource, kind: str) -> After:
    return After.GOING if kind in follower.lets_go else After.DONE


def _not_understood(record: Record, error: Exception) -> DrctlError:
    return DrctlError(
        Diagnostic(
            f"this drctl does not understand the record of {record.address}",
            record.address,
            f"{type(error).__name__}: {error}",
            "use the version of drctl that wrote the state file",
        )
    )
