"""How NAT gateways, gateway endpoints and peerings pass through AWS's states, and what their end frees.

The state is kept on moto's own objects, so that moto's filters see it; the calendar moves it.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.security_groups import SecurityGroupRule

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.lifecycle.ec2_interfaces import release
from drctl.sim.registry import after, event
from drctl.sim.world import World

LISTED_AFTER_END = 3600.0
"""Seconds a deleted or failed NAT gateway stays listed: VPC user guide, "Delete a NAT gateway" ("for about an
hour"). Peerings: VPC peering guide, "VPC peering connection lifecycle" (a deleted one stays visible for two hours
to its deleter, two days at most to the other side)."""

ENDPOINT_KINDS = {"Interface": "interface-endpoint"}


def endpoint_duration(endpoint: Any) -> Any:
    return DURATIONS[ENDPOINT_KINDS.get(endpoint.vpc_endpoint_type or "Gateway", "gateway-endpoint")]


@event("ec2.nat-ready")
def nat_ready(world: World, moto: Moto, data: dict[str, Any]) -> None:
    gateway = ec2_backends[data["account"]][data["region"]].nat_gateways.get(data["id"])
    if gateway is not None and gateway.state == "pending":
        gateway.state = "available"


@event("ec2.nat-failed")
def nat_failed(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """A NAT gateway whose network has no way out ends as ``failed`` and frees what it held."""
    gateway = ec2_backends[data["account"]][data["region"]].nat_gateways.get(data["id"])
    if gateway is not None and gateway.state == "pending":
        gateway.state = "failed"
        free_nat(data["account"], data["region"], data["id"])
        world.later(LISTED_AFTER_END, "ec2.nat-forgotten", **data)


@event("ec2.nat-deleted")
def nat_deleted(world: World, moto: Moto, data: dict[str, Any]) -> None:
    gateway = ec2_backends[data["account"]][data["region"]].nat_gateways.get(data["id"])
    if gateway is not None:
        gateway.state = "deleted"
        free_nat(data["account"], data["region"], data["id"])
        world.later(LISTED_AFTER_END, "ec2.nat-forgotten", **data)


@event("ec2.nat-forgotten")
def nat_forgotten(world: World, moto: Moto, data: dict[str, Any]) -> None:
    backend = ec2_backends[data["account"]][data["region"]]
    backend.nat_gateways.pop(data["id"], None)
    backend.tags.pop(data["id"], None)


def free_nat(account: str, region: str, identifier: str) -> None:
    """Remove the gateway's interface and its hold on the address."""
    backend = ec2_backends[account][region]
    interface = backend.nat_gateways[identifier]._eni
    for address in backend.addresses:
        if address.eni is not None and address.eni.id == interface.id:
            backend.disassociate_address(association_id=address.association_id)
    release(account, region, [interface.id])


@event("ec2.endpoint-ready")
def endpoint_ready(world: World, moto: Moto, data: dict[str, Any]) -> None:
    endpoint = ec2_backends[data["account"]][data["region"]].vpc_end_points.get(data["id"])
    if endpoint is not None and endpoint.state == "pending":
        endpoint.state = "available"


@event("ec2.endpoint-deleted")
def endpoint_deleted(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """The endpoint vanishes with its routes and interfaces; its route tables may have gone before it."""
    backend: Any = ec2_backends[data["account"]][data["region"]]
    endpoint = backend.vpc_end_points.pop(data["id"], None)
    if endpoint is None:
        return
    for table in backend.route_tables.values():
        for key in [key for key, route in table._routes.items() if route.gateway is endpoint]:
            del table._routes[key]
    release(data["account"], data["region"], endpoint.network_interface_ids)
    backend.tags.pop(data["id"], None)


@event("ec2.peering-moved")
def peering_moved(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """A peering reaches its next state, unless something else happened to it meanwhile."""
    peering = ec2_backends[data["account"]][data["region"]].vpc_pcxs.get(data["id"])
    if peering is None or peering._status.code != data["before"]:
        return
    peering._status.code = data["status"]
    peering._status.message = data["message"]
    if data["status"] in ("deleted", "failed"):
        world.later(LISTED_AFTER_END, "ec2.peering-forgotten", **data)


@event("ec2.peering-forgotten")
def peering_forgotten(world: World, moto: Moto, data: dict[str, Any]) -> None:
    for backend in ec2_backends[data["account"]].values():
        if backend.vpc_pcxs.pop(data["id"], None) is not None:
            backend.tags.pop(data["id"], None)


@after("ec2", "DescribeRouteTables")
def lost_targets_are_blackholes(call: Call, world: World, answer: Answer) -> None:
    """VPC user guide, "Route tables": blackhole when the route's target is not available."""
    backend = ec2_backends[call.account][call.region]
    for table in answer["RouteTables"]:
        for route in table.get("Routes", []):
            if not reachable(backend, table["VpcId"], route):
                route["State"] = "blackhole"


def reachable(backend: Any, vpc_id: str, route: dict[str, Any]) -> bool:
    if peering_id := route.get("VpcPeeringConnectionId"):
        peering = backend.vpc_pcxs.get(peering_id)
        return peering is not None and peering._status.code == "active"
    if nat_id := route.get("NatGatewayId"):
        gateway = backend.nat_gateways.get(nat_id)
        return gateway is not None and gateway.state in ("pending", "available", "deleting")
    if (gateway_id := route.get("GatewayId", "")).startswith("igw-"):
        gateway = backend.internet_gateways.get(gateway_id)
        return gateway is not None and gateway.vpc is not None and gateway.vpc.id == vpc_id
    return True


TAGGED_BY = {
    "DeleteVpc": "VpcId",
    "DeleteSubnet": "SubnetId",
    "DeleteInternetGateway": "InternetGatewayId",
    "DeleteRouteTable": "RouteTableId",
    "DeleteSecurityGroup": "GroupId",
    "DeleteNetworkAcl": "NetworkAclId",
    "DeleteFlowLogs": "FlowLogIds",
    "ReleaseAddress": "AllocationId",
    "RevokeSecurityGroupIngress": "SecurityGroupRuleIds",
    "RevokeSecurityGroupEgress": "SecurityGroupRuleIds",
}


@after("ec2", *TAGGED_BY)
def tags_go_with_their_resource(call: Call, world: World, answer: Answer) -> None:
    """DescribeTags shows tags of resources that exist; moto keeps those of the dead."""
    ids = call.params.get(TAGGED_BY[call.operation], [])
    tags = ec2_backends[call.account][call.region].tags
    for identifier in [ids] if isinstance(ids, str) else ids:
        tags.pop(identifier, None)


@after("ec2", "DeleteSubnet")
def associations_go_with_their_subnet(call: Call, world: World, answer: Answer) -> None:
    backend = ec2_backends[call.account][call.region]
    subnet_id = call.params["SubnetId"]
    for table in backend.route_tables.values():
        for key in [key for key, target in table._associations.items() if target == subnet_id]:
            del table._associations[key]
    for acl in backend.network_acls.values():
        for key in [key for key, held in acl._associations.items() if held.subnet_id == subnet_id]:
            del acl._associations[key]


@after("ec2", "CreateVpc")
def default_group_admits_itself(call: Call, world: World, answer: Answer) -> None:
    """VPC user guide, "Default security groups": all inbound traffic from the group itself."""
    backend = ec2_backends[call.account][call.region]
    group: Any = backend.get_default_security_group(answer["Vpc"]["VpcId"])
    itself = {"GroupId": group.id, "UserId": call.account}
    group.ingress_rules.append(
        SecurityGroupRule(backend, "-1", group.id, None, None, None, source_group=itself, is_egress=False)
    )


@after("ec2", "DeleteVpc")
def defaults_go_with_their_vpc(call: Call, world: World, answer: Answer) -> None:
    """EC2 API reference, DeleteVpc: it deletes the default security group, network ACL and route table."""
    backend = ec2_backends[call.account][call.region]
    for identifier in [
        identifier for identifier, acl in backend.network_acls.items() if acl.vpc_id == call.params["VpcId"]
    ]:
        del backend.network_acls[identifier]


@after("ec2", "DeleteRouteTable")
def endpoints_forget_their_route_table(call: Call, world: World, answer: Answer) -> None:
    for endpoint in ec2_backends[call.account][call.region].vpc_end_points.values():
        if call.params["RouteTableId"] in endpoint.route_table_ids:
            endpoint.route_table_ids.remove(call.params["RouteTableId"])
