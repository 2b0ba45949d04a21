"""Removing a resource, written once for every kind.

read -> absent? forget -> ask for removal ("in use" means later, within bounds) -> read until absent -> forget.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from drctl.engine.events import Started, Waiting
from drctl.engine.pace import VISIBLE_WITHIN, Pause, deadline, left_of, next_look, under_way
from drctl.engine.patience import Patience
from drctl.engine.resource import DependsOnUnknown, NotOurs, Observed, Phase, StaysBehind
from drctl.engine.run import AnyResource, Run
from drctl.engine.trouble import Meaning
from drctl.ledger.model import CREATING, GONE, Intent, Record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def remove(run: Run, resource: AnyResource, record: Record) -> Generator[Pause, None, str]:
    """Take away what ``record`` says was made; the value is "delete" once it is gone and forgotten.

    Raises ResourceFailed.
    """
    patience, patience_looking = Patience(run, resource, "remove"), Patience(run, resource, "remove")
    unanswered = record.intent if record.intent and record.intent.operation != "delete" else None
    since = accepted = run.clock.now()
    run.emit(Started(since, record.address, "delete", resource.usual.gone))
    while True:
        began = run.clock.now()
        try:
            observed = _look(run, resource, record)
        except Exception as error:
            yield _put_up_with(run, record, patience_looking, error)
            continue
        patience_looking.reset()
        took = run.clock.now() - began
        if observed is None:
            wait = _unsettled(record, unanswered, run.clock.now(), since)
            if wait is None:
                _forget(run, record)
                return "delete"
            yield wait
            continue
        if observed.phase is not Phase.LEAVING:
            record = replace(record, intent=run.intend("delete"), phase=Phase.LEAVING.value)
            run.ledger.put(record)
            try:
                resource.delete(run.aws, observed.outputs)
            except StaysBehind:
                _forget(run, record)
                return "delete"
            except Exception as error:
                yield _put_up_with(run, record, patience, error)
                continue
            patience.reset()
            accepted = run.clock.now()
            yield Pause(_settling(resource), "AWS to remove it", going=resource.usual.gone > 1)
            continue
        # What was seen may be as old as the question: this machine may have slept since.
        waited = began - accepted
        if waited > deadline(resource.usual.gone):
            raise patience.failed(f"still there after {waited:.0f} s. {observed.reason}".rstrip())
        run.emit(Waiting(run.clock.now(), record.address, observed.reason or "AWS to remove it"))
        yield Pause(next_look(resource.usual.gone, waited, took), "AWS to remove it", going=True)


def _forget(run: Run, record: Record) -> None:
    """Drop the record. While others that it let go of still refer to it, only note that it is gone; they drop it."""
    if run.ledger.dependents(record.address):
        run.ledger.put(replace(record, phase=GONE, intent=None))
        # Looked at again: the last of them may have gone before it could see this.
        if run.ledger.dependents(record.address):
            return
    run.ledger.forget(record.address)
    for address in record.depends_on:
        need = run.ledger.get(address)
        if need is not None and need.phase == GONE:
            _forget(run, need)


def _look(run: Run, resource: AnyResource, record: Record) -> Observed[DataclassInstance] | None:
    """What is there of it. Under its name but not with our tags: ours is gone, and that one is not touched. To be
    found only by an id that was never made: it was never made either."""
    try:
        return run.look(resource, record)
    except (NotOurs, DependsOnUnknown):
        return None


def _settling(resource: AnyResource) -> float:
    """Seconds before the first look: none for what goes at once."""
    return 0.0 if resource.usual.gone <= 1 else min(resource.usual.gone / 2, 2.5)


def _unsettled(record: Record, unanswered: Intent | None, now: float, met: float) -> Pause | None:
    """Absent, but what a killed run asked for may still be under way and bring it, or bring it back: an update may set
    the whole of a thing, as PutMetricAlarm does. Or the result is not visible yet."""
    if unanswered is not None:
        left = under_way(unanswered.time, now, met)
        if left > 0:
            return Pause(min(left, 5.0), "the outcome of a request whose answer was lost")
    fresh = record.outputs and record.phase in (CREATING, Phase.PENDING.value)
    if fresh and left_of(VISIBLE_WITHIN, record.created_at, now, met) > 0:
        return Pause(1.0, "AWS to show what it has made")
    return None


def _put_up_with(run: Run, record: Record, patience: Patience, error: Exception) -> Pause:
    meaning, pause = patience.judge(error)
    if meaning is Meaning.GONE:
        return Pause(0.0, pause.reason)
    run.emit(Waiting(run.clock.now(), record.address, pause.reason))
    # In use by what it lets go of, perhaps: the last instance of a writing Aurora cluster goes only after its cluster
    # has put the other one out of the global database.
    return pause._replace(going=meaning is Meaning.IN_USE)
