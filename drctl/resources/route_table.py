"""A route table. What is in it, and which subnets use it, are resources of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.tagged import find
from drctl.engine.resource import Given, Observed, Repeat, Resource, differences, resource
from drctl.resources.vpc import Vpc

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import RouteTableTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class RouteTableOutputs:
    route_table_id: str


@resource
class RouteTable(Resource[RouteTableOutputs]):
    """Made beside the VPC's main table, which nothing of ours uses."""

    kind: ClassVar[str] = "route-table"
    repeat: ClassVar[Repeat] = Repeat.TOKEN

    vpc: Vpc

    def read(self, aws: Aws, given: Given) -> Observed[RouteTableOutputs] | None:
        table = self._find(aws, given)
        if table is None:
            return None
        drift = differences({"vpc": table["VpcId"]}, {"vpc": given[self.vpc].vpc_id})
        return Observed(RouteTableOutputs(table["RouteTableId"]), drift=drift)

    def create(self, aws: Aws, given: Given) -> RouteTableOutputs:
        table = aws.ec2(self.region).create_route_table(
            VpcId=given[self.vpc].vpc_id,
            ClientToken=given.token,
            TagSpecifications=tags.specification("route-table", given.tags(self)),
        )["RouteTable"]
        return RouteTableOutputs(table["RouteTableId"])

    def delete(self, aws: Aws, outputs: RouteTableOutputs) -> None:
        aws.ec2(self.region).delete_route_table(RouteTableId=outputs.route_table_id)

    def _find(self, aws: Aws, given: Given) -> RouteTableTypeDef | None:
        ec2 = aws.ec2(self.region)
        return find(
            self,
            given,
            "RouteTableId",
            lambda id: ec2.describe_route_tables(RouteTableIds=[id])["RouteTables"],
            lambda filters: ec2.describe_route_tables(Filters=filters)["RouteTables"],
        )
