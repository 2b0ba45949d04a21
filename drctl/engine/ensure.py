"""Making a resource so, written once for every kind.

read -> absent? record the intent, create -> loop { read, record; failed? raise with AWS's reason; drift? update or
replace; ready? return; wait }. It is a generator: each ``yield`` hands the thread back with the time to go on at.
What was minted is on the disk before the next yield, so that an interruption between steps loses nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from drctl.engine.events import Started, Waiting
from drctl.engine.pace import VISIBLE_WITHIN, Pause, deadline, left_of, next_look, retries, under_way
from drctl.engine.patience import Patience
from drctl.engine.remove import remove
from drctl.engine.resource import STATE, Difference, Drift, NotOurs, Observed, Phase, Repeat
from drctl.engine.run import AnyResource, ResourceFailed, Run
from drctl.engine.trouble import Meaning
from drctl.errors import Diagnostic
from drctl.ledger.model import CREATING, LEAVING, Intent, Record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Seen = Observed[DataclassInstance]

MOST_UPDATES = 6
"""Updates in a row that may leave the same drift behind (reads lag) before that counts as failure."""

Procedure = Generator[Pause, None, str]
"""Yields pauses, returns the action taken."""


class Ensure:
    """One resource's way to where the settings want it."""

    def __init__(self, run: Run, resource: AnyResource) -> None:
        self._run = run
        self._resource = resource
        self._patience = Patience(run, resource, "make")
        self._patience_looking = Patience(run, resource, "make")
        self._updates = _Updates()
        self._action = "unchanged"
        self._since = self._began = run.clock.now()
        self._look_took = 0.0

    def steps(self) -> Procedure:
        """The procedure; its value is create, update, replace or unchanged. Raises ResourceFailed."""
        while True:
            try:
                observed = self._look()
            except Exception as error:
                yield self._judged(error, self._patience_looking)
                continue
            self._patience_looking.reset()
            if observed is None:
                yield from self._make()
                continue
            wait = self._perhaps_leaving()
            if wait is not None:
                yield wait
                continue
            self._note(observed)
            if observed.phase is Phase.FAILED:
                yield from self._remake(observed)
                continue
            if observed.phase is not Phase.LEAVING:
                if observed.drift:
                    yield from self._repair(observed)
                    continue
                if observed.phase is Phase.READY:
                    return self._action
            yield self._wait(observed)

    def _look(self) -> Seen | None:
        began = self._run.clock.now()
        observed = self._run.look(self._resource)
        self._look_took = self._run.clock.now() - began
        return observed

    def _note(self, observed: Seen) -> None:
        """What was seen goes into the ledger if it is news; an intent is closed by seeing its result."""
        run, resource = self._run, self._resource
        run.seen[resource.address] = observed.outputs
        before, phase = run.record(resource), observed.phase.value
        if before.unfinished and observed.phase in (Phase.PENDING, Phase.READY):
            self._begin("create")  # by a run before this one, if not by this
            if observed.drift or observed.phase is Phase.PENDING:
                phase = CREATING
        half_gone = observed.phase is Phase.PENDING or resource.must_be_replaced(observed.drift)
        if before.removal_begun and half_gone:
            phase = LEAVING
        after = run.describe(resource, before, outputs=asdict(observed.outputs), phase=phase, intent=None)
        if after != before:
            run.ledger.put(after)

    def _make(self) -> Generator[Pause, None, None]:
        record = self._run.record(self._resource)
        wait = self._unsettled(record)
        if wait is not None:
            yield wait
            return
        if record.outputs and self._resource.repeat is not Repeat.NAME:
            yield from self._create(record, condemn=True)
        else:
            yield from self._create(record)

    def _unsettled(self, record: Record) -> Pause | None:
        """Absent, but perhaps not for long: a request may still be under way, or its result not visible yet."""
        intent = record.intent
        if intent is not None and intent.operation == "create" and self._resource.repeat is Repeat.NEVER:
            left = self._under_way(intent)
            if left > 0:
                return self._pause(min(left, 5.0), "the outcome of a request whose answer was lost")
        fresh = record.outputs and record.phase in (CREATING, Phase.PENDING.value)
        now = self._run.clock.now()
        if fresh and left_of(VISIBLE_WITHIN, record.created_at, now, self._began) > 0:
            return self._pause(max(1.0, self._look_took), "AWS to show what it has made")
        return None

    def _perhaps_leaving(self) -> Pause | None:
        """There, but perhaps not for long: a run that was killed may have sent a removal that is still under way."""
        intent = self._run.record(self._resource).intent
        if intent is None or intent.operation != "delete":
            return None
        left = self._under_way(intent)
        return self._pause(min(left, 5.0), "the outcome of a removal that was begun") if left > 0 else None

    def _under_way(self, intent: Intent) -> float:
        return under_way(intent.time, self._run.clock.now(), self._began)

    def _create(self, record: Record, *, condemn: bool = False) -> Generator[Pause, None, None]:
        """Send the create until it is answered; refusals that prove that nothing was done are repeated here."""
        run, resource = self._run, self._resource
        self._begin("create")
        # An earlier request may still be under way: then only its own token keeps a repetition harmless.
        earlier = _open_create(record)
        if earlier is not None and self._under_way(earlier) <= 0:
            earlier = None
        while True:
            intent = replace(_open_create(record) or run.intend("create"), time=run.clock.now())
            asked = run.describe(
                resource, record, intent=intent, phase=CREATING, outputs={}, created_at=run.clock.now()
            )
            if condemn:
                run.ledger.condemn(record, asked)
                condemn = False
            else:
                run.ledger.put(asked)
            record = asked
            try:
                outputs = resource.create(run.aws.once, run.given(resource, token=intent.token))
            except Exception as error:
                meaning, pause = self._judge(error, refused=record.with_intent(earlier))
                yield pause
                if meaning in (Meaning.LOST, Meaning.EXISTS):
                    return
                continue
            run.ledger.put(run.describe(resource, record, intent=None, outputs=asdict(outputs)))
            run.seen[resource.address] = outputs
            self._patience.reset()
            self._since = run.clock.now()
            return

    def _judge(self, error: Exception, refused: Record) -> tuple[Meaning, Pause]:
        """Patience's judgement; a create that was refused for good leaves the intent open that it found, or none."""
        try:
            meaning, pause = self._patience.judge(error)
        except ResourceFailed:
            if self._run.classify(error).meaning is not Meaning.LOST:
                self._run.ledger.put(refused)
            raise
        return meaning, self._pause(pause.seconds, pause.reason)

    def _repair(self, observed: Seen) -> Generator[Pause, None, None]:
        run, resource = self._run, self._resource
        record, repeated = run.record(resource), self._updates.without_effect(observed.drift)
        if resource.must_be_replaced(observed.drift):
            yield from self._replace(observed, record)
            return
        if repeated >= MOST_UPDATES:
            raise self._patience.failed(f"AWS still shows {shown(observed.drift)} after {repeated} updates")
        for _, pause in zip(range(repeated), retries(), strict=False):
            seconds = pause
        if repeated:
            yield self._pause(seconds, "AWS to show the change")
        self._begin("update")
        run.ledger.put(run.describe(resource, record, intent=run.intend("update")))
        try:
            resource.update(run.aws, run.given(resource), observed)
        except Exception as error:
            yield self._judged(error, self._patience)
        else:
            self._updates.accepted(observed.drift)
            self._patience.reset()

    def _replace(self, observed: Seen, record: Record) -> Generator[Pause, None, None]:
        """A new one first where two can stand side by side; where the name is unique the old one goes first."""
        refuse_loss(self._resource, observed.drift, record)
        self._begin("replace")
        if self._resource.repeat is Repeat.NAME:
            yield from remove(self._run, self._resource, record)
            self._run.seen.pop(self._resource.address, None)
            yield from self._create(self._run.record(self._resource))
        else:
            yield from self._create(record, condemn=True)

    def _remake(self, observed: Seen) -> Generator[Pause, None, None]:
        """What failed in this run is reported with AWS's reason; what an earlier run left failed is tried again."""
        if self._action != "unchanged":
            raise self._patience.failed(observed.reason or "AWS says that it has failed")
        yield from self._repair(replace(observed, drift=failed(observed)))

    def _begin(self, action: str) -> None:
        if self._action == "unchanged":
            self._action = action
            self._since = self._run.clock.now()
            typical = self._resource.usual.ready
            self._run.emit(Started(self._since, self._resource.address, action, typical))

    def _wait(self, observed: Seen) -> Pause:
        leaving = observed.phase is Phase.LEAVING
        typical = self._resource.usual.gone if leaving else self._resource.usual.ready
        # What was seen may be as old as the question: this machine may have slept since.
        waited = self._run.clock.now() - self._look_took - self._since
        if waited > deadline(typical):
            raise self._patience.failed(
                f"still {observed.phase} after {waited:.0f} s {observed.reason}".rstrip(),
                "run the same command again: it goes on waiting; look in the console for what AWS waits for",
            )
        reason = observed.reason or ("AWS to remove it" if leaving else "AWS to make it ready")
        return self._pause(next_look(typical, waited, self._look_took), reason)

    def _judged(self, error: Exception, patience: Patience) -> Pause:
        if isinstance(error, NotOurs):
            raise patience.failed(str(error), self._run.classify(error).remedy) from error
        _, pause = patience.judge(error)
        return self._pause(pause.seconds, pause.reason)

    def _pause(self, seconds: float, reason: str) -> Pause:
        self._run.emit(Waiting(self._run.clock.now(), self._resource.address, reason))
        return Pause(seconds, reason)


class _Updates:
    """The updates in a row that AWS accepted for one and the same drift."""

    def __init__(self) -> None:
        self._drift: Drift | None = None
        self._times = 0

    def without_effect(self, drift: Drift) -> int:
        """How many there were for the drift that is still shown."""
        return self._times if drift == self._drift else 0

    def accepted(self, drift: Drift) -> None:
        self._times = self.without_effect(drift) + 1
        self._drift = drift


def _open_create(record: Record) -> Intent | None:
    return record.intent if record.intent and record.intent.operation == "create" else None


def failed(observed: Seen) -> Drift:
    """The drift of what AWS let fail: that, and whatever else differs."""
    return {**observed.drift, STATE: Difference(observed.reason or "failed", "ready")}


def refuse_loss(resource: AnyResource, drift: Drift, record: Record) -> None:
    """Raise ResourceFailed where a replacement would lose data; not when a removal has begun, which gave it up."""
    if resource.holds_data and not record.removal_begun:
        raise ResourceFailed(
            Diagnostic(
                f"{resource.address} would have to be replaced, and what it holds would be lost",
                resource.address,
                f"AWS cannot change in place: {shown(drift)}",
                f"take the setting back, or remove it first: drctl destroy --target {resource.address}",
            )
        )


def shown(drift: Mapping[str, tuple[object, object]]) -> str:
    """Drift in one line: ``field: actual, wanted desired``."""
    return "; ".join(f"{name}: {actual!r}, wanted {desired!r}" for name, (actual, desired) in drift.items())


def ensure(run: Run, resource: AnyResource) -> Procedure:
    """Bring a resource where the settings want it; the value is the action that took."""
    return Ensure(run, resource).steps()
