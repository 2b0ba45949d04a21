"""Rehearse the loss of the primary region: steady state, outage, failover, failback, steady state, report."""

from __future__ import annotations

from drctl.commands import runs
from drctl.commands.context import Context
from drctl.commands.runs import Approve, RunResult, Script
from drctl.errors import Diagnostic, SettingsError
from drctl.runbook import drill as runbook
from drctl.runbook.failover import clean_up
from drctl.runbook.injection import METHODS, refusal
from drctl.runbook.recovery import Method, Parameters, Trigger


def begin(
    context: Context, approve: Approve, method: Method | None, trigger: Trigger, *, forced: bool = False
) -> RunResult:
    """A drill from its beginning. It takes itself back when a step fails, a stop condition holds, or on Ctrl-C.

    method: None for a whole region where one can be taken out, else the tasks
    Raises SettingsError when it cannot be done so, NotSteady when the environment is not fit for it.
    """
    method = method or ("region" if context.access.regions else "tasks")
    if method == "region" and context.access.regions is None:
        raise SettingsError(refusal(method))
    if method == "health" and trigger == "automatic":
        raise SettingsError(
            Diagnostic(
                "--method health cannot be waited for with --trigger automatic",
                cause="it deceives Route 53 alone: the monitor sees a healthy primary, and its breaker stays shut",
                remedy="choose --method tasks or network, or --trigger operator",
            )
        )
    if context.settings().domain is None:
        raise SettingsError(
            Diagnostic(
                "a drill needs a domain",
                "domain.name",
                "without one there is no name that follows a failover, and so nothing to measure",
                "put a [domain] table into the settings and run `drctl up`",
            )
        )
    return runs.begin(context, approve, script(Parameters("drill", method, trigger, forced)))


def refuse_unless(meant: bool) -> None:
    """A drill breaks something on purpose: the operator says so in as many words. Raises SettingsError."""
    if not meant:
        raise SettingsError(
            Diagnostic(
                "a drill breaks the primary on purpose",
                cause="--simulate-outage was not given",
                remedy="`drctl drill --simulate-outage`; it shows what it will do and asks first",
            )
        )


def resume(context: Context, approve: Approve) -> RunResult:
    """Go on with an interrupted drill."""
    return runs.resume(context, approve, "drill", script)


def abort(context: Context, approve: Approve) -> RunResult:
    """End an interrupted drill's outage, go home, clean up."""
    return runs.abort(context, approve, "drill", script)


def script(parameters: Parameters) -> Script:
    """The drill's steps, and the way back from any of them."""
    return Script(
        parameters,
        runbook.steps(),
        runbook.taking_back(),
        takes_itself_back=True,
        outage=METHODS[parameters.method],
        tidy=(clean_up("abort"),),
        guards=runbook.guards(),
    )
