"""EC2 as moto lacks it: NAT gateways and endpoints that take time, honest filters, flow logs, prefix lists."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from moto.ec2.models import ec2_backends

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.gaps.ec2_client_tokens import once
from drctl.sim.gaps.ec2_filters import matches
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.lifecycle.ec2 import endpoint_duration
from drctl.sim.lifecycle.ec2_interfaces import claim, free_address
from drctl.sim.registry import gap
from drctl.sim.world import World


@gap("ec2", "CreateNatGateway")
def create_nat_gateway(call: Call, world: World, moto: Moto) -> Answer:
    return once(call, world, lambda: make_nat_gateway(call, world, moto))


def make_nat_gateway(call: Call, world: World, moto: Moto) -> Answer:
    """Pending first; then ``failed`` when the VPC user guide, "Troubleshoot NAT gateways", says so."""
    backend = ec2_backends[call.account][call.region]
    taken = address_taken(call)
    answer = moto(replace(call, params={**call.params, "ConnectivityType": "private"}) if taken else call)
    gateway = backend.nat_gateways[answer["NatGateway"]["NatGatewayId"]]
    interface = gateway._eni
    address = free_address(call.account, call.region, gateway.subnet_id)
    claim(interface, f"Interface for NAT Gateway {gateway.id}", "nat_gateway")
    interface.private_ip_address = address
    interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]
    gateway.private_ip = gateway.address_set[0]["privateIp"] = address
    gateway.state = "pending"
    key = {"account": call.account, "region": call.region, "id": gateway.id}
    failure = taken or without_internet(call, gateway.vpc_id)
    if failure is not None:
        gateway.connectivity_type = answer["NatGateway"]["ConnectivityType"] = "public"
        world.section("ec2.nat-failures")[gateway.id] = failure
        world.later(DURATIONS["nat-gateway"].ready / 10, "ec2.nat-failed", **key)
    else:
        world.later(DURATIONS["nat-gateway"].ready, "ec2.nat-ready", **key)
    answer["NatGateway"]["State"] = "pending"
    for shown in answer["NatGateway"]["NatGatewayAddresses"]:
        shown["PrivateIp"] = address
    return answer


def address_taken(call: Call) -> dict[str, str] | None:
    """Why a NAT gateway cannot have its address, or None."""
    for address in ec2_backends[call.account][call.region].addresses:
        if address.allocation_id == call.params.get("AllocationId") and address.association_id is not None:
            return {
                "FailureCode": "Resource.AlreadyAssociated",
                "FailureMessage": f"Elastic IP address [{address.allocation_id}] is already associated",
            }
    return None


def without_internet(call: Call, vpc: str) -> dict[str, str] | None:
    """Why a public NAT gateway has no way out of the VPC, or None."""
    gateways = ec2_backends[call.account][call.region].internet_gateways.values()
    private = call.params.get("ConnectivityType", "public") == "private"
    if private or any(gateway.vpc and gateway.vpc.id == vpc for gateway in gateways):
        return None
    return {
        "FailureCode": "Gateway.NotAttached",
        "FailureMessage": f"Network {vpc} has no Internet gateway attached",
    }


NAT_FILTERS = {
    "nat-gateway-id": lambda gateway: gateway["NatGatewayId"],
    "state": lambda gateway: gateway["State"],
    "subnet-id": lambda gateway: gateway["SubnetId"],
    "vpc-id": lambda gateway: gateway["VpcId"],
}


@gap("ec2", "DescribeNatGateways")
def describe_nat_gateways(call: Call, world: World, moto: Moto) -> Answer:
    answer = moto(call)
    for gateway in answer["NatGateways"]:
        if gateway["State"] == "failed":
            gateway.update(world.section("ec2.nat-failures").get(gateway["NatGatewayId"], {}))
    wishes = call.params.get("Filter", [])  # moto knows no tags here
    shown = [each for each in answer["NatGateways"] if matches(each, wishes, NAT_FILTERS)]
    return {**answer, "NatGateways": shown}


@gap("ec2", "DeleteNatGateway")
def delete_nat_gateway(call: Call, world: World, moto: Moto) -> Answer:
    identifier = call.params["NatGatewayId"]
    gateway = ec2_backends[call.account][call.region].nat_gateways[identifier]
    if gateway.state in ("pending", "available"):
        gateway.state = "deleting"
        world.later(
            DURATIONS["nat-gateway"].gone,
            "ec2.nat-deleted",
            account=call.account,
            region=call.region,
            id=identifier,
        )
    return {"NatGatewayId": identifier}


@gap("ec2", "CreateVpcEndpoint")
def create_vpc_endpoint(call: Call, world: World, moto: Moto) -> Answer:
    return once(call, world, lambda: make_vpc_endpoint(call, world, moto))


def make_vpc_endpoint(call: Call, world: World, moto: Moto) -> Answer:
    backend = ec2_backends[call.account][call.region]
    params = {"VpcEndpointType": "Gateway", **call.params}
    answer = moto(replace(call, params=params))
    endpoint = backend.vpc_end_points[answer["VpcEndpoint"]["VpcEndpointId"]]
    endpoint.state = answer["VpcEndpoint"]["State"] = "pending"
    for identifier in endpoint.network_interface_ids:
        interface = backend.enis[identifier]
        claim(interface, f"VPC Endpoint Interface {endpoint.id}", "vpc_endpoint")
        if endpoint.security_group_ids:
            interface._group_set = [
                backend.get_security_group_from_id(group) for group in endpoint.security_group_ids
            ]
    world.later(
        endpoint_duration(endpoint).ready,
        "ec2.endpoint-ready",
        account=call.account,
        region=call.region,
        id=endpoint.id,
    )
    return answer


@gap("ec2", "ModifyVpcEndpoint")
def modify_vpc_endpoint(call: Call, world: World, moto: Moto) -> Answer:
    """The routes of a gateway endpoint follow its route tables."""
    answer = moto(call)
    backend: Any = ec2_backends[call.account][call.region]
    endpoint = backend.vpc_end_points[call.params["VpcEndpointId"]]
    for table in backend.route_tables.values():
        routes = [key for key, route in table._routes.items() if route.gateway is endpoint]
        if table.id in endpoint.route_table_ids and not routes:
            backend.create_route(
                table.id,
                None,
                gateway_id=endpoint.id,
                destination_prefix_list_id=endpoint.destination_prefix_list_id,
            )
        elif table.id not in endpoint.route_table_ids:
            for key in routes:
                del table._routes[key]
    return answer


@gap("ec2", "DeleteVpcEndpoints")
def delete_vpc_endpoints(call: Call, world: World, moto: Moto) -> Answer:
    """What cannot be deleted is told in the answer, not as an error."""
    endpoints = ec2_backends[call.account][call.region].vpc_end_points
    failed: list[dict[str, Any]] = []
    for identifier in call.params["VpcEndpointIds"]:
        endpoint = endpoints.get(identifier)
        if endpoint is None:
            failed.append(
                unsuccessful(
                    identifier,
                    "InvalidVpcEndpoint.NotFound",
                    f"The Vpc Endpoint Id '{identifier}' does not exist",
                )
            )
        elif endpoint.state != "deleting":
            endpoint.state = "deleting"
            world.later(
                endpoint_duration(endpoint).gone,
                "ec2.endpoint-deleted",
                account=call.account,
                region=call.region,
                id=identifier,
            )
    return {"Unsuccessful": failed}


@gap("ec2", "CreateFlowLogs")
def create_flow_logs(call: Call, world: World, moto: Moto) -> Answer:
    return once(call, world, lambda: make_flow_logs(call, moto))


def make_flow_logs(call: Call, moto: Moto) -> Answer:
    """One resource at a time, since AWS tells a duplicate in the answer and makes the others."""
    made: dict[str, Any] = {"FlowLogIds": [], "Unsuccessful": []}
    params = dict(call.params)
    destination = params.get("LogDestination", "")
    if (
        params.get("LogDestinationType", "cloud-watch-logs") == "cloud-watch-logs"
        and ":log-group:" in destination
    ):
        params["LogGroupName"] = destination.split(":log-group:")[1].removesuffix(":*")
    for resource in call.params["ResourceIds"]:
        try:
            answer = moto(replace(call, params={**params, "ResourceIds": [resource]}))
        except Refused as refused:
            if refused.code != "FlowLogAlreadyExists":
                raise
            made["Unsuccessful"].append(unsuccessful(resource, refused.code, refused.message))
        else:
            made["FlowLogIds"] += answer.get("FlowLogIds", [])
            made["Unsuccessful"] += answer.get("Unsuccessful", [])
    return made


@gap("ec2", "DeleteFlowLogs")
def delete_flow_logs(call: Call, world: World, moto: Moto) -> Answer:
    logs = ec2_backends[call.account][call.region].flow_logs
    unknown = [identifier for identifier in call.params["FlowLogIds"] if logs.pop(identifier, None) is None]
    return {
        "Unsuccessful": [
            unsuccessful(
                identifier,
                "InvalidFlowLogId.NotFound",
                f"These flow log ids in the input list are not found: {identifier}",
            )
            for identifier in unknown
        ]
    }


def unsuccessful(identifier: str, code: str, message: str) -> dict[str, Any]:
    return {"ResourceId": identifier, "Error": {"Code": code, "Message": message}}
