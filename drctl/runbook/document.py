"""A report of a run as a document: what is in it, and how it is written as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from drctl.runbook.measured import Phase, Route, Store, Unserved
from drctl.runbook.said import text

REPORT_VERSION = 1
SAMPLE_COLUMNS = ("time", "probe", "ok", "latency_ms", "who", "detail", "sequence")
CALL_COLUMNS = ("time", "service", "operation", "region", "endpoint", "status", "ms")


@dataclass(frozen=True)
class Objective:
    """What was promised and what was seen, in seconds. ``measured_s`` None: not seen; ``met`` None: cannot be said."""

    name: str
    limit_s: float | None
    measured_s: float | None
    met: bool | None


@dataclass(frozen=True)
class StepRun:
    """A step as it ran: ``state`` is begun (it never ended), done, failed or undone."""

    step: str
    title: str
    state: str
    began: float | None
    ended: float | None
    detail: str
    evidence: Mapping[str, Any]

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return None if self.began is None or self.ended is None else self.ended - self.began


@dataclass(frozen=True)
class CheckRun:
    """What a check before, during or after the run found when it was asked last. ``asked``: how many times."""

    time: float | None
    stage: str
    name: str
    ok: bool
    detail: str
    value: Any
    limit: Any
    asked: int


@dataclass(frozen=True)
class Fault:
    """What was broken on purpose, or changed for the run's time; ``undone_at`` None: nobody put it back."""

    name: str
    arguments: Mapping[str, Any]
    at: float | None
    undone_at: float | None


@dataclass(frozen=True)
class Changed:
    """A part of the configuration that was another one after the run."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Deviation:
    """Where the run left its script."""

    time: float | None
    what: str
    why: str


@dataclass(frozen=True)
class Gap:
    """From when to when nobody looked: the run's process was gone."""

    began: float
    ended: float


@dataclass(frozen=True)
class Calls:
    """Calls of one operation that ended alike."""

    service: str
    operation: str
    region: str
    endpoint: str
    status: str
    count: int
    first: float
    last: float

    @property
    def failed(self) -> bool:
        """Whether they were refused, or not answered at all."""
        return not self.status.startswith(("2", "3"))


@dataclass(frozen=True)
class Compared:
    """A measure of this run beside the same of an earlier one; in seconds."""

    name: str
    before_s: float | None
    now_s: float | None


@dataclass(frozen=True)
class Comparison:
    """This run beside an earlier one."""

    run: str
    began: float | None
    outcome: str
    same_settings: bool
    same_method: bool
    measures: tuple[Compared, ...]


@dataclass(frozen=True)
class Evidence:
    """What the report rests on. ``altered_at``: the number of the first entry that does not fit; None: all do."""

    entries: int
    head: str
    altered_at: int | None


@dataclass(frozen=True)
class Report:
    """Everything the views show. Times are seconds since the epoch, in the environment's time.

    run, facts: the journal's own words
    finished: whether it has a verdict
    """

    run: Mapping[str, Any]
    resumed: tuple[Mapping[str, Any], ...]
    began: float | None
    ended: float | None
    finished: bool
    outcome: str
    reasons: tuple[str, ...]
    objectives: tuple[Objective, ...]
    routes: tuple[Route, ...]
    phases: tuple[Phase, ...]
    stores: tuple[Store, ...]
    unserved: tuple[Unserved, ...]
    facts: Mapping[str, Any]
    gaps: tuple[Gap, ...]
    steps: tuple[StepRun, ...]
    checks: tuple[CheckRun, ...]
    deviations: tuple[Deviation, ...]
    faults: tuple[Fault, ...]
    changed: tuple[Changed, ...]
    calls: tuple[Calls, ...]
    calls_while_out: Mapping[str, int]
    call_rows: tuple[Sequence[Any], ...]
    comparison: Comparison | None
    evidence: Evidence
    samples: tuple[Sequence[Any], ...]

    @property
    def name(self) -> str:
        """The run's id."""
        return text(self.run.get("run"))

    @property
    def runbook(self) -> str:
        """drill, failover or failback."""
        return text(self.run.get("runbook"))

    @property
    def seconds(self) -> float | None:
        """How long the run took, in the environment's time."""
        return None if self.began is None or self.ended is None else self.ended - self.began

    def objective(self, name: str) -> Objective | None:
        """``recovery time`` or ``recovery point``, if the run had it to meet."""
        return next((each for each in self.objectives if each.name == name), None)

    def as_json(self) -> dict[str, Any]:
        """The document; docs/report.md tells its members."""
        return {
            "report_version": REPORT_VERSION,
            "run": {**self.run, "began": self.began, "ended": self.ended, "resumed": list(self.resumed)},
            "verdict": {
                "outcome": self.outcome,
                "reasons": list(self.reasons),
                "evidence_altered_at": self.evidence.altered_at,
            },
            "objectives": [asdict(each) for each in self.objectives],
            "rto": {
                "paths": [asdict(each) for each in self.routes],
                "phases": [asdict(each) for each in self.phases],
            },
            "rpo": {"stores": [asdict(each) for each in self.stores]},
            "availability": [asdict(each) for each in self.unserved],
            "facts": dict(self.facts),
            "gaps": [asdict(each) for each in self.gaps],
            "steps": [{**asdict(each), "seconds": each.seconds} for each in self.steps],
            "checks": [asdict(each) for each in self.checks],
            "deviations": [asdict(each) for each in self.deviations],
            "faults": [asdict(each) for each in self.faults],
            "configuration": {
                "digest_before": self.facts.get("digest_before"),
                "digest_after": self.facts.get("digest_after"),
                "changed": [asdict(each) for each in self.changed],
            },
            "calls": {
                "groups": [asdict(each) for each in self.calls],
                "while_out": dict(self.calls_while_out),
                "columns": list(CALL_COLUMNS),
                "rows": [list(row) for row in self.call_rows],
            },
            "comparison": asdict(self.comparison) if self.comparison else None,
            "evidence": {**asdict(self.evidence), "whole": self.evidence.altered_at is None},
            "samples": {"columns": list(SAMPLE_COLUMNS), "rows": [list(row) for row in self.samples]},
        }
