"""One invocation: builds what a command is given, shows what it answers, turns errors into exit codes.

What is imported here at the top is cheap; boto3, rich and the simulator come in when they are needed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from drctl.commands.context import Access, Context
from drctl.engine.clock import Clock, WallClock
from drctl.engine.events import Event
from drctl.engine.walk import Interrupt
from drctl.errors import Diagnostic, DrctlError, Interrupted, SettingsError
from drctl.view import text
from drctl.view.text import Line

if TYPE_CHECKING:
    from drctl.commands.destroy import Removal
    from drctl.commands.plan import Plan
    from drctl.commands.rebuild import Found
    from drctl.commands.runs import Intent, RunResult
    from drctl.sim.client import Status


class View(Protocol):
    """What both views can do."""

    def __enter__(self) -> View: ...
    def __exit__(self, *_: object) -> None: ...
    def emit(self, event: Event) -> None: ...
    def show(self, lines: Iterable[Line]) -> None: ...
    def redraw(self, lines: Iterable[Line]) -> None: ...
    def complain(self, lines: Iterable[Line]) -> None: ...


@dataclass(frozen=True)
class Options:
    """The global options, as typed or from the environment."""

    config: Path
    state_dir: Path
    sim: bool = False
    profile: str | None = None
    json: bool = False
    color: bool = True
    verbose: int = 0
    yes: bool = False
    measures: bool = False
    """Whether the command measures times: a simulator must then run slowly enough for them to be true."""
    follows: bool = False
    """Whether the command looks on for long: a simulator's speed may change meanwhile."""


@dataclass(frozen=True)
class Answer:
    """What a command has to say: as JSON, and as lines for people."""

    environment: str
    result: dict[str, Any]
    lines: Iterable[Line] = ()
    exit_code: int = 0


@dataclass
class Invocation:
    """What the body of a command works with."""

    options: Options
    view: View
    context: Context

    def approve_plan(self, plan: Plan) -> None:
        """Show the plan, ask. Raises DrctlError when the answer is no, SettingsError when there is nobody to ask."""
        self.view.show(text.plan(plan))
        self._ask("Make it so? Only `yes` is accepted: ", "yes")

    def approve_removal(self, removal: Removal) -> None:
        """Show what goes, ask for the environment's name. Raises like approve_plan."""
        self.view.show(text.removal(removal))
        question = f"This removes all of it. Type the environment's name ({removal.environment}): "
        self._ask(question, removal.environment)

    def approve_run(self, intent: Intent) -> None:
        """Show what a runbook is about to do, ask. Raises like approve_plan."""
        self.view.show(text.intent(intent))
        self._ask("Do it? Only `yes` is accepted: ", "yes")

    def approve_rebuild(self, found: Found) -> None:
        """Show what would take the place of a sound state, ask. Raises like approve_plan."""
        from drctl.view.rebuild import found as shown

        self.view.show(shown(found))
        question = f"Put this in the place of the {found.before} records there are? Only `yes` is accepted: "
        self._ask(question, "yes", "the state is sound, and replacing it is confirmed")

    def reported(self, result: RunResult, folder: Path | None) -> Answer:
        """Write a run's report, show it, and answer with it.

        Raises DrctlError for a drill that took itself back, Interrupted when that was the operator's wish.
        """
        from drctl.commands.report import report
        from drctl.view.report import lines

        made = report(self.context, result.run, folder)
        if not result.finished:
            self.view.show(lines(made))
            said = Diagnostic(
                f"the {result.runbook} was {result.outcome} and has been taken back",
                cause="; ".join(result.reasons),
                remedy=f"the report says what was seen: {made.files[1]}",
            )
            raise (Interrupted if result.outcome == "interrupted" else DrctlError)(said)
        code = 3 if result.missed and result.runbook == "drill" else 0
        return Answer(result.environment, made.as_json(), lines(made), code)

    def _ask(
        self, question: str, expected: str, why: str = "this would change AWS, and changes are confirmed"
    ) -> None:
        if self.options.yes:
            return
        if not sys.stdin.isatty():
            raise SettingsError(
                Diagnostic(
                    "nobody to ask: there is no terminal",
                    cause=why,
                    remedy="look at what is shown above and run again with --yes",
                )
            )
        print(question, end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip() != expected:
            raise DrctlError(Diagnostic("nothing was changed", cause=f"the answer was not `{expected}`"))


def run(options: Options, command: str, body: Callable[[Invocation], Answer]) -> int:
    """Run a command's body; the value is the exit code."""
    began = time.monotonic()
    environment, result, failures, code = "", dict[str, Any](), tuple[Diagnostic, ...](), 0
    with _view(options, WallClock()) as early:
        view = early
        try:
            with _surroundings(options) as (clock, access):
                if not options.json:
                    view = _view(options, clock)
                context = Context(
                    options.config,
                    options.state_dir,
                    command,
                    view.emit,
                    access,
                    clock,
                    built_in=options.sim,
                )
                stopped = partial(_stopped, options, context, began)
                with view, _signals(view, context.interrupt, stopped):
                    try:
                        answer = body(Invocation(options, view, context))
                    finally:
                        environment = context.named
            environment, result, code = answer.environment, answer.result, answer.exit_code
            if not options.json:
                view.show(answer.lines)
        except DrctlError as error:
            failures, code = error.diagnostics, error.exit_code
            _trace(options)
        except KeyboardInterrupt:
            failures, code = (Diagnostic("interrupted; nothing is half-written"),), Interrupted.exit_code
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except Exception as error:
            failures, code = (_defect(error),), 1
            _trace(options)
        view.complain(text.errors(failures))
    if options.json:
        from drctl.view import json

        json.write(json.document(command, environment, time.monotonic() - began, result, failures))
    return code


def _stopped(options: Options, context: Context, began: float) -> NoReturn:
    """Stop now: what is under way goes on at AWS, where the next run looks for it. A script gets its document still."""
    if options.json:
        from drctl.view import json

        on = f"drctl {context.command}{' --resume' if options.measures else ''}"
        said = Diagnostic(
            "stopped at once; what was asked for is recorded",
            remedy=f"`{on}` goes on from here: it looks first at what was done",
        )
        json.write(json.document(context.command, context.named, time.monotonic() - began, {}, [said]))
    os._exit(Interrupted.exit_code)


def _view(options: Options, clock: Clock) -> View:
    if options.json:
        from drctl.view.plain import PlainView

        return PlainView(out=sys.stderr)
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        from drctl.view.live import LiveView

        return LiveView(clock, color=options.color)
    from drctl.view.plain import PlainView

    return PlainView()


MEASURED_SPEED = 10.0
"""Simulated seconds in a real one while times are measured: a probe's look takes some hundredths of a real second.

DRCTL_SIM_SPEED sets another one, for machines on which that is too fast, and for tests that measure nothing.
"""


@contextmanager
def _surroundings(options: Options) -> Iterator[tuple[Clock, Access]]:
    """Whose clock and which AWS. The embedded simulator is found or started here, and nowhere else."""
    if not options.sim:
        yield WallClock(), Access(profile=options.profile)
        return
    from drctl.sim import client

    try:
        status = client.start(options.state_dir)
        if options.measures:
            wanted = os.environ.get("DRCTL_SIM_SPEED")
            status = client.slow_down(status, float(wanted) if wanted else MEASURED_SPEED)
    except (client.SimulatorError, ValueError) as error:
        raise DrctlError(Diagnostic("the simulator does not run", cause=str(error))) from error
    try:
        clock, access = _simulated(status)
        yield client.FollowingClock(status) if options.follows else clock, access
    finally:
        if options.measures:
            with suppress(client.SimulatorError):
                client.speed_up(status)


class _Regions:
    """Takes regions of the simulated AWS out."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def begin(self, region: str) -> None:
        from drctl.sim import client

        client.begin_outage(self._status, region)

    def end(self, region: str) -> None:
        from drctl.sim import client

        client.end_outage(self._status, region)


def _simulated(status: Status) -> tuple[Clock, Access]:
    from drctl.probe.outside import Outside
    from drctl.sim import client

    variables = client.environment(status)
    # What the shell says of other accounts and of proxies must not reach into the simulator.
    os.environ.pop("AWS_PROFILE", None)
    os.environ["NO_PROXY"] = variables["NO_PROXY"]
    return client.ScaledClock(status), Access(
        endpoint_url=status.endpoint,
        access_key=variables["AWS_ACCESS_KEY_ID"],
        secret_key=variables["AWS_SECRET_ACCESS_KEY"],
        outside=Outside(status.name_server, status.ports, status.ca_bundle),
        regions=_Regions(status),
        speed=status.speed,
    )


@contextmanager
def _signals(view: View, interrupt: Interrupt, stopped: Callable[[], NoReturn]) -> Iterator[None]:
    """Ctrl-C once: start nothing new, finish recording. Twice: stop now. SIGTERM counts as Ctrl-C."""

    def handle(*_: object) -> None:
        if interrupt.requested:
            stopped()
        if not interrupt.request():
            raise KeyboardInterrupt
        view.complain([[("stopping: what is under way is being recorded (again: stop now)", "warning")]])

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _defect(error: Exception) -> Diagnostic:
    return Diagnostic(
        "drctl has a defect",
        cause=f"{type(error).__name__}: {error}",
        remedy="run again with -vv, which shows where, and report it; what had been done is recorded",
    )


def _trace(options: Options) -> None:
    if options.verbose >= 2:
        traceback.print_exc()


def measuring(options: Options, yes: bool) -> Options:
    """The options of a command that measures times, and may be told not to ask."""
    return replace(options, yes=yes, measures=True)


def following(options: Options) -> Options:
    """The options of a command that looks on."""
    return replace(options, follows=True)


def with_yes(options: Options, yes: bool) -> Options:
    """The options of a command that may be told not to ask."""
    return replace(options, yes=yes)
