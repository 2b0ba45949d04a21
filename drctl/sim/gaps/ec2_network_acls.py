"""Network ACLs by the subnets that have them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.registry import gap
from drctl.sim.world import World

SUBNET = "association.subnet-id"


@gap("ec2", "DescribeNetworkAcls")
def describe_network_acls(call: Call, world: World, moto: Moto) -> Answer:
    """Of a filter's values one is enough (EC2 API reference, Filter); where an ACL has several subnets, moto wants that
    all of them are named, or that it has all that are named."""
    wishes = call.params.get("Filters", [])
    subnets = [wish["Values"] for wish in wishes if wish["Name"] == SUBNET]
    others = [wish for wish in wishes if wish["Name"] != SUBNET]
    answer = moto(replace(call, params={**call.params, "Filters": others}))
    shown = [acl for acl in answer["NetworkAcls"] if all(_has_one(acl, named) for named in subnets)]
    return {**answer, "NetworkAcls": shown}


def _has_one(acl: dict[str, Any], subnets: list[str]) -> bool:
    return any(association["SubnetId"] in subnets for association in acl["Associations"])
