"""A route: where a route table sends what goes to a range of addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypedDict

from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.internet_gateway import InternetGateway
from drctl.resources.nat_gateway import NatGateway
from drctl.resources.route_table import RouteTable
from drctl.resources.vpc_peering import VpcPeering

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import RouteTypeDef

    from drctl.aws.clients import Aws


class Target(TypedDict, total=False):
    """Where to, as the API's parameters say it: exactly one of these."""

    GatewayId: str
    NatGatewayId: str
    VpcPeeringConnectionId: str


@dataclass(frozen=True)
class RouteOutputs:
    """``route_id`` is drctl's own: ``rtb-...|0.0.0.0/0``. AWS gives none."""

    route_id: str


@resource
class Route(Resource[RouteOutputs]):
    """A route whose target is gone stays as a ``blackhole``: drift, like another target."""

    kind: ClassVar[str] = "route"
    fixed: ClassVar[frozenset[str]] = frozenset({"place"})

    route_table: RouteTable
    destination: str
    target: InternetGateway | NatGateway | VpcPeering

    def read(self, aws: Aws, given: Given) -> Observed[RouteOutputs] | None:
        recorded = given.recorded(self)
        wanted = f"{given[self.route_table].route_table_id}|{self.destination}"
        for place in dict.fromkeys((recorded.route_id, wanted) if recorded else (wanted,)):
            route = self._at(aws, place)
            if route is None:
                continue
            drift = differences(
                {"place": place, "target": _target_of(route), "state": route["State"]},
                {"place": wanted, "target": self._target(given), "state": "active"},
            )
            return Observed(RouteOutputs(place), drift=drift)
        return None

    def create(self, aws: Aws, given: Given) -> RouteOutputs:
        table_id = given[self.route_table].route_table_id
        aws.ec2(self.region).create_route(
            RouteTableId=table_id, DestinationCidrBlock=self.destination, **self._target(given)
        )
        return RouteOutputs(f"{table_id}|{self.destination}")

    def update(self, aws: Aws, given: Given, observed: Observed[RouteOutputs]) -> None:
        table_id, _, cidr = observed.outputs.route_id.partition("|")
        aws.ec2(self.region).replace_route(
            RouteTableId=table_id, DestinationCidrBlock=cidr, **self._target(given)
        )

    def delete(self, aws: Aws, outputs: RouteOutputs) -> None:
        table_id, _, cidr = outputs.route_id.partition("|")
        aws.ec2(self.region).delete_route(RouteTableId=table_id, DestinationCidrBlock=cidr)

    def _target(self, given: Given) -> Target:
        if isinstance(self.target, NatGateway):
            return {"NatGatewayId": given[self.target].nat_gateway_id}
        if isinstance(self.target, VpcPeering):
            return {"VpcPeeringConnectionId": given[self.target].vpc_peering_id}
        return {"GatewayId": given[self.target].internet_gateway_id}

    def _at(self, aws: Aws, place: str) -> RouteTypeDef | None:
        table_id, _, cidr = place.partition("|")
        with tolerating_absence():
            tables = aws.ec2(self.region).describe_route_tables(RouteTableIds=[table_id])["RouteTables"]
            for route in (each for table in tables for each in table["Routes"]):
                if route.get("DestinationCidrBlock") == cidr:
                    return route
        return None


def _target_of(route: RouteTypeDef) -> Target:
    """Empty when it is of a kind that drctl never routes to."""
    if "NatGatewayId" in route:
        return {"NatGatewayId": route["NatGatewayId"]}
    if "VpcPeeringConnectionId" in route:
        return {"VpcPeeringConnectionId": route["VpcPeeringConnectionId"]}
    return {"GatewayId": route["GatewayId"]} if "GatewayId" in route else {}
