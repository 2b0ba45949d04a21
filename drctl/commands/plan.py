"""What ``up`` would do: the same reads and the same rules, changing nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from drctl.commands.context import Context, identify
from drctl.commands.inspection import inspect_all
from drctl.commands.records import unwanted
from drctl.engine.inspect import Change
from drctl.errors import Diagnostic, SettingsError

if TYPE_CHECKING:
    from drctl.aws.clients import Aws, Identity
    from drctl.engine.run import AnyResource, Run
    from drctl.ledger.ledger import Ledger
    from drctl.ledger.model import Record
    from drctl.settings import Settings

ACTIONS = ("create", "update", "replace", "delete", "unchanged")


@dataclass(frozen=True)
class Plan:
    """The changes in the order of the graph, what is unchanged among them, and whom they would happen to."""

    environment: str
    account: str
    caller: str
    regions: tuple[str, ...]
    changes: tuple[Change, ...]
    notices: tuple[str, ...] = ()

    @property
    def differences(self) -> tuple[Change, ...]:
        """Only what would change."""
        return tuple(change for change in self.changes if change.action != "unchanged")

    @property
    def summary(self) -> dict[str, int]:
        """How many of each action."""
        return count(change.action for change in self.changes)

    def as_json(self) -> dict[str, Any]:
        """cli.md: changes with their fields, and the summary."""
        return {
            "account": self.account,
            "regions": list(self.regions),
            "changes": [
                {"address": c.address, "action": c.action, "fields": fields_as_json(c)}
                for c in self.differences
            ],
            "summary": self.summary,
            "notices": list(self.notices),
        }


@dataclass
class Desired:
    """The graph of the settings, ready to be compared or ensured."""

    settings: Settings
    identity: Identity
    run: Run
    graph: tuple[AnyResource, ...]
    targets: tuple[str, ...] = ()
    planned: dict[str, Change] = field(default_factory=dict)


def plan(context: Context, targets: tuple[str, ...] = ()) -> Plan:
    """Read AWS and say what would change. Raises DrctlError with every read that failed."""
    settings = context.settings()
    ledger = context.reading(settings.environment)
    return compare(context, desired(context, settings, ledger, targets))


def desired(
    context: Context, settings: Settings, ledger: Ledger, targets: tuple[str, ...], aws: Aws | None = None
) -> Desired:
    """The graph, narrowed to the targets and what they need; ``aws``: a door that is open already.

    Raises SettingsError when a target matches nothing.
    """
    from drctl.topology import build

    aws = aws or context.aws()
    identity = identify(aws, settings.regions.standby, ledger, settings.account)
    run = context.run(aws, identity, ledger, settings.environment)
    run.operators_tags = settings.tags
    graph = build(settings, identity.account, identity.partition)
    return Desired(settings, identity, run, narrowed(graph, targets), targets)


def compare(context: Context, wanted: Desired) -> Plan:
    """Inspect every resource of the graph, and look for records that the graph no longer has."""
    found = inspect_all(context, wanted.run, wanted.graph)
    changes = [found[each.address] for each in wanted.graph]
    changes += [Change(record.address, "delete", phase=record.phase) for record in superfluous(wanted)]
    wanted.planned = {change.address: change for change in changes}
    settings, identity = wanted.settings, wanted.identity
    return Plan(
        settings.environment,
        identity.account,
        identity.arn,
        (settings.regions.primary, settings.regions.standby),
        tuple(changes),
        notices(settings),
    )


def superfluous(wanted: Desired) -> list[Record]:
    """What is on record and, for all that the graph says, is to go."""
    graph = {each.address for each in wanted.graph}
    return unwanted(wanted.run.ledger, graph, narrowed=bool(wanted.targets))


def narrowed(graph: tuple[AnyResource, ...], targets: Iterable[str]) -> tuple[AnyResource, ...]:
    """The resources that the globs name, and everything they need."""
    wanted: set[str] = set()
    globs = list(targets)
    if not globs:
        return graph
    for glob in globs:
        matching = [each for each in graph if fnmatchcase(each.address, glob)]
        if not matching:
            raise no_such_target(glob)
        while matching:
            each = matching.pop()
            if each.address not in wanted:
                wanted.add(each.address)
                matching.extend(each.needs)
    return tuple(each for each in graph if each.address in wanted)


def no_such_target(glob: str) -> SettingsError:
    """A --target that names nothing is a typing error, not a request to do nothing."""
    return SettingsError(
        Diagnostic(
            f"--target {glob} matches no resource",
            cause="addresses are REGION/KIND/NAME, for example us-east-1/subnet/private-a",
            remedy="`drctl plan` and `drctl state list` show the addresses there are",
        )
    )


def notices(settings: Settings) -> tuple[str, ...]:
    """What an operator should know about what these settings leave out."""
    found = []
    if settings.domain is None:
        found.append(
            "no domain in the settings: HTTP only, no certificates, no DNS failover; a trial, not for production"
        )
    return tuple(found)


def count(actions: Iterable[str]) -> dict[str, int]:
    """How many of each action, in the order of cli.md."""
    listed = list(actions)
    return {action: listed.count(action) for action in ACTIONS}


def fields_as_json(change: Change) -> Mapping[str, Any]:
    """Drift as JSON: field -> actual and desired."""
    return {name: {"actual": d.actual, "desired": d.desired} for name, d in change.fields.items()}
