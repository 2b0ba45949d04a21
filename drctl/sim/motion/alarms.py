"""CloudWatch evaluates metric alarms once a minute, and tells the topics of those that changed.

Sources: user guide, "Using Amazon CloudWatch alarms" and "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.gaps.cloudwatch import alarms_of, set_state
from drctl.sim.gaps.cloudwatch_metrics import Series, query
from drctl.sim.motion import outage
from drctl.sim.motion.notifications import notify
from drctl.sim.motion.pulse import pulse
from drctl.sim.registry import after
from drctl.sim.world import World

EVALUATION = 60.0
"""Simulated seconds between two evaluations of an alarm."""

LOOK_BACK = 2
"""How many periods more than it evaluates an alarm looks back for data: the guide's example takes 5 where 3 are
evaluated, and says of others only that the number depends on the period."""

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
}

ALWAYS_IGNORED = "AWS/DynamoDB"
"""PutMetricAlarm API reference, TreatMissingData: alarms on this namespace ignore missing data whatever they say."""

INITIAL = "INSUFFICIENT_DATA"


@pulse("cloudwatch-alarms", EVALUATION)
def evaluate_alarms(world: World, moto: Moto) -> None:
    """Every metric alarm of every region that is not out, then the actions of all that changed."""
    for account, region, _ in cloudwatch_backends.iter_backends():
        if outage.is_out(world, region):
            continue
        for alarm in list(alarms_of(account, region).values()):
            if not alarm.rule and alarm.comparison_operator in COMPARISONS:
                evaluate(world, account, region, alarm)
        act(world, account, region)


def evaluate(world: World, account: str, region: str, alarm: Any) -> None:
    """Give an alarm the state that its metric's last periods ask for."""
    compare, _ = COMPARISONS[alarm.comparison_operator]
    threshold, evaluated = float(alarm.threshold), int(alarm.evaluation_periods)
    if world.now - world.awake_since < evaluated * int(alarm.period or EVALUATION):
        return  # what was not published while the world slept is not missing
    needed = int(alarm.datapoints_to_alarm or evaluated)
    points = datapoints(world, account, region, alarm, evaluated + LOOK_BACK)
    breaching = [None if value is None else compare(value, threshold) for value in points.values()]
    state = judge(breaching, evaluated, needed, treatment(alarm))
    if state is not None and state != alarm.state_value:
        reason, data = explain(alarm, state, points, evaluated, needed)
        set_state(account, region, alarm.name, state, reason, data)


def judge(breaching: list[bool | None], evaluated: int, needed: int, missing: str) -> str | None:
    """The state that follows from a range of periods, oldest first; None: the alarm stays as it is.

    breaching: for each period of the range whether its data point is, None where there is none
    evaluated, needed, missing: EvaluationPeriods, DatapointsToAlarm and TreatMissingData
    """
    real = [one for one in breaching if one is not None]
    bad = sum(real[-evaluated:])
    absent = max(0, evaluated - len(real))
    if missing == "breaching":
        bad += absent
    if bad >= needed:
        return "ALARM"
    if absent == 0 or missing in ("breaching", "notBreaching") or not all(real):
        return "OK"
    if missing == "ignore":
        return None
    if not real:
        return "INSUFFICIENT_DATA"
    # "Avoiding premature transitions to alarm state": too few, but the oldest is as old as the needed ones would be.
    return "ALARM" if any(breaching[-evaluated:][: evaluated - needed + 1]) else None


def treatment(alarm: Any) -> str:
    """What a period without data counts as."""
    if alarm.namespace == ALWAYS_IGNORED:
        return "ignore"
    return str(alarm.treat_missing_data or "missing")


def datapoints(
    world: World, account: str, region: str, alarm: Any, periods: int
) -> dict[float, float | None]:
    """The start of each of the last periods -> its value. The last one ends now: an alarm waits for no whole minute."""
    queries = queries_of(alarm)
    period = max(int(one["MetricStat"]["Period"]) for one in queries if "MetricStat" in one)
    starts = [world.now - period * back for back in range(periods, 0, -1)]
    try:
        found = query(world, (account, region), queries, starts[0], world.now, origin=world.now)
    except Refused:
        found = {}
    (shown,) = [one["Id"] for one in queries if one["ReturnData"]]
    series: Series = found.get(shown, {})
    return {start: series.get(start) for start in starts}


def queries_of(alarm: Any) -> list[dict[str, Any]]:
    """What an alarm watches as MetricDataQueries, one of which returns data."""
    if not alarm.metric_data_queries:
        metric = {
            "Namespace": alarm.namespace,
            "MetricName": alarm.metric_name,
            "Dimensions": [{"Name": one.name, "Value": one.value} for one in alarm.dimensions],
        }
        stat = {
            "Metric": metric,
            "Period": alarm.period,
            "Stat": alarm.statistic or alarm.extended_statistic,
        }
        return [{"Id": "metric", "MetricStat": stat, "ReturnData": True}]
    return [_query(one) for one in alarm.metric_data_queries]


def _query(held: Any) -> dict[str, Any]:
    shown = {"Id": held.id, "ReturnData": held.return_data not in (False, "false")}
    if held.metric_stat is None:
        return {**shown, "Expression": held.expression}
    metric = held.metric_stat.metric
    return {
        **shown,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.metric_name,
                "Dimensions": [{"Name": one.name, "Value": one.value} for one in metric.dimensions],
            },
            "Period": held.metric_stat.period,
            "Stat": held.metric_stat.stat,
        },
    }


def explain(
    alarm: Any, state: str, points: dict[float, float | None], evaluated: int, needed: int
) -> tuple[str, str]:
    """StateReason and StateReasonData, worded like CloudWatch's."""
    real = [(at, value) for at, value in points.items() if value is not None][-evaluated:]
    data = json.dumps(
        {
            "version": "1.0",
            "period": int(alarm.period or 60),
            "recentDatapoints": [value for _, value in real],
            "threshold": float(alarm.threshold),
        }
    )
    plural = "s" if evaluated > 1 else ""
    if not real:
        unknown = f"no datapoints were received for {evaluated} period{plural}"
        if state == "INSUFFICIENT_DATA":
            return (
                f"Insufficient Data: {evaluated} datapoint{plural} {'were' if plural else 'was'} unknown.",
                data,
            )
        treated = "Breaching" if state == "ALARM" else "NonBreaching"
        return (
            f"Threshold Crossed: {unknown} and {evaluated} missing datapoint{plural} "
            f"{'were' if plural else 'was'} treated as [{treated}].",
            data,
        )
    told = ", ".join(f"{value} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})" for at, value in real)
    compare, words = COMPARISONS[alarm.comparison_operator]
    crossed = sum(compare(value, float(alarm.threshold)) == (state == "ALARM") for _, value in real)
    negated = "" if state == "ALARM" else "not "
    change = "OK -> ALARM" if state == "ALARM" else "ALARM -> OK"
    least = needed if state == "ALARM" else evaluated - needed + 1
    return (
        f"Threshold Crossed: {crossed} out of the last {evaluated} datapoint{plural} [{told}] "
        f"{'was' if crossed == 1 else 'were'} {negated}{words} the threshold ({float(alarm.threshold)}) "
        f"(minimum {least} datapoint{'s' if least > 1 else ''} for {change} transition).",
        data,
    )


@after("cloudwatch", "SetAlarmState", "PutCompositeAlarm", "DeleteAlarms")
def act_on_what_was_set(call: Call, world: World, answer: Answer) -> None:
    """SetAlarmState API reference: a state that is set by hand takes the actions of a change, too."""
    act(world, call.account, call.region)


def act(world: World, account: str, region: str) -> None:
    """Take the actions of every alarm of a region whose state is not the one last acted upon."""
    alarms = alarms_of(account, region)
    acted = world.section("cloudwatch.acted").setdefault((account, region), {})
    for name in acted.keys() - alarms.keys():
        del acted[name]
    for name, alarm in list(alarms.items()):
        before = acted.get(name, INITIAL)
        acted[name] = alarm.state_value
        if alarm.state_value == before or not alarm.actions_enabled:
            continue
        actions = {
            "ALARM": alarm.alarm_actions,
            "OK": alarm.ok_actions,
            "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
        }
        for arn in actions[alarm.state_value]:
            notify(world, arn, alarm, before)
