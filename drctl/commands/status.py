"""The environment at a glance: how each resource is, and the roles of its regions. Reads AWS, changes nothing."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from drctl.aws.errors import classify
from drctl.commands.context import Context, identify
from drctl.commands.records import rebuilt
from drctl.commands.roles import Roles, roles
from drctl.engine.inspect import Change, inspect
from drctl.engine.pace import READING_SHARE, Pause
from drctl.engine.run import AnyResource, ResourceFailed, Run
from drctl.engine.trouble import Meaning, Trouble
from drctl.engine.walk import After, Interrupt, Job, walk
from drctl.errors import Diagnostic, DrctlError, SettingsError
from drctl.ledger.model import CONDEMNED

if TYPE_CHECKING:
    from drctl.aws.clients import Aws, Identity
    from drctl.ledger.ledger import Ledger

RESOURCES_EVERY_S = 60.0
"""Seconds between two looks at all resources while the roles are watched."""


@dataclass(frozen=True)
class Inspection:
    """A look at every resource that is on record. ``at``: when, epoch seconds; None: there was none yet."""

    at: float | None = None
    resources: tuple[Change, ...] = ()
    unreadable: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class StatusResult:
    """Whatever AWS does not tell is None; ``unreadable`` says what could not be read, and why."""

    environment: str
    account: str
    regions: tuple[str, ...]
    roles: Roles
    inspection: Inspection = field(default_factory=Inspection)

    @property
    def resources(self) -> tuple[Change, ...]:
        """Each resource's phase and drift, by address."""
        return self.inspection.resources

    @property
    def unreadable(self) -> tuple[Diagnostic, ...]:
        """Regions first, then what else did not answer or was refused."""
        silent = (self._silence(place, why) for place, why in self.roles.silent.items())
        return (*silent, *self.roles.unreadable, *self.inspection.unreadable)

    def _silence(self, place: str, why: str) -> Diagnostic:
        if place == "global":
            what = "the control planes of IAM, Route 53 and CloudFront do not answer"
            return Diagnostic(
                what, cause=why, remedy="what they have set up goes on working; look again later"
            )
        can_fail_over = place == self.regions[0] and self.roles.writer_region != self.regions[-1]
        remedy = (
            f"`drctl failover` lets {self.regions[-1]} take over" if can_fail_over else "look again later"
        )
        return Diagnostic(f"{place} does not answer", cause=why, remedy=remedy)

    def as_json(self) -> dict[str, Any]:
        """docs/json.md tells of each member."""
        seen = self.roles
        return {
            "account": self.account,
            "regions": list(self.regions),
            "at": seen.at,
            "resources": [
                {"address": c.address, "phase": c.phase, "drifted": sorted(c.fields)} for c in self.resources
            ],
            "serving_region": seen.serving_region,
            "writer_region": seen.writer_region,
            "lag": asdict(seen.lag),
            "breaker": asdict(seen.breaker) if seen.breaker else None,
            "switch": asdict(seen.switch) if seen.switch else None,
            "run": asdict(seen.run) if seen.run else None,
            "alarms": [asdict(alarm) for alarm in seen.alarms],
            "unreadable": [asdict(each) for each in self.unreadable],
        }


def status(context: Context) -> StatusResult:
    """Look at everything the state knows. What does not answer is shown as unreadable: that is news, not an error.

    Raises DrctlError when there is nothing to look at, or when nothing at all could be read.
    """
    ledger = context.built()
    aws = context.aws().brief
    seen = roles(context, aws, ledger)
    identity = _identity(aws, ledger, seen)
    inspection = _inspect(context, aws, ledger, identity, seen.silent)
    if inspection.unreadable and all(each.phase == "unreadable" for each in inspection.resources):
        raise DrctlError(inspection.unreadable)
    return StatusResult(ledger.meta.environment, identity.account, ledger.meta.regions, seen, inspection)


def watch(context: Context, every: float) -> Iterator[StatusResult]:
    """Look at the roles every so many seconds of the environment's time, without end; at all resources now and then,
    and whenever a region has fallen silent or answers again.

    Never is more than half of the time spent looking, nor more than a small part of it at the resources.
    Raises like ``status``, except that an environment of which nothing can be read any more is shown as that.
    """
    ledger = context.built()
    aws, clock = context.aws().brief, context.clock
    identity: Identity | None = None
    inspection, due, silent = Inspection(), 0.0, set[str]()
    while True:
        began = clock.now()
        seen = roles(context, aws, ledger)
        identity = identity or _identity(aws, ledger, seen)
        took = clock.now() - began
        yield StatusResult(ledger.meta.environment, identity.account, ledger.meta.regions, seen, inspection)
        if clock.now() < due and silent == seen.silent.keys():
            time.sleep(clock.real(max(every - took, took)))
            ledger = context.built()
            continue
        began, silent = clock.now(), set(seen.silent)
        inspection = _inspect(context, aws, ledger, identity, seen.silent)
        due = clock.now() + max(RESOURCES_EVERY_S, READING_SHARE * (clock.now() - began))


def refuse_json(json: bool) -> None:
    """Raises SettingsError when one document is wanted of what has no end."""
    if json:
        raise SettingsError(
            Diagnostic(
                "--watch and --output json exclude each other",
                cause="with --output json there is one document, and watching has no end",
                remedy="leave one of them out; a script asks `drctl --output json status` again and again",
            )
        )


def _identity(aws: Aws, ledger: Ledger, seen: Roles) -> Identity:
    """Asked where somebody answers, the standby first. Raises DrctlError."""
    regions = tuple(reversed(ledger.meta.regions))
    answering = [region for region in regions if region not in seen.silent]
    return identify(aws, (answering or regions)[0], ledger, None)


def _inspect(
    context: Context, aws: Aws, ledger: Ledger, identity: Identity, silent: Mapping[str, str]
) -> Inspection:
    """Every resource by the rules of ``plan``, except that nobody is asked twice who does not answer.

    What cannot be read holds up none of its followers: they are looked at by what is on record.
    """
    environment = ledger.meta.environment
    run = context.run(aws, identity, ledger, environment)
    run = replace(run, aws=run.aws.listed(environment), classify=_impatient)
    troubles: dict[str, Diagnostic] = {}
    resources = {a: r for a, r in rebuilt(ledger).items() if CONDEMNED not in a}
    jobs = [
        Job(a, partial(_look, run, each, silent, troubles), {need.address: After.DONE for need in each.needs})
        for a, each in resources.items()
    ]
    at = context.clock.now()
    # An interrupt of its own, which nobody sets: looking changes nothing, Ctrl-C may end it anywhere.
    found = walk(jobs, context.clock, lambda _: None, Interrupt()).done
    return Inspection(
        at,
        tuple(found[a] for a in sorted(resources)),
        tuple(dict.fromkeys(troubles[a] for a in sorted(troubles))),
    )


def _look(
    run: Run, resource: AnyResource, silent: Mapping[str, str], troubles: dict[str, Diagnostic]
) -> Generator[Pause, None, Change]:
    """``inspect``, for which being unreadable is a finding like others."""
    address = resource.address
    if address.partition("/")[0] not in silent:
        try:
            return (yield from inspect(run, resource))
        except ResourceFailed as failed:
            troubles[address] = failed.diagnostic
    return Change(address, "", phase="unreadable")


def _impatient(error: Exception) -> Trouble:
    trouble = classify(error)
    return replace(trouble, meaning=Meaning.FATAL) if trouble.meaning is Meaning.LOST else trouble
