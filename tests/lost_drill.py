"""What a drill leaves behind that was killed and whose journal is lost, made by plain boto3."""

from __future__ import annotations

from typing import Any


def cut_off(ec2: Any, vpc_id: str, environment: str = "demo") -> str:
    """All subnets of the VPC get a network ACL that allows nothing; its id."""
    marks = [{"Key": "drctl:environment", "Value": environment}, {"Key": "drctl:drill", "Value": "long-ago"}]
    acl: str = ec2.create_network_acl(
        VpcId=vpc_id, TagSpecifications=[{"ResourceType": "network-acl", "Tags": marks}]
    )["NetworkAcl"]["NetworkAclId"]
    for each in network_acls(ec2, vpc_id):
        for association in each["Associations"]:
            ec2.replace_network_acl_association(
                AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl
            )
    return acl


def network_acls(ec2: Any, vpc_id: str, *filters: Any) -> list[Any]:
    found: list[Any] = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}, *filters])[
        "NetworkAcls"
    ]
    return found
