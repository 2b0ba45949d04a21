"""Network interfaces that a service keeps in somebody's subnet: of load balancers, NAT gateways and tasks.

They are what AWS counts when a subnet, a security group or an internet gateway is to go. They live in moto's
EC2, so that DescribeNetworkInterfaces shows them.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from itertools import islice
from typing import Any

from moto.ec2.models import ec2_backends

from drctl.sim.call import Moto
from drctl.sim.registry import event
from drctl.sim.world import World

AWS_RESERVED = 4
"""The first addresses of a subnet are AWS's own: VPC user guide, "Subnet sizing for IPv4"."""


def attach(
    account: str,
    region: str,
    subnet_id: str,
    groups: list[str],
    description: str,
    kind: str = "interface",
    public: bool = False,
) -> tuple[str, str]:
    """Make an interface in use by a service and return its id and private address.

    ``kind`` is AWS's InterfaceType; ``public`` gives it a public address, which keeps an internet gateway attached.
    """
    backend = ec2_backends[account][region]
    subnet = backend.get_subnet(subnet_id)
    address = free_address(account, region, subnet_id)
    interface = backend.create_network_interface(
        subnet, address, group_ids=groups, description=description, public_ip_auto_assign=public
    )
    claim(interface, description, kind)
    return str(interface.id), address


def claim(interface: Any, description: str, kind: str) -> None:
    """Mark an interface as kept by a service."""
    interface.description = description
    interface.interface_type = kind
    interface.requester_managed = True
    interface.status = "in-use"


def free_address(account: str, region: str, subnet_id: str) -> str:
    """The lowest address of the subnet that no interface has."""
    backend = ec2_backends[account][region]
    network = IPv4Network(backend.get_subnet(subnet_id).cidr_block)
    taken = {
        str(known["PrivateIpAddress"])
        for interface in backend.enis.values()
        if interface.subnet_id == subnet_id
        for known in interface.private_ip_addresses
    }
    candidates: Any = (IPv4Address(int(network[0]) + offset) for offset in range(network.num_addresses))
    for address in islice(candidates, AWS_RESERVED, network.num_addresses - 1):
        if str(address) not in taken:
            return str(address)
    raise ValueError(f"{subnet_id} has no free address")


@event("ec2.interfaces-released")
def interfaces_released(world: World, moto: Moto, data: dict[str, Any]) -> None:
    release(data["account"], data["region"], data["interfaces"])


def release(account: str, region: str, interfaces: list[str]) -> None:
    """Remove interfaces; those already gone are no error."""
    backend = ec2_backends[account][region]
    for interface in interfaces:
        backend.enis.pop(interface, None)
        backend.tags.pop(interface, None)
