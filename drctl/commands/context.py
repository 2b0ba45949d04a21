"""What every command is given: where the files are, which AWS, whose clock, who is told what happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from drctl.engine.clock import Clock, WallClock
from drctl.engine.events import Emit
from drctl.engine.walk import Interrupt
from drctl.errors import Diagnostic, DrctlError, Interrupted, SettingsError
from drctl.ledger.ledger import Ledger
from drctl.ledger.store import Store

if TYPE_CHECKING:
    from drctl.aws.clients import Aws, Identity
    from drctl.engine.run import Run
    from drctl.probe.outside import Outside
    from drctl.runbook.recovery import RegionSwitch
    from drctl.settings import Settings


@dataclass(frozen=True)
class Access:
    """How to reach AWS: all None means wherever boto3's own configuration points.

    outside: how the world outside AWS is reached, where its users are; None: the real one
    regions: takes whole regions out, where somebody can
    speed: simulated seconds in a real one; None where nothing is simulated
    """

    profile: str | None = None
    endpoint_url: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    outside: Outside | None = None
    regions: RegionSwitch | None = None
    speed: float | None = None


@dataclass
class Context:
    """One invocation of drctl.

    built_in: use the built-in settings when there is no settings file
    named: the environment, as soon as anything has told its name: a failure is told with it
    """

    config: Path
    state_dir: Path
    command: str
    emit: Emit
    access: Access = field(default_factory=Access)
    clock: Clock = field(default_factory=WallClock)
    interrupt: Interrupt = field(default_factory=Interrupt)
    built_in: bool = False
    named: str = field(default="", init=False)
    _store: Store | None = field(default=None, init=False)

    def settings(self) -> Settings:
        """Raises SettingsError with everything that is wrong."""
        from drctl import settings

        without = self.built_in and not self.config.exists()
        found = settings.Settings.demo() if without else settings.load(self.config)
        self.named = found.environment
        return found

    def environment(self) -> str:
        """The environment's name: from the settings, or without them from the one state file there is.

        Raises SettingsError when neither tells.
        """
        if self.config.exists():
            return self.settings().environment
        names = environments(self.state_dir)
        if len(names) == 1:
            self.named = names[0]
            return names[0]
        if self.built_in and not names:
            return self.settings().environment
        found = (
            f"{len(names)} state files in {self.state_dir}: {', '.join(names)}" if names else "no state file"
        )
        raise SettingsError(
            Diagnostic(
                "which environment?",
                cause=f"there is no {self.config}, and {found}",
                remedy="run where drctl.toml is, name it with --config, or make one with `drctl init`",
            )
        )

    def aws(self) -> Aws:
        """The door to AWS. Raises DrctlError when there are no credentials, saying what to do."""
        import boto3
        from botocore.exceptions import BotoCoreError

        from drctl.aws.clients import Aws
        from drctl.settings import Calls

        calls = self.settings().calls if self.config.exists() else Calls()
        try:
            session = boto3.Session(
                profile_name=self.access.profile,
                aws_access_key_id=self.access.access_key,
                aws_secret_access_key=self.access.secret_key,
            )
            credentials = session.get_credentials()
        except BotoCoreError as error:
            raise _no_credentials(str(error)) from error
        if credentials is None:
            raise _no_credentials("boto3 found none in the environment, the shared files or the instance")
        timeouts = float(calls.connect_timeout_s), float(calls.answer_timeout_s)
        return Aws(session, self.access.endpoint_url, timeouts=timeouts)

    def store(self, environment: str) -> Store:
        """Where the environment's ledger is kept. Raises DrctlError."""
        from drctl.commands import stores

        if self._store is None:
            self._store = stores.chosen(self, environment)
        return self._store

    def reading(self, environment: str) -> Ledger:
        """The ledger, for looking only."""
        return Ledger(self.store(environment), environment)

    def built(self) -> Ledger:
        """The ledger of an environment that is there, for looking only. Raises DrctlError when nothing was built."""
        environment = self.environment()
        ledger = self.reading(environment)
        if not ledger.records():
            raise DrctlError(
                Diagnostic(
                    f"the environment {environment!r} has not been built",
                    cause=f"{ledger.where} holds no resource",
                    remedy="`drctl up` builds it",
                )
            )
        return ledger

    @contextmanager
    def writing(self, environment: str) -> Iterator[Ledger]:
        """The ledger under its lock, which is released at the end, whatever happens.

        Raises LockedError when another run holds it.
        """
        store = self.store(environment)
        hold = store.hold(self.command)
        try:
            yield Ledger(store, environment, hold)
        finally:
            hold.release()

    def run(self, aws: Aws, identity: Identity, ledger: Ledger, environment: str) -> Run:
        """The surroundings of the engine."""
        from drctl.aws.errors import classify
        from drctl.engine.run import Run

        return Run(
            aws.giving_up(self.clock.now),
            ledger,
            self.clock,
            classify,
            self.emit,
            environment,
            identity.account,
            identity.partition,
        )


def environments(state_dir: Path) -> list[str]:
    """The environments that have a state file in the folder."""
    return sorted(path.stem for path in state_dir.glob("*.json")) if state_dir.is_dir() else []


def asked(aws: Aws, region: str) -> Identity:
    """Who we are, as the STS of the region says. Raises DrctlError."""
    from botocore.exceptions import BotoCoreError, ClientError

    from drctl.aws.errors import classify

    try:
        return aws.identity(region)
    except (BotoCoreError, ClientError) as error:
        trouble = classify(error)
        raise DrctlError(
            Diagnostic(
                trouble.everywhere or "AWS does not say who we are",
                cause=f"asked in {region}: {trouble.cause}",
                remedy=trouble.remedy
                or "check the credentials and the network, then run the same command again",
            )
        ) from error


def identify(aws: Aws, region: str, ledger: Ledger, guard: str | None) -> Identity:
    """Who we are; raises unless it is the account of the settings' guard and of the state.

    ``region``: whose STS is asked.
    """
    identity = asked(aws, region)
    if guard is not None and identity.account != guard:
        raise SettingsError(
            Diagnostic(
                "these are credentials of another account",
                "account",
                f"the settings say {guard}, the credentials belong to {identity.account} ({identity.arn})",
                "choose the right credentials with --profile or AWS_PROFILE; nothing was changed",
            )
        )
    if ledger.meta.account and identity.account != ledger.meta.account:
        raise DrctlError(
            Diagnostic(
                f"the state {ledger.where} belongs to another account",
                cause=f"it was made in {ledger.meta.account}, the credentials belong to {identity.account}",
                remedy="choose the right credentials with --profile, or another folder with --state-dir",
            )
        )
    return identity


def interrupted(command: str, ledger: Ledger, failed: Mapping[str, Diagnostic]) -> Interrupted:
    """What to say when the operator stopped a run: what had failed by then, and how to go on."""
    return Interrupted(
        [
            *(failed[address] for address in sorted(failed)),
            Diagnostic(
                "interrupted; what had been done is recorded",
                cause=f"{len(ledger.records())} resources are in {ledger.where}",
                remedy=f"`drctl {command}` goes on from here; "
                + (
                    "`drctl up` builds it again"
                    if command == "destroy"
                    else "`drctl destroy` removes what there is"
                ),
            ),
        ]
    )


def _no_credentials(cause: str) -> DrctlError:
    return DrctlError(
        Diagnostic(
            "no AWS credentials",
            cause=cause,
            remedy="on AWS: set AWS_PROFILE or --profile to credentials of the account (docs/aws.md)\n"
            "without an account: put --sim before the command, as in `drctl --sim up`",
        )
    )
