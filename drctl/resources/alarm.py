"""A CloudWatch alarm on one metric, or on the difference of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from drctl.aws import tags
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.output_of import Text, resolve
from drctl.resources.sns_topic import SnsTopic

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import PutMetricAlarmInputTypeDef

    from drctl.aws.clients import Aws

Comparison = Literal[
    "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"
]
Missing = Literal["breaching", "notBreaching", "ignore", "missing"]
STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")


@dataclass(frozen=True)
class AlarmOutputs:
    alarm_name: str
    arn: str


@resource
class Alarm(Resource[AlarmOutputs]):
    """It tells ``topic`` when it goes off and when all is well again.

    minus: a second metric of the same namespace and dimensions, taken away from the first
    statistic: Average, Maximum, Minimum, SampleCount, Sum, or a percentile (``p99``)
    period: seconds; evaluation_periods: how many are looked at; datapoints: how many of them must be bad (all)
    missing: what a period without data counts as
    """

    kind: ClassVar[str] = "alarm"
    named: ClassVar[bool] = True
    fixed: ClassVar[frozenset[str]] = frozenset({"AlarmName"})

    aws_name: str
    namespace: str
    metric: str
    minus: str | None = None
    dimensions: tuple[tuple[str, Text], ...]
    statistic: str
    period: int = 60
    evaluation_periods: int = 1
    datapoints: int | None = None
    threshold: float
    comparison: Comparison
    missing: Missing
    topic: SnsTopic

    def read(self, aws: Aws, given: Given) -> Observed[AlarmOutputs] | None:
        cloudwatch, recorded = aws.cloudwatch(self.region), given.recorded(self)
        names = [recorded.alarm_name, self.aws_name] if recorded else [self.aws_name]
        found = cloudwatch.describe_alarms(
            AlarmNames=list(dict.fromkeys(names)), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        alarms: dict[str, dict[str, object]] = {
            str(each["AlarmName"]): {**each} for each in (*found["CompositeAlarms"], *found["MetricAlarms"])
        }
        actual = next((alarms[name] for name in names if name in alarms), None)
        if actual is None:
            return None
        outputs = AlarmOutputs(str(actual["AlarmName"]), str(actual["AlarmArn"]))
        held = cloudwatch.list_tags_for_resource(ResourceARN=outputs.arn)["Tags"]
        given.claim(self, tags.as_dict(held))
        desired = {"DatapointsToAlarm": None, **self._settings(given)}
        return Observed(outputs, drift=differences(_comparable(actual), _comparable(desired)))

    def create(self, aws: Aws, given: Given) -> AlarmOutputs:
        self._put(aws, {**self._settings(given), "Tags": tags.as_list(given.tags(self))})
        arn = f"arn:{given.partition}:cloudwatch:{self.region}:{given.account}:alarm:{self.aws_name}"
        return AlarmOutputs(self.aws_name, arn)

    def update(self, aws: Aws, given: Given, observed: Observed[AlarmOutputs]) -> None:
        """Without tags: PutMetricAlarm ignores them for an alarm that exists (API reference)."""
        self._put(aws, self._settings(given))

    def delete(self, aws: Aws, outputs: AlarmOutputs) -> None:
        aws.cloudwatch(self.region).delete_alarms(AlarmNames=[outputs.alarm_name])

    def _put(self, aws: Aws, settings: dict[str, object]) -> None:
        aws.cloudwatch(self.region).put_metric_alarm(**cast("PutMetricAlarmInputTypeDef", settings))

    def watched(self, given: Given) -> dict[str, object]:
        """The settings that a Route 53 health check copies from the alarm."""
        keys = ("Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold")
        settings = self._settings(given)
        dimensions = {name: resolve(value, given) for name, value in self.dimensions}
        return {
            **{key: settings[key] for key in keys},
            "ComparisonOperator": self.comparison,
            "Dimensions": dimensions,
        }

    def _settings(self, given: Given) -> dict[str, object]:
        topic = given[self.topic].arn
        settings: dict[str, object] = {
            "AlarmName": self.aws_name,
            "ActionsEnabled": True,
            "AlarmActions": [topic],
            "OKActions": [topic],
            "InsufficientDataActions": [],
            "EvaluationPeriods": self.evaluation_periods,
            "Threshold": float(self.threshold),
            "ComparisonOperator": self.comparison,
            "TreatMissingData": self.missing,
        }
        if self.datapoints is not None and self.datapoints != self.evaluation_periods:
            settings["DatapointsToAlarm"] = self.datapoints
        if self.minus is not None:
            return {**settings, "Metrics": self._difference(given)}
        plain = "Statistic" if self.statistic in STATISTICS else "ExtendedStatistic"
        metric = {**self._metric(given, self.metric), "Period": self.period, plain: self.statistic}
        return {**settings, **metric}

    def _metric(self, given: Given, name: str) -> dict[str, object]:
        dimensions = [{"Name": key, "Value": resolve(value, given)} for key, value in self.dimensions]
        return {"Namespace": self.namespace, "MetricName": name, "Dimensions": dimensions}

    def _difference(self, given: Given) -> list[dict[str, object]]:
        """As DescribeAlarms lists it, too."""
        queries: list[dict[str, object]] = [
            {
                "Id": query,
                "MetricStat": {
                    "Metric": self._metric(given, name),
                    "Period": self.period,
                    "Stat": self.statistic,
                },
                "ReturnData": False,
            }
            for query, name in (("metric", self.metric), ("minus", self.minus or ""))
        ]
        return [*queries, {"Id": "difference", "Expression": "metric - minus", "ReturnData": True}]


def _comparable(settings: dict[str, object]) -> dict[str, object]:
    """Order says nothing in dimensions and queries, and all datapoints of the period are what is meant by none."""
    compared = {**settings}
    for key, name in (("Dimensions", "Name"), ("Metrics", "Id")):
        parts = compared.get(key)
        if isinstance(parts, list):
            compared[key] = sorted(parts, key=lambda part: str(part[name]))
    if compared.get("DatapointsToAlarm") == compared.get("EvaluationPeriods"):
        compared["DatapointsToAlarm"] = None
    return compared
