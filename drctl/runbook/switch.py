"""The failover switch: a metric in the standby's CloudWatch, and the sticky alarm on it that Route 53 follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drctl.topology.scope import METRICS

if TYPE_CHECKING:
    from drctl.aws.clients import Aws
    from drctl.runbook.site import Site

METRIC = "FailoverTrigger"


def publish(aws: Aws, site: Site, *, thrown: bool) -> None:
    """Throw the switch, or put it back. Its alarm follows at its next evaluation, a minute later at most.

    In the same minute the higher value counts (the alarm's statistic is Maximum), so putting it back is repeated.
    """
    aws.cloudwatch(site.standby.region).put_metric_data(
        Namespace=METRICS,
        MetricData=[
            {
                "MetricName": METRIC,
                "Dimensions": [{"Name": "Environment", "Value": site.environment}],
                "Value": 1.0 if thrown else 0.0,
            }
        ],
    )


def is_thrown(aws: Aws, site: Site) -> bool:
    """Whether the alarm rings."""
    alarms = aws.cloudwatch(site.standby.region).describe_alarms(AlarmNames=[site.switch_alarm])
    return any(alarm["StateValue"] == "ALARM" for alarm in alarms["MetricAlarms"])
