"""Runs of runbooks: begin one, go on with one, take one back. ``drill``, ``failover`` and ``failback`` are these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from drctl.commands.context import Context, identify
from drctl.commands.journals import folder, is_open, newest, unfinished
from drctl.commands.opening import first_entry, open_recovery, who
from drctl.errors import Diagnostic, DrctlError, Interrupted
from drctl.probe.canary import prefix
from drctl.probe.measure import READ_NAME, WRITE_NAME, measure
from drctl.runbook import journal as journals
from drctl.runbook.recovery import Guard, Parameters, Recovery, Stopped, Superseded
from drctl.runbook.site import Site, site
from drctl.runbook.steady_state import NotSteady
from drctl.runbook.step import Step, walk
from drctl.runbook.watch import samples

if TYPE_CHECKING:
    from drctl.aws.clients import Identity
    from drctl.probe.results import Results
    from drctl.runbook.journal import Entry

IF_LOST = "if the primary is lost, `drctl failover` takes its place"
"""Of a run that cannot be taken back now."""


@dataclass(frozen=True)
class Intent:
    """What is about to be done, for the question: whose environment, what, how, and which steps are left."""

    environment: str
    account: str
    caller: str
    regions: tuple[str, ...]
    parameters: Parameters
    what: str
    outage: str
    steps: tuple[Step, ...]


Approve = Callable[[Intent], None]
"""Returns when the operator agrees; raises otherwise."""


@dataclass(frozen=True)
class Script:
    """A runbook as the command line knows it.

    forward: its steps; back: what takes it back, wherever it was left
    takes_itself_back: whether it does so by itself when a step fails or a stop condition holds
    outage: what a drill does to the primary, in a sentence
    tidy: takes a drill back that has not broken anything yet
    guards: what stops it while its outage is on
    """

    parameters: Parameters
    forward: tuple[Step, ...]
    back: tuple[Step, ...]
    takes_itself_back: bool
    outage: str = ""
    tidy: tuple[Step, ...] = ()
    guards: tuple[Guard, ...] = ()


@dataclass(frozen=True)
class RunResult:
    """What became of a run: its journal, and the verdict."""

    environment: str
    run: str
    path: Path
    entries: tuple[Entry, ...]
    outcome: str
    reasons: tuple[str, ...] = ()

    @property
    def runbook(self) -> str:
        """Which it was."""
        return str(self.entries[0]["runbook"])

    @property
    def missed(self) -> bool:
        """An objective was missed."""
        return self.outcome == "objective missed"

    @property
    def finished(self) -> bool:
        """It went to its end, whatever was measured."""
        return self.outcome in ("passed", "objective missed")


def begin(context: Context, approve: Approve, script: Script) -> RunResult:
    """Start a run. Raises DrctlError when another one is open, LockedError when another drctl is at work.

    A failover waits for nobody: it takes the place of a run that is open. What the last run did to the primary and has
    not taken back is this one's to take back.
    """
    environment, runbook = context.settings().environment, script.parameters.runbook
    with context.writing(environment) as ledger:
        where = site(ledger)
        last = newest(context.state_dir, environment)
        before = _last(last, runbook)
        what = f"begin a {runbook}"
        if last is not None and is_open(before):
            if runbook != "failover":
                raise unfinished(last, before)
            what += f", in place of {last.stem}, which is still open"
        aws = context.aws()
        identity = identify(aws, where.standby.region, ledger, context.settings().account)
        approve(_intent(where, identity, script, what, script.forward))
        if last is not None and is_open(before):
            with suppress(DrctlError):  # an altered journal is not worth a failover
                _close(last, context.clock.now(), f"a {runbook} took its place")
        run = f"{datetime.fromtimestamp(context.clock.now(), UTC):%Y%m%dT%H%M%SZ}-{runbook}"
        journal = journals.Journal(folder(context.state_dir, environment) / f"{run}.jsonl")
        recovery = open_recovery(context, where, ledger, aws, journal, script.parameters)
        inherited = journals.open_undos(before)
        first = first_entry(context, recovery, identity, run)
        recovery.note(
            "run",
            **first,
            inherited=[list(each) for each in inherited],
            replaced=last.stem if last and is_open(before) else _replaced(before),
        )
        for name, arguments in inherited:
            recovery.note("undo", name=name, arguments=arguments)
        return _conduct(context, recovery, script, script.forward)


def _replaced(before: Sequence[Entry]) -> str | None:
    """Of a failover that a failback follows: the run whose place it took, and whose probes left what they wrote."""
    failover = before and before[0]["runbook"] == "failover"
    return before[0].get("replaced") if failover else None


def _last(path: Path | None, runbook: str) -> Sequence[Entry]:
    """The entries of the last run. One whose journal is damaged stops everything but a failover."""
    try:
        return journals.read(path) if path else []
    except DrctlError:
        if runbook != "failover":
            raise
        return []


def _close(path: Path, now: float, why: str) -> None:
    """Give an open run its verdict."""
    journal = journals.Journal(path)
    results = measure(journal.entries).as_json()
    left = f"what its probes wrote is left: names that begin with {prefix(path.stem)}"
    journal.add("deviation", now, what=left, why=why)
    journal.add("verdict", now, outcome="interrupted", reasons=[why], results=results)
    journal.close()


def resume(
    context: Context, approve: Approve, named: str, scripts: Callable[[Parameters], Script]
) -> RunResult:
    """Go on with the interrupted run. Raises DrctlError when there is none, or it is another runbook's."""
    return _go_on(context, approve, named, scripts, back=False)


def abort(
    context: Context, approve: Approve, named: str, scripts: Callable[[Parameters], Script]
) -> RunResult:
    """Take the interrupted run back. Raises like ``resume``."""
    return _go_on(context, approve, named, scripts, back=True)


def _go_on(
    context: Context, approve: Approve, named: str, scripts: Callable[[Parameters], Script], *, back: bool
) -> RunResult:
    environment = context.settings().environment
    with context.writing(environment) as ledger:
        where = site(ledger)
        path = newest(context.state_dir, environment)
        entries = journals.read(path) if path else []
        if path is None or not is_open(entries):
            raise DrctlError(
                Diagnostic(
                    f"there is no {named} to go on with",
                    cause="the last run has its verdict" if path else "nothing was ever run here",
                    remedy=f"`drctl {named}` begins one; `drctl report` shows the last",
                )
            )
        first = entries[0]
        if first["runbook"] != named:
            raise unfinished(path, entries)
        parameters = Parameters(named, first["method"], first["trigger"], first["forced"])
        script = scripts(parameters)
        steps = script.back if back else script.forward
        aws = context.aws()
        identity = identify(aws, where.standby.region, ledger, context.settings().account)
        what = f"{'take back' if back else 'go on with'} the {named} {path.stem}"
        approve(_intent(where, identity, script, what, steps))
        journal = journals.Journal(path)
        recovery = open_recovery(context, where, ledger, aws, journal, parameters)
        recovery.note("resumed", command=context.command, **who())
        if back:
            return _take_back(context, recovery, script, "aborted", ["the operator took it back"])
        if any(name.startswith("abort.") for name in recovery.begun):
            raise _being_taken_back(named)
        if "before.probes" in recovery.done and "after.cleanup" not in recovery.done:
            _look_again(recovery)
        return _conduct(context, recovery, script, steps)


def _conduct(context: Context, recovery: Recovery, script: Script, steps: tuple[Step, ...]) -> RunResult:
    """Walk the steps. What stops them is told and written down; a drill then takes itself back.

    Raises what stopped a failover or a failback, which stays open, and a drill that had not broken anything yet.
    """
    context.interrupt.wakes(_nothing)
    recovery.guards = script.guards
    try:
        walk(recovery, steps)
    except Superseded:
        recovery.watch.abandon()
        raise
    except NotSteady as refused:
        _verdict(recovery, "refused", [f"{each.summary}: {each.cause}" for each in refused.diagnostics])
        raise
    except DrctlError as stopped:
        if not script.takes_itself_back:
            _leave(recovery)
            raise type(stopped)([*stopped.diagnostics, _way_on(recovery)]) from stopped
        return _take_back(context, recovery, script, _outcome(stopped), [str(stopped)])
    return _judge(recovery)


def _outcome(stopped: DrctlError) -> str:
    """What a run that takes itself back came to."""
    if isinstance(stopped, Interrupted):
        return "interrupted"
    return "aborted" if isinstance(stopped, Stopped) else "failed"


def _take_back(
    context: Context, recovery: Recovery, script: Script, outcome: str, reasons: list[str]
) -> RunResult:
    """Whatever a run has done so far is undone; then it has its verdict.

    Raises DrctlError when that fails: the run stays open, and can be taken back once more.
    """
    context.interrupt.requested = False
    context.interrupt.wakes(_nothing)
    recovery.guards = ()
    recovery.note("deviation", what="the run takes itself back", why="; ".join(reasons))
    steps = script.back if "outage.inject" in recovery.begun or not script.tidy else script.tidy
    try:
        if "before.probes" in recovery.begun or steps is script.back:
            _look_again(recovery)
            walk(recovery, steps)
    except Superseded:
        recovery.watch.abandon()
        raise
    except DrctlError as failed:
        _leave(recovery)
        raise type(failed)([*failed.diagnostics, _way_on(recovery)]) from failed
    return _verdict(recovery, outcome, reasons)


def _look_again(recovery: Recovery) -> None:
    """The probes go on; while no process was there, nobody looked."""
    seen = [sample.time for sample in samples(recovery.journal.entries)]
    if recovery.watch.start(recovery) and seen:
        recovery.remember("gap", {"from": max(seen), "to": recovery.clock.now()})


def _judge(recovery: Recovery) -> RunResult:
    """Measure, and hold it against the objectives."""
    recovery.watch.stop()
    recovery.flush_calls()
    missed = list(_missed(measure(recovery.journal.entries), counted=recovery.parameters.runbook == "drill"))
    if recovery.parameters.runbook == "failback":
        missed = []
    return _verdict(recovery, "objective missed" if missed else "passed", missed)


def _missed(results: Results, *, counted: bool) -> Iterator[str]:
    """The objectives that were not met, or of which it cannot be said; that is no better."""
    if not results.rto_met:
        seconds = [results.paths[path].seconds for path in (READ_NAME, WRITE_NAME) if path in results.paths]
        seen = [each for each in seconds if each is not None]
        longest = f"{max(seen):.0f} s" if seen and len(seen) == len(seconds) else "not seen to end"
        yield f"recovery time: {longest}; the objective is {results.rto_objective_s:.0f} s"
    unknown = [name for name, loss in results.stores.items() if loss.acknowledged and loss.arrived is None]
    if results.rpo_met is False:
        worst = max((loss.seconds or 0.0 for loss in results.stores.values()), default=0.0)
        yield f"recovery point: {worst:.1f} s of writes were lost; the objective is {results.rpo_objective_s:.0f} s"
    elif counted and set(unknown) - {"database"}:
        yield f"recovery point: it is not known what was lost of the {' and the '.join(unknown)}"


def _verdict(recovery: Recovery, outcome: str, reasons: Sequence[str]) -> RunResult:
    recovery.watch.stop()
    recovery.flush_calls()
    results = measure(recovery.journal.entries).as_json()
    recovery.note("verdict", outcome=outcome, reasons=list(reasons), results=results)
    recovery.journal.close()
    path = recovery.journal.path
    return RunResult(
        recovery.site.environment, path.stem, path, tuple(recovery.journal.entries), outcome, tuple(reasons)
    )


def _leave(recovery: Recovery) -> None:
    """Everything that was seen is on the disk; the run stays open."""
    recovery.watch.stop()
    recovery.flush_calls()
    recovery.journal.close()


def _intent(where: Site, identity: Identity, script: Script, what: str, steps: tuple[Step, ...]) -> Intent:
    return Intent(
        where.environment,
        identity.account,
        identity.arn,
        (where.primary.region, where.standby.region),
        script.parameters,
        what,
        script.outage,
        steps,
    )


def _being_taken_back(named: str) -> DrctlError:
    return DrctlError(
        Diagnostic(
            f"this {named} is being taken back already",
            cause="somebody began to abort it",
            remedy=f"`drctl {named} --abort` goes on with that; {IF_LOST}",
        )
    )


def _way_on(recovery: Recovery) -> Diagnostic:
    named = recovery.parameters.runbook
    remedy = f"`drctl {named} --resume` goes on from here, `drctl {named} --abort` takes it back"
    if any(name.startswith("abort.") for name in recovery.begun):
        remedy = f"`drctl {named} --abort` goes on taking it back; {IF_LOST}"
    return Diagnostic(
        f"the {named} stays open; all of it is in {recovery.journal.path}",
        remedy=remedy,
    )


def _nothing() -> None:
    """The walk of a runbook looks at the interrupt by itself."""
