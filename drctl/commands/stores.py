"""Where an environment's ledger is kept, as the settings say; and that it is kept there alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from drctl.errors import Diagnostic, DrctlError
from drctl.ledger.file_store import FileStore
from drctl.ledger.store import LEASE_S, RENEW_S, StateDamaged

if TYPE_CHECKING:
    from drctl.aws.team_store import TeamStore
    from drctl.commands.context import Context
    from drctl.ledger.ledger import Ledger
    from drctl.ledger.store import Store
    from drctl.settings import Settings


def chosen(context: Context, environment: str) -> Store:
    """The store of the settings; without settings the files.

    Raises DrctlError when there are files of the environment although it is kept elsewhere, and while it is half moved.
    """
    files = of_files(context, environment)
    settings = context.settings() if context.config.exists() else None
    if moving(context, environment).exists():
        raise DrctlError(
            Diagnostic(
                "the state was being moved when that was interrupted",
                cause=f"{moving(context, environment)} is there",
                remedy="`drctl state move --to file` or `--to s3` ends it, whichever it is to be",
            )
        )
    if settings is None or settings.state.store == "file":
        return files
    if Path(files.where).exists():
        raise DrctlError(
            Diagnostic(
                'the settings say [state] store = "s3", and there is a state in files',
                cause=f"{files.where} is there",
                remedy="`drctl state move --to s3` takes it there; if it is of no use any more, move it away",
            )
        )
    return of_team(context, settings)


def of_files(context: Context, environment: str) -> FileStore:
    """The files of this machine."""
    lease_s = float(context.settings().state.lease_s) if context.config.exists() else LEASE_S
    return FileStore(context.state_dir, environment, lease_s, lease_s * RENEW_S / LEASE_S)


def of_team(context: Context, settings: Settings) -> TeamStore:
    """The bucket in the standby region, of the settings' account, or else of the credentials'.

    Raises DrctlError. Nothing outside of the standby region is asked.
    """
    from drctl.aws.team_store import TeamStore
    from drctl.commands.context import asked

    aws, region = context.aws(), settings.regions.standby
    account = settings.account or asked(aws, region).account
    return TeamStore(aws, settings.environment, account, region, float(settings.state.lease_s))


def moving(context: Context, environment: str) -> Path:
    """The file that stands while a state is being moved."""
    return context.state_dir / f"{environment}.moving"


def refuse_another(context: Context, settings: Settings, ledger: Ledger) -> None:
    """Raises DrctlError when what the files do not know of is kept in the bucket: it must not be begun a second time.

    Who may not look there has not kept anything there.
    """
    if settings.state.store == "s3" or ledger.records() or ledger.meta.account:
        return
    team = of_team(context, settings)
    try:
        begun = team.load().snapshot is not None
    except StateDamaged:
        begun = True
    except DrctlError as error:
        from drctl.aws.errors import is_denial

        if error.__cause__ is None or not is_denial(error.__cause__):
            raise
        return
    if begun:
        raise DrctlError(
            Diagnostic(
                'the settings say [state] store = "file", and the state of this environment is in a bucket',
                cause=f"it is in {team.where}",
                remedy='set [state] store = "s3", or take it here with `drctl state move --to file`',
            )
        )
