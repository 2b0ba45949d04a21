"""ensure, where a kind's whole life (tests/contract.py) does not reach: what AWS itself let fail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drctl.engine.resource import Phase
from drctl.engine.run import ResourceFailed
from tests.contract import Trial
from tests.resources.test_network import EAST, GATEWAY, NAT

if TYPE_CHECKING:
    from tests.conftest import Sim


def test_what_fails_is_told_with_awss_reason_and_made_anew_by_the_next_run(sim: Sim, tmp_path: Path) -> None:
    ec2 = sim.client("ec2", EAST)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(NAT.subnet, NAT.elastic_ip)
        vpc_id = trial.outputs(GATEWAY.vpc).vpc_id
        ec2.detach_internet_gateway(
            InternetGatewayId=trial.outputs(GATEWAY).internet_gateway_id, VpcId=vpc_id
        )
        with pytest.raises(ResourceFailed) as caught:
            trial.ensure(NAT, alone=True)
    assert "Gateway.NotAttached" in caught.value.diagnostic.cause

    with Trial(sim, tmp_path) as trial:
        change = trial.inspect(NAT)
        assert (change.action, change.phase) == ("replace", Phase.FAILED)
        assert trial.ensure(NAT) == "replace"
        assert trial.inspect(NAT).action == "unchanged"
        trial.remove_all(NAT)
