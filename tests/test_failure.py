"""Something that AWS refuses stops what depends on it and nothing else; the next ``up`` goes on from there."""

from __future__ import annotations

import pytest

from tests.environment import SHAPE, Installation, P, S, shape
from tests.stranger import View
from tests.strangers import photograph

pytestmark = pytest.mark.xdist_group("fresh")


def test_only_the_followers_of_a_failure_are_stopped_and_every_root_cause_is_shown(
    fresh: Installation,
) -> None:
    before = fresh.census()
    denied = {"code": "AccessDeniedException", "message": "not authorized to perform: lambda:CreateFunction"}
    fresh.sim.fault("error", service="lambda", operation="CreateFunction", region=S, status=403, **denied)
    quota = {
        "code": "NatGatewayLimitExceeded",
        "message": "The maximum number of NAT gateways has been reached.",
    }
    fresh.sim.fault("error", service="ec2", operation="CreateNatGateway", region=P, status=400, **quota)
    body = '{"widgets": []}'
    fresh.client("cloudwatch", P).put_dashboard(DashboardName=f"demo-{P}", DashboardBody=body)
    somebodys = [View("cloudwatch", P, "get_dashboard", {"DashboardName": f"demo-{P}"})]
    untouched = photograph(fresh.client, somebodys)

    planned = set(fresh.changes()) | {f"{P}/dashboard/main"}
    fresh.sim.heal()
    fresh.sim.fault("error", service="lambda", operation="CreateFunction", region=S, status=403, **denied)
    fresh.sim.fault("error", service="ec2", operation="CreateNatGateway", region=P, status=400, **quota)
    ran = fresh.on_sim("up", "--yes")
