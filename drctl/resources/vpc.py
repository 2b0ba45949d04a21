"""A VPC, with DNS names on, its default security group closed, and nothing in it cut off by a drill of long ago."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.tagged import find
from drctl.engine.resource import (
    Given,
    Observed,
    Phase,
    Repeat,
    Resource,
    Typical,
    differences,
    resource,
)

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef, NetworkAclTypeDef, VpcTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class VpcOutputs:
    vpc_id: str
    default_security_group_id: str


@resource
class Vpc(Resource[VpcOutputs]):
    """The network of a region. ``cidr`` must not overlap that of its peer (settings see to it)."""

    kind: ClassVar[str] = "vpc"
    repeat: ClassVar[Repeat] = Repeat.NEVER
    fixed: ClassVar[frozenset[str]] = frozenset({"cidr"})
    holds_data: ClassVar[bool] = True
    typical: ClassVar[Typical] = Typical(ready=2, gone=1)

    cidr: str

    def read(self, aws: Aws, given: Given) -> Observed[VpcOutputs] | None:
        vpc = self._find(aws, given)
        if vpc is None:
            return None
        ec2, vpc_id = aws.ec2(self.region), vpc["VpcId"]
        groups = ec2.describe_security_groups(
            Filters=[{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "group-name", "Values": ["default"]}]
        )["SecurityGroups"]
        if not groups or vpc["State"] == "pending":
            return Observed(VpcOutputs(vpc_id, ""), Phase.PENDING)
        names = ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsHostnames")
        actual = {
            "cidr": vpc["CidrBlock"],
            "dns_hostnames": names["EnableDnsHostnames"]["Value"],
            "default_group_rules": len(groups[0]["IpPermissions"]) + len(groups[0]["IpPermissionsEgress"]),
            "cut_off_by": [tags.as_dict(acl["Tags"])[tags.DRILL] for acl in self._of_drills(aws, vpc)],
        }
        desired = {"cidr": self.cidr, "dns_hostnames": True, "default_group_rules": 0, "cut_off_by": []}
        return Observed(VpcOutputs(vpc_id, groups[0]["GroupId"]), drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> VpcOutputs:
        vpc = aws.ec2(self.region).create_vpc(
            CidrBlock=self.cidr, TagSpecifications=tags.specification("vpc", given.tags(self))
        )["Vpc"]
        return VpcOutputs(vpc["VpcId"], "")

    def update(self, aws: Aws, given: Given, observed: Observed[VpcOutputs]) -> None:
        ec2, outputs = aws.ec2(self.region), observed.outputs
        if "dns_hostnames" in observed.drift:
            ec2.modify_vpc_attribute(VpcId=outputs.vpc_id, EnableDnsHostnames={"Value": True})
        if "default_group_rules" in observed.drift:
            self._close(aws, outputs.default_security_group_id)
        if "cut_off_by" in observed.drift:
            self._reconnect(aws, outputs.vpc_id)

    def delete(self, aws: Aws, outputs: VpcOutputs) -> None:
        self._reconnect(aws, outputs.vpc_id)
        aws.ec2(self.region).delete_vpc(VpcId=outputs.vpc_id)

    def _find(self, aws: Aws, given: Given) -> VpcTypeDef | None:
        ec2 = aws.ec2(self.region)
        return find(
            self,
            given,
            "VpcId",
            lambda id: ec2.describe_vpcs(VpcIds=[id])["Vpcs"],
            lambda filters: ec2.describe_vpcs(Filters=filters)["Vpcs"],
        )

    def _close(self, aws: Aws, group_id: str) -> None:
        """Empty the default group: CIS AWS Foundations 5.4, "default security group restricts all traffic"."""
        ec2 = aws.ec2(self.region)
        rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group_id]}])
        for egress in (False, True):
            ids = [
                rule["SecurityGroupRuleId"]
                for rule in rules["SecurityGroupRules"]
                if rule["IsEgress"] is egress
            ]
            if ids and egress:
                ec2.revoke_security_group_egress(GroupId=group_id, SecurityGroupRuleIds=ids)
            elif ids:
                ec2.revoke_security_group_ingress(GroupId=group_id, SecurityGroupRuleIds=ids)

    def _reconnect(self, aws: Aws, vpc_id: str) -> None:
        """Back to the default network ACL with what drills cut off, which otherwise their own run does; but a run's
        journal may be lost, or on another machine. A moved association has a new id, so each move is sent once."""
        ec2 = aws.ec2(self.region)
        for vpc in ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"]:
            for acl in self._of_drills(aws, vpc):
                (default,) = self._network_acls(aws, vpc, {"Name": "default", "Values": ["true"]})
                for association in acl["Associations"]:
                    aws.once.ec2(self.region).replace_network_acl_association(
                        AssociationId=association["NetworkAclAssociationId"],
                        NetworkAclId=default["NetworkAclId"],
                    )
                ec2.delete_network_acl(NetworkAclId=acl["NetworkAclId"])

    def _of_drills(self, aws: Aws, vpc: VpcTypeDef) -> list[NetworkAclTypeDef]:
        """Those of this environment's drills: a network ACL that allows nothing (drctl/runbook/injection.py)."""
        environment = tags.as_dict(vpc["Tags"])["drctl:environment"]
        return self._network_acls(
            aws,
            vpc,
            {"Name": "tag:drctl:environment", "Values": [environment]},
            {"Name": "tag-key", "Values": [tags.DRILL]},
        )

    def _network_acls(self, aws: Aws, vpc: VpcTypeDef, *filters: FilterTypeDef) -> list[NetworkAclTypeDef]:
        in_it: FilterTypeDef = {"Name": "vpc-id", "Values": [vpc["VpcId"]]}
        return aws.ec2(self.region).describe_network_acls(Filters=[in_it, *filters])["NetworkAcls"]
