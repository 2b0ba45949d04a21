"""The deployed function, the application that it watches, and the AWS that it talks to, all real processes or
servers: the zip is built and imported as Lambda would, the application is an HTTP server, AWS is the simulator.
"""

from __future__ import annotations

import importlib
import itertools
import subprocess
import sys
import threading
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PRIMARY, STANDBY = "us-east-1", "us-west-2"
CLOSED_PORT = "http://127.0.0.1:9"
"""Nothing listens on the discard port: a dependency that refuses every connection."""

ONE_PROBE = 21.0
"""Seconds left in an invocation that has time for one probe only."""

numbers = itertools.count(1)


class Application:
    """The primary's request path. ``status`` is what it answers with."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.together: threading.Barrier | None = None
        """Holds requests back until as many have arrived as it has parties."""
        application = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if application.together:
                    application.together.wait(timeout=20)
                self.send_response(application.status)
                for name, value in application.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/health"


class Context:
    """What Lambda passes beside the event."""

    def __init__(self, remaining_s: float) -> None:
        self.aws_request_id = f"request-{next(numbers)}"
        self._remaining_s = remaining_s

    def get_remaining_time_in_millis(self) -> int:
        return int(self._remaining_s * 1000)


@dataclass
class Function:
    """The function as it is deployed in one region. Every invocation is a cold start."""

    package: Path
    variables: dict[str, str]

    def invoke(self, remaining_s: float = 60, **variables: str) -> list[dict[str, Any]]:
        """Run the handler once; return what it says of its probes."""
        modules = [name.removesuffix(".py") for name in zipfile.ZipFile(self.package).namelist()]
        with pytest.MonkeyPatch.context() as sandbox:
            for name, value in {**self.variables, **variables}.items():
                sandbox.setenv(name, value)
            sandbox.syspath_prepend(self.package)
            try:
                handler = importlib.import_module("handler")
                return list(handler.lambda_handler({}, Context(remaining_s))["probes"])
            finally:
                for module in modules:
                    sys.modules.pop(module, None)

    def start(self) -> subprocess.Popen[str]:
        """The same in a process of its own, as sandboxes are."""
        program = (
            "import json, handler\n"
            "class Context:\n"
            "    aws_request_id = 'same-in-all-processes'\n"
            "    def get_remaining_time_in_millis(self): return 60_000\n"
            "print(json.dumps(handler.lambda_handler({}, Context())['probes']))\n"
        )
        return subprocess.Popen(
            [sys.executable, "-c", program],
            env={**self.variables, "PYTHONPATH": str(self.package)},
            stdout=subprocess.PIPE,
            text=True,
        )


@dataclass
class Environment:
    """An environment of the simulated AWS: a breaker's table, both functions, and the application."""

    sim: Any
    name: str
    application: Application
    standby: Function
    primary: Function

    def breaker(self) -> dict[str, Any]:
        """The stored item, unwrapped from DynamoDB's types; empty if there is none."""
        answer = self.sim.client("dynamodb", STANDBY).get_item(
            TableName=f"{self.name}-breaker", Key={"id": {"S": self.name}}, ConsistentRead=True
        )
        unwrapped = {}
        for name, typed in answer.get("Item", {}).items():
            ((kind, value),) = typed.items()
            unwrapped[name] = float(value) if kind == "N" else value
        return unwrapped

    def metric(self, name: str, region: str = STANDBY, **dimensions: str) -> list[float]:
        """The extremes of a metric published in a region under exactly these dimensions, hour by hour."""
        metric = {
            "Namespace": "drctl",
            "MetricName": name,
            "Dimensions": [
                {"Name": key, "Value": value}
                for key, value in {"Environment": self.name, **dimensions}.items()
            ],
        }
        now = self.sim.clock.now()
        # GetMetricData, because moto's GetMetricStatistics also counts metrics with further dimensions.
        answer = self.sim.client("cloudwatch", region).get_metric_data(
            MetricDataQueries=[
                {"Id": stat.lower(), "MetricStat": {"Metric": metric, "Period": 3600, "Stat": stat}}
                for stat in ("Minimum", "Maximum")
            ],
            StartTime=datetime.fromtimestamp(now - 86400, UTC),
            EndTime=datetime.fromtimestamp(now + 3600, UTC),
        )
        return [value for result in answer["MetricDataResults"] for value in result["Values"]]
