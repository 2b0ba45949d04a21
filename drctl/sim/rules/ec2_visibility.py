"""A fresh EC2 id is not visible at once to every server that answers: it is not found, and not listed."""

from __future__ import annotations

from dataclasses import dataclass

from drctl.sim.call import Answer, Call, Refused
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.registry import after, rule
from drctl.sim.world import World

FRESH = "ec2-fresh"


@dataclass(frozen=True)
class Kind:
    """How a kind is read: operation, member that lists it, its id, the parameter that names ids, AWS's error."""

    read: str
    listed: str
    identifier: str
    named: str
    code: str
    noun: str


VPC = Kind("DescribeVpcs", "Vpcs", "VpcId", "VpcIds", "InvalidVpcID.NotFound", "vpc")
SUBNET = Kind("DescribeSubnets", "Subnets", "SubnetId", "SubnetIds", "InvalidSubnetID.NotFound", "subnet")
GROUP = Kind(
    "DescribeSecurityGroups", "SecurityGroups", "GroupId", "GroupIds", "InvalidGroup.NotFound", "group"
)
TABLE = Kind(
    "DescribeRouteTables",
    "RouteTables",
    "RouteTableId",
    "RouteTableIds",
    "InvalidRouteTableID.NotFound",
    "routeTable",
)
GATEWAY = Kind(
    "DescribeInternetGateways",
    "InternetGateways",
    "InternetGatewayId",
    "InternetGatewayIds",
    "InvalidInternetGatewayID.NotFound",
    "internetGateway",
)
ADDRESS = Kind(
    "DescribeAddresses",
    "Addresses",
    "AllocationId",
    "AllocationIds",
    "InvalidAllocationID.NotFound",
    "allocation",
)

CREATED = {
    "CreateVpc": ("Vpc", VPC),
    "CreateSubnet": ("Subnet", SUBNET),
    "CreateRouteTable": ("RouteTable", TABLE),
    "CreateInternetGateway": ("InternetGateway", GATEWAY),
    "CreateSecurityGroup": ("", GROUP),
    "AllocateAddress": ("", ADDRESS),
}
READ = {kind.read: kind for _, kind in CREATED.values()}


@after("ec2", *CREATED)
def fresh_ids_are_not_yet_visible(call: Call, world: World, answer: Answer) -> None:
    member, kind = CREATED[call.operation]
    made = answer[member] if member else answer
    created = world.section("ec2.created")
    if made[kind.identifier] not in created:  # a repeat under the same client token creates nothing
        created[made[kind.identifier]] = world.now
        world.begin(FRESH, made[kind.identifier], "fresh", DURATIONS["vpc-visible"].ready)


@rule(
    "ec2", *READ, source='EC2 API reference, "Eventual consistency in the Amazon EC2 API": Invalid...NotFound'
)
def fresh_id_is_not_found(call: Call, world: World) -> None:
    kind = READ[call.operation]
    for identifier in call.params.get(kind.named, []):
        if world.status(FRESH, identifier) is not None:
            raise Refused(kind.code, f"The {kind.noun} ID '{identifier}' does not exist")


@after("ec2", *READ)
def fresh_ids_are_not_listed(call: Call, world: World, answer: Answer) -> None:
    kind = READ[call.operation]
    answer[kind.listed] = [
        shown for shown in answer[kind.listed] if world.status(FRESH, shown.get(kind.identifier, "")) is None
    ]
