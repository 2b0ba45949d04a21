"""VPC peering between regions: seen from both sides, through AWS's states, filtered as asked."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

from moto.ec2.models import ec2_backends

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.gaps.ec2_filters import matches
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.registry import gap
from drctl.sim.world import World

OVERLAP = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"
"""The status message of a failed peering: VPC peering guide, "VPC peering connection lifecycle"."""


@gap("ec2", "CreateVpcPeeringConnection")
def create_peering(call: Call, world: World, moto: Moto) -> Answer:
    """initiating-request, then pending-acceptance, or ``failed`` when the networks overlap."""
    answer = moto(call)
    made = answer["VpcPeeringConnection"]
    peering = ec2_backends[call.account][call.region].vpc_pcxs[made["VpcPeeringConnectionId"]]
    peering._status.initiating()
    seconds = DURATIONS["vpc-peering"].ready / 2
    if overlap(peering.vpc, peering.peer_vpc):
        move(call, world, peering, "failed", OVERLAP, seconds)
    else:
        pending = f"Pending Acceptance by {peering.peer_vpc.owner_id}"
        move(call, world, peering, "pending-acceptance", pending, seconds)
    return answer


def overlap(one: Any, other: Any) -> bool:
    networks = [
        [IPv4Network(block["cidr_block"]) for block in vpc.get_cidr_block_association_set()]
        for vpc in (one, other)
    ]
    return any(left.overlaps(right) for left in networks[0] for right in networks[1])


@gap("ec2", "AcceptVpcPeeringConnection")
def accept_peering(call: Call, world: World, moto: Moto) -> Answer:
    peering = visible(call)[call.params["VpcPeeringConnectionId"]]
    answer = moto(call)
    peering._status.code, peering._status.message = "provisioning", "Provisioning"
    answer["VpcPeeringConnection"]["Status"] = {"Code": "provisioning", "Message": "Provisioning"}
    answer["VpcPeeringConnection"]["Tags"] = tags(call, peering.id)
    move(call, world, peering, "active", "Active", DURATIONS["vpc-peering"].ready)
    return answer


@gap("ec2", "DeleteVpcPeeringConnection")
def delete_peering(call: Call, world: World, moto: Moto) -> Answer:
    peering = visible(call)[call.params["VpcPeeringConnectionId"]]
    before = peering._status.code
    if before in ("failed", "rejected", "deleted", "deleting"):
        raise Refused(
            "InvalidStateTransition",
            f"Invalid state transition for {peering.id}, attempted to transition from {before} to deleting",
        )
    peering._status.code = "deleting"
    peering._status.message = f"Deleting by {call.account}"
    move(call, world, peering, "deleted", f"Deleted by {call.account}", DURATIONS["vpc-peering"].gone)
    return {"Return": True}


def move(call: Call, world: World, peering: Any, status: str, message: str, seconds: float) -> None:
    world.later(
        seconds,
        "ec2.peering-moved",
        account=call.account,
        region=call.region,
        id=peering.id,
        before=peering._status.code,
        status=status,
        message=message,
    )


def visible(call: Call) -> dict[str, Any]:
    """Peerings this region knows; the accepter's does not know one that is still being initiated."""
    return {
        identifier: peering
        for identifier, peering in ec2_backends[call.account][call.region].vpc_pcxs.items()
        if peering.vpc.region == call.region or peering._status.code not in ("initiating-request", "failed")
    }


def tags(call: Call, identifier: str) -> list[dict[str, str]]:
    """Tags are regional: each side of a peering sees its own."""
    held = ec2_backends[call.account][call.region].tags.get(identifier, {})
    return [{"Key": key, "Value": value} for key, value in held.items()]


@gap("ec2", "DescribeVpcPeeringConnections")
def describe_peerings(call: Call, world: World, moto: Moto) -> Answer:
    known = visible(call)
    wanted = call.params.get("VpcPeeringConnectionIds", [])
    for identifier in wanted:
        if identifier not in known:
            raise unknown_peering(identifier)
    found = []
    for peering in moto(call)["VpcPeeringConnections"]:
        if peering["VpcPeeringConnectionId"] not in known:
            continue
        peering["Tags"] = tags(call, peering["VpcPeeringConnectionId"])
        if matches(peering, call.params.get("Filters", []), VALUES):
            found.append(peering)
    return {"VpcPeeringConnections": found}


def unknown_peering(identifier: str) -> Refused:
    return Refused(
        "InvalidVpcPeeringConnectionID.NotFound", f"The vpcPeeringConnection ID '{identifier}' does not exist"
    )


VALUES = {
    "vpc-peering-connection-id": lambda peering: peering["VpcPeeringConnectionId"],
    "status-code": lambda peering: peering["Status"]["Code"],
    "status-message": lambda peering: peering["Status"]["Message"],
    "requester-vpc-info.vpc-id": lambda peering: peering["RequesterVpcInfo"]["VpcId"],
    "requester-vpc-info.owner-id": lambda peering: peering["RequesterVpcInfo"]["OwnerId"],
    "requester-vpc-info.cidr-block": lambda peering: peering["RequesterVpcInfo"]["CidrBlock"],
    "accepter-vpc-info.vpc-id": lambda peering: peering["AccepterVpcInfo"]["VpcId"],
    "accepter-vpc-info.owner-id": lambda peering: peering["AccepterVpcInfo"]["OwnerId"],
    "accepter-vpc-info.cidr-block": lambda peering: peering["AccepterVpcInfo"]["CidrBlock"],
}
