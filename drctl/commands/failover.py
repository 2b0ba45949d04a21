"""The real thing: the standby takes over, whatever became of the primary."""

from __future__ import annotations

from drctl.commands import runs
from drctl.commands.context import Context
from drctl.commands.runs import Approve, RunResult, Script
from drctl.runbook import failback, failover
from drctl.runbook.recovery import Parameters


def begin(context: Context, approve: Approve) -> RunResult:
    """Fail over now. Writes that had not reached the standby are given up."""
    return runs.begin(context, approve, script(Parameters("failover")))


def resume(context: Context, approve: Approve) -> RunResult:
    """Go on with an interrupted failover."""
    return runs.resume(context, approve, "failover", script)


def abort(context: Context, approve: Approve) -> RunResult:
    """Take an interrupted failover back, which needs a primary that lives."""
    return runs.abort(context, approve, "failover", script)


def script(parameters: Parameters) -> Script:
    """The failover's steps; back by those of a failback."""
    steps = (*failover.watching(), *failover.steps(), failover.clean_up())
    back = (*failback.steps("abort"), failover.clean_up("abort"))
    return Script(parameters, steps, back, takes_itself_back=False)
