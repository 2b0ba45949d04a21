"""One run of a runbook: what its steps work with, and how it writes down what it does and sees."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from drctl.aws.errors import classify, is_refusal
from drctl.engine.clock import Clock
from drctl.engine.events import Emit, Waiting
from drctl.engine.trouble import Meaning
from drctl.engine.walk import Interrupt
from drctl.errors import Diagnostic, DrctlError, Interrupted
from drctl.runbook.step import LOOK_S, Finding

if TYPE_CHECKING:
    from drctl.aws.clients import ApiCall, Aws
    from drctl.runbook.journal import Entry, Journal
    from drctl.runbook.site import Site
    from drctl.runbook.watch import Watch
    from drctl.settings import Settings

Method = Literal["health", "tasks", "network", "region"]
Trigger = Literal["operator", "automatic"]

FLUSH_CALLS = 50
"""API calls that are collected before they are journaled."""


Guard = Callable[["Recovery"], str | None]
"""Says why a run must stop; None: it need not."""


class Stopped(DrctlError):
    """A stop condition holds: the run takes itself back."""


class Superseded(DrctlError):
    """Somebody broke this run's lock: from now on it must neither act nor write."""


class Interruption(Interrupted):
    """The operator asked a runbook to stop: exit code 130."""


class RegionSwitch(Protocol):
    """Takes whole regions out, where somebody can: the simulator. AWS offers none."""

    def begin(self, region: str) -> None: ...

    def end(self, region: str) -> None: ...


@dataclass(frozen=True)
class Comparison:
    """What the settings want against what there is. ``configuration``: what is compared before and after a drill."""

    differences: tuple[str, ...]
    configuration: Mapping[str, Any]


@dataclass(frozen=True)
class Parameters:
    """What the operator asked for; stands in the journal, so that another process can go on."""

    runbook: str
    method: Method | Literal[""] = ""
    trigger: Trigger | Literal[""] = ""
    forced: bool = False

    @property
    def loses_data(self) -> bool:
        """Whether the database is failed over without waiting for the other region, because that one is gone."""
        return self.runbook == "failover" or self.method == "region"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


AGAIN = frozenset({Meaning.THROTTLED, Meaning.NOT_YET, Meaning.IN_USE, Meaning.LOST})
"""Errors after which the same step may succeed in a moment."""

OLD_VIEW_S = 30.0
"""Seconds for which AWS may go on showing what is there no more: that long, "not found" may be because of that."""


@dataclass
class Recovery:
    """aws: both regions and what is global; ``standby``: the standby's own endpoints and nothing else
    compare: reads AWS and compares it with the settings
    watch: the probes; they look from ``watch.start`` on
    watch_of: the probes of an earlier run, to remove what they wrote
    holds: raises DrctlError when the lock is no longer this process's
    guards: asked between any two looks while an outage is on; what one answers stops the run
    put_back_at: when the switch was last put back
    calls: the API calls that are not in the journal yet
    """

    failures: ClassVar[tuple[type[Exception], ...]] = (ClientError, BotoCoreError)

    parameters: Parameters
    site: Site
    settings: Settings
    clock: Clock
    journal: Journal
    interrupt: Interrupt
    tell: Emit
    aws: Aws
    standby: Aws
    compare: Callable[[], Comparison]
    watch: Watch
    holds: Callable[[], None]
    watch_of: Callable[[str], Watch]
    regions: RegionSwitch | None = None
    guards: tuple[Guard, ...] = ()
    put_back_at: float | None = None
    calls: list[ApiCall] = field(default_factory=list)

    @property
    def begun(self) -> set[str]:
        """The steps that the journal names, whatever became of them."""
        return {e["step"] for e in self.journal.entries if e["kind"] == "step"}

    @property
    def done(self) -> set[str]:
        """The steps that the journal calls done."""
        return {e["step"] for e in self.journal.entries if e["kind"] == "step" and e["state"] == "done"}

    def note(self, kind: str, **data: Any) -> Entry:
        """Write an entry, what was called before it first."""
        self.flush_calls()
        return self.journal.add(kind, self.clock.now(), **data)

    def fact(self, name: str) -> Any:
        """The last value written down for a name; None when there is none."""
        return self.journal.fact(name)

    def remember(self, name: str, value: Any) -> None:
        """Write down a fact."""
        self.note("fact", name=name, value=value)

    def remember_once(self, name: str, value: Any) -> None:
        """Write down a fact that must not move: when a thing happened first, whoever resumes the run."""
        if self.fact(name) is None:
            self.remember(name, value)

    def check(self, stage: str, name: str, finding: Finding) -> Finding:
        """Write down what a check found."""
        self.note("check", stage=stage, name=name, **asdict(finding))
        return finding

    def flush_calls(self) -> None:
        """Journal the API calls that were made since the last time."""
        rows = []
        while self.calls:
            call = self.calls.pop(0)
            where = [call.service, call.operation, call.region, call.endpoint, call.status]
            ago = (time.monotonic() - call.began) / self.clock.real(1.0)
            rows.append([round(self.clock.now() - ago, 3), *where, round(call.seconds * 1000, 1)])
        if rows:
            self.journal.add("calls", self.clock.now(), rows=rows)

    def wait_for(self, proof: Callable[[Recovery], Finding], patience_s: float, address: str) -> Finding:
        """Ask until it is ok or the patience is over; the last finding. What AWS cannot answer now is not ok yet.

        Raises Stopped and Interruption.
        """
        deadline = self.clock.now() + patience_s
        while True:
            try:
                finding = proof(self)
            except self.failures as error:
                if is_refusal(error):
                    raise  # no credentials come by waiting
                finding = Finding(False, self.explain(error, address).cause)
            if finding.ok or self.clock.now() >= deadline:
                return finding
            self.tell(Waiting(self.clock.now(), address, finding.detail))
            self.pause(LOOK_S)

    def pause(self, seconds: float) -> None:
        """Let so many of the environment's seconds pass. Raises Stopped and Interruption."""
        until = self.clock.now() + seconds
        while (left := until - self.clock.now()) > 0:
            self.stop_if_asked()
            time.sleep(min(self.clock.real(left), 0.25))
        if len(self.calls) >= FLUSH_CALLS:
            self.flush_calls()
        self.stop_if_asked()

    def stop_if_asked(self) -> None:
        """Raises Superseded when another process has the lock, Interruption when the operator wants to stop, Stopped
        when a guard does."""
        try:
            self.holds()
        except DrctlError as error:
            raise Superseded(error.diagnostics) from error
        if self.interrupt.requested:
            raise Interruption(Diagnostic("interrupted by the operator"))
        for guard in self.guards if self._is_out else ():
            reason = guard(self)
            if reason:
                raise Stopped(Diagnostic("a stop condition holds", cause=reason))

    @property
    def _is_out(self) -> bool:
        return self.fact("outage_at") is not None and self.fact("failback_at") is None

    def explain(self, error: Exception, address: str) -> Diagnostic:
        """AWS's own words, and what to do about them."""
        trouble = classify(error)
        if trouble.meaning is Meaning.LOST:
            # Its remedy would be the same command again, which is not how a run goes on.
            return Diagnostic("AWS does not answer", address, trouble.cause)
        return Diagnostic("AWS refused", address, trouble.cause, trouble.remedy)

    def is_haste(self, error: Exception) -> bool:
        """Whether AWS answers, and only wants the same request later."""
        return classify(error).meaning is Meaning.THROTTLED

    def may_pass(self, error: Exception, tried_s: float) -> bool:
        """Whether what is left to do, and was tried for so many seconds, may succeed in a moment."""
        meaning = classify(error).meaning
        return meaning in AGAIN or (meaning is Meaning.GONE and tried_s < OLD_VIEW_S)
