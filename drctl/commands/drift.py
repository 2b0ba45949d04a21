"""What is otherwise on AWS than it was made: each record against what there is. The settings are ``plan``'s business.

Who writes, how many tasks run and within which raised bounds is operations, not drift: a failover moves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drctl.commands.context import Context, identify
from drctl.commands.inspection import inspect_all
from drctl.commands.plan import fields_as_json
from drctl.commands.records import rebuilt
from drctl.engine.inspect import Change
from drctl.ledger.model import CONDEMNED


@dataclass(frozen=True)
class DriftResult:
    """The resources that differ, with the fields in which they do, or absent, by address."""

    environment: str
    drift: tuple[Change, ...]

    def as_json(self) -> dict[str, Any]:
        """cli.md: drift."""
        return {
            "drift": [
                {"address": c.address, "phase": c.phase, "fields": fields_as_json(c)} for c in self.drift
            ]
        }


def drift(context: Context) -> DriftResult:
    """Compare every record with AWS. Raises DrctlError when there is none, or when something cannot be read."""
    ledger = context.built()
    environment = ledger.meta.environment
    aws = context.aws()
    identity = identify(aws, ledger.meta.regions[-1], ledger, None)
    run = context.run(aws, identity, ledger, environment)
    resources = [each for address, each in rebuilt(ledger).items() if CONDEMNED not in address]
    found = inspect_all(context, run, resources)
    differing = (change for change in found.values() if change.action != "unchanged")
    return DriftResult(environment, tuple(sorted(differing, key=lambda change: change.address)))
