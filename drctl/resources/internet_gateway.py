"""An internet gateway: the VPC's way out and in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_existence
from drctl.aws.tagged import find
from drctl.engine.resource import Given, Observed, Repeat, Resource, differences, resource
from drctl.resources.vpc import Vpc

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InternetGatewayTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class InternetGatewayOutputs:
    internet_gateway_id: str


@resource
class InternetGateway(Resource[InternetGatewayOutputs]):
    """Created alone; its attachment to the VPC is a second call and therefore drift."""

    kind: ClassVar[str] = "internet-gateway"
    repeat: ClassVar[Repeat] = Repeat.NEVER

    vpc: Vpc

    def read(self, aws: Aws, given: Given) -> Observed[InternetGatewayOutputs] | None:
        gateway = self._find(aws, given)
        if gateway is None:
            return None
        attached = [attachment["VpcId"] for attachment in gateway["Attachments"]]
        drift = differences({"vpc": next(iter(attached), None)}, {"vpc": given[self.vpc].vpc_id})
        return Observed(InternetGatewayOutputs(gateway["InternetGatewayId"]), drift=drift)

    def create(self, aws: Aws, given: Given) -> InternetGatewayOutputs:
        gateway = aws.ec2(self.region).create_internet_gateway(
            TagSpecifications=tags.specification("internet-gateway", given.tags(self))
        )["InternetGateway"]
        return InternetGatewayOutputs(gateway["InternetGatewayId"])

    def update(self, aws: Aws, given: Given, observed: Observed[InternetGatewayOutputs]) -> None:
        gateway_id = observed.outputs.internet_gateway_id
        self._detach(aws, gateway_id)
        with tolerating_existence():
            aws.ec2(self.region).attach_internet_gateway(
                InternetGatewayId=gateway_id, VpcId=given[self.vpc].vpc_id
            )

    def delete(self, aws: Aws, outputs: InternetGatewayOutputs) -> None:
        """AWS refuses to detach it while the VPC still has public addresses: later, then."""
        self._detach(aws, outputs.internet_gateway_id)
        aws.ec2(self.region).delete_internet_gateway(InternetGatewayId=outputs.internet_gateway_id)

    def _detach(self, aws: Aws, gateway_id: str) -> None:
        ec2 = aws.ec2(self.region)
        for gateway in ec2.describe_internet_gateways(InternetGatewayIds=[gateway_id])["InternetGateways"]:
            for attachment in gateway["Attachments"]:
                ec2.detach_internet_gateway(InternetGatewayId=gateway_id, VpcId=attachment["VpcId"])

    def _find(self, aws: Aws, given: Given) -> InternetGatewayTypeDef | None:
        ec2 = aws.ec2(self.region)
        return find(
            self,
            given,
            "InternetGatewayId",
            lambda id: ec2.describe_internet_gateways(InternetGatewayIds=[id])["InternetGateways"],
            lambda filters: ec2.describe_internet_gateways(Filters=filters)["InternetGateways"],
        )
