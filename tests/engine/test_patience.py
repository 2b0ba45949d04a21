"""Every error is put up with for as long as its meaning deserves: neither shorter nor counted for ever."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from drctl.engine.ensure import ensure
from drctl.engine.pace import PATIENCE
from drctl.engine.patience import Patience
from drctl.engine.run import ResourceFailed
from drctl.engine.trouble import Meaning
from tests.contract import Trial
from tests.resources.test_network import NAT, VPC

if TYPE_CHECKING:
    from tests.conftest import Sim


def test_an_update_that_is_refused_for_now_is_tried_for_as_long_as_a_create(sim: Sim, tmp_path: Path) -> None:
    busy = {"code": "IncorrectState", "status": 400, "times": 12}
    sim.fault("error", service="ec2", operation="ModifyVpcAttribute", **busy)
    with Trial(sim, tmp_path) as trial:
        assert trial.ensure(VPC) == "create"


def test_two_reads_that_fail_far_apart_are_not_one_long_failure(sim: Sim, tmp_path: Path) -> None:
    class Later:
        def now(self) -> float:
            return sim.clock.now() + PATIENCE[Meaning.LOST] + 1

        def real(self, seconds: float) -> float:
            return sim.clock.real(seconds)

    def stumble() -> None:
        unanswered = {"code": "InternalError", "status": 400, "times": 1}
        sim.fault("error", service="ec2", operation="DescribeNatGateways", **unanswered)

    with Trial(sim, tmp_path) as trial:
        trial.ensure(NAT.subnet, NAT.elastic_ip)
        steps = ensure(trial.run, NAT)
        while "ready" not in (pause := next(steps)).reason:
            time.sleep(trial.run.clock.real(pause.seconds))
        stumble()
        assert "answer" in next(steps).reason
        assert "ready" in next(steps).reason
        trial.run.clock = Later()
        stumble()
        assert "answer" in next(steps).reason


def test_steps_that_turn_out_to_be_done_already_are_not_one_long_wait(sim: Sim, tmp_path: Path) -> None:
    """A cluster is put out of its global database, goes on alone for minutes, and is deleted: each asked for twice."""

    class Clock:
        ahead = 0.0

        def now(self) -> float:
            return sim.clock.now() + self.ahead

        def real(self, seconds: float) -> float:
            return sim.clock.real(seconds)

    def gone(operation: str) -> ClientError:
        return ClientError({"Error": {"Code": "DBClusterNotFoundFault", "Message": "not found"}}, operation)

    with Trial(sim, tmp_path) as trial:
        trial.run.clock = clock = Clock()
        patience = Patience(trial.run, VPC, "remove")
        patience.judge(gone("RemoveFromGlobalCluster"))
        clock.ahead = PATIENCE[Meaning.GONE] + 1
        assert patience.judge(gone("DeleteDBCluster"))[0] is Meaning.GONE
        with pytest.raises(ResourceFailed):
            patience.judge(gone("RemoveFromGlobalCluster"))
