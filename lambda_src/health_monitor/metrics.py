"""What the monitor tells CloudWatch, in its own region.

| metric          | dimensions                  | value                                               |
|-----------------|-----------------------------|-----------------------------------------------------|
| ServiceHealth   | Environment, Region         | 1 if every check of that region passed, else 0      |
| ServiceHealth   | Environment, Region, Check  | the same of one check                               |
| Heartbeat       | Environment, Region         | 1 per invocation; its absence is the news           |
| BreakerState    | Environment, Region         | 0 closed, 1 half open, 2 open; standby only         |
| FailoverTrigger | Environment                 | 1 when the breaker opened; standby only             |

Region is the one *looked at*: the standby's function publishes the primary's request path under the
primary's name, in the standby's CloudWatch, where it can be read while the primary is lost. BreakerState
is missing while the standby cannot reach its table, and that too is worth an alarm. FailoverTrigger is
never 0 here: the switch is sticky, and only a failback resets it.

No timestamps are given: CloudWatch's own clock is the one its alarms use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from breaker import State
from clients import AWS_FAILURES

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef
    from probes import Finding

_STATE_VALUES = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class NotPublishedError(Exception):
    """CloudWatch did not take the metrics."""


class Metrics:
    """The metrics of one environment in one region's CloudWatch. Publishing raises NotPublishedError."""

    def __init__(self, cloudwatch: CloudWatchClient, namespace: str, environment: str) -> None:
        self._cloudwatch = cloudwatch
        self._namespace = namespace
        self._environment = environment

    def health(self, region: str, findings: Mapping[str, Finding]) -> list[MetricDatumTypeDef]:
        """Of one region looked at: each check, and all of them together."""
        if not findings:
            return []
        together = all(finding.healthy for finding in findings.values())
        return [
            self._datum("ServiceHealth", together, Region=region),
            *(
                self._datum("ServiceHealth", finding.healthy, Region=region, Check=check)
                for check, finding in findings.items()
            ),
        ]

    def heartbeat(self, region: str) -> list[MetricDatumTypeDef]:
        return [self._datum("Heartbeat", 1, Region=region)]

    def breaker_state(self, region: str, state: State) -> list[MetricDatumTypeDef]:
        return [self._datum("BreakerState", _STATE_VALUES[state], Region=region)]

    def failover_trigger(self) -> list[MetricDatumTypeDef]:
        return [self._datum("FailoverTrigger", 1)]

    def publish(self, data: list[MetricDatumTypeDef]) -> None:
        try:
            self._cloudwatch.put_metric_data(Namespace=self._namespace, MetricData=data)
        except AWS_FAILURES as failure:
            raise NotPublishedError(f"metrics: {failure}") from failure

    def _datum(self, name: str, value: float, **dimensions: str) -> MetricDatumTypeDef:
        named = {"Environment": self._environment, **dimensions}
        return {
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": dimension} for key, dimension in named.items()],
            "Value": float(value),
        }
