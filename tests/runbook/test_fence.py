"""The fence of a failover, where the primary lives and refuses for haste."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drctl.runbook.failover import stop_primary
from drctl.runbook.journal import open_undos
from drctl.runbook.recovery import Parameters, Recovery
from drctl.runbook.site import Service
from tests.conftest import Sim
from tests.runbook.parts import recovery
from tests.sim.test_ecs import App

SCALABLE = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/app/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}


@pytest.fixture
def app(sim: Sim) -> App:
    """Three tasks, and autoscaling that may start more."""
    made = App(sim)
    made.create()
    sim.client("application-autoscaling").register_scalable_target(**SCALABLE, MinCapacity=2, MaxCapacity=10)
    return made


def failover(sim: Sim, folder: Path, app: App) -> Recovery:
    service = Service("web", app.service()["serviceArn"], "web", "app", 3, 2, 10, 1024)
    sim.set_speed(1)  # a busy machine is in time as well
    return recovery(sim, folder, Parameters("failover"), services=(service,))


@pytest.mark.parametrize("operation", ["RegisterScalableTarget", "UpdateService"])
def test_a_primary_that_refuses_for_haste_is_asked_again(
    sim: Sim, tmp_path: Path, app: App, operation: str
) -> None:
    run = failover(sim, tmp_path, app)
    sim.fault("throttle", operation=operation, times=3)

    assert stop_primary(run) == {"fenced": True, "services": ["web"]}

    assert app.service()["desiredCount"] == 0
    assert suspended(sim) == {True}
    undo = {"region": "us-east-1", "desired": {"web": 3}}
    assert open_undos(run.journal.entries) == [("tasks", undo)]


@pytest.mark.parametrize("kind", ["throttle", "down"])
def test_a_failover_goes_on_without_a_fence_that_cannot_be_had(
    sim: Sim, tmp_path: Path, app: App, kind: str
) -> None:
    run = failover(sim, tmp_path, app)
    sim.fault(kind, operation="RegisterScalableTarget")

    told = stop_primary(run)

    assert told["fenced"] is False and told["why"]
    calls = [each for each in sim.access_log() if each["faults"]]
    assert len(calls) == 2 if kind == "down" else len(calls) > 2, "silence is not asked again, beyond the SDK"
    assert app.service()["desiredCount"] == 3


def suspended(sim: Sim) -> set[Any]:
    """What its autoscaling says of each kind of scaling."""
    scaling = sim.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    return set(target["SuspendedState"].values())
