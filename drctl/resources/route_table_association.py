"""Which route table a subnet uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.route_table import RouteTable
from drctl.resources.subnet import Subnet

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import RouteTableAssociationTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class RouteTableAssociationOutputs:
    association_id: str


@resource
class RouteTableAssociation(Resource[RouteTableAssociationOutputs]):
    """A subnet has one at most, and that is how it is found: it carries no tags."""

    kind: ClassVar[str] = "route-table-association"

    route_table: RouteTable
    subnet: Subnet

    def read(self, aws: Aws, given: Given) -> Observed[RouteTableAssociationOutputs] | None:
        association = self._find(aws, given)
        if association is None:
            return None
        drift = differences(
            {"route_table": association["RouteTableId"]},
            {"route_table": given[self.route_table].route_table_id},
        )
        return Observed(RouteTableAssociationOutputs(association["RouteTableAssociationId"]), drift=drift)

    def create(self, aws: Aws, given: Given) -> RouteTableAssociationOutputs:
        association = aws.ec2(self.region).associate_route_table(
            RouteTableId=given[self.route_table].route_table_id, SubnetId=given[self.subnet].subnet_id
        )
        return RouteTableAssociationOutputs(association["AssociationId"])

    def update(self, aws: Aws, given: Given, observed: Observed[RouteTableAssociationOutputs]) -> None:
        """AWS moves the subnet in one step, without a moment between, and gives the association a new id."""
        aws.ec2(self.region).replace_route_table_association(
            AssociationId=observed.outputs.association_id,
            RouteTableId=given[self.route_table].route_table_id,
        )

    def delete(self, aws: Aws, outputs: RouteTableAssociationOutputs) -> None:
        aws.ec2(self.region).disassociate_route_table(AssociationId=outputs.association_id)

    def _find(self, aws: Aws, given: Given) -> RouteTableAssociationTypeDef | None:
        subnet_id = given[self.subnet].subnet_id
        tables = aws.ec2(self.region).describe_route_tables(
            Filters=[{"Name": "association.subnet-id", "Values": [subnet_id]}]
        )["RouteTables"]
        for association in (each for table in tables for each in table["Associations"]):
            state = association.get("AssociationState", {}).get("State", "associated")
            if association.get("SubnetId") == subnet_id and state in ("associating", "associated"):
                return association
        return None
