"""Metric data, kept in the world instead of moto: percentiles, expressions and alarms need more than moto stores.

``record`` is how anything of the world publishes a metric; ``series`` is what an alarm evaluates.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.gaps.cloudwatch_math import evaluate, names
from drctl.sim.registry import gap
from drctl.sim.world import World

Dimensions = tuple[tuple[str, str], ...]
Series = dict[float, float]
"""Start of a period (seconds since the epoch) -> the statistic over it."""

RETENTION = 15 * 86_400
"""How long data points with a period of 60 s are kept (user guide, "Metrics retention"): 15 days."""


def metrics(world: World) -> dict[tuple[str, str, str, str, Dimensions], list[tuple[float, ...]]]:
    """(account, region, namespace, name, dimensions) -> data points in order: time, sum, count, minimum, maximum."""
    return world.section("cloudwatch.metrics")


def dimension_key(dimensions: list[dict[str, str]] | None) -> Dimensions:
    return tuple(sorted((one["Name"], one["Value"]) for one in dimensions or []))


def record(
    world: World,
    where: tuple[str, str],
    namespace: str,
    name: str,
    dimensions: dict[str, str],
    value: float,
    count: float = 1.0,
) -> None:
    """Publish a value seen ``count`` times now. ``where``: account and region."""
    key = (*where, namespace, name, tuple(sorted(dimensions.items())))
    add(world, key, (world.now, value * count, count, value, value))


def add(world: World, key: tuple[str, str, str, str, Dimensions], point: tuple[float, ...]) -> None:
    points = metrics(world).setdefault(key, [])
    insort(points, point)
    if points[0][0] < world.now - RETENTION:
        points[:] = [one for one in points if one[0] >= world.now - RETENTION]


def series(
    world: World,
    key: tuple[str, str, str, str, Dimensions],
    statistic: str,
    period: int,
    start: float,
    end: float,
    origin: float = 0.0,
) -> Series:
    """A statistic (``Average``, ``p99`` ...) for each period in [start, end) that has data, oldest first.

    origin: a moment at which a period begins, in seconds since the epoch
    """
    periods: dict[float, list[tuple[float, ...]]] = defaultdict(list)
    points = metrics(world).get(key, [])
    for point in points[bisect_left(points, (start,)) : bisect_left(points, (end,))]:
        periods[origin + math.floor((point[0] - origin) / period) * period].append(point)
    return {at: aggregate(statistic, points) for at, points in sorted(periods.items())}


def aggregate(statistic: str, points: list[tuple[float, ...]]) -> float:
    total, count = sum(point[1] for point in points), sum(point[2] for point in points)
    if statistic == "Average":
        return total / count if count else 0.0
    if statistic.startswith("p") and statistic[1:].replace(".", "", 1).isdigit():
        return percentile(float(statistic[1:]), points)
    plain = {
        "Sum": total,
        "SampleCount": count,
        "Minimum": min(point[3] for point in points),
        "Maximum": max(point[4] for point in points),
    }
    if statistic not in plain:
        raise Refused("InvalidParameterValue", f"The value {statistic} for parameter Stat is not supported.")
    return plain[statistic]


def percentile(rank: float, points: list[tuple[float, ...]]) -> float:
    """Of the points that are single values; those of statistic sets have none (user guide, "Percentiles")."""
    values = sorted((point[3], point[2]) for point in points if point[3] == point[4])
    wanted = rank / 100 * sum(count for _, count in values)
    seen = 0.0
    for value, count in values:
        seen += count
        if seen >= wanted:
            return value
    return 0.0


def seconds(value: Any) -> float:
    """A timestamp parameter as seconds since the epoch."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return float(value)


@gap("cloudwatch", "PutMetricData")
def put_metric_data(call: Call, world: World, moto: Moto) -> Answer:
    for datum in call.params.get("MetricData", []):
        key = (
            call.account,
            call.region,
            call.params["Namespace"],
            datum["MetricName"],
            dimension_key(datum.get("Dimensions")),
        )
        at = seconds(datum["Timestamp"]) if "Timestamp" in datum else world.now
        if "StatisticValues" in datum:
            held = datum["StatisticValues"]
            point = tuple(float(held[name]) for name in ("Sum", "SampleCount", "Minimum", "Maximum"))
            add(world, key, (at, *point))
            continue
        values = datum.get("Values") or [datum.get("Value", 0.0)]
        for value, count in zip(values, datum.get("Counts") or [1.0] * len(values), strict=True):
            add(world, key, (at, float(value) * float(count), float(count), float(value), float(value)))
    return {}


@gap("cloudwatch", "GetMetricStatistics")
def get_metric_statistics(call: Call, world: World, moto: Moto) -> Answer:
    params = call.params
    key = (
        call.account,
        call.region,
        params["Namespace"],
        params["MetricName"],
        dimension_key(params.get("Dimensions")),
    )
    start, end, period = seconds(params["StartTime"]), seconds(params["EndTime"]), int(params["Period"])
    points: dict[float, Answer] = defaultdict(dict)
    for statistic in params.get("Statistics", []):
        for at, value in series(world, key, statistic, period, start, end).items():
            points[at][statistic] = value
    for statistic in params.get("ExtendedStatistics", []):
        for at, value in series(world, key, statistic, period, start, end).items():
            points[at].setdefault("ExtendedStatistics", {})[statistic] = value
    unit = params.get("Unit", "None")
    return {
        "Label": params["MetricName"],
        "Datapoints": [
            {"Timestamp": datetime.fromtimestamp(at, tz=UTC), "Unit": unit, **values}
            for at, values in points.items()
        ],
    }


@gap("cloudwatch", "GetMetricData")
def get_metric_data(call: Call, world: World, moto: Moto) -> Answer:
    start, end = seconds(call.params["StartTime"]), seconds(call.params["EndTime"])
    found = query(world, (call.account, call.region), call.params["MetricDataQueries"], start, end)
    newest_first = call.params.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    results = []
    for one in call.params["MetricDataQueries"]:
        if not one.get("ReturnData", True):
            continue
        points = sorted(found[one["Id"]].items(), reverse=newest_first)
        name = one["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in one else one["Id"]
        results.append(
            {
                "Id": one["Id"],
                "Label": one.get("Label", name),
                "Timestamps": [datetime.fromtimestamp(at, tz=UTC) for at, _ in points],
                "Values": [value for _, value in points],
                "StatusCode": "Complete",
            }
        )
    return {"MetricDataResults": results, "Messages": []}


def query(
    world: World,
    where: tuple[str, str],
    queries: list[dict[str, Any]],
    start: float,
    end: float,
    origin: float = 0.0,
) -> dict[str, Series]:
    """The series of every MetricDataQuery by its id; expressions see those that they name. ``origin``: see series."""
    found: dict[str, Series] = {}
    for one in queries:
        if "MetricStat" in one:
            stat = one["MetricStat"]
            metric = stat["Metric"]
            key = (*where, metric["Namespace"], metric["MetricName"], dimension_key(metric.get("Dimensions")))
            found[one["Id"]] = series(world, key, stat["Stat"], int(stat["Period"]), start, end, origin)
    waiting = [one for one in queries if "Expression" in one]
    while waiting:
        unknown = {one["Id"] for one in waiting}
        ready = [one for one in waiting if not unknown & names(one["Expression"])]
        if not ready:
            raise Refused("ValidationError", "Error in expression: circular or unknown reference")
        for one in ready:
            found[one["Id"]] = evaluate(one["Expression"], found)
        waiting = [one for one in waiting if one not in ready]
    return found


@gap("cloudwatch", "ListMetrics")
def list_metrics(call: Call, world: World, moto: Moto) -> Answer:
    params = call.params
    wanted = params.get("Dimensions", [])
    found = []
    for account, region, namespace, name, dimensions in sorted(metrics(world)):
        held = dict(dimensions)
        if (account, region) != (call.account, call.region):
            continue
        if params.get("Namespace", namespace) != namespace or params.get("MetricName", name) != name:
            continue
        if all(one["Name"] in held and one.get("Value") in (None, held[one["Name"]]) for one in wanted):
            shown = [{"Name": key, "Value": value} for key, value in dimensions]
            found.append({"Namespace": namespace, "MetricName": name, "Dimensions": shown})
    start = int(params.get("NextToken", 0))
    answer: Answer = {"Metrics": found[start : start + 500]}
    if len(found) > start + 500:
        answer["NextToken"] = str(start + 500)
    return answer
