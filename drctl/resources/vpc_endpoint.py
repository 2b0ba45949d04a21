"""A gateway endpoint: S3 or DynamoDB reached from the private subnets without a NAT gateway, free of charge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from drctl.aws import tags
from drctl.aws.errors import raise_unsuccessful
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
from drctl.resources.route_table import RouteTable
from drctl.resources.vpc import Vpc

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import VpcEndpointTypeDef

    from drctl.aws.clients import Aws

PHASES = {"pending": Phase.PENDING, "available": Phase.READY, "deleting": Phase.LEAVING}
"""By the state in lower case: the API's model capitalises it, its answers do not."""


@dataclass(frozen=True)
class VpcEndpointOutputs:
    vpc_endpoint_id: str


@resource
class VpcEndpoint(Resource[VpcEndpointOutputs]):
    """It puts a route to the service's prefix list into each of its route tables."""

    kind: ClassVar[str] = "vpc-endpoint"
    repeat: ClassVar[Repeat] = Repeat.TOKEN
    fixed: ClassVar[frozenset[str]] = frozenset({"vpc", "service"})
    typical: ClassVar[Typical] = Typical(ready=5, gone=15)

    vpc: Vpc
    service: Literal["s3", "dynamodb"]
    route_tables: tuple[RouteTable, ...]

    def read(self, aws: Aws, given: Given) -> Observed[VpcEndpointOutputs] | None:
        endpoint = self._find(aws, given)
        if endpoint is None:
            return None
        actual = {
            "vpc": endpoint["VpcId"],
            "service": endpoint["ServiceName"],
            "route_tables": sorted(endpoint.get("RouteTableIds", [])),
        }
        desired = {
            "vpc": given[self.vpc].vpc_id,
            "service": self._service_name,
            "route_tables": self._table_ids(given),
        }
        return Observed(
            VpcEndpointOutputs(endpoint["VpcEndpointId"]),
            PHASES.get(endpoint["State"].lower(), Phase.FAILED),
            differences(actual, desired),
            endpoint.get("LastError", {}).get("Message", ""),
        )

    def create(self, aws: Aws, given: Given) -> VpcEndpointOutputs:
        endpoint = aws.ec2(self.region).create_vpc_endpoint(
            VpcEndpointType="Gateway",
            VpcId=given[self.vpc].vpc_id,
            ServiceName=self._service_name,
            RouteTableIds=self._table_ids(given),
            ClientToken=given.token,
            TagSpecifications=tags.specification("vpc-endpoint", given.tags(self)),
        )["VpcEndpoint"]
        return VpcEndpointOutputs(endpoint["VpcEndpointId"])

    def update(self, aws: Aws, given: Given, observed: Observed[VpcEndpointOutputs]) -> None:
        endpoint_id = observed.outputs.vpc_endpoint_id
        ec2 = aws.ec2(self.region)
        found = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
        there = {table for endpoint in found for table in endpoint.get("RouteTableIds", [])}
        wanted = set(self._table_ids(given))
        if wanted - there:
            ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, AddRouteTableIds=sorted(wanted - there))
        if there - wanted:
            ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, RemoveRouteTableIds=sorted(there - wanted))

    def delete(self, aws: Aws, outputs: VpcEndpointOutputs) -> None:
        answer = aws.ec2(self.region).delete_vpc_endpoints(VpcEndpointIds=[outputs.vpc_endpoint_id])
        raise_unsuccessful(answer.get("Unsuccessful", []), "DeleteVpcEndpoints")

    @property
    def _service_name(self) -> str:
        return f"com.amazonaws.{self.region}.{self.service}"

    def _table_ids(self, given: Given) -> list[str]:
        return sorted(given[table].route_table_id for table in self.route_tables)

    def _find(self, aws: Aws, given: Given) -> VpcEndpointTypeDef | None:
        ec2 = aws.ec2(self.region)
        return find(
            self,
            given,
            "VpcEndpointId",
            lambda id: _existing(ec2.describe_vpc_endpoints(VpcEndpointIds=[id])["VpcEndpoints"]),
            lambda filters: _existing(ec2.describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]),
        )


def _existing(endpoints: Sequence[VpcEndpointTypeDef]) -> list[VpcEndpointTypeDef]:
    return [endpoint for endpoint in endpoints if endpoint["State"].lower() != "deleted"]
