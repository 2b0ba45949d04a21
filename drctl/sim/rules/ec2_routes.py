"""What EC2 refuses of routes and route tables, and moto accepts."""

from __future__ import annotations

from ipaddress import IPv4Network

from drctl.sim.call import Call, Refused
from drctl.sim.registry import rule
from drctl.sim.rules.ec2 import backend
from drctl.sim.world import World

TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "InstanceId",
    "TransitGatewayId",
    "EgressOnlyInternetGatewayId",
    "CarrierGatewayId",
    "LocalGatewayId",
    "CoreNetworkArn",
    "VpcEndpointId",
)


@rule("ec2", "CreateRoute", source="EC2 API reference, CreateRoute: exactly one target")
def route_has_one_target(call: Call, world: World) -> None:
    if sum(name in call.params for name in TARGETS) != 1:
        raise Refused(
            "InvalidParameterCombination", "The request must contain exactly one of the targets of a route."
        )


@rule("ec2", "CreateRoute", source='"The route identified by ... already exists." (RouteAlreadyExists)')
def local_route_is_not_overwritten(call: Call, world: World) -> None:
    table = backend(call).route_tables.get(call.params["RouteTableId"])
    cidr = call.params.get("DestinationCidrBlock")
    if table is None or cidr is None:
        return
    for route in table._routes.values():
        if route.local and route.destination_cidr_block and same_network(route.destination_cidr_block, cidr):
            raise Refused("RouteAlreadyExists", f"The route identified by {cidr} already exists.")


def same_network(one: str, other: str) -> bool:
    try:
        return IPv4Network(one, strict=False) == IPv4Network(other, strict=False)
    except ValueError:
        return False


@rule(
    "ec2",
    "CreateRoute",
    "ReplaceRoute",
    source='EC2 error codes: InvalidNatGatewayID.NotFound; "route table rtb-... and network gateway igw-... belong to '
    'different networks"; InvalidVpcPeeringConnectionID.NotFound; VPC peering guide, "Update your route tables"',
)
def route_target_can_be_reached(call: Call, world: World) -> None:
    known = backend(call)
    table = known.route_tables.get(call.params["RouteTableId"])
    if table is None:
        return
    nat = call.params.get("NatGatewayId")
    if nat is not None and (
        nat not in known.nat_gateways or known.nat_gateways[nat].state in ("deleted", "failed")
    ):
        raise Refused("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat}' does not exist")
    peering_id = call.params.get("VpcPeeringConnectionId")
    if peering_id is not None:
        peering = known.vpc_pcxs.get(peering_id)
        if peering is None or peering._status.code in ("deleted", "failed", "rejected", "expired"):
            raise Refused(
                "InvalidVpcPeeringConnectionID.NotFound",
                f"The vpcPeeringConnection ID '{peering_id}' does not exist",
            )
        if table.vpc_id not in (peering.vpc.id, peering.peer_vpc.id):
            raise different_networks(table.id, f"vpc peering connection {peering_id}")
    gateway = known.internet_gateways.get(call.params.get("GatewayId"))
    if gateway is not None and (gateway.vpc is None or gateway.vpc.id != table.vpc_id):
        raise different_networks(table.id, f"network gateway {gateway.id}")


def different_networks(table: str, other: str) -> Refused:
    return Refused("InvalidParameterValue", f"route table {table} and {other} belong to different networks")


@rule(
    "ec2",
    "AssociateRouteTable",
    source='"the specified association for route table rtb-... conflicts with an existing association" '
    "(Resource.AlreadyAssociated)",
)
def subnet_has_one_route_table(call: Call, world: World) -> None:
    wanted, subnet_id = call.params["RouteTableId"], call.params.get("SubnetId")
    for table in backend(call).route_tables.values():
        if table.id != wanted and subnet_id in table._associations.values():
            raise Refused(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {wanted} conflicts with an existing association",
            )


@rule("ec2", "AssociateRouteTable", source='"... belong to different networks" (InvalidParameterValue)')
def subnet_and_route_table_share_a_vpc(call: Call, world: World) -> None:
    known = backend(call)
    table = known.route_tables.get(call.params["RouteTableId"])
    for subnets in known.subnets.values():
        subnet = subnets.get(call.params.get("SubnetId"))
        if subnet is not None and table is not None and subnet.vpc_id != table.vpc_id:
            raise different_networks(table.id, f"subnet {subnet.id}")


@rule("ec2", "DeleteRouteTable", source='"The routeTable ... has dependencies and cannot be deleted."')
def main_route_table_stays(call: Call, world: World) -> None:
    table = backend(call).route_tables.get(call.params["RouteTableId"])
    if table is not None and table.main_association_id is not None:
        raise Refused(
            "DependencyViolation", f"The routeTable '{table.id}' has dependencies and cannot be deleted."
        )
