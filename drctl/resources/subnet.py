"""A subnet in one availability zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.tagged import find
from drctl.engine.resource import Given, Observed, Phase, Repeat, Resource, differences, resource
from drctl.resources.vpc import Vpc

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import SubnetTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class SubnetOutputs:
    subnet_id: str


@resource
class Subnet(Resource[SubnetOutputs]):
    """``zone`` is the letter of the availability zone; nothing in it gets a public address by itself."""

    kind: ClassVar[str] = "subnet"
    repeat: ClassVar[Repeat] = Repeat.NEVER

    vpc: Vpc
    cidr: str
    zone: str

    def read(self, aws: Aws, given: Given) -> Observed[SubnetOutputs] | None:
        subnet = self._find(aws, given)
        if subnet is None:
            return None
        drift = differences(
            {"vpc": subnet["VpcId"], "cidr": subnet["CidrBlock"], "zone": subnet["AvailabilityZone"]},
            {"vpc": given[self.vpc].vpc_id, "cidr": self.cidr, "zone": f"{self.region}{self.zone}"},
        )
        phase = Phase.READY if subnet["State"] == "available" else Phase.PENDING
        return Observed(SubnetOutputs(subnet["SubnetId"]), phase, drift)

    def create(self, aws: Aws, given: Given) -> SubnetOutputs:
        subnet = aws.ec2(self.region).create_subnet(
            VpcId=given[self.vpc].vpc_id,
            CidrBlock=self.cidr,
            AvailabilityZone=f"{self.region}{self.zone}",
            TagSpecifications=tags.specification("subnet", given.tags(self)),
        )["Subnet"]
        return SubnetOutputs(subnet["SubnetId"])

    def delete(self, aws: Aws, outputs: SubnetOutputs) -> None:
        aws.ec2(self.region).delete_subnet(SubnetId=outputs.subnet_id)

    def _find(self, aws: Aws, given: Given) -> SubnetTypeDef | None:
        ec2 = aws.ec2(self.region)
        return find(
            self,
            given,
            "SubnetId",
            lambda id: ec2.describe_subnets(SubnetIds=[id])["Subnets"],
            lambda filters: ec2.describe_subnets(Filters=filters)["Subnets"],
        )
