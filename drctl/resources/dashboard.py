"""A CloudWatch dashboard: what a region's operator looks at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, NotOurs, Observed, Resource, differences, resource
from drctl.resources.alarm import Alarm
from drctl.resources.output_of import Text, resolve

if TYPE_CHECKING:
    from drctl.aws.clients import Aws

WIDTH, HEIGHT, COLUMNS = 12, 6, 24
"""In units of the grid, which is 24 wide (CloudWatch API reference, "Dashboard body structure and syntax")."""


@dataclass(frozen=True)
class Line:
    """One metric in a graph. ``region``: where it is, when not in the dashboard's."""

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, Text], ...]
    statistic: str = "Average"
    region: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class Graph:
    """Some metrics over time, under one title."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class DashboardOutputs:
    dashboard_name: str


@resource
class Dashboard(Resource[DashboardOutputs]):
    """A heading, the state of the alarms, and the graphs in two columns.

    The heading says whose the dashboard is: one of the same name without our address in it is somebody else's.
    """

    kind: ClassVar[str] = "dashboard"
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})

    aws_name: str
    title: str
    alarms: tuple[Alarm, ...]
    graphs: tuple[Graph, ...]

    def read(self, aws: Aws, given: Given) -> Observed[DashboardOutputs] | None:
        recorded = given.recorded(self)
        names = (recorded.dashboard_name, self.aws_name) if recorded else (self.aws_name,)
        for name in dict.fromkeys(names):
            with tolerating_absence():
                text = aws.cloudwatch(self.region).get_dashboard(DashboardName=name)["DashboardBody"]
                if self._mark(given) not in text:
                    raise NotOurs(f"a dashboard {name} exists already that does not carry drctl's mark")
                drift = differences(
                    {"name": name, "body": json.loads(text)},
                    {"name": self.aws_name, "body": self._body(given)},
                )
                return Observed(DashboardOutputs(name), drift=drift)
        return None

    def create(self, aws: Aws, given: Given) -> DashboardOutputs:
        self._put(aws, given)
        return DashboardOutputs(self.aws_name)

    def update(self, aws: Aws, given: Given, observed: Observed[DashboardOutputs]) -> None:
        self._put(aws, given)

    def delete(self, aws: Aws, outputs: DashboardOutputs) -> None:
        aws.cloudwatch(self.region).delete_dashboards(DashboardNames=[outputs.dashboard_name])

    def _put(self, aws: Aws, given: Given) -> None:
        body = json.dumps(self._body(given))
        aws.cloudwatch(self.region).put_dashboard(DashboardName=self.aws_name, DashboardBody=body)

    def _mark(self, given: Given) -> str:
        return f"drctl:environment {given.environment}, drctl:address {self.address}."

    def _body(self, given: Given) -> dict[str, object]:
        heading = _widget("text", 0, 0, COLUMNS, 2, {"markdown": f"# {self.title}\n{self._mark(given)}"})
        widgets, top = [heading], 2
        if self.alarms:
            arns = [given[alarm].arn for alarm in self.alarms]
            widgets.append(_widget("alarm", 0, top, COLUMNS, 3, {"title": "Alarms", "alarms": arns}))
            top += 3
        for place, graph in enumerate(self.graphs):
            row, column = divmod(place, COLUMNS // WIDTH)
            shown = {
                "title": graph.title,
                "region": self.region,
                "view": "timeSeries",
                "period": 60,
                "metrics": [self._line(line, given) for line in graph.lines],
            }
            widgets.append(_widget("metric", column * WIDTH, top + row * HEIGHT, WIDTH, HEIGHT, shown))
        return {"widgets": widgets}

    def _line(self, line: Line, given: Given) -> list[object]:
        dimensions = [part for key, value in line.dimensions for part in (key, resolve(value, given))]
        options = {"stat": line.statistic, "region": line.region or self.region}
        if line.label is not None:
            options["label"] = line.label
        return [line.namespace, line.metric, *dimensions, options]


def _widget(
    type: str, x: int, y: int, width: int, height: int, properties: dict[str, object]
) -> dict[str, object]:
    return {"type": type, "x": x, "y": y, "width": width, "height": height, "properties": properties}
