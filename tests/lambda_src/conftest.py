"""A deployed function, an application to watch, and an environment on the simulator for each test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox import PRIMARY, STANDBY, Application, Environment, Function

from drctl.aws import function_zip


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip that is deployed."""
    path = tmp_path_factory.mktemp("package") / "health_monitor.zip"
    content, _ = function_zip.build(function_zip.source("health_monitor"))
    path.write_bytes(content)
    return path


@pytest.fixture
def application() -> Iterator[Application]:
    application = Application()
    thread = threading.Thread(target=application.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield application
    application.server.shutdown()
    thread.join()
    application.server.server_close()


@pytest.fixture
def environment(sim: Any, package: Path, application: Application) -> Environment:
    name = "shop"
    variables = {
        **sim.environment(),
        "DRCTL_ENVIRONMENT": name,
        "PRIMARY_REGION": PRIMARY,
        "STANDBY_REGION": STANDBY,
        "ENDPOINT_URL": application.url,
        "PROBE_GAP_S": "0",
    }
    sim.client("dynamodb", STANDBY).create_table(
        TableName=f"{name}-breaker",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    sim.advance(60)
    return Environment(
        sim,
        name,
        application,
        standby=Function(package, {**variables, "ROLE": "standby", "TABLE": f"{name}-breaker"}),
        primary=Function(package, {**variables, "ROLE": "primary"}),
    )
