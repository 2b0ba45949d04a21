"""The failover switch: a metric in the standby's CloudWatch, and the sticky alarm on it that Route 53 follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drctl.aws.metric import highest
from drctl.topology.scope import METRICS

if TYPE_CHECKING:
    from drctl.aws.clients import Aws
    from drctl.runbook.site import Site

METRIC = "FailoverTrigger"

LOOKED_AT_S = 180.0
"""How old a value of the metric may be that its alarm has not looked at yet: its period and the next evaluation take a
minute each, and it may come late (CloudWatch user guide, "Using Amazon CloudWatch alarms", evaluation)."""


def publish(aws: Aws, site: Site, *, thrown: bool) -> None:
    """Throw the switch, or put it back. Its alarm follows at its next evaluation, a minute later at most.

    In the same minute the higher value counts (the alarm's statistic is Maximum), so putting it back is repeated, and
    a silent alarm is no proof that it stays silent: see ``is_settled``.
    """
    aws.cloudwatch(site.standby.region).put_metric_data(
        Namespace=METRICS,
        MetricData=[
            {
                "MetricName": METRIC,
                "Dimensions": [{"Name": name, "Value": value} for name, value in _dimensions(site).items()],
                "Value": 1.0 if thrown else 0.0,
            }
        ],
    )


def is_thrown(aws: Aws, site: Site) -> bool:
    """Whether the alarm rings."""
    alarms = aws.cloudwatch(site.standby.region).describe_alarms(AlarmNames=[site.switch_alarm])
    return any(alarm["StateValue"] == "ALARM" for alarm in alarms["MetricAlarms"])


def is_settled(aws: Aws, site: Site, now: float) -> bool:
    """Whether the switch was thrown in none of the minutes that the alarm may still look at.

    Put back in the minute in which it was thrown, the alarm is silent, then rings, then is silent for good.
    """
    thrown = highest(aws, site.standby.region, METRICS, METRIC, _dimensions(site), now, LOOKED_AT_S)
    return not thrown


def _dimensions(site: Site) -> dict[str, str]:
    return {"Environment": site.environment}
