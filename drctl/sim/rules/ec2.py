"""What EC2 refuses when networks are made, and moto accepts."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.ec2_peering import unknown_peering, visible
from drctl.sim.lifecycle.iam import role_usable
from drctl.sim.registry import rule
from drctl.sim.world import World


def backend(call: Call) -> Any:
    return ec2_backends[call.account][call.region]


@rule("ec2", "CreateSecurityGroup", source="EC2 error codes: InvalidVpcID.NotFound")
def group_needs_its_vpc(call: Call, world: World) -> None:
    vpc = call.params.get("VpcId")
    if vpc is not None and vpc not in backend(call).vpcs:
        raise Refused("InvalidVpcID.NotFound", f"The vpc ID '{vpc}' does not exist")


@rule("ec2", "CreateSecurityGroup", source='"Cannot use reserved security group name: default"')
def default_is_a_reserved_name(call: Call, world: World) -> None:
    if call.params["GroupName"] == "default":
        raise Refused("InvalidParameterValue", "Cannot use reserved security group name: default")


@rule(
    "ec2",
    "AttachInternetGateway",
    source='"Network vpc-... already has an internet gateway attached" (InvalidParameterValue)',
)
def one_internet_gateway_a_vpc(call: Call, world: World) -> None:
    vpc = call.params["VpcId"]
    for gateway in backend(call).internet_gateways.values():
        if gateway.vpc and gateway.vpc.id == vpc and gateway.id != call.params["InternetGatewayId"]:
            raise Refused("InvalidParameterValue", f"Network {vpc} already has an internet gateway attached")


@rule(
    "ec2",
    "DescribeNatGateways",
    "DeleteNatGateway",
    source="EC2 error codes: NatGatewayNotFound",
)
def nat_gateway_exists(call: Call, world: World) -> None:
    ids = call.params.get("NatGatewayIds") or [call.params.get("NatGatewayId")]
    for identifier in ids:
        if identifier is not None and identifier not in backend(call).nat_gateways:
            raise Refused("NatGatewayNotFound", f"NAT gateway {identifier} was not found")


@rule(
    "ec2",
    "CreateNatGateway",
    source="EC2 API reference, CreateNatGateway: AllocationId is required for public",
)
def public_nat_needs_an_address(call: Call, world: World) -> None:
    if call.params.get("ConnectivityType", "public") == "public" and "AllocationId" not in call.params:
        raise Refused("MissingParameter", "The request must contain the parameter AllocationId")


@rule(
    "ec2",
    "AcceptVpcPeeringConnection",
    "DeleteVpcPeeringConnection",
    source="EC2 error codes: InvalidVpcPeeringConnectionID.NotFound",
)
def peering_is_visible(call: Call, world: World) -> None:
    identifier = call.params["VpcPeeringConnectionId"]
    if identifier not in visible(call):
        raise unknown_peering(identifier)


@rule(
    "ec2",
    "CreateVpcPeeringConnection",
    source="VPC peering guide, limitations: one peering between two VPCs; EC2 error codes: "
    "VpcPeeringConnectionAlreadyExists",
)
def one_active_peering_between_two_vpcs(call: Call, world: World) -> None:
    pair = {call.params.get("VpcId"), call.params.get("PeerVpcId")}
    for peering in backend(call).vpc_pcxs.values():
        if {peering.vpc.id, peering.peer_vpc.id} == pair and peering._status.code in (
            "provisioning",
            "active",
        ):
            raise Refused(
                "VpcPeeringConnectionAlreadyExists",
                f"There is already a VPC peering connection {peering.id} between these VPCs.",
            )


@rule("ec2", "CreateFlowLogs", source='"Unable to assume given IAM role" (InvalidParameter)')
def flow_logs_can_assume_their_role(call: Call, world: World) -> None:
    if call.params.get("LogDestinationType", "cloud-watch-logs") != "cloud-watch-logs":
        return
    role = call.params.get("DeliverLogsPermissionArn")
    if role is not None and not role_usable(world, call.account, role, "vpc-flow-logs.amazonaws.com"):
        raise Refused("InvalidParameter", f"Unable to assume given IAM role: '{role}'")


@rule("ec2", "DescribeFlowLogs", source="EC2 error codes: InvalidFlowLogId.NotFound")
def flow_log_exists(call: Call, world: World) -> None:
    for identifier in call.params.get("FlowLogIds", []):
        if identifier not in backend(call).flow_logs:
            raise Refused(
                "InvalidFlowLogId.NotFound",
                f"These flow log ids in the input list are not found: {identifier}",
            )


@rule(
    "ec2",
    "CreateVpcEndpoint",
    source='"route table rtb-... already has a route with destination-prefix-list-id pl-..." (RouteAlreadyExists)',
)
def one_gateway_endpoint_a_service_and_route_table(call: Call, world: World) -> None:
    for endpoint in backend(call).vpc_end_points.values():
        if endpoint.service_name != call.params.get("ServiceName") or endpoint.state == "deleting":
            continue
        for table in set(endpoint.route_table_ids) & set(call.params.get("RouteTableIds", [])):
            raise Refused(
                "RouteAlreadyExists",
                f"route table {table} already has a route with destination-prefix-list-id "
                f"{endpoint.destination_prefix_list_id}",
            )


@rule("ec2", "CreateVpcEndpoint", source="EC2 error codes: InvalidServiceName, InvalidRouteTableID.NotFound")
def endpoint_names_what_exists(call: Call, world: World) -> None:
    name = call.params.get("ServiceName", "")
    if not name.startswith(f"com.amazonaws.{call.region}."):
        raise Refused("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
    gateway = call.params.get("VpcEndpointType", "Gateway") == "Gateway"
    if gateway and name.rsplit(".", 1)[1] not in ("s3", "dynamodb"):
        raise Refused(
            "InvalidParameter", f"Endpoint type (Gateway) does not match available service types for {name}"
        )
    for table in call.params.get("RouteTableIds", []):
        if table not in backend(call).route_tables:
            raise Refused("InvalidRouteTableID.NotFound", f"The routeTable ID '{table}' does not exist")


@rule(
    "ec2",
    "DeleteNetworkAclEntry",
    "ReplaceNetworkAclEntry",
    source="EC2 error codes: InvalidNetworkAclEntry.NotFound",
)
def network_acl_entry_exists(call: Call, world: World) -> None:
    acl = backend(call).network_acls.get(call.params["NetworkAclId"])
    wanted = (call.params["RuleNumber"], call.params["Egress"])
    if acl is not None and wanted not in [(int(held.rule_number), held.egress) for held in acl.entries]:
        raise Refused(
            "InvalidNetworkAclEntry.NotFound",
            f"The network acl entry identified by rule number {wanted[0]} does not exist",
        )


@rule("ec2", "DescribeNetworkAcls", source="EC2 error codes: InvalidNetworkAclID.NotFound")
def network_acl_exists(call: Call, world: World) -> None:
    for identifier in call.params.get("NetworkAclIds", []):
        if identifier not in backend(call).network_acls:
            raise Refused("InvalidNetworkAclID.NotFound", f"The networkAcl ID '{identifier}' does not exist")


@rule("ec2", "ReplaceNetworkAclAssociation", source="EC2 error codes: InvalidAssociationID.NotFound")
def network_acl_association_exists(call: Call, world: World) -> None:
    wanted = call.params["AssociationId"]
    if not any(wanted in acl._associations for acl in backend(call).network_acls.values()):
        raise Refused("InvalidAssociationID.NotFound", f"The association ID '{wanted}' does not exist")
