"""The order in which EC2 lets a network be taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.rds.models import rds_backends

from drctl.sim.call import Call, Refused
from drctl.sim.registry import rule
from drctl.sim.rules.ec2 import backend
from drctl.sim.world import World


def dependency(kind: str, identifier: str) -> Refused:
    return Refused(
        "DependencyViolation", f"The {kind} '{identifier}' has dependencies and cannot be deleted."
    )


@rule(
    "ec2",
    "DeleteVpc",
    source="\"The vpc '...' has dependencies and cannot be deleted.\" (DependencyViolation)",
)
def vpc_is_empty(call: Call, world: World) -> None:
    identifier = call.params["VpcId"]
    if identifier in backend(call).vpcs and any(contents(backend(call), identifier)):
        raise dependency("vpc", identifier)


def contents(known: Any, vpc: str) -> Iterator[bool]:
    """What keeps a VPC alive: re:Post, "How do I troubleshoot dependency errors when I delete my VPC?"."""
    yield any(subnet.vpc_id == vpc for subnets in known.subnets.values() for subnet in subnets.values())
    yield any(gateway.vpc and gateway.vpc.id == vpc for gateway in known.internet_gateways.values())
    yield any(not group.is_default for group in known.groups.get(vpc, {}).values())
    yield any(
        table.vpc_id == vpc and table.main_association_id is None for table in known.route_tables.values()
    )
    yield any(acl.vpc_id == vpc and not acl.default for acl in known.network_acls.values())
    yield any(endpoint.vpc_id == vpc for endpoint in known.vpc_end_points.values())
    yield any(interface.vpc_id == vpc for interface in known.enis.values())
    yield any(
        vpc in (peering.vpc.id, peering.peer_vpc.id)
        and peering._status.code in ("provisioning", "active", "deleting")
        for peering in known.vpc_pcxs.values()
    )


@rule(
    "ec2",
    "DeleteSubnet",
    source="\"The subnet '...' has dependencies and cannot be deleted.\" (DependencyViolation)",
)
def subnet_has_no_interface(call: Call, world: World) -> None:
    identifier = call.params["SubnetId"]
    interfaces = backend(call).enis.values()
    if any(interface.subnet_id == identifier for interface in interfaces) or identifier in database_subnets(
        call
    ):
        raise dependency("subnet", identifier)


@rule(
    "ec2",
    "DeleteSecurityGroup",
    source='"the specified group: "sg-..." name: "default" cannot be deleted by a user" (CannotDelete)',
)
def default_group_stays(call: Call, world: World) -> None:
    group = backend(call).get_security_group_from_id(call.params.get("GroupId", ""))
    if group is not None and group.is_default:
        raise Refused(
            "CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
        )


@rule("ec2", "DeleteSecurityGroup", source='"resource sg-... has a dependent object" (DependencyViolation)')
def group_is_not_used(call: Call, world: World) -> None:
    known = backend(call)
    identifier = call.params.get("GroupId", "")
    used = any(identifier in [group.id for group in interface.group_set] for interface in known.enis.values())
    referenced = any(
        held.source_group.get("GroupId") == identifier
        for groups in known.groups.values()
        for group in groups.values()
        if group.id != identifier
        for held in [*group.ingress_rules, *group.egress_rules]
    )
    if used or referenced or identifier in database_groups(call):
        raise Refused("DependencyViolation", f"resource {identifier} has a dependent object")


def databases(call: Call) -> list[Any]:
    """Database instances; each has interfaces in its subnets and groups, which moto does not make."""
    return list(rds_backends[call.account][call.region].databases.values())


def database_groups(call: Call) -> set[str]:
    return {group for database in databases(call) for group in database.vpc_security_group_ids}


def database_subnets(call: Call) -> set[str]:
    groups = rds_backends[call.account][call.region].subnet_groups
    names = {subnet_group_name(call, database) for database in databases(call)}
    return {subnet.id for name in names if name in groups for subnet in groups[name]._subnets}


def subnet_group_name(call: Call, database: Any) -> str:
    """A member of a cluster is where its cluster is."""
    cluster = rds_backends[call.account][call.region].clusters.get(database.db_cluster_identifier)
    return str(cluster.db_subnet_group_name if cluster is not None else database.db_subnet_group_name)


@rule(
    "ec2",
    "DeleteInternetGateway",
    source="\"The internetGateway 'igw-...' has dependencies and cannot be deleted.\" (DependencyViolation)",
)
def internet_gateway_is_detached(call: Call, world: World) -> None:
    gateway = backend(call).internet_gateways.get(call.params["InternetGatewayId"])
    if gateway is not None and gateway.vpc is not None:
        raise dependency("internetGateway", gateway.id)


@rule(
    "ec2",
    "DetachInternetGateway",
    source='"Network vpc-... has some mapped public address(es). Please unmap those public address(es) before '
    'detaching the gateway." (DependencyViolation)',
)
def no_public_address_behind_the_gateway(call: Call, world: World) -> None:
    vpc = call.params["VpcId"]
    if any(interface.vpc_id == vpc and interface.public_ip for interface in backend(call).enis.values()):
        raise Refused(
            "DependencyViolation",
            f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before "
            "detaching the gateway.",
        )


@rule("ec2", "ReleaseAddress", source="EC2 error codes: InvalidIPAddress.InUse")
def address_is_not_in_use(call: Call, world: World) -> None:
    for address in backend(call).addresses:
        wanted = address.allocation_id == call.params.get("AllocationId")
        if wanted and address.association_id is not None and not held_by_nat(call, address):
            raise Refused("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")


@rule(
    "ec2",
    "ReleaseAddress",
    "DisassociateAddress",
    source='"You do not have permission to access the specified resource." (AuthFailure), for the address of a NAT '
    "gateway that is not yet deleted: kops issue 1604",
)
def address_of_a_nat_gateway_stays(call: Call, world: World) -> None:
    wish = (call.params.get("AllocationId"), call.params.get("AssociationId"))
    for address in backend(call).addresses:
        wanted = address.association_id is not None and (
            address.allocation_id == wish[0] or address.association_id == wish[1]
        )
        if wanted and held_by_nat(call, address):
            raise Refused("AuthFailure", "You do not have permission to access the specified resource.")


def held_by_nat(call: Call, address: Any) -> bool:
    interfaces = {gateway._eni.id for gateway in backend(call).nat_gateways.values()}
    return address.eni is not None and address.eni.id in interfaces


@rule(
    "ec2",
    "DeleteNetworkAcl",
    source='VPC user guide, "Network ACLs": the default network ACL cannot be deleted',
)
def default_network_acl_stays(call: Call, world: World) -> None:
    acl = backend(call).network_acls.get(call.params["NetworkAclId"])
    if acl is not None and acl.default:
        raise Refused("InvalidParameterValue", f"cannot delete default network ACL {acl.id}")
