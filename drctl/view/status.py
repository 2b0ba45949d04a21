"""``drctl status`` for people: a summary on top, then only what wants attention."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from drctl.view import text
from drctl.view.text import Line

if TYPE_CHECKING:
    from drctl.commands.status import StatusResult

STYLE_OF_ALARM = {"OK": "good", "ALARM": "bad", "INSUFFICIENT_DATA": "dim"}


def lines(result: StatusResult) -> list[Line]:
    """Environment, phases by region, the writer, alarms that ring, and every resource that is not as it should be."""
    shown: list[Line] = [
        [("environment  ", "dim"), (result.environment, "bold")],
        [("account      ", "dim"), (result.account, "")],
        [("serves       ", "dim"), (result.serving_region or "unknown", "bold")],
        [("writes       ", "dim"), (result.writer_region or "unknown", "bold")],
        [("behind       ", "dim"), (_behind(result.lag_s), "")],
        [],
        *text.table(_phases(result), ("region", "ready", "pending", "absent", "other", "drifted")),
        [],
    ]
    alarms = Counter(alarm.state for alarm in result.alarms)
    shown.append([("alarms       ", "dim"), *_alarm_counts(alarms)])
    shown += [
        [("  ALARM  ", "bad"), (f"{a.region}  {a.name}", "")] for a in result.alarms if a.state == "ALARM"
    ]
    for change in result.resources:
        if change.phase != "ready" or change.fields:
            drifted = f"  differs in {', '.join(sorted(change.fields))}" if change.fields else ""
            shown.append([(f"  {change.phase:<11}", "warning"), (f"{change.address}{drifted}", "")])
    return [*shown, *text.errors(result.unreadable)]


def _behind(lag_s: float | None) -> str:
    return "unknown: the database publishes no lag" if lag_s is None else f"database {lag_s:.1f} s"


def _phases(result: StatusResult) -> list[tuple[str, ...]]:
    rows = []
    for region in sorted({change.address.partition("/")[0] for change in result.resources}):
        here = [c for c in result.resources if c.address.startswith(f"{region}/")]
        phases = Counter(change.phase for change in here)
        other = len(here) - phases["ready"] - phases["pending"] - phases["absent"]
        drifted = sum(bool(change.fields) for change in here)
        numbers = (phases["ready"], phases["pending"], phases["absent"], other, drifted)
        rows.append((region, *map(str, numbers)))
    return rows


def _alarm_counts(alarms: Counter[str]) -> list[tuple[str, str]]:
    if not alarms:
        return [("none", "")]
    return [
        (f"{number} {state}  ", STYLE_OF_ALARM.get(state, "")) for state, number in sorted(alarms.items())
    ]
