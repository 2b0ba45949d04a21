"""One rule of a security group: one port, one direction, one peer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Difference, Given, Observed, Resource, differences, resource
from drctl.resources.security_group import SecurityGroup

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import (
        IpPermissionUnionTypeDef,
        SecurityGroupRuleTypeDef,
    )

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class CidrBlock:
    """IPv4 addresses, ``10.1.0.0/16``. The other region's groups cannot be named, its addresses can."""

    cidr: str


@dataclass(frozen=True)
class PrefixList:
    """A prefix list that AWS keeps, by name: ``com.amazonaws.global.cloudfront.origin-facing``."""

    prefix_list_name: str


@dataclass(frozen=True)
class SecurityGroupRuleOutputs:
    rule_id: str
    group_id: str


@resource
class SecurityGroupRule(Resource[SecurityGroupRuleOutputs]):
    """``peer`` is where traffic comes from (ingress) or goes to (egress); TCP only."""

    kind: ClassVar[str] = "security-group-rule"
    fixed: ClassVar[frozenset[str]] = frozenset({"group", "direction", "port", "peer"})

    group: SecurityGroup
    direction: Literal["ingress", "egress"]
    port: int
    peer: SecurityGroup | CidrBlock | PrefixList
    description: str

    def read(self, aws: Aws, given: Given) -> Observed[SecurityGroupRuleOutputs] | None:
        rule = self._find(aws, given)
        if rule is None:
            return None
        given.claim(self, tags.as_dict(rule.get("Tags", [])))
        drift = differences(_what(rule), self._wanted(aws, given))
        if rule.get("Description", "") != self.description:
            drift["description"] = Difference(rule.get("Description", ""), self.description)
        return Observed(SecurityGroupRuleOutputs(rule["SecurityGroupRuleId"], rule["GroupId"]), drift=drift)

    def create(self, aws: Aws, given: Given) -> SecurityGroupRuleOutputs:
        ec2, group_id = aws.ec2(self.region), given[self.group].security_group_id
        permissions = [self._permission(self._peer(aws, given))]
        specification = tags.specification("security-group-rule", given.tags(self))
        if self.direction == "egress":
            made = ec2.authorize_security_group_egress(
                GroupId=group_id, IpPermissions=permissions, TagSpecifications=specification
            )["SecurityGroupRules"]
        else:
            made = ec2.authorize_security_group_ingress(
                GroupId=group_id, IpPermissions=permissions, TagSpecifications=specification
            )["SecurityGroupRules"]
        return SecurityGroupRuleOutputs(made[0]["SecurityGroupRuleId"], group_id)

    def update(self, aws: Aws, given: Given, observed: Observed[SecurityGroupRuleOutputs]) -> None:
        """The description, which is no part of what makes a rule the one it is."""
        ec2, group_id = aws.ec2(self.region), observed.outputs.group_id
        described = [self._permission(self._peer(aws, given))]
        if self.direction == "egress":
            ec2.update_security_group_rule_descriptions_egress(GroupId=group_id, IpPermissions=described)
        else:
            ec2.update_security_group_rule_descriptions_ingress(GroupId=group_id, IpPermissions=described)

    def delete(self, aws: Aws, outputs: SecurityGroupRuleOutputs) -> None:
        ec2, ids = aws.ec2(self.region), [outputs.rule_id]
        for rule in ec2.describe_security_group_rules(SecurityGroupRuleIds=ids)["SecurityGroupRules"]:
            if rule["IsEgress"]:
                ec2.revoke_security_group_egress(GroupId=outputs.group_id, SecurityGroupRuleIds=ids)
            else:
                ec2.revoke_security_group_ingress(GroupId=outputs.group_id, SecurityGroupRuleIds=ids)

    def _find(self, aws: Aws, given: Given) -> SecurityGroupRuleTypeDef | None:
        """By the recorded id, else by what it says: a group has no two rules that say the same."""
        ec2, recorded = aws.ec2(self.region), given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                rules = ec2.describe_security_group_rules(SecurityGroupRuleIds=[recorded.rule_id])
                return rules["SecurityGroupRules"][0]
        wanted = self._wanted(aws, given)
        pages = ec2.get_paginator("describe_security_group_rules").paginate(
            Filters=[{"Name": "group-id", "Values": [given[self.group].security_group_id]}]
        )
        return next(
            (rule for page in pages for rule in page["SecurityGroupRules"] if _what(rule) == wanted), None
        )

    def _wanted(self, aws: Aws, given: Given) -> dict[str, object]:
        return {
            "group": given[self.group].security_group_id,
            "direction": self.direction,
            "port": f"tcp {self.port}-{self.port}",
            "peer": self._peer(aws, given),
        }

    def _peer(self, aws: Aws, given: Given) -> str:
        """A CIDR block, or the id of a group or of a prefix list."""
        if isinstance(self.peer, CidrBlock):
            return self.peer.cidr
        if isinstance(self.peer, SecurityGroup):
            return given[self.peer].security_group_id
        found = aws.ec2(self.region).describe_managed_prefix_lists(
            Filters=[{"Name": "prefix-list-name", "Values": [self.peer.prefix_list_name]}]
        )["PrefixLists"]
        if not found:
            raise LookupError(f"AWS has no prefix list {self.peer.prefix_list_name} in {self.region}")
        return found[0]["PrefixListId"]

    def _permission(self, peer: str) -> IpPermissionUnionTypeDef:
        permission: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": self.port, "ToPort": self.port}
        if isinstance(self.peer, CidrBlock):
            permission["IpRanges"] = [{"CidrIp": peer, "Description": self.description}]
        elif isinstance(self.peer, SecurityGroup):
            permission["UserIdGroupPairs"] = [{"GroupId": peer, "Description": self.description}]
        else:
            permission["PrefixListIds"] = [{"PrefixListId": peer, "Description": self.description}]
        return permission  # type: ignore[return-value]


def _what(rule: SecurityGroupRuleTypeDef) -> dict[str, object]:
    """What a rule says, as ``_wanted`` says it."""
    return {
        "group": rule["GroupId"],
        "direction": "egress" if rule["IsEgress"] else "ingress",
        "port": f"{rule['IpProtocol']} {rule.get('FromPort')}-{rule.get('ToPort')}",
        "peer": rule.get("CidrIpv4")
        or rule.get("PrefixListId")
        or rule.get("ReferencedGroupInfo", {}).get("GroupId"),
    }
