"""Opens a run: the environment out of the ledger, the doors to AWS, the probes, the journal."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from drctl.commands.context import Context
from drctl.commands.plan import Desired, compare, desired
from drctl.engine.walk import Interrupt
from drctl.probe.outside import Outside
from drctl.runbook.journal import Journal
from drctl.runbook.recovery import Comparison, Parameters, Recovery
from drctl.runbook.watch import Watch

if TYPE_CHECKING:
    from drctl.aws.clients import ApiCall, Aws, Identity
    from drctl.ledger.ledger import Ledger
    from drctl.runbook.site import Site
    from drctl.settings import Settings

TTL_S = 60
"""Of an alias record to a load balancer ("Choosing between alias and non-alias records", Route 53 developer guide)."""


def open_recovery(
    context: Context,
    where: Site,
    ledger: Ledger,
    aws: Aws,
    journal: Journal,
    parameters: Parameters,
) -> Recovery:
    """What the steps of a run work with. Nothing is asked of AWS yet, and no probe looks."""
    settings = context.settings()
    calls: list[ApiCall] = []
    seen = aws.witnessed(calls.append)

    def watch_of(journal: Journal, *, canaries: bool) -> Watch:
        outside = context.access.outside or Outside()
        return Watch(where, settings, context.clock, outside, journal, seen, canaries=canaries)

    def watch_of_earlier(run: str) -> Watch:
        return watch_of(Journal(journal.path.with_name(f"{run}.jsonl")), canaries=True)

    return Recovery(
        parameters=parameters,
        site=where,
        settings=settings,
        clock=context.clock,
        journal=journal,
        interrupt=context.interrupt,
        tell=context.emit,
        aws=seen,
        standby=aws.witnessed(calls.append, only=where.standby.region),
        compare=partial(_compare, context, settings, ledger, seen),
        watch=watch_of(journal, canaries=parameters.runbook == "drill"),
        watch_of=watch_of_earlier,
        holds=ledger.check_lock,
        regions=context.access.regions,
        calls=calls,
    )


def _compare(context: Context, settings: Settings, ledger: Ledger, aws: Aws) -> Comparison:
    """As `drctl plan` does it. Ctrl-C is the runbook's affair, not the comparison's."""
    quiet = replace(context, interrupt=Interrupt())
    wanted = desired(quiet, settings, ledger, (), aws)
    found = compare(quiet, wanted)
    return Comparison(
        tuple(change.address for change in found.differences),
        {change.address: _seen(wanted, change.address, change.phase) for change in found.changes},
    )


def _seen(wanted: Desired, address: str, phase: str) -> Mapping[str, Any]:
    record = wanted.run.ledger.get(address)
    return {"phase": phase, "ids": dict(record.outputs) if record else {}}


def first_entry(context: Context, recovery: Recovery, identity: Identity, run: str) -> dict[str, Any]:
    """What a run's journal begins with: everything that another process, or an auditor, must know."""
    where, settings = recovery.site, recovery.settings
    return {
        "run": run,
        **recovery.parameters.as_json(),
        "environment": where.environment,
        "account": identity.account,
        "caller": identity.arn,
        "primary": where.primary.region,
        "standby": where.standby.region,
        "settings_digest": settings.digest,
        "drctl": version("drctl"),
        "objectives": settings.objectives.model_dump(),
        "simulated": {"speed": context.access.speed} if context.access.speed else None,
        "command": context.command,
        "probes": recovery.watch.describe(),
        "ttl_s": TTL_S,
        "health_check": {
            "interval_s": settings.health_check.interval,
            "threshold": settings.health_check.threshold,
        },
        **who(),
    }


def who() -> dict[str, Any]:
    """The process that writes."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())
    return {"host": socket.gethostname(), "user": user, "pid": os.getpid()}
