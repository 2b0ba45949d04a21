"""The verdict on a run in words that need no knowledge of AWS; the terminal, the page and JUnit say the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from drctl.view import text

if TYPE_CHECKING:
    from drctl.runbook.document import Objective, Report
    from drctl.runbook.measured import Route

TITLES = {"drill": "Disaster-recovery drill", "failover": "Failover", "failback": "Failback"}
OUTCOMES = {
    "passed": "Passed",
    "objective missed": "Objective missed",
    "refused": "Refused",
    "failed": "Failed",
    "aborted": "Aborted",
    "interrupted": "Interrupted",
}
TONES = {
    "passed": "good",
    "objective missed": "warning",
    "refused": "warning",
    "failed": "bad",
    "aborted": "bad",
    "interrupted": "bad",
}
METHODS = {
    "health": "Route 53 takes the healthy primary for a sick one",
    "tasks": "every service of the primary has no task left",
    "network": "the primary's network is cut off",
    "region": "the primary region is lost",
}
STORES = {"database": "Database", "table": "Sessions table", "bucket": "Bucket"}
PATHS = {
    "dns": "DNS",
    "read-name": "Reads, by name",
    "write-name": "Writes, by name",
    "read-distribution": "Reads, by CDN",
    "write-distribution": "Writes, by CDN",
    "table": "Sessions table",
    "bucket": "Bucket",
    "standby": "Standby, directly",
}
PHASES = {
    "detect": "Failure detected",
    "decide": "Failover decided",
    "dns": "DNS answers with the standby",
    "promote": "Database promoted",
    "first read": "First read served again",
    "first write": "First write served again",
}
PARTS = {"outage": "Outage", "failback": "Failback"}
OBJECTIVES = {"recovery time": "Recovery time", "recovery point": "Recovery point"}
MEANINGS = {
    "recovery time": "until reads and writes were served again",
    "recovery point": "age of the oldest write that was lost",
}
UNSEEN = "-"
MEASURES = {
    **PATHS,
    **{name: f"{said}, age of the oldest lost write" for name, said in STORES.items()},
    **PHASES,
    **OBJECTIVES,
}
NAMES = {**PATHS, **STORES, **PHASES, **OBJECTIVES}


def span(seconds: float | None) -> str:
    """``0.4 s``, ``42 s``, ``1 min 52 s``; a dash for what was not seen."""
    if seconds is None:
        return UNSEEN
    return f"{round(seconds, 1):g} s" if abs(seconds) < 9.95 else text.duration(seconds)


def difference(before: float | None, now: float | None) -> str:
    """``19 s less``, ``none``: between the two as they are shown."""
    if before is None or now is None:
        return UNSEEN
    more = _shown(now) - _shown(before)
    return f"{span(abs(more))} {'more' if more > 0 else 'less'}" if round(more, 1) else "none"


def _shown(seconds: float) -> float:
    return round(seconds, 1 if abs(seconds) < 9.95 else 0)


def objective_span(seconds: float) -> str:
    """As objectives are spoken of: ``15 min``, ``90 s``, ``1 h``."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return span(seconds)


def moment(time: float | None, form: str = "%Y-%m-%d %H:%M:%S UTC") -> str:
    """A time of the environment, in UTC."""
    if time is None:
        return UNSEEN
    try:
        return datetime.fromtimestamp(time, UTC).strftime(form)
    except (ValueError, OverflowError, OSError):
        return UNSEEN


def title(report: Report) -> str:
    """What kind of run it was."""
    return TITLES.get(report.runbook, "Run")


def outcome(report: Report) -> str:
    """In a word or two; what altered evidence says is no outcome."""
    if report.evidence.altered_at is not None:
        return "Evidence altered"
    return claimed(report)


def claimed(report: Report) -> str:
    """The outcome as the journal says it."""
    return OUTCOMES.get(report.outcome, report.outcome)


def tone(report: Report) -> str:
    """good, warning or bad; altered evidence is never good."""
    return TONES.get(report.outcome, "bad") if report.evidence.altered_at is None else "bad"


def altered(report: Report) -> str:
    """What to say of the evidence when it is not whole, else nothing."""
    at = report.evidence.altered_at
    return "" if at is None else f"evidence altered at entry {at}"


def simulated(report: Report) -> str:
    """What to say of a run against the simulator, else nothing."""
    said = report.run.get("simulated")
    if not said:
        return ""
    speed = said.get("speed") if isinstance(said, dict) else None
    how_fast = f" at {speed:g} times real speed" if isinstance(speed, int | float) and speed != 1 else ""
    return f"Simulated: it ran against drctl's embedded simulator{how_fast}, not on AWS."


def sentences(report: Report) -> Iterator[str]:
    """What a board wants to know: is service back, how fast, what was lost, each against its objective."""
    if report.runbook == "failback":
        yield from _missed(report)
    if (time := report.objective("recovery time")) is not None:
        yield _recovery(report, time)
    if (point := report.objective("recovery point")) is not None:
        yield _loss(report, point)


def _missed(report: Report) -> Iterator[str]:
    """A failback has nothing to recover; what clients missed of it is what counts."""
    seen = [each.seconds for each in report.unserved if each.part == "failback" and each.seconds is not None]
    if seen:
        longest = max(seen)
        yield (
            f"Clients were not served for {span(longest)} at most."
            if longest
            else "Clients were served throughout."
        )


def away(route: Route) -> str:
    """How long nobody was there on a path."""
    if route.never_lost:
        return "never lost"
    if route.seconds is None:
        return "not seen to be back"
    return f"{'at most ' * route.at_most}{span(route.seconds)}"


def met(objective: Objective) -> str:
    """met, missed or not measured."""
    return {True: "met", False: "missed", None: "not measured"}[objective.met]


def _against(objective: Objective) -> str:
    if objective.limit_s is None:
        return "no objective was set."
    return f"objective {objective_span(objective.limit_s)}: {met(objective)}."


def _recovery(report: Report, objective: Objective) -> str:
    if objective.measured_s == 0:
        return f"Service was never lost; {_against(objective)}"
    if objective.measured_s is not None:
        longest = any(route.at_most for route in report.routes if route.seconds == objective.measured_s)
        return f"Recovered in {'at most ' * longest}{span(objective.measured_s)}; {_against(objective)}"
    unseen = "Service was not seen to come back" if report.routes else "Recovery was not measured"
    return f"{unseen}; {_against(objective)}"


def _loss(report: Report, objective: Objective) -> str:
    known = [store.lost for store in report.stores if store.lost is not None]
    lost = sum(map(len, known))
    if not known or (len(known) < len(report.stores) and not lost):
        return f"Lost writes were not measured; {_against(objective)}"
    if not lost:
        return f"No confirmed write was lost; {_against(objective)}"
    of = f"{lost} of {sum(store.acknowledged for store in report.stores):,}"
    were = "was" if lost == 1 else "were"
    oldest = objective.measured_s
    age = "" if oldest is None else f", the oldest from {span(oldest)} before the outage"
    return f"{of} confirmed writes {were} lost{age}; {_against(objective)}"
