"""What CloudWatch refuses and moto accepts."""

from __future__ import annotations

import re
from typing import Any

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.alarm_rule import Malformed, alarm_names, holds
from drctl.sim.gaps.cloudwatch import alarms_of
from drctl.sim.gaps.cloudwatch_metrics import seconds
from drctl.sim.registry import rule
from drctl.sim.world import World

DAY = 86_400
OPERATORS = {
    *("GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold"),
    *("LessThanOrEqualToThreshold", "LessThanLowerOrGreaterThanUpperThreshold"),
    *("LessThanLowerThreshold", "GreaterThanUpperThreshold"),
}
MISSING = ("breaching", "notBreaching", "ignore", "missing")
ACTION = re.compile(r"^arn:aws[\w-]*:[\w-]+:[\w-]*:.*$")


@rule(
    "cloudwatch",
    "PutMetricAlarm",
    source="PutMetricAlarm API reference: Period 10, 20, 30 or a multiple of 60; at most a day, a week for hours",
)
def periods_are_offered(call: Call, world: World) -> None:
    periods = [one["MetricStat"]["Period"] for one in call.params.get("Metrics", []) if "MetricStat" in one]
    if "MetricName" in call.params:
        periods.append(call.params.get("Period", 0))
    evaluations = int(call.params.get("EvaluationPeriods", 1))
    for period in map(int, periods):
        if period not in (10, 20, 30) and (period < 60 or period % 60):
            raise invalid(f"The value {period} for parameter Period must be 10, 20, 30 or a multiple of 60")
        if period * evaluations > (7 * DAY if period >= 3600 else DAY):
            raise invalid(
                "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400), or "
                "seven days if the period is at least one hour"
            )


@rule(
    "cloudwatch",
    "PutMetricAlarm",
    source="PutMetricAlarm API reference: EvaluationPeriods, DatapointsToAlarm, Threshold, Statistic, TreatMissingData",
)
def alarm_is_complete(call: Call, world: World) -> None:
    params = call.params
    if params.get("ComparisonOperator") not in OPERATORS:
        raise invalid(
            f"Value '{params.get('ComparisonOperator')}' at 'comparisonOperator' is not an operator"
        )
    evaluations = int(params.get("EvaluationPeriods", 0))
    if evaluations < 1 or not 1 <= int(params.get("DatapointsToAlarm", evaluations)) <= evaluations:
        raise invalid(
            "DatapointsToAlarm must be at least 1 and at most EvaluationPeriods, which must be at least 1"
        )
    if params.get("TreatMissingData", "missing") not in MISSING:
        raise invalid(f"Option {params['TreatMissingData']} is not supported for parameter TreatMissingData")
    if ("MetricName" in params) == bool(params.get("Metrics")):
        raise invalid("Exactly one of MetricName and Metrics must be given")
    if "MetricName" in params and ("Statistic" in params) == ("ExtendedStatistic" in params):
        raise invalid("Exactly one of Statistic and ExtendedStatistic must be given")
    if "Threshold" not in params and "ThresholdMetricId" not in params:
        raise invalid("Threshold must be given for an alarm on a static threshold")
    if params.get("Metrics") and sum(one.get("ReturnData", True) for one in params["Metrics"]) != 1:
        raise invalid("Exactly one element of the metrics list must return data")


@rule(
    "cloudwatch",
    "PutMetricAlarm",
    "PutCompositeAlarm",
    source="PutMetricAlarm API reference: AlarmActions are ARNs, 5 of a kind; 50 tags",
)
def actions_are_arns(call: Call, world: World) -> None:
    for kind in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        actions = call.params.get(kind, [])
        wrong = [action for action in actions if not ACTION.match(action)]
        if wrong:
            raise invalid(f"Invalid arn syntax: {wrong[0]}")
        if len(actions) > 5:
            raise invalid(f"Member of {kind} must have length less than or equal to 5")
    if len(call.params.get("Tags", [])) > 50:
        raise invalid("Member of Tags must have length less than or equal to 50")


@rule(
    "cloudwatch",
    "PutCompositeAlarm",
    source="PutCompositeAlarm API reference: the alarms of the rule must exist already; not the alarm itself",
)
def rule_names_existing_alarms(call: Call, world: World) -> None:
    try:
        holds(call.params["AlarmRule"], lambda _: "OK")
        names = alarm_names(call.params["AlarmRule"])
    except Malformed as error:
        raise invalid(f"AlarmRule is not valid: {error}") from None
    missing = sorted(names - alarms_of(call.account, call.region).keys())
    if missing:
        raise invalid(f"AlarmRule must reference existing alarms; these do not exist: {', '.join(missing)}")
    if call.params["AlarmName"] in names:
        raise invalid("AlarmRule must not reference the composite alarm itself")


@rule(
    "cloudwatch",
    "DeleteAlarms",
    source='DeleteAlarms API reference: ResourceNotFound, and "no alarms are deleted" for an incorrect name',
)
def alarms_to_delete_exist(call: Call, world: World) -> None:
    known = alarms_of(call.account, call.region)
    missing = [name for name in call.params["AlarmNames"] if name not in known]
    if missing:
        raise Refused("ResourceNotFound", f"Alarm(s) {', '.join(missing)} not found", 404)


@rule(
    "cloudwatch",
    "PutMetricData",
    source="PutMetricData API reference: namespaces AWS/ are reserved, 30 dimensions, 1000 data, two weeks back, two "
    "hours ahead; InvalidParameterCombination",
)
def data_is_acceptable(call: Call, world: World) -> None:
    if call.params["Namespace"].startswith("AWS/"):
        raise value("The value AWS/ for parameter Namespace is invalid.")
    if len(call.params.get("MetricData", [])) > 1000:
        raise value("The collection MetricData must not have a size greater than 1000.")
    for number, datum in enumerate(call.params.get("MetricData", []), start=1):
        require_datum(f"MetricData.member.{number}", datum, world.now)


def require_datum(where: str, datum: dict[str, Any], now: float) -> None:
    forms = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if len(forms) != 1:
        raise Refused(
            "InvalidParameterCombination",
            f"At least one and only one of the parameters {where}.Value, {where}.Values and {where}.StatisticValues "
            "must be specified.",
        )
    if len(datum.get("Dimensions", [])) > 30:
        raise value(f"The collection {where}.Dimensions must not have a size greater than 30.")
    if len(datum.get("Counts", datum.get("Values", []))) != len(datum.get("Values", [])):
        raise value(f"The parameters {where}.Values and {where}.Counts must be of the same size.")
    if any(number != number for number in [datum.get("Value", 0.0), *datum.get("Values", [])]):
        raise value(f"The value NaN for parameter {where}.Value is invalid.")
    at = seconds(datum["Timestamp"]) if "Timestamp" in datum else now
    if not now - 14 * DAY <= at <= now + 7200:
        raise value(
            f"The parameter {where}.Timestamp must specify a time no more than two hours in the future and no more "
            "than two weeks in the past."
        )


@rule(
    "cloudwatch",
    "GetMetricData",
    "GetMetricStatistics",
    source='ValidationError "The parameter StartTime must be less than the parameter EndTime."',
)
def time_runs_forward(call: Call, world: World) -> None:
    if seconds(call.params["StartTime"]) >= seconds(call.params["EndTime"]):
        raise invalid("The parameter StartTime must be less than the parameter EndTime.")


def invalid(message: str) -> Refused:
    return Refused("ValidationError", message)


def value(message: str) -> Refused:
    return Refused("InvalidParameterValue", message)
