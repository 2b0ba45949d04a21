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
    """How a kind is read: operation, member that lists it, its id, the parameter that names ids, AWS's error.

    usual: for how long its new ids are out of sight, in simulated seconds, as long as no fault says otherwise
    """

    read: str
    listed: str
    identifier: str
    named: str
    code: str
    words: str
    usual: float = DURATIONS["vpc-visible"].ready


VPC = Kind(
    "DescribeVpcs", "Vpcs", "VpcId", "VpcIds", "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"
)
SUBNET = Kind(
    "DescribeSubnets",
    "Subnets",
    "SubnetId",
    "SubnetIds",
    "InvalidSubnetID.NotFound",
    "The subnet ID '{}' does not exist",
)
GROUP = Kind(
    "DescribeSecurityGroups",
    "SecurityGroups",
    "GroupId",
    "GroupIds",
    "InvalidGroup.NotFound",
    "The group ID '{}' does not exist",
)
TABLE = Kind(
    "DescribeRouteTables",
    "RouteTables",
    "RouteTableId",
    "RouteTableIds",
    "InvalidRouteTableID.NotFound",
    "The routeTable ID '{}' does not exist",
)
GATEWAY = Kind(
    "DescribeInternetGateways",
    "InternetGateways",
    "InternetGatewayId",
    "InternetGatewayIds",
    "InvalidInternetGatewayID.NotFound",
    "The internetGateway ID '{}' does not exist",
)
ADDRESS = Kind(
    "DescribeAddresses",
    "Addresses",
    "AllocationId",
    "AllocationIds",
    "InvalidAllocationID.NotFound",
    "The allocation ID '{}' does not exist",
)
NAT_GATEWAY = Kind(
    "DescribeNatGateways",
    "NatGateways",
    "NatGatewayId",
    "NatGatewayIds",
    "NatGatewayNotFound",
    "The Nat Gateway {} was not found",
    usual=0,
)
ENDPOINT = Kind(
    "DescribeVpcEndpoints",
    "VpcEndpoints",
    "VpcEndpointId",
    "VpcEndpointIds",
    "InvalidVpcEndpointId.NotFound",
    "The Vpc Endpoint Id '{}' does not exist",
    usual=0,
)
PEERING = Kind(
    "DescribeVpcPeeringConnections",
    "VpcPeeringConnections",
    "VpcPeeringConnectionId",
    "VpcPeeringConnectionIds",
    "InvalidVpcPeeringConnectionID.NotFound",
    "The vpcPeeringConnection ID '{}' does not exist",
    usual=0,
)
NETWORK_ACL = Kind(
    "DescribeNetworkAcls",
    "NetworkAcls",
    "NetworkAclId",
    "NetworkAclIds",
    "InvalidNetworkAclID.NotFound",
    "The networkAcl ID '{}' does not exist",
    usual=0,
)
FLOW_LOG = Kind(
    "DescribeFlowLogs",
    "FlowLogs",
    "FlowLogId",
    "FlowLogIds",
    "InvalidFlowLogId.NotFound",
    "These flow log ids in the input list are not found: {}",
    usual=0,
)

CREATED = {
    "CreateVpc": ("Vpc", VPC),
    "CreateSubnet": ("Subnet", SUBNET),
    "CreateRouteTable": ("RouteTable", TABLE),
    "CreateInternetGateway": ("InternetGateway", GATEWAY),
    "CreateSecurityGroup": ("", GROUP),
    "AllocateAddress": ("", ADDRESS),
    "CreateNatGateway": ("NatGateway", NAT_GATEWAY),
    "CreateVpcEndpoint": ("VpcEndpoint", ENDPOINT),
    "CreateVpcPeeringConnection": ("VpcPeeringConnection", PEERING),
    "CreateNetworkAcl": ("NetworkAcl", NETWORK_ACL),
    "CreateFlowLogs": ("FlowLogIds", FLOW_LOG),
}
READ = {kind.read: kind for _, kind in CREATED.values()}


@after("ec2", *CREATED)
def fresh_ids_are_not_yet_visible(call: Call, world: World, answer: Answer) -> None:
    member, kind = CREATED[call.operation]
    made = answer[member] if member else answer
    identifiers = made if isinstance(made, list) else [made[kind.identifier]]
    created = world.section("ec2.created")
    new = [
        each for each in identifiers if each not in created
    ]  # a repeat under the same client token has none
    if new:
        seconds = call.held_back("unseen")
        for each in new:
            created[each] = world.now
            world.begin(FRESH, each, "fresh", kind.usual if seconds is None else seconds)


@rule(
    "ec2", *READ, source='EC2 API reference, "Eventual consistency in the Amazon EC2 API": Invalid...NotFound'
)
def fresh_id_is_not_found(call: Call, world: World) -> None:
    kind = READ[call.operation]
    for identifier in call.params.get(kind.named, []):
        if world.status(FRESH, identifier) is not None:
            raise Refused(kind.code, kind.words.format(identifier))


@after("ec2", *READ)
def fresh_ids_are_not_listed(call: Call, world: World, answer: Answer) -> None:
    kind = READ[call.operation]
    answer[kind.listed] = [
        shown
        for shown in answer.get(kind.listed, [])
        if world.status(FRESH, shown.get(kind.identifier, "")) is None
    ]
