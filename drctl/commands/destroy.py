"""Remove everything the state says is ours, needing neither the settings nor today's topology."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from drctl.commands.context import Context, identify, interrupted
from drctl.commands.journals import refuse_while_broken
from drctl.commands.plan import count, no_such_target
from drctl.commands.records import removals
from drctl.engine.walk import walk
from drctl.errors import Diagnostic, DrctlError
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import Record


@dataclass(frozen=True)
class Removal:
    """What is about to be removed, and whose it is."""

    environment: str
    account: str
    caller: str
    regions: tuple[str, ...]
    addresses: tuple[str, ...]


Approve = Callable[[Removal], None]
"""Returns when the operator agrees; raises otherwise."""


@dataclass(frozen=True)
class DestroyResult:
    """How much was removed, what is still there, and the environment's ``seconds`` it took."""

    environment: str
    summary: Mapping[str, int]
    left: tuple[str, ...]
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """cli.md: summary and left."""
        return {"summary": dict(self.summary), "left": list(self.left)}


def destroy(context: Context, approve: Approve, targets: tuple[str, ...] = ()) -> DestroyResult:
    """Take the environment away, or the targets and what depends on them.

    Raises DrctlError with every root cause, Interrupted when the operator stopped it.
    """
    environment = context.environment()
    with context.writing(environment) as ledger:
        refuse_while_broken(context.state_dir, environment)
        going = _chosen(ledger, targets)
        if not going:
            ledger.erase()  # what a run leaves that was killed when all but this was done
            return DestroyResult(environment, count(()), ())
        aws = context.aws()
        guard = context.settings().account if context.config.exists() else None
        home = ledger.meta.regions[-1] if ledger.meta.regions else _region_of(going)
        identity = identify(aws, home, ledger, guard)
        removal = Removal(
            environment,
            identity.account,
            identity.arn,
            ledger.meta.regions,
            tuple(record.address for record in going),
        )
        approve(removal)
        run = context.run(aws, identity, ledger, environment)
        began = context.clock.now()
        _unseal(ledger, began)
        try:
            result = walk(removals(run, going), context.clock, context.emit, context.interrupt)
        finally:
            ledger.fold(context.clock.now())
        left = tuple(sorted(ledger.records()))
        if result.interrupted and result.skipped:
            raise interrupted(context.command, ledger, result.failed)
        if result.failed:
            raise DrctlError([*(result.failed[a] for a in sorted(result.failed)), _left(left)])
        if not left:
            ledger.erase()
        return DestroyResult(environment, count(result.done.values()), left, context.clock.now() - began)


def _unseal(ledger: Ledger, now: float) -> None:
    """No key is needed any more to read what is remembered: the keys go, and the run may be killed after that."""
    ledger.encrypt(None)
    ledger.fold(now)


def _chosen(ledger: Ledger, targets: Iterable[str]) -> list[Record]:
    """The records that the globs name, what these have replaced, and whatever depends on them; without globs, all."""
    records = ledger.records()
    globs = list(targets)
    if not globs:
        return list(records.values())
    chosen: dict[str, Record] = {}
    for glob in globs:
        matching = [record for address, record in records.items() if fnmatchcase(address, glob)]
        if not matching:
            raise no_such_target(glob)
        while matching:
            record = matching.pop()
            if record.address not in chosen:
                chosen[record.address] = record
                matching += ledger.dependents(record.address)
                matching += ledger.condemned(record.address)
    return list(chosen.values())


def _region_of(records: Iterable[Record]) -> str:
    return next((record.region for record in records if record.region != "global"), "us-east-1")


def _left(addresses: tuple[str, ...]) -> Diagnostic:
    return Diagnostic(
        f"{len(addresses)} resources are left",
        cause=", ".join(addresses[:10]) + (" ..." if len(addresses) > 10 else ""),
        remedy="mend the causes above, then run `drctl destroy` again: it goes on from here",
    )
