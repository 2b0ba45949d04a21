"""Look at many resources at once, by the rules of ``up``, changing nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drctl.commands.context import Context
from drctl.engine.inspect import Change, inspect
from drctl.engine.walk import After, Job, walk
from drctl.errors import Diagnostic, DrctlError, Interrupted

if TYPE_CHECKING:
    from drctl.engine.run import AnyResource, Run


def inspect_all(context: Context, run: Run, resources: Collection[AnyResource]) -> dict[str, Change]:
    """What would happen to each, by address. Raises DrctlError with every read that failed, and Interrupted."""
    looking = replace(run, aws=run.aws.listed(run.environment))  # what is seen goes into the same memory
    jobs = [
        Job(each.address, starting(inspect, looking, each), {need.address: After.DONE for need in each.needs})
        for each in resources
    ]
    result = walk(jobs, context.clock, lambda _: None, context.interrupt)
    if result.interrupted:
        raise Interrupted(Diagnostic("interrupted; nothing was changed"))
    if result.failed:
        raise DrctlError(result.failed[address] for address in sorted(result.failed))
    return result.done


def starting(
    procedure: Callable[[Run, AnyResource], Any], run: Run, resource: AnyResource
) -> Callable[[], Any]:
    """A procedure of one resource, to be started later by the walk."""
    return lambda: procedure(run, resource)
