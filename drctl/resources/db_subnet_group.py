"""Where a database may live: the isolated subnets of at least two availability zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.subnet import Subnet

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBSubnetGroupTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class DbSubnetGroupOutputs:
    name: str


@resource
class DbSubnetGroup(Resource[DbSubnetGroupOutputs]):
    kind: ClassVar[str] = "db-subnet-group"
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})

    aws_name: str
    subnets: tuple[Subnet, ...]

    def read(self, aws: Aws, given: Given) -> Observed[DbSubnetGroupOutputs] | None:
        group = self._find(aws, given)
        if group is None:
            return None
        found = aws.rds(self.region).list_tags_for_resource(ResourceName=group["DBSubnetGroupArn"])
        given.claim(self, tags.as_dict(found["TagList"]))
        actual = {
            "name": group["DBSubnetGroupName"],
            "subnets": sorted(subnet["SubnetIdentifier"] for subnet in group["Subnets"]),
        }
        desired = {"name": self.aws_name.lower(), "subnets": sorted(self._subnet_ids(given))}
        return Observed(DbSubnetGroupOutputs(group["DBSubnetGroupName"]), drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> DbSubnetGroupOutputs:
        group = aws.rds(self.region).create_db_subnet_group(
            DBSubnetGroupName=self.aws_name,
            DBSubnetGroupDescription=f"drctl environment {given.environment}",
            SubnetIds=self._subnet_ids(given),
            Tags=tags.as_list(given.tags(self)),
        )["DBSubnetGroup"]
        return DbSubnetGroupOutputs(group["DBSubnetGroupName"])

    def update(self, aws: Aws, given: Given, observed: Observed[DbSubnetGroupOutputs]) -> None:
        aws.rds(self.region).modify_db_subnet_group(
            DBSubnetGroupName=observed.outputs.name, SubnetIds=self._subnet_ids(given)
        )

    def delete(self, aws: Aws, outputs: DbSubnetGroupOutputs) -> None:
        aws.rds(self.region).delete_db_subnet_group(DBSubnetGroupName=outputs.name)

    def _subnet_ids(self, given: Given) -> list[str]:
        return [given[subnet].subnet_id for subnet in self.subnets]

    def _find(self, aws: Aws, given: Given) -> DBSubnetGroupTypeDef | None:
        recorded = given.recorded(self)
        for name in dict.fromkeys((recorded.name, self.aws_name) if recorded else (self.aws_name,)):
            with tolerating_absence():
                return aws.rds(self.region).describe_db_subnet_groups(DBSubnetGroupName=name)[
                    "DBSubnetGroups"
                ][0]
        return None
