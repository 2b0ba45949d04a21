"""Descriptions of security group rules, which moto keeps for CIDR rules only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drctl.sim.call import Answer, Call
from drctl.sim.registry import after
from drctl.sim.rules.ec2_security_groups import traffic
from drctl.sim.world import World

SECTION = "ec2.rule-descriptions"
"""World's section of (group, egress, protocol and ports, peer) -> description. A rule is nothing else to AWS."""

Rule = tuple[Any, ...]


@after(
    "ec2",
    "AuthorizeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
    "UpdateSecurityGroupRuleDescriptionsIngress",
    "UpdateSecurityGroupRuleDescriptionsEgress",
)
def remember_descriptions(call: Call, world: World, answer: Answer) -> None:
    held = world.section(SECTION)
    for described, text in requested_descriptions(call):
        if text is None:
            held.pop(described, None)
        else:
            held[described] = text
    show(world, answer.get("SecurityGroupRules", []))


def requested_descriptions(call: Call) -> Iterator[tuple[Rule, str | None]]:
    for permission in call.params.get("IpPermissions", []):
        ports = traffic(permission.get("IpProtocol"), permission.get("FromPort"), permission.get("ToPort"))
        for ranges, kind in (("UserIdGroupPairs", "GroupId"), ("PrefixListIds", "PrefixListId")):
            for peer in permission.get(ranges, []):
                key = (call.params.get("GroupId"), call.operation.endswith("Egress"), ports, peer.get(kind))
                yield key, peer.get("Description")


@after("ec2", "DescribeSecurityGroupRules")
def show_descriptions(call: Call, world: World, answer: Answer) -> None:
    show(world, answer["SecurityGroupRules"])


def show(world: World, rules: list[dict[str, Any]]) -> None:
    for shown in rules:
        ports = traffic(shown.get("IpProtocol"), shown.get("FromPort"), shown.get("ToPort"))
        peer = shown.get("PrefixListId") or shown.get("ReferencedGroupInfo", {}).get("GroupId")
        text = world.section(SECTION).get((shown["GroupId"], shown["IsEgress"], ports, peer))
        if text is not None:
            shown["Description"] = text
