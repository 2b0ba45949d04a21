"""What EC2 refuses of security group rules, and moto accepts."""

from __future__ import annotations

from typing import Any

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.ec2_prefix_lists import prefix_lists
from drctl.sim.registry import rule
from drctl.sim.rules.ec2 import backend
from drctl.sim.world import World

RULES_PER_GROUP = 60
"""VPC quotas: inbound or outbound rules per security group, counted apart for IPv4 and IPv6."""

AUTHORIZE = ("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")

Peer = tuple[str, str]
"""What a rule admits: ``CidrIp``, ``CidrIpv6``, ``GroupId`` or ``PrefixListId``, and which."""


def requested(call: Call) -> list[tuple[tuple[Any, ...], Peer]]:
    """The rules a request asks for, as (protocol and ports, peer)."""
    permissions = call.params.get("IpPermissions")
    if permissions is None:
        permissions = [{**call.params, "IpRanges": [call.params] if "CidrIp" in call.params else []}]
    return [
        (
            traffic(permission.get("IpProtocol"), permission.get("FromPort"), permission.get("ToPort")),
            (kind, peer[kind]),
        )
        for permission in permissions
        for ranges, kind in (
            ("IpRanges", "CidrIp"),
            ("Ipv6Ranges", "CidrIpv6"),
            ("UserIdGroupPairs", "GroupId"),
            ("PrefixListIds", "PrefixListId"),
        )
        for peer in permission.get(ranges, [])
        if kind in peer
    ]


def traffic(protocol: Any, start: Any, end: Any) -> tuple[Any, ...]:
    name = {"6": "tcp", "17": "udp", "1": "icmp", "all": "-1"}.get(
        str(protocol).lower(), str(protocol).lower()
    )
    return (name,) if name == "-1" else (name, start, end)


def existing(group: Any, egress: bool) -> list[tuple[tuple[Any, ...], Peer]]:
    found = []
    for held in group.egress_rules if egress else group.ingress_rules:
        ports = traffic(held.ip_protocol, held.from_port, held.to_port)
        if held.prefix_list_id:
            found.append((ports, ("PrefixListId", held.prefix_list_id)))
        elif held.source_group:
            found.append((ports, ("GroupId", held.source_group.get("GroupId", ""))))
        else:
            kind = "CidrIp" if "CidrIp" in held.ip_range else "CidrIpv6"
            found.append((ports, (kind, held.ip_range.get(kind, ""))))
    return found


@rule(
    "ec2",
    *AUTHORIZE,
    source='"You have specified two resources that belong to different networks." (InvalidGroup.NotFound); '
    "EC2 error codes: InvalidPrefixListID.NotFound",
)
def peers_exist_in_this_network(call: Call, world: World) -> None:
    group = backend(call).get_security_group_from_id(call.params.get("GroupId", ""))
    if group is None:
        return
    for _, (kind, peer) in requested(call):
        if kind == "PrefixListId" and peer not in prefix_lists(call.account, call.region):
            raise Refused("InvalidPrefixListID.NotFound", f"The prefix list ID '{peer}' does not exist")
        other = backend(call).get_security_group_from_id(peer) if kind == "GroupId" else None
        if other is not None and other.vpc_id != group.vpc_id:
            raise Refused(
                "InvalidGroup.NotFound", "You have specified two resources that belong to different networks."
            )


@rule("ec2", *AUTHORIZE, source='"the specified rule ... already exists" (InvalidPermission.Duplicate)')
def rule_is_new_whatever_its_description(call: Call, world: World) -> None:
    group = backend(call).get_security_group_from_id(call.params.get("GroupId", ""))
    if group is None:
        return
    seen = existing(group, call.operation.endswith("Egress"))
    for wanted in requested(call):
        if wanted in seen:
            ports, (_, peer) = wanted
            raise Refused(
                "InvalidPermission.Duplicate",
                f'the specified rule "peer: {peer}, {" ".join(str(part) for part in ports)}, ALLOW" already exists',
            )
        seen.append(wanted)


@rule(
    "ec2",
    *AUTHORIZE,
    source='"The maximum number of rules per security group has been reached." (RulesPerSecurityGroupLimitExceeded); '
    'VPC user guide, "AWS-managed prefix lists": a list counts with its weight',
)
def rules_fit_the_quota(call: Call, world: World) -> None:
    group = backend(call).get_security_group_from_id(call.params.get("GroupId", ""))
    if group is None:
        return
    lists = prefix_lists(call.account, call.region)
    weight = {"IPv4": 0, "IPv6": 0}
    for _, (kind, peer) in existing(group, call.operation.endswith("Egress")) + requested(call):
        if kind == "PrefixListId":
            weight[lists[peer].address_family] += lists[peer].max_entries or 1
        else:
            for family in ("IPv4", "IPv6"):
                weight[family] += kind == "GroupId" or (kind == "CidrIpv6") == (family == "IPv6")
    if max(weight.values()) > RULES_PER_GROUP:
        raise Refused(
            "RulesPerSecurityGroupLimitExceeded",
            "The maximum number of rules per security group has been reached.",
        )


@rule(
    "ec2",
    "RevokeSecurityGroupIngress",
    "RevokeSecurityGroupEgress",
    source="EC2 error codes: InvalidSecurityGroupRuleId.NotFound",
)
def revoked_rule_exists(call: Call, world: World) -> None:
    group = backend(call).get_security_group_from_id(call.params.get("GroupId", ""))
    if group is None:
        return
    held = group.egress_rules if call.operation.endswith("Egress") else group.ingress_rules
    for identifier in call.params.get("SecurityGroupRuleIds", []):
        if identifier not in [known.id for known in held]:
            raise Refused(
                "InvalidSecurityGroupRuleId.NotFound",
                f"The security group rule ID '{identifier}' does not exist",
            )
