"""The kinds of the network, each through its whole life."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drctl.resources.vpc import Vpc
from tests.contract import survives_crashes, whole_life

if TYPE_CHECKING:
    from tests.conftest import Sim

EAST, WEST = "us-east-1", "us-west-2"
VPC = Vpc(name="main", region=EAST, cidr="10.0.0.0/16")


def tagged(sim: Sim, address: str, region: str = EAST) -> Callable[[], int]:
    """How many EC2 things carry this address."""
    ec2: Any = sim.client("ec2", region)
    filters = [{"Name": "key", "Values": ["drctl:address"]}, {"Name": "value", "Values": [address]}]
    return lambda: len(ec2.describe_tags(Filters=filters)["Tags"])


def test_a_vpc(sim: Sim, tmp_path: Path) -> None:
    ec2 = sim.client("ec2")
    whole_life(
        sim,
        tmp_path,
        VPC,
        {
            "dns_hostnames": lambda vpc: ec2.modify_vpc_attribute(
                VpcId=vpc.vpc_id, EnableDnsHostnames={"Value": False}
            ),
        },
    )


def test_a_crash_leaves_one_vpc(sim: Sim, tmp_path: Path) -> None:
    survives_crashes(sim, tmp_path, VPC, tagged(sim, VPC.address))
