"""``drctl status`` for people: a summary on top, then only what wants attention."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from drctl.view import text
from drctl.view.text import Line, Piece

if TYPE_CHECKING:
    from drctl.commands.roles import Lag, OpenRun, Switch
    from drctl.commands.status import StatusResult
    from drctl.runbook.breaker import Breaker

STYLE_OF_ALARM = {"OK": "good", "ALARM": "bad", "INSUFFICIENT_DATA": "dim"}
STYLE_OF_BREAKER = {"CLOSED": "good", "HALF_OPEN": "warning", "OPEN": "bad"}
COUNTED = ("ready", "pending", "absent", "unreadable")

STALE_S = 180.0
"""Seconds after which the health monitor, which looks twice a minute, has not looked for too long."""


def lines(result: StatusResult) -> list[Line]:
    """Environment, roles, phases by region, alarms that ring, and every resource that is not as it should be."""
    roles = result.roles
    shown: list[Line] = [
        [("environment  ", "dim"), (result.environment, "bold")],
        [("account      ", "dim"), (result.account, "")],
        [("serves       ", "dim"), *_region(result, roles.serving_region)],
        [("writes       ", "dim"), *_region(result, roles.writer_region)],
        [("behind       ", "dim"), *_behind(roles.lag)],
        [("breaker      ", "dim"), *_breaker(roles.breaker, roles.at)],
        [("switch       ", "dim"), *_switch(roles.switch, roles.at)],
        *_run(roles.run),
        [("alarms       ", "dim"), *_alarm_counts(Counter(alarm.state for alarm in roles.alarms))],
    ]
    for alarm in roles.alarms:
        if alarm.state == "ALARM":
            lasting = _lasting(alarm.since, roles.at)
            shown.append([("  ALARM  ", "bad"), (f"{alarm.region}  {alarm.name}", ""), (lasting, "dim")])
    return [*shown, [], *_resources(result), *text.errors(result.unreadable)]


def watched(result: StatusResult, every: float) -> list[Line]:
    """The same under the time of the look, and how old the look at the resources is."""
    moment = f"{datetime.fromtimestamp(result.roles.at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    head: Line = [(moment, "bold"), (f"  every {every:g} s; Ctrl-C ends it", "dim")]
    return [head, [], *lines(result)]


def _region(result: StatusResult, region: str | None) -> list[Piece]:
    if region is None:
        return [("unknown", "warning")]
    primary = region == result.regions[0]
    return [(region, "bold"), ("  primary" if primary else "  standby", "dim" if primary else "warning")]


def _behind(lag: Lag) -> list[Piece]:
    told = {"database": lag.database_s, "tables": lag.table_s, "buckets": lag.bucket_s}
    known = [f"{name} {seconds:.1f} s" for name, seconds in told.items() if seconds is not None]
    if not known:
        return [("unknown", ""), ("  nothing was published in the last 5 min", "dim")]
    return [(", ".join(known), ""), ("  at most, in the last 5 min", "dim")]


def _breaker(breaker: Breaker | None, now: float) -> list[Piece]:
    if breaker is None:
        return [("unknown", "warning")]
    if breaker.updated_at is None:
        return [("CLOSED", ""), ("  the health monitor has not written it yet", "dim")]
    pieces: list[Piece] = [(breaker.state, STYLE_OF_BREAKER.get(breaker.state, ""))]
    if breaker.since is not None:
        pieces.append((f"  opened {text.duration(max(now - breaker.since, 0))} ago", "dim"))
    if breaker.failures:
        probes = "probe has" if breaker.failures == 1 else "probes in a row have"
        pieces.append((f"  {breaker.failures} {probes} failed", "warning"))
    if now - breaker.updated_at > STALE_S:
        pieces.append((f"  last probe {text.duration(now - breaker.updated_at)} ago", "warning"))
    return pieces


def _switch(switch: Switch | None, now: float) -> list[Piece]:
    if switch is None:
        return [("unknown", "warning")]
    if switch.thrown:
        return [("THROWN", "bad"), (_lasting(switch.since, now), "dim")]
    return [("not thrown", "good")]


def _run(run: OpenRun | None) -> list[Line]:
    if run is None:
        return []
    step = f"at {run.step}" if run.step else "before its first step"
    name: Piece = ("run          ", "dim")
    if run.under_way:
        return [[name, (f"{run.run} is under way", "bold"), (f"  {step}", "dim")]]
    ways = f"`drctl {run.runbook} --resume` goes on with it, `drctl {run.runbook} --abort` takes it back"
    return [[name, (f"{run.run} was interrupted {step}", "warning")], [(" " * 13, ""), (ways, "")]]


def _lasting(since: float | None, now: float) -> str:
    return "" if since is None else f"  for {text.duration(max(now - since, 0))}"


def _resources(result: StatusResult) -> list[Line]:
    seen = result.inspection
    if seen.at is None:
        return [[("the resources are being looked at", "dim")]]
    shown = text.table(_phases(result), ("region", *COUNTED, "other", "drifted"))
    age = result.roles.at - seen.at
    if age > 0:
        shown.append([(f"as of {text.duration(age)} ago", "dim")])
    shown.append([])
    for change in result.resources:
        if change.phase not in ("ready", "unreadable") or change.fields:
            drifted = f"  differs in {', '.join(sorted(change.fields))}" if change.fields else ""
            shown.append([(f"  {change.phase:<11}", "warning"), (f"{change.address}{drifted}", "")])
    return shown


def _phases(result: StatusResult) -> list[tuple[str, ...]]:
    rows = []
    for region in sorted({change.address.partition("/")[0] for change in result.resources}):
        here = [c for c in result.resources if c.address.startswith(f"{region}/")]
        phases = Counter(change.phase for change in here)
        counted = [phases[phase] for phase in COUNTED]
        drifted = sum(bool(change.fields) for change in here)
        rows.append((region, *map(str, (*counted, len(here) - sum(counted), drifted))))
    return rows


def _alarm_counts(alarms: Counter[str]) -> list[Piece]:
    if not alarms:
        return [("none", "")]
    return [
        (f"{number} {state}  ", STYLE_OF_ALARM.get(state, "")) for state, number in sorted(alarms.items())
    ]
