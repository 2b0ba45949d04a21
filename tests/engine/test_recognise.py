"""What is recognised without a record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drctl.engine.recognise import recognise
from drctl.engine.resource import Phase
from tests.contract import Trial, in_order
from tests.resources.test_network import EAST, NAT

if TYPE_CHECKING:
    from tests.conftest import Sim


def test_what_is_being_removed_is_recorded_and_told_as_missing(sim: Sim, tmp_path: Path) -> None:
    with Trial(sim, tmp_path / "before") as trial:
        trial.ensure(NAT)
        gateway_id = trial.outputs(NAT).nat_gateway_id
    sim.set_speed(1)
    sim.client("ec2", EAST).delete_nat_gateway(NatGatewayId=gateway_id)
    with Trial(sim, tmp_path / "lost") as trial:
        for each in in_order(NAT):
            with pytest.raises(StopIteration) as end:
                next(recognise(trial.run, each))
            seen = end.value.value
            assert bool(seen.why) == (each is NAT)
        assert seen.why == "being removed"
        assert (seen.record.phase, seen.record.outputs) == (Phase.LEAVING, {"nat_gateway_id": gateway_id})
