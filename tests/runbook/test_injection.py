"""A network that is cut off and joined again while AWS's answers are lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drctl.runbook import failback, injection
from drctl.runbook.recovery import Parameters
from drctl.runbook.step import Finding, Step, walk
from tests.conftest import Sim
from tests.runbook.parts import P, recovery

LOST = ({"kind": "lost"}, {"kind": "error", "acts": True})


@pytest.mark.parametrize("fault", LOST, ids=["lost", "500"])
def test_a_network_is_cut_off_and_joined_again_once_whatever_answer_is_lost(
    sim: Sim, tmp_path: Path, fault: dict[str, Any]
) -> None:
    ec2 = sim.client("ec2", P)
    vpc, subnets = network(ec2)
    run = recovery(sim, tmp_path, Parameters("drill", "network"), vpc, tuple(subnets[:2]))
    before = acls(ec2, vpc)

    for operation in ("CreateNetworkAcl", "ReplaceNetworkAclAssociation"):
        sim.fault(**fault, operation=operation, times=1)
    walk(run, [step("cut", injection.inject)])

    (made,) = acls(ec2, vpc).keys() - before.keys()
    assert acls(ec2, vpc)[made] == set(subnets[:2])

    for operation in ("ReplaceNetworkAclAssociation", "DeleteNetworkAcl"):
        sim.fault(**fault, operation=operation, times=1)
    walk(run, [step("join", failback.heal)])

    assert acls(ec2, vpc) == before
    assert [each["hit"] for each in sim.faults()] == [1] * 4


def test_an_association_that_was_there_a_moment_ago_is_looked_at_again(sim: Sim, tmp_path: Path) -> None:
    """EC2 may show an id for a while after a move has given it another one."""
    ec2 = sim.client("ec2", P)
    vpc, subnets = network(ec2)
    sim.set_speed(2)  # a busy machine looks again while an old view may still be shown
    run = recovery(sim, tmp_path, Parameters("drill", "network"), vpc, tuple(subnets[:2]))
    old = {"code": "InvalidAssociationID.NotFound", "status": 400}
    sim.fault("error", **old, operation="ReplaceNetworkAclAssociation", times=1)

    walk(run, [step("cut", injection.inject)])

    assert sorted(map(len, acls(ec2, vpc).values())) == [1, 2]


def network(ec2: Any) -> tuple[str, list[str]]:
    """A VPC and its three subnets."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]
        for number in range(3)
    ]
    return vpc, subnets


def acls(ec2: Any, vpc: str) -> dict[str, set[str]]:
    """Each network ACL of a VPC, and the subnets that have it."""
    found = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]
    return {acl["NetworkAclId"]: {each["SubnetId"] for each in acl["Associations"]} for acl in found}


def step(name: str, act: Any) -> Step:
    """One that proves nothing."""
    return Step(name, name, act, lambda _: Finding(True, ""), 600)
