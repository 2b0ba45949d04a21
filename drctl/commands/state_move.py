"""Moving the state from files into the bucket, or back.

Both places are held meanwhile. A move that was interrupted is ended by another one, in either direction: a mark tells
that there was one, the lineage that both places are the same environment's, and the serial which is later. Two states
without a mark have each been gone on from: neither contains the other, whatever their serials say. Until then this
machine works with neither (stores.chosen), so that no two states can grow apart.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drctl.commands import stores
from drctl.commands.context import Context
from drctl.errors import Diagnostic, DrctlError, SettingsError
from drctl.ledger.ledger import Ledger

if TYPE_CHECKING:
    from drctl.ledger.store import Hold, Store


@dataclass(frozen=True)
class Moved:
    """Where the state was and is, and how many records it has. ``set_to``: what the settings must say, if not yet."""

    environment: str
    source: str
    target: str
    records: int
    set_to: str | None

    def as_json(self) -> dict[str, Any]:
        """Both places, and what is left to be done."""
        return {"from": self.source, "to": self.target, "records": self.records, "set": self.set_to}


def move(context: Context, to: str) -> Moved:
    """Take the state to ``file`` or ``s3``. Raises SettingsError when there is none, DrctlError, LockedError."""
    settings = context.settings()
    environment = settings.environment
    files, team = stores.of_files(context, environment), stores.of_team(context, settings)
    source, target = (files, team) if to == "s3" else (team, files)
    mark = stores.moving(context, environment)
    if source.load().snapshot is None and not mark.exists():
        raise SettingsError(
            Diagnostic(
                f"there is no state in {source.where}",
                cause="it is where it should be" if target.load().snapshot else "nothing was built yet",
                remedy=f'set [state] store = "{to}" in {context.config}',
            )
        )
    with ExitStack() as both:
        left, right = (_held(both, store, context.command) for store in (source, target))
        ledger = _carried(context, source, left, target, right)
        left.erase()
        mark.unlink(missing_ok=True)
    set_to = None if settings.state.store == to else f'[state] store = "{to}"'
    return Moved(environment, source.where, target.where, len(ledger.records()), set_to)


def _held(both: ExitStack, store: Store, command: str) -> Hold:
    hold = store.hold(command)
    both.callback(hold.release)
    return hold


def _carried(context: Context, source: Store, left: Hold, target: Store, right: Hold) -> Ledger:
    """Let the target hold all that the source does; what it holds then."""
    environment = context.settings().environment
    there = Ledger(target, environment, right)
    if source.load().snapshot is None:  # an earlier move came so far
        return there
    here = Ledger(source, environment, left)
    begun = target.load().snapshot is not None
    mark = stores.moving(context, environment)
    if begun and (there.meta.lineage != here.meta.lineage or not mark.exists()):
        raise DrctlError(
            Diagnostic(
                "there are two different states of this environment",
                cause=f"neither of {source.where} and {target.where} is known to contain the other",
                remedy="see with `drctl state list` which is right, and move the other away",
            )
        )
    for ledger in (here, *([there] if begun else [])):
        ledger.fold(context.clock.now())
    if begun and there.meta.serial >= here.meta.serial:
        return there
    mark.touch(mode=0o600)
    snapshot = source.load().snapshot
    assert snapshot is not None
    right.fold(snapshot, here.meta.serial)
    if target.load().snapshot != snapshot:
        raise DrctlError(
            Diagnostic(
                "what was written cannot be read back",
                cause=f"{target.where} holds something else",
                remedy="the state is still where it was; run the same command again",
            )
        )
    return here
