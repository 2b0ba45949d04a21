"""Descriptions of security group rules, which moto keeps for CIDR rules only."""

from __future__ import annotations

from typing import Any

from drctl.sim.call import Answer, Call
from drctl.sim.registry import after
from drctl.sim.world import World

SECTION = "ec2.rule-descriptions"


@after("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def remember_descriptions(call: Call, world: World, answer: Answer) -> None:
    told = {}
    for permission in call.params.get("IpPermissions", []):
        ports = (permission.get("FromPort", -1), permission.get("ToPort", -1))
        for ranges, kind in (("UserIdGroupPairs", "GroupId"), ("PrefixListIds", "PrefixListId")):
            for peer in permission.get(ranges, []):
                if "Description" in peer:
                    told[(*ports, peer.get(kind))] = peer["Description"]
    for made in answer.get("SecurityGroupRules", []):
        key = (made.get("FromPort", -1), made.get("ToPort", -1), peer_of(made))
        if key in told:
            world.section(SECTION)[made["SecurityGroupRuleId"]] = told[key]
            made["Description"] = told[key]


def peer_of(shown: dict[str, Any]) -> str | None:
    return shown.get("PrefixListId") or shown.get("ReferencedGroupInfo", {}).get("GroupId")


@after("ec2", "DescribeSecurityGroupRules")
def show_descriptions(call: Call, world: World, answer: Answer) -> None:
    for shown in answer["SecurityGroupRules"]:
        told = world.section(SECTION).get(shown["SecurityGroupRuleId"])
        if told is not None:
            shown["Description"] = told


@after("ec2", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress")
def forget_descriptions(call: Call, world: World, answer: Answer) -> None:
    for identifier in call.params.get("SecurityGroupRuleIds", []):
        world.section(SECTION).pop(identifier, None)
