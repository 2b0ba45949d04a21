"""A security group that admits nothing in and nothing out but by rules of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.vpc import Vpc

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import SecurityGroupRuleTypeDef, SecurityGroupTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class SecurityGroupOutputs:
    security_group_id: str


@resource
class SecurityGroup(Resource[SecurityGroupOutputs]):
    """Its rules are resources of their own, born with our tags. A rule without them is drift and revoked: the one
    that AWS adds (everything may leave), and any that somebody added by hand."""

    kind: ClassVar[str] = "security-group"
    fixed: ClassVar[frozenset[str]] = frozenset({"vpc", "name", "description"})

    vpc: Vpc
    aws_name: str
    description: str

    def read(self, aws: Aws, given: Given) -> Observed[SecurityGroupOutputs] | None:
        group = self._find(aws, given)
        if group is None:
            return None
        given.claim(self, tags.as_dict(group.get("Tags", [])))
        actual = {
            "vpc": group["VpcId"],
            "name": group["GroupName"],
            "description": group["Description"],
            "foreign_rules": [
                rule["SecurityGroupRuleId"] for rule in self._foreign(aws, given, group["GroupId"])
            ],
        }
        desired = {
            "vpc": given[self.vpc].vpc_id,
            "name": self.aws_name,
            "description": self.description,
            "foreign_rules": [],
        }
        return Observed(SecurityGroupOutputs(group["GroupId"]), drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> SecurityGroupOutputs:
        group = aws.ec2(self.region).create_security_group(
            GroupName=self.aws_name,
            Description=self.description,
            VpcId=given[self.vpc].vpc_id,
            TagSpecifications=tags.specification("security-group", given.tags(self)),
        )
        return SecurityGroupOutputs(group["GroupId"])

    def update(self, aws: Aws, given: Given, observed: Observed[SecurityGroupOutputs]) -> None:
        ec2, group_id = aws.ec2(self.region), observed.outputs.security_group_id
        for rule in self._foreign(aws, given, group_id):
            with tolerating_absence():
                ids = [rule["SecurityGroupRuleId"]]
                if rule["IsEgress"]:
                    ec2.revoke_security_group_egress(GroupId=group_id, SecurityGroupRuleIds=ids)
                else:
                    ec2.revoke_security_group_ingress(GroupId=group_id, SecurityGroupRuleIds=ids)

    def delete(self, aws: Aws, outputs: SecurityGroupOutputs) -> None:
        aws.ec2(self.region).delete_security_group(GroupId=outputs.security_group_id)

    def _foreign(self, aws: Aws, given: Given, group_id: str) -> list[SecurityGroupRuleTypeDef]:
        pages = aws.ec2(self.region).get_paginator("describe_security_group_rules")
        return [
            rule
            for page in pages.paginate(Filters=[{"Name": "group-id", "Values": [group_id]}])
            for rule in page["SecurityGroupRules"]
            if tags.as_dict(rule.get("Tags", [])).get("drctl:environment") != given.environment
        ]

    def _find(self, aws: Aws, given: Given) -> SecurityGroupTypeDef | None:
        """By the recorded id, else by its name, which is unique in the VPC."""
        ec2, recorded = aws.ec2(self.region), given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                groups = ec2.describe_security_groups(GroupIds=[recorded.security_group_id])
                return groups["SecurityGroups"][0]
        named = ec2.describe_security_groups(
            Filters=[
                {"Name": "vpc-id", "Values": [given[self.vpc].vpc_id]},
                {"Name": "group-name", "Values": [self.aws_name]},
            ]
        )
        return next(iter(named["SecurityGroups"]), None)
