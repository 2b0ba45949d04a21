"""The way home after a failover, always graceful."""

from __future__ import annotations

from drctl.commands import runs
from drctl.commands.context import Context
from drctl.commands.runs import Approve, RunResult, Script
from drctl.runbook import failback, failover
from drctl.runbook.recovery import Parameters


def begin(context: Context, approve: Approve) -> RunResult:
    """Let the primary take over again, once it is whole and has caught up."""
    return runs.begin(context, approve, script(Parameters("failback")))


def resume(context: Context, approve: Approve) -> RunResult:
    """Go on with an interrupted failback."""
    return runs.resume(context, approve, "failback", script)


def abort(context: Context, approve: Approve) -> RunResult:
    """Take an interrupted failback back: the standby serves and writes on."""
    return runs.abort(context, approve, "failback", script)


def script(parameters: Parameters) -> Script:
    """The failback's steps; back by those of a graceful failover."""
    steps = (*failover.watching(), *failback.steps(), failover.clean_up(), failback.as_before())
    back = (*failover.steps("abort"), failover.clean_up("abort"))
    return Script(parameters, steps, back, takes_itself_back=False)
