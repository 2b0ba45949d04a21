"""The networks of a built environment, as AWS shows them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.environment import ENVIRONMENT, Built, P, S

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)
CIDR = {P: "10.0.0.0/16", S: "10.1.0.0/16"}
TIERS = ("public", "private", "isolated")
ANYWHERE = "0.0.0.0/0"


def test_a_vpc_in_each_region_with_three_subnets_in_each_of_two_zones(built: Built) -> None:
    for region in (P, S):
        ec2, vpc = built.client("ec2", region), _vpc(built, region)
        assert vpc["CidrBlock"] == CIDR[region]
        for attribute in ("enableDnsSupport", "enableDnsHostnames"):
            shown = ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=attribute)
            assert shown[attribute[0].upper() + attribute[1:]]["Value"], attribute
        subnets = _subnets(built, region)
        assert set(subnets) == {f"{tier}-{zone}" for tier in TIERS for zone in "ab"}
        for name, subnet in subnets.items():
            assert subnet["AvailabilityZone"] == f"{region}{name[-1]}"


def test_public_subnets_reach_the_internet_private_ones_through_the_nat_gateway_of_their_zone(
    built: Built,
) -> None:
    for region in (P, S):
        ec2, subnets = built.client("ec2", region), _subnets(built, region)
        (gateway,) = ec2.describe_internet_gateways(Filters=_in_vpc(built, region, "attachment.vpc-id"))[
            "InternetGateways"
        ]
        nats = ec2.describe_nat_gateways(Filters=_in_vpc(built, region))["NatGateways"]
        by_subnet = {nat["SubnetId"]: nat for nat in nats}
        assert by_subnet.keys() == {subnets[f"public-{zone}"]["SubnetId"] for zone in "ab"}
        tables = set()
        for zone in "ab":
            public, private = (
                _routes(built, region, f"public-{zone}"),
                _routes(built, region, f"private-{zone}"),
            )
            nat = by_subnet[subnets[f"public-{zone}"]["SubnetId"]]
            assert nat["State"] == "available"
            assert public[ANYWHERE]["GatewayId"] == gateway["InternetGatewayId"]
            assert private[ANYWHERE]["NatGatewayId"] == nat["NatGatewayId"]
            assert ANYWHERE not in _routes(built, region, f"isolated-{zone}")
            tables.add(_table(built, region, f"private-{zone}")["RouteTableId"])
        assert len(tables) == 2, "each private subnet has a route table of its own"


def test_s3_and_dynamodb_are_reached_through_gateway_endpoints(built: Built) -> None:
    for region in (P, S):
        endpoints = built.client("ec2", region).describe_vpc_endpoints(Filters=_in_vpc(built, region))[
            "VpcEndpoints"
        ]
        inner = {
            _table(built, region, f"{tier}-{zone}")["RouteTableId"]
            for tier in ("private", "isolated")
            for zone in "ab"
        }
        assert {endpoint["ServiceName"] for endpoint in endpoints} == {
            f"com.amazonaws.{region}.{service}" for service in ("s3", "dynamodb")
        }
        for endpoint in endpoints:
            assert (endpoint["VpcEndpointType"], endpoint["State"]) == ("Gateway", "available")
            assert set(endpoint["RouteTableIds"]) == inner


def test_flow_logs_are_on_and_the_default_security_group_is_empty(built: Built) -> None:
    for region in (P, S):
        ec2, vpc = built.client("ec2", region), _vpc(built, region)["VpcId"]
        (log,) = ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc]}])["FlowLogs"]
        assert (log["FlowLogStatus"], log["TrafficType"]) == ("ACTIVE", "ALL")
        assert log["LogGroupName"] == "/drctl/demo-flow-logs"
        default = _groups(built, region)["default"]
        assert (default["IpPermissions"], default["IpPermissionsEgress"]) == ([], [])


def test_the_vpcs_are_peered_with_routes_in_every_private_and_isolated_table_on_both_sides(
    built: Built,
) -> None:
    ours = _vpc(built, P)["VpcId"]
    peerings = built.client("ec2", S).describe_vpc_peering_connections()["VpcPeeringConnections"]
    (peering,) = (each for each in peerings if each["RequesterVpcInfo"]["VpcId"] == ours)
    assert peering["Status"]["Code"] == "active"
    assert peering["RequesterVpcInfo"]["Region"] == P
    assert peering["AccepterVpcInfo"]["Region"] == S
    assert peering["AccepterVpcInfo"]["VpcId"] == _vpc(built, S)["VpcId"]
    for region, other in ((P, S), (S, P)):
        for tier in ("private", "isolated"):
            for zone in "ab":
                route = _routes(built, region, f"{tier}-{zone}")[CIDR[other]]
                assert route["VpcPeeringConnectionId"] == peering["VpcPeeringConnectionId"]
                assert route["State"] == "active"


def test_the_load_balancer_admits_https_from_cloudfront_and_from_health_checkers_only(built: Built) -> None:
    """Two groups: the weights of the two prefix lists, 55 and 25, exceed one group's default of 60 rules."""
    for region in (P, S):
        lists = {
            each["PrefixListName"]: each["PrefixListId"]
            for each in built.client("ec2", region).describe_managed_prefix_lists()["PrefixLists"]
        }
        admitted = {name: _admitted(built, region, name) for name in ("demo-edge", "demo-checks")}
        assert admitted["demo-edge"] == {(443, lists["com.amazonaws.global.cloudfront.origin-facing"])}
        assert admitted["demo-checks"] == {
            (443, lists[f"com.amazonaws.{region}.route53-healthchecks"]),
            (80, CIDR[P]),
            (80, CIDR[S]),
        }
        (balancer,) = built.client("elbv2", region).describe_load_balancers(Names=["demo-main"])[
            "LoadBalancers"
        ]
        groups = _groups(built, region)
        assert set(balancer["SecurityGroups"]) == {
            groups[name]["GroupId"] for name in ("demo-edge", "demo-checks")
        }


def test_tasks_are_reached_from_the_load_balancer_only_and_the_database_from_tasks_only(built: Built) -> None:
    for region, other in ((P, S), (S, P)):
        groups = {name: group["GroupId"] for name, group in _groups(built, region).items()}
        assert _admitted(built, region, "demo-service") == {(80, groups["demo-edge"])}
        assert _admitted(built, region, "demo-database") == {
            (3306, groups["demo-service"]),
            (3306, CIDR[other]),  # a group across the peering cannot be referred to: its range stands for it
        }
        for name in ("demo-edge", "demo-checks", "demo-database"):
            out = _groups(built, region)[name]["IpPermissionsEgress"]
            assert all(rule["IpProtocol"] != "-1" for rule in out), f"{name} may send anything anywhere"


def _vpc(built: Built, region: str) -> dict[str, Any]:
    (found,) = built.client("ec2", region).describe_vpcs(Filters=_addressed(f"{region}/vpc/main"))["Vpcs"]
    return dict(found)


def _subnets(built: Built, region: str) -> dict[str, dict[str, Any]]:
    shown = built.client("ec2", region).describe_subnets(Filters=_in_vpc(built, region))["Subnets"]
    return {
        tag["Value"].rsplit("/", 1)[1]: subnet
        for subnet in shown
        for tag in subnet["Tags"]
        if tag["Key"] == "drctl:address"
    }


def _table(built: Built, region: str, subnet: str) -> dict[str, Any]:
    where = _subnets(built, region)[subnet]["SubnetId"]
    filters = [{"Name": "association.subnet-id", "Values": [where]}]
    (found,) = built.client("ec2", region).describe_route_tables(Filters=filters)["RouteTables"]
    return dict(found)


def _routes(built: Built, region: str, subnet: str) -> dict[str, dict[str, Any]]:
    routes = _table(built, region, subnet)["Routes"]
    return {route["DestinationCidrBlock"]: route for route in routes if "DestinationCidrBlock" in route}


def _groups(built: Built, region: str) -> dict[str, dict[str, Any]]:
    shown = built.client("ec2", region).describe_security_groups(Filters=_in_vpc(built, region))
    return {group["GroupName"]: group for group in shown["SecurityGroups"]}


def _admitted(built: Built, region: str, group: str) -> set[tuple[int, str]]:
    """Port and peer of each ingress rule."""
    found = set()
    for rule in _groups(built, region)[group]["IpPermissions"]:
        assert rule["FromPort"] == rule["ToPort"]
        peers = [
            *(each["CidrIp"] for each in rule["IpRanges"]),
            *(each["PrefixListId"] for each in rule["PrefixListIds"]),
            *(each["GroupId"] for each in rule["UserIdGroupPairs"]),
        ]
        found |= {(rule["FromPort"], peer) for peer in peers}
    return found


def _in_vpc(built: Built, region: str, field: str = "vpc-id") -> list[dict[str, Any]]:
    return [{"Name": field, "Values": [_vpc(built, region)["VpcId"]]}]


def _addressed(address: str) -> list[dict[str, Any]]:
    return [
        {"Name": "tag:drctl:environment", "Values": ["demo"]},
        {"Name": "tag:drctl:address", "Values": [address]},
    ]
