"""An Elastic IP address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.tagged import find
from drctl.engine.resource import Given, Observed, Repeat, Resource, resource
from drctl.resources.internet_gateway import InternetGateway

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import AddressTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class ElasticIpOutputs:
    allocation_id: str
    public_ip: str


@resource
class ElasticIp(Resource[ElasticIpOutputs]):
    """Mapped into the VPC it keeps the internet gateway from being detached: that is why it refers to it."""

    kind: ClassVar[str] = "elastic-ip"
    repeat: ClassVar[Repeat] = Repeat.NEVER

    internet_gateway: InternetGateway

    def read(self, aws: Aws, given: Given) -> Observed[ElasticIpOutputs] | None:
        address = self._find(aws, given)
        if address is None:
            return None
        return Observed(ElasticIpOutputs(address["AllocationId"], address["PublicIp"]))

    def create(self, aws: Aws, given: Given) -> ElasticIpOutputs:
        address = aws.ec2(self.region).allocate_address(
            Domain="vpc", TagSpecifications=tags.specification("elastic-ip", given.tags(self))
        )
        return ElasticIpOutputs(address["AllocationId"], address["PublicIp"])

    def delete(self, aws: Aws, outputs: ElasticIpOutputs) -> None:
        aws.ec2(self.region).release_address(AllocationId=outputs.allocation_id)

    def _find(self, aws: Aws, given: Given) -> AddressTypeDef | None:
        ec2 = aws.ec2(self.region)
        return find(
            self,
            given,
            "AllocationId",
            lambda id: ec2.describe_addresses(AllocationIds=[id])["Addresses"],
            lambda filters: ec2.describe_addresses(Filters=filters)["Addresses"],
        )
