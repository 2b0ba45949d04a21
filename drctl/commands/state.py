"""Looking into the state, and breaking its lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drctl.commands.context import Context
from drctl.errors import Diagnostic, SettingsError
from drctl.ledger.model import Record
from drctl.ledger.store import Holder


@dataclass(frozen=True)
class Records:
    """Records of the state, by address."""

    environment: str
    records: tuple[Record, ...]

    def as_json(self) -> dict[str, Any]:
        """cli.md: records."""
        return {"records": [record.as_json() for record in self.records]}


def list_records(context: Context) -> Records:
    """All of them."""
    environment = context.environment()
    records = context.reading(environment).records()
    return Records(environment, tuple(records[address] for address in sorted(records)))


def show_record(context: Context, address: str) -> Records:
    """One of them. Raises SettingsError when there is none at the address."""
    environment = context.environment()
    record = context.reading(environment).get(address)
    if record is None:
        raise SettingsError(
            Diagnostic(
                f"there is no record of {address}",
                cause=f"the state of {environment!r} does not know it",
                remedy="`drctl state list` shows the addresses there are",
            )
        )
    return Records(environment, (record,))


@dataclass(frozen=True)
class Unlocked:
    """Whose lock was broken; None: nobody held it."""

    environment: str
    holder: Holder | None

    def as_json(self) -> dict[str, Any]:
        """The broken lock's holder."""
        return {"broken": vars(self.holder) if self.holder else None}


def unlock(context: Context) -> Unlocked:
    """Break the lock. A run that still lives notices before its next write and stops."""
    environment = context.environment()
    return Unlocked(environment, context.store(environment).break_hold())
