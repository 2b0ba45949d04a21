"""What CloudWatch has of a metric."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drctl.aws.clients import Aws

WINDOW_S = 300
"""Replication is told about every minute; five of them, because the newest may still be missing."""


def highest(
    aws: Aws,
    region: str,
    namespace: str,
    metric: str,
    dimensions: Mapping[str, str],
    now: float,
    window_s: float = WINDOW_S,
) -> float | None:
    """The highest value of the last minutes, in the metric's own unit; None where nothing was published.

    now: seconds since the epoch; window_s: how far back. Raises ClientError and BotoCoreError.
    """
    points = aws.cloudwatch(region).get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=datetime.fromtimestamp(now - window_s, UTC),
        EndTime=datetime.fromtimestamp(now, UTC),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return max((point["Maximum"] for point in points), default=None)
