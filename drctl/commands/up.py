"""Plan, ask, make it so; then remove what the settings no longer want."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drctl.commands.context import Context, interrupted
from drctl.commands.inspection import starting
from drctl.commands.journals import refuse_while_broken
from drctl.commands.outputs import of_records
from drctl.commands.plan import Desired, Plan, compare, count, desired, superfluous
from drctl.commands.records import removals
from drctl.commands.stores import refuse_another
from drctl.engine.ensure import ensure
from drctl.engine.walk import After, Job, Result, walk
from drctl.errors import DrctlError

if TYPE_CHECKING:
    from drctl.ledger.ledger import Ledger

Approve = Callable[[Plan], None]
"""Returns when the operator agrees; raises otherwise."""


@dataclass(frozen=True)
class UpResult:
    """What was done, the addresses a person needs, and the environment's ``seconds`` it took."""

    environment: str
    summary: Mapping[str, int]
    outputs: Mapping[str, Any]
    seconds: float = 0.0
    notices: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """cli.md: summary as in plan with what was done, and the outputs."""
        return {"summary": dict(self.summary), "outputs": dict(self.outputs), "notices": list(self.notices)}


def up(context: Context, approve: Approve, targets: tuple[str, ...] = ()) -> UpResult:
    """Bring the environment where the settings want it.

    Raises DrctlError with every root cause when something failed, Interrupted when the operator stopped it.
    """
    settings = context.settings()
    with context.writing(settings.environment) as ledger:
        refuse_while_broken(context.state_dir, settings.environment)
        wanted = desired(context, settings, ledger, targets)
        refuse_another(context, settings, ledger)
        planned = compare(context, wanted)
        if planned.differences:
            approve(planned)
        _describe(wanted, ledger)
        began = context.clock.now()
        try:
            result = _apply(context, wanted)
            if result.ok and not result.interrupted:
                _seal(wanted)
        finally:
            ledger.fold(context.clock.now())
        if result.interrupted:
            raise interrupted(context.command, ledger, result.failed)
        if result.failed:
            raise DrctlError(result.failed[address] for address in sorted(result.failed))
        unchanged = [address for address in wanted.planned if address not in result.done]
        summary = count([*result.done.values(), *("unchanged" for _ in unchanged)])
        seconds = context.clock.now() - began
        return UpResult(settings.environment, summary, of_records(ledger), seconds, notices=planned.notices)


def _apply(context: Context, wanted: Desired) -> Result[str]:
    """Ensure what the plan says is not as it should be; then, when all of that holds, remove what is not wanted."""
    run = wanted.run
    for address in _stale(wanted):
        run.seen.pop(address, None)
    jobs = [
        Job(
            each.address,
            starting(ensure, run, each),
            {need.address: After.DONE for need in each.needs},
            each.usual.ready,
        )
        for each in wanted.graph
        if not _is_settled(wanted, each.address)
    ]
    result = walk(jobs, context.clock, context.emit, context.interrupt) if jobs else Result()
    if not result.ok or result.interrupted:
        return result
    _keep_current(wanted, result.done.keys())
    going = superfluous(wanted)
    if not going:
        return result
    removed = walk(removals(run, going), context.clock, context.emit, context.interrupt)
    result.failed |= removed.failed
    result.skipped |= removed.skipped
    result.interrupted |= removed.interrupted
    result.done |= {a: action for a, action in removed.done.items() if a in wanted.planned}
    return result


def _keep_current(wanted: Desired, ensured: Set[str]) -> None:
    """What needed no change on AWS may still be wanted for other reasons than before: its record says today's.

    Only now, when all that it refers to has a record, without which it could not be rebuilt from its own.
    """
    run = wanted.run
    for each in wanted.graph:
        record = run.ledger.get(each.address)
        if each.address not in ensured and record is not None and run.describe(each, record) != record:
            run.ledger.put(run.describe(each, record))


def _is_settled(wanted: Desired, address: str) -> bool:
    """Nothing to do: as the settings want it, ready, recorded so, and no request of an earlier run is open."""
    change, record = wanted.planned[address], wanted.run.ledger.get(address)
    as_it_should_be = change.action == "unchanged" and change.phase == "ready"
    return as_it_should_be and record is not None and record.intent is None and record.phase == "ready"


def _stale(wanted: Desired) -> list[str]:
    """What the plan put placeholders for: from now on the truth counts."""
    return [address for address, change in wanted.planned.items() if change.action in ("create", "replace")]


def _seal(wanted: Desired) -> None:
    """The standby's key is there: what is remembered is encrypted with it from now on, until destroy begins."""
    ledger = wanted.run.ledger
    key = ledger.get(f"{wanted.settings.regions.standby}/kms-key/main")
    if key is not None and key.phase == "ready":
        ledger.encrypt(key.outputs["arn"])


def _describe(wanted: Desired, ledger: Ledger) -> None:
    settings, identity = wanted.settings, wanted.identity
    ledger.describe(
        account=identity.account,
        partition=identity.partition,
        regions=(settings.regions.primary, settings.regions.standby),
        settings_digest=settings.digest,
    )
