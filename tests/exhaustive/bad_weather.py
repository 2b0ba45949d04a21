"""AWS on a bad day: requests refused for haste, errors, roles and fresh ids that others do not see for a while.

Several minutes, and therefore not named as the suite collects: `make torture` begins with it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.environment import SPEED, Installation
from tests.shape import SHAPE, shape
from tests.strangers import bystanders

WEATHER_SPEED = 100.0
"""The SDK's pauses are real ones: the faster simulated time passes, the more of drctl's patience each costs."""

MOST = 1.5
"""How many times the calls of an undisturbed run."""


@pytest.fixture
def calm(fresh: Installation) -> Iterator[Installation]:
    """An empty AWS, not too fast."""
    fresh.sim.set_speed(WEATHER_SPEED)
    yield fresh
    fresh.sim.heal()
    fresh.sim.set_speed(SPEED)


def storm(place: Installation) -> None:
    """One call in five refused, one in twenty failing, roles unusable up to a minute, ids unseen up to half of one."""
    place.sim.fault("throttle", probability=0.2, seed=1)
    place.sim.fault("error", probability=0.05, seed=2)
    place.sim.fault("iam-delay", seconds=60.0, seed=3)
    place.sim.fault("unseen", seconds=30.0, seed=4)


def test_up_and_destroy_come_to_their_end_in_one_run_with_few_more_calls(calm: Installation) -> None:
    calm.up()
    usual_up = calm.calls()
    calm.destroy()
    usual_destroy = calm.calls() - usual_up
    calm.renew()
    with bystanders(calm):
        before, began = calm.census(), calm.calls()

        storm(calm)
        calm.up()
        up = calm.calls() - began
        assert all(fault["hit"] for fault in calm.sim.faults())
        calm.sim.heal()
        assert shape(before, calm.census()) == SHAPE
        assert calm.changes() == {}

        began = calm.calls()
        storm(calm)
        calm.destroy()
        destroy = calm.calls() - began
        calm.sim.heal()
        assert calm.census() == before
    assert up / usual_up <= MOST, f"{up} calls in place of {usual_up}"
    assert destroy / usual_destroy <= MOST, f"{destroy} calls in place of {usual_destroy}"


THROTTLED = {"code": "RequestLimitExceeded", "message": "Request limit exceeded.", "status": 503}

REMOVALS = (
    "DeleteAlias",
    "DeleteBucket",
    "DeleteDBCluster",
    "DeleteDBInstance",
    "DeleteDistribution",
    "DeleteFunction",
    "DeleteHealthCheck",
    "DeleteInternetGateway",
    "DeleteLoadBalancer",
    "DeleteNatGateway",
    "DeleteRole",
    "DeleteSecurityGroup",
    "DeleteService",
    "DeleteTable",
    "DeleteTaskDefinitions",
    "DeleteVpc",
    "DetachInternetGateway",
    "DisassociateRouteTable",
    "ReleaseAddress",
    "RemoveFromGlobalCluster",
    "RemoveRegionsFromReplication",
    "ScheduleKeyDeletion",
)
"""Each is done once without an answer, so that it is asked for again when it has been done."""


def test_lost_answers_and_throttling_change_nothing_of_the_outcome(fresh: Installation) -> None:
    """One call in twenty is done and its answer lost, one in ten of EC2's is refused for now."""
    with bystanders(fresh):
        before = fresh.census()
        fresh.sim.set_speed(
            300
        )  # at the usual speed drctl's patience of simulated seconds is shorter than a real call
        fresh.sim.fault("lost", probability=0.05, seed=1)
        fresh.sim.fault("error", service="ec2", probability=0.1, seed=2, **THROTTLED)
        fresh.up()
        hits = [fault["hit"] for fault in fresh.sim.faults()]
        assert min(hits) > 20
        fresh.sim.heal()
        assert fresh.changes() == {}
        assert shape(before, fresh.census()) == SHAPE
        for operation in REMOVALS:
            fresh.sim.fault("lost", operation=operation, times=1)
        fresh.destroy()
        assert all(fault["hit"] for fault in fresh.sim.faults())
        fresh.sim.heal()
        fresh.sim.set_speed(600)
        assert fresh.census() == before
