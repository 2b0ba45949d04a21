"""What CloudWatch refuses in the body of a dashboard; moto asks for JSON only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from drctl.sim.call import Call, Refused
from drctl.sim.registry import rule
from drctl.sim.world import World

TYPES = ("metric", "text", "log", "alarm", "explorer", "custom", "chart")
NEEDED = {"text": ("markdown",), "log": ("region", "query"), "alarm": ("alarms",), "custom": ("endpoint",)}
WIDTH = 24
"""Columns of a dashboard's grid."""

Problem = tuple[str, str]
"""Where (a JSON pointer) and what."""


@rule(
    "cloudwatch",
    "PutDashboard",
    source='InvalidParameterInput "The dashboard body is invalid, there are ... validation errors"; API reference, '
    '"Dashboard body structure and syntax"',
)
def dashboard_body_is_valid(call: Call, world: World) -> None:
    try:
        body = json.loads(call.params["DashboardBody"])
    except ValueError:
        return  # moto refuses this one in CloudWatch's words
    problems = list(problems_of(body))
    if problems:
        listed = json.dumps([{"dataPath": path, "message": message} for path, message in problems], indent=2)
        count = f"there are {len(problems)} validation errors"
        raise Refused("InvalidParameterInput", f"The dashboard body is invalid, {count}:\n{listed}")


def problems_of(body: Any) -> Iterator[Problem]:
    if not isinstance(body, dict):
        yield "", "Should be object"
        return
    if not isinstance(body.get("widgets"), list):
        yield "", "Should have required property 'widgets'"
        return
    for number, widget in enumerate(body["widgets"]):
        yield from problems_of_widget(f"/widgets/{number}", widget)


def problems_of_widget(path: str, widget: dict[str, Any]) -> Iterator[Problem]:
    if widget.get("type") not in TYPES:
        yield f"{path}/type", "Should be equal to one of the allowed values"
        return
    if not isinstance(widget.get("properties"), dict):
        yield path, "Should have required property 'properties'"
        return
    if widget.get("x", 0) + widget.get("width", 6) > WIDTH:
        yield f"{path}/width", f"Should be <= {WIDTH}"
    properties = widget["properties"]
    for name in NEEDED.get(widget["type"], ()):
        if name not in properties:
            yield f"{path}/properties", f"Should have required property '{name}'"
    if widget["type"] == "metric":
        yield from problems_of_metrics(f"{path}/properties", properties)


def problems_of_metrics(path: str, properties: dict[str, Any]) -> Iterator[Problem]:
    source = properties.get("metrics") or properties.get("annotations", {}).get("alarms")
    if not source or "region" not in properties:
        yield (
            path,
            "The metric widget should have specified a region and a data source or an alarm annotation",
        )
    for number, metric in enumerate(properties.get("metrics", [])):
        if not isinstance(metric, list):
            yield f"{path}/metrics/{number}", "Should be array"
