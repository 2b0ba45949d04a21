"""A public NAT gateway: how the private subnets of a zone reach the internet."""

from __future__ import annotations

from collections.abc import Sequence
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
from drctl.resources.elastic_ip import ElasticIp
from drctl.resources.subnet import Subnet

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import NatGatewayTypeDef

    from drctl.aws.clients import Aws

PHASES = {
    "pending": Phase.PENDING,
    "available": Phase.READY,
    "failed": Phase.FAILED,
    "deleting": Phase.LEAVING,
}


@dataclass(frozen=True)
class NatGatewayOutputs:
    nat_gateway_id: str


@resource
class NatGateway(Resource[NatGatewayOutputs]):
    """Nothing of it can be changed. Its address belongs to one gateway at a time, so that a replaced one goes first
    (hence NAME, although its create takes a token too)."""

    kind: ClassVar[str] = "nat-gateway"
    repeat: ClassVar[Repeat] = Repeat.NAME
    typical: ClassVar[Typical] = Typical(ready=107, gone=60)

    subnet: Subnet
    elastic_ip: ElasticIp

    def read(self, aws: Aws, given: Given) -> Observed[NatGatewayOutputs] | None:
        gateway = self._find(aws, given)
        if gateway is None:
            return None
        phase = PHASES[gateway["State"]]
        addresses = [each.get("AllocationId") for each in gateway.get("NatGatewayAddresses", [])]
        drift = differences(
            {"subnet": gateway["SubnetId"], "address": next(iter(addresses), None)},
            {"subnet": given[self.subnet].subnet_id, "address": given[self.elastic_ip].allocation_id},
        )
        reason = f"{gateway.get('FailureCode', '')}: {gateway.get('FailureMessage', '')}"
        return Observed(
            NatGatewayOutputs(gateway["NatGatewayId"]), phase, drift, reason if phase is Phase.FAILED else ""
        )

    def create(self, aws: Aws, given: Given) -> NatGatewayOutputs:
        gateway = aws.ec2(self.region).create_nat_gateway(
            SubnetId=given[self.subnet].subnet_id,
            AllocationId=given[self.elastic_ip].allocation_id,
            ClientToken=given.token,
            TagSpecifications=tags.specification("natgateway", given.tags(self)),
        )["NatGateway"]
        return NatGatewayOutputs(gateway["NatGatewayId"])

    def delete(self, aws: Aws, outputs: NatGatewayOutputs) -> None:
        aws.ec2(self.region).delete_nat_gateway(NatGatewayId=outputs.nat_gateway_id)

    def _find(self, aws: Aws, given: Given) -> NatGatewayTypeDef | None:
        ec2 = aws.ec2(self.region)
        return find(
            self,
            given,
            "NatGatewayId",
            lambda id: _existing(ec2.describe_nat_gateways(NatGatewayIds=[id])["NatGateways"]),
            lambda filters: _existing(ec2.describe_nat_gateways(Filters=filters)["NatGateways"]),
        )


def _existing(gateways: Sequence[NatGatewayTypeDef]) -> list[NatGatewayTypeDef]:
    """Without those that AWS still lists for about an hour after their end (VPC user guide, "Delete a NAT gateway")."""
    return [gateway for gateway in gateways if gateway["State"] != "deleted"]
