"""The network of a region, and the peering between the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Literal

from drctl.resources.elastic_ip import ElasticIp
from drctl.resources.flow_log import FlowLog
from drctl.resources.internet_gateway import InternetGateway
from drctl.resources.nat_gateway import NatGateway
from drctl.resources.route import Route
from drctl.resources.route_table import RouteTable
from drctl.resources.route_table_association import RouteTableAssociation
from drctl.resources.security_group import SecurityGroup
from drctl.resources.security_group_rule import CidrBlock, PrefixList, SecurityGroupRule
from drctl.resources.subnet import Subnet
from drctl.resources.vpc import Vpc
from drctl.resources.vpc_endpoint import VpcEndpoint
from drctl.resources.vpc_peering import VpcPeering
from drctl.topology.scope import ZONES, Graph, Role, Scope, Side

if TYPE_CHECKING:
    from drctl.topology.foundation import Foundation

ANYWHERE = "0.0.0.0/0"
FROM_CLOUDFRONT = "com.amazonaws.global.cloudfront.origin-facing"
MYSQL = 3306
Direction = Literal["ingress", "egress"]
Peer = SecurityGroup | CidrBlock | PrefixList
TIERS = ("public", "private", "isolated")


@dataclass(frozen=True)
class Network:
    """A region's network: subnets by tier, the tables that the peering adds routes to, the security groups."""

    vpc: Vpc
    internet_gateway: InternetGateway
    subnets: dict[str, tuple[Subnet, ...]]
    private_tables: tuple[RouteTable, ...]
    isolated_table: RouteTable
    edge_group: SecurityGroup
    checks_group: SecurityGroup
    service_group: SecurityGroup
    database_group: SecurityGroup
    ways_out: tuple[Route | SecurityGroupRule, ...]
    """By which a task reaches its image and AWS's own endpoints."""


def network(graph: Graph, scope: Scope, side: Side, base: Foundation) -> Network:
    """VPC, six subnets, ways out, endpoints, flow log, security groups."""
    region = side.region
    vpc = graph.add(Vpc(name="main", region=region, cidr=side.cidr))
    graph.add(
        FlowLog(
            name="main",
            region=region,
            vpc=vpc,
            log_group=base.flow_log_groups[side.role],
            role=base.flow_log_role,
        )
    )
    subnets = _subnets(graph, side, vpc)
    gateway = graph.add(InternetGateway(name="main", region=region, vpc=vpc))

    public = _table(graph, side, vpc, "public", subnets["public"])
    graph.add(
        Route(name="public-internet", region=region, route_table=public, destination=ANYWHERE, target=gateway)
    )
    private = tuple(_table(graph, side, vpc, subnet.name, (subnet,)) for subnet in subnets["private"])
    isolated = _table(graph, side, vpc, "isolated", subnets["isolated"])
    routes = _ways_out(graph, scope, side, gateway, subnets["public"], private)

    services: tuple[Literal["s3", "dynamodb"], ...] = ("s3", "dynamodb")
    for service in services:
        tables = (*private, isolated)
        graph.add(VpcEndpoint(name=service, region=region, vpc=vpc, service=service, route_tables=tables))

    groups = {
        name: graph.add(
            SecurityGroup(
                name=name, region=region, vpc=vpc, aws_name=scope.named(name), description=description
            )
        )
        for name, description in {
            "edge": "load balancer, from CloudFront",
            "checks": "load balancer, from Route 53 health checkers",
            "service": "tasks, from the load balancer",
            "database": "database, from the tasks",
        }.items()
    }
    _admit(graph, scope, side, groups)
    to_https = _rule(graph, side, "service-to-https", groups["service"], "egress", 443, CidrBlock(ANYWHERE))
    return Network(
        vpc,
        gateway,
        subnets,
        private,
        isolated,
        groups["edge"],
        groups["checks"],
        groups["service"],
        groups["database"],
        (*routes, to_https),
    )


def peering(graph: Graph, scope: Scope, networks: Mapping[Role, Network]) -> None:
    """Requested in the primary region, accepted in the standby, routes on both sides."""
    made = graph.add(
        VpcPeering(
            name="main",
            region=scope.primary.region,
            requester=networks["primary"].vpc,
            accepter=networks["standby"].vpc,
        )
    )
    for side in scope.sides:
        here = networks[side.role]
        for table in (*here.private_tables, here.isolated_table):
            graph.add(
                Route(
                    name=f"{table.name}-peer",
                    region=side.region,
                    route_table=table,
                    destination=scope.other(side).cidr,
                    target=made,
                )
            )


def _subnets(graph: Graph, side: Side, vpc: Vpc) -> dict[str, tuple[Subnet, ...]]:
    """Sixteenths of the range; each tier begins at a quarter of it, so that there is room for more zones."""
    blocks = list(IPv4Network(side.cidr).subnets(prefixlen_diff=4))
    return {
        tier: tuple(
            graph.add(
                Subnet(
                    name=f"{tier}-{zone}",
                    region=side.region,
                    vpc=vpc,
                    cidr=str(blocks[4 * number + index]),
                    zone=zone,
                )
            )
            for index, zone in enumerate(ZONES)
        )
        for number, tier in enumerate(TIERS)
    }


def _table(graph: Graph, side: Side, vpc: Vpc, name: str, subnets: tuple[Subnet, ...]) -> RouteTable:
    table = graph.add(RouteTable(name=name, region=side.region, vpc=vpc))
    for subnet in subnets:
        graph.add(
            RouteTableAssociation(name=subnet.name, region=side.region, route_table=table, subnet=subnet)
        )
    return table


def _ways_out(
    graph: Graph,
    scope: Scope,
    side: Side,
    gateway: InternetGateway,
    public: tuple[Subnet, ...],
    private: tuple[RouteTable, ...],
) -> list[Route]:
    """NAT gateways: none, one for all, or one for each zone's private table; and the routes to them."""
    number = {"none": 0, "one": 1, "per-zone": len(public)}[scope.settings.network.nat_gateways]
    gateways = []
    for subnet, zone in list(zip(public, ZONES, strict=True))[:number]:
        address = graph.add(ElasticIp(name=f"nat-{zone}", region=side.region, internet_gateway=gateway))
        nat = NatGateway(name=zone, region=side.region, subnet=subnet, elastic_ip=address)
        gateways.append(graph.add(nat))
    return [
        graph.add(
            Route(
                name=f"{table.name}-internet",
                region=side.region,
                route_table=table,
                destination=ANYWHERE,
                target=gateways[index % len(gateways)],
            )
        )
        for index, table in enumerate(private if gateways else ())
    ]


def _admit(graph: Graph, scope: Scope, side: Side, groups: Mapping[str, SecurityGroup]) -> None:
    """Who may speak to whom. Across the peering only address ranges work, never groups (VPC peering guide)."""
    settings, peer = scope.settings, CidrBlock(scope.other(side).cidr)
    edge, checks, service, database = (groups[each] for each in ("edge", "checks", "service", "database"))
    secure = settings.domain is not None
    web = 443 if secure else 80

    def allow(name: str, group: SecurityGroup, direction: Direction, port: int, peer: Peer) -> None:
        _rule(graph, side, name, group, direction, port, peer)

    allow("edge-from-cloudfront", edge, "ingress", web, PrefixList(FROM_CLOUDFRONT))
    checkers = PrefixList(f"com.amazonaws.{side.region}.route53-healthchecks")
    allow("checks-from-route53", checks, "ingress", web, checkers)
    if secure:  # port 80 only redirects, for what calls the load balancer from inside the two networks
        for each in scope.sides:
            allow(f"redirect-from-{each.role}", checks, "ingress", 80, CidrBlock(each.cidr))
    for port in sorted({each.port for each in settings.services}):
        allow(f"edge-to-service-{port}", edge, "egress", port, service)
        allow(f"service-from-edge-{port}", service, "ingress", port, edge)
    allow("service-to-database", service, "egress", MYSQL, database)
    allow("service-to-peer-database", service, "egress", MYSQL, peer)
    allow("database-from-service", database, "ingress", MYSQL, service)
    allow("database-from-peer", database, "ingress", MYSQL, peer)


def _rule(
    graph: Graph, side: Side, name: str, group: SecurityGroup, direction: Direction, port: int, peer: Peer
) -> SecurityGroupRule:
    return graph.add(
        SecurityGroupRule(
            name=name,
            region=side.region,
            group=group,
            direction=direction,
            port=port,
            peer=peer,
            description=name.replace("-", " "),
        )
    )
