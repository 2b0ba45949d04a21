"""Errors put up with, for as long as their meaning deserves; then the diagnostic that ends it."""

from __future__ import annotations

from collections.abc import Iterator

from drctl.engine.pace import PATIENCE, Pause, retries
from drctl.engine.run import AnyResource, ResourceFailed, Run
from drctl.engine.trouble import Meaning
from drctl.errors import Diagnostic

WAITING_FOR = {
    Meaning.THROTTLED: "AWS to accept requests again",
    Meaning.NOT_YET: "what it needs to become usable",
    Meaning.IN_USE: "what still uses it",
    Meaning.EXISTS: "AWS to show what exists under this name",
    Meaning.LOST: "an answer from AWS",
    Meaning.GONE: "what it needs to become visible",
}


class Patience:
    """One procedure's memory of what went wrong so far. ``doing`` completes "could not ...": make, remove, read."""

    def __init__(self, run: Run, resource: AnyResource, doing: str) -> None:
        self._run = run
        self._resource = resource
        self._doing = doing
        self._since: dict[tuple[Meaning, str], float] = {}
        self._retries: dict[tuple[Meaning, str], Iterator[float]] = {}

    def judge(self, error: Exception) -> tuple[Meaning, Pause]:
        """How long to wait before the next attempt; raises ResourceFailed when patience is over or pointless."""
        trouble = self._run.classify(error)
        if trouble.everywhere:
            said = Diagnostic(trouble.everywhere, cause=trouble.cause, remedy=trouble.remedy)
            raise ResourceFailed(self._run.everywhere.setdefault(trouble.everywhere, said)) from error
        if trouble.meaning is Meaning.FATAL:
            raise self.failed(trouble.cause, trouble.remedy) from error
        now = self._run.clock.now()
        # Another thing that is not there, or another step that was done already, is not the same wait going on.
        what = trouble.meaning, trouble.cause if trouble.meaning is Meaning.GONE else ""
        since = self._since.setdefault(what, now)
        if now - since > PATIENCE[trouble.meaning]:
            waited = f"after {now - since:.0f} s of waiting for {WAITING_FOR[trouble.meaning]}: "
            remedy = trouble.remedy or "look into the cause, then run the same command again"
            raise self.failed(waited + trouble.cause, remedy) from error
        seconds = next(self._retries.setdefault(what, retries()))
        return trouble.meaning, Pause(seconds, WAITING_FOR[trouble.meaning])

    def reset(self) -> None:
        """Something worked: what went wrong before counts no more."""
        self._since.clear()
        self._retries.clear()

    def failed(self, cause: str, remedy: str = "") -> ResourceFailed:
        """The error that ends the procedure."""
        return ResourceFailed(
            Diagnostic(
                f"could not {self._doing} {self._resource.address}",
                self._resource.address,
                cause,
                remedy or "mend the cause, then run the same command again: it goes on from here",
            )
        )
