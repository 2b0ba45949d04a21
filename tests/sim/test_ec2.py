"""EC2 as strict and as slow as AWS: deletion order, client tokens, passing states, quotas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Sim
from tests.sim.network import Network, code, make_role

P, S = "us-east-1", "us-west-2"


@pytest.fixture
def network(sim: Sim) -> Network:
    return Network(sim)


def make_nat(network: Network, **more: Any) -> dict[str, Any]:
    wish = {"SubnetId": network.public[0], "AllocationId": network.address(), **more}
    return dict(network.ec2.create_nat_gateway(**wish)["NatGateway"])


def nat_state(network: Network, nat: str) -> str:
    return str(network.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"])


def test_a_nat_gateway_takes_its_time_both_ways_and_then_frees_its_address(network: Network) -> None:
    made = make_nat(network)
    nat, allocation = made["NatGatewayId"], made["NatGatewayAddresses"][0]["AllocationId"]
    assert nat_state(network, nat) == "pending"
    network.sim.advance(130)
    assert nat_state(network, nat) == "available"

    network.ec2.delete_nat_gateway(NatGatewayId=nat)
    assert nat_state(network, nat) == "deleting"
    for refused in (
        lambda: network.ec2.release_address(AllocationId=allocation),
        lambda: network.ec2.delete_subnet(SubnetId=network.public[0]),
        lambda: network.ec2.detach_internet_gateway(InternetGatewayId=network.gateway, VpcId=network.vpc),
    ):
        with pytest.raises(ClientError) as error:
            refused()
        assert code(error) in ("AuthFailure", "DependencyViolation")
    network.sim.advance(80)
    assert nat_state(network, nat) == "deleted"
    assert network.interfaces() == []
    network.ec2.release_address(AllocationId=allocation)
    network.ec2.detach_internet_gateway(InternetGatewayId=network.gateway, VpcId=network.vpc)

    network.sim.advance(3700)
    with pytest.raises(ClientError) as error:
        nat_state(network, nat)
    assert code(error) == "NatGatewayNotFound"


@pytest.mark.parametrize("reason", ["Gateway.NotAttached", "Resource.AlreadyAssociated"])
def test_a_nat_gateway_that_cannot_work_fails_and_says_why(network: Network, reason: str) -> None:
    address = network.address()
    if reason == "Gateway.NotAttached":
        network.ec2.detach_internet_gateway(InternetGatewayId=network.gateway, VpcId=network.vpc)
    else:
        make_nat(network, AllocationId=address)
    before = len(network.interfaces())
    nat = make_nat(network, AllocationId=address)["NatGatewayId"]
    assert nat_state(network, nat) == "pending"
    network.sim.advance(60)
    (shown,) = network.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"]
    assert (shown["State"], shown["FailureCode"]) == ("failed", reason)
    assert len(network.interfaces()) == before


def test_one_token_is_one_request(network: Network) -> None:
    ec2, address = network.ec2, network.address()
    creates: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
        (ec2.create_route_table, {"VpcId": network.vpc}, "RouteTable"),
        (ec2.create_network_acl, {"VpcId": network.vpc}, "NetworkAcl"),
        (ec2.create_nat_gateway, {"SubnetId": network.public[0], "AllocationId": address}, "NatGateway"),
        (
            ec2.create_vpc_endpoint,
            {"VpcId": network.vpc, "ServiceName": f"com.amazonaws.{P}.s3", "RouteTableIds": []},
            "VpcEndpoint",
        ),
    ]
    tags = [{"Key": "Name", "Value": "other"}]
    kinds = ("route-table", "network-acl", "natgateway", "vpc-endpoint")
    for (create, wish, member), kind in zip(creates, kinds, strict=True):
        first = create(**wish, ClientToken="a-token")[member][f"{member}Id"]
        assert create(**wish, ClientToken="a-token")[member][f"{member}Id"] == first
        with pytest.raises(ClientError) as error:
            create(**wish, ClientToken="a-token", TagSpecifications=[{"ResourceType": kind, "Tags": tags}])
        assert code(error) == "IdempotentParameterMismatch"


def test_a_fresh_id_is_not_found_for_a_moment(network: Network) -> None:
    table = network.route_table()
    filters = [{"Name": "vpc-id", "Values": [network.vpc]}, {"Name": "association.main", "Values": ["false"]}]
    with pytest.raises(ClientError) as error:
        network.ec2.describe_route_tables(RouteTableIds=[table])
    assert code(error) == "InvalidRouteTableID.NotFound"
    assert network.ec2.describe_route_tables(Filters=filters)["RouteTables"] == []
    network.see()
    assert len(network.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]) == 1


def test_the_default_group_admits_itself_and_can_be_emptied(network: Network) -> None:
    filters = [{"Name": "vpc-id", "Values": [network.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    (group,) = network.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    by_group = [{"Name": "group-id", "Values": [group["GroupId"]]}]
    rules = network.ec2.describe_security_group_rules(Filters=by_group)["SecurityGroupRules"]
    assert sorted(rule["IsEgress"] for rule in rules) == [False, True]
    for rule in rules:
        revoke = "revoke_security_group_egress" if rule["IsEgress"] else "revoke_security_group_ingress"
        getattr(network.ec2, revoke)(
            GroupId=group["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]]
        )
    assert network.ec2.describe_security_group_rules(Filters=by_group)["SecurityGroupRules"] == []


def test_a_database_instance_keeps_its_subnets_and_group(network: Network) -> None:
    rds = network.sim.client("rds")
    rds.create_db_subnet_group(
        DBSubnetGroupName="database", DBSubnetGroupDescription="isolated", SubnetIds=network.private
    )
    rds.create_db_cluster(
        DBClusterIdentifier="app",
        Engine="aurora-mysql",
        MasterUsername="admin",
        MasterUserPassword="not-a-secret",
        DBSubnetGroupName="database",
        VpcSecurityGroupIds=[network.group],
    )
    network.sim.advance(300)
    rds.create_db_instance(
        DBInstanceIdentifier="app-1",
        DBClusterIdentifier="app",
        Engine="aurora-mysql",
        DBInstanceClass="db.r6g.large",
    )
    for refused in (
        lambda: network.ec2.delete_subnet(SubnetId=network.private[0]),
        lambda: network.ec2.delete_security_group(GroupId=network.group),
    ):
        with pytest.raises(ClientError) as error:
            refused()
        assert code(error) == "DependencyViolation"


def test_a_gateway_endpoint_appears_and_vanishes_with_its_route(network: Network) -> None:
    table = network.route_table()
    wish = {"VpcId": network.vpc, "ServiceName": f"com.amazonaws.{P}.dynamodb", "RouteTableIds": [table]}
    made = network.ec2.create_vpc_endpoint(**wish)["VpcEndpoint"]
    assert made["State"] == "pending"
    with pytest.raises(ClientError) as error:
        network.ec2.create_vpc_endpoint(**wish)
    assert code(error) == "RouteAlreadyExists"
    network.sim.advance(10)
    endpoint = made["VpcEndpointId"]
    (shown,) = network.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert shown["State"] == "available"
    assert len(network.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]) == 2

    second = network.route_table()
    network.see()
    network.ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint, AddRouteTableIds=[second], RemoveRouteTableIds=[table]
    )
    tables = network.ec2.describe_route_tables(RouteTableIds=[table, second])["RouteTables"]
    assert {shown["RouteTableId"]: len(shown["Routes"]) for shown in tables} == {table: 1, second: 2}

    answer = network.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint, "vpce-0"])
    assert [item["Error"]["Code"] for item in answer["Unsuccessful"]] == ["InvalidVpcEndpoint.NotFound"]
    (shown,) = network.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
    assert shown["State"] == "deleting"
    network.sim.advance(60)
    with pytest.raises(ClientError) as error:
        network.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert code(error) == "InvalidVpcEndpointId.NotFound"
    assert len(network.ec2.describe_route_tables(RouteTableIds=[second])["RouteTables"][0]["Routes"]) == 1


class Peering:
    """Two networks in two regions and a peering asked for in the first."""

    def __init__(self, sim: Sim, second: int = 1) -> None:
        self.sim = sim
        self.here, self.there = Network(sim), Network(sim, S, second)
        made = self.here.ec2.create_vpc_peering_connection(
            VpcId=self.here.vpc,
            PeerVpcId=self.there.vpc,
            PeerRegion=S,
            TagSpecifications=[
                {"ResourceType": "vpc-peering-connection", "Tags": [{"Key": "Name", "Value": "peering"}]}
            ],
        )
        self.id = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]

    def status(self, network: Network) -> str | None:
        filters = [{"Name": "vpc-peering-connection-id", "Values": [self.id]}]
        found = network.ec2.describe_vpc_peering_connections(Filters=filters)["VpcPeeringConnections"]
        return str(found[0]["Status"]["Code"]) if found else None


def test_a_peering_is_accepted_on_the_other_side_and_its_routes_follow_its_state(sim: Sim) -> None:
    peering = Peering(sim)
    here, there = peering.here, peering.there
    assert (peering.status(here), peering.status(there)) == ("initiating-request", None)
    sim.advance(5)
    assert (peering.status(here), peering.status(there)) == ("pending-acceptance", "pending-acceptance")
    table = here.route_table()
    here.see()
    here.ec2.create_route(
        RouteTableId=table, DestinationCidrBlock="10.1.0.0/16", VpcPeeringConnectionId=peering.id
    )

    def route() -> str:
        shown = here.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
        return next(r["State"] for r in shown if r["DestinationCidrBlock"] == "10.1.0.0/16")

    assert route() == "blackhole"
    with pytest.raises(ClientError) as error:
        here.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering.id)
    assert code(error) == "OperationNotPermitted"
    there.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering.id)
    assert peering.status(here) == "provisioning"
    sim.advance(10)
    assert (peering.status(here), peering.status(there), route()) == ("active", "active", "active")
    with pytest.raises(ClientError) as error:
        here.ec2.create_vpc_peering_connection(VpcId=here.vpc, PeerVpcId=there.vpc, PeerRegion=S)
    assert code(error) == "VpcPeeringConnectionAlreadyExists"

    there.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering.id)
    assert (peering.status(here), route()) == ("deleting", "blackhole")
    sim.advance(10)
    assert (peering.status(here), peering.status(there)) == ("deleted", "deleted")
    with pytest.raises(ClientError) as error:
        here.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering.id)
    assert code(error) == "InvalidStateTransition"


def test_peering_filters_are_honoured_and_tags_belong_to_a_side(sim: Sim) -> None:
    peering = Peering(sim)
    sim.advance(5)
    for network, filters, found in (
        (peering.here, [{"Name": "tag:Name", "Values": ["peer*"]}], True),
        (peering.here, [{"Name": "tag:Name", "Values": ["other"]}], False),
        (peering.here, [{"Name": "status-code", "Values": ["active"]}], False),
        (peering.there, [{"Name": "requester-vpc-info.vpc-id", "Values": [peering.here.vpc]}], True),
        (peering.there, [{"Name": "tag:Name", "Values": ["peering"]}], False),
    ):
        shown = network.ec2.describe_vpc_peering_connections(Filters=filters)["VpcPeeringConnections"]
        assert bool(shown) is found, filters
    with pytest.raises(ClientError) as error:
        peering.here.ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=["pcx-0"])
    assert code(error) == "InvalidVpcPeeringConnectionID.NotFound"


def test_overlapping_networks_cannot_be_peered(sim: Sim) -> None:
    peering = Peering(sim, second=0)
    sim.advance(5)
    assert peering.status(peering.here) == "failed"


def test_what_is_in_use_cannot_be_deleted(network: Network) -> None:
    ec2, vpc = network.ec2, network.vpc
    other = network.make_group("other")
    ec2.authorize_security_group_ingress(
        GroupId=other,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 80,
                "ToPort": 80,
                "UserIdGroupPairs": [{"GroupId": network.group}],
            }
        ],
    )
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    default = next(group["GroupId"] for group in groups if group["GroupName"] == "default")
    main = ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"]
    acl = ec2.describe_network_acls(Filters=filters)["NetworkAcls"][0]["NetworkAclId"]
    address, used = network.address(), network.address()
    network.see()
    interface = ec2.create_network_interface(SubnetId=network.private[0])["NetworkInterface"]
    ec2.associate_address(AllocationId=used, NetworkInterfaceId=interface["NetworkInterfaceId"])
    make_nat(network, AllocationId=address)
    association = ec2.describe_addresses(AllocationIds=[address])["Addresses"][0]["AssociationId"]
    for expected, refused in (
        ("DependencyViolation", lambda: ec2.delete_vpc(VpcId=vpc)),
        ("DependencyViolation", lambda: ec2.delete_subnet(SubnetId=network.public[0])),
        ("DependencyViolation", lambda: ec2.delete_security_group(GroupId=network.group)),
        ("DependencyViolation", lambda: ec2.delete_internet_gateway(InternetGatewayId=network.gateway)),
        ("DependencyViolation", lambda: ec2.delete_route_table(RouteTableId=main)),
        ("CannotDelete", lambda: ec2.delete_security_group(GroupId=default)),
        ("AuthFailure", lambda: ec2.release_address(AllocationId=address)),
        ("InvalidIPAddress.InUse", lambda: ec2.release_address(AllocationId=used)),
        ("InvalidParameterValue", lambda: ec2.delete_network_acl(NetworkAclId=acl)),
        ("AuthFailure", lambda: ec2.disassociate_address(AssociationId=association)),
    ):
        with pytest.raises(ClientError) as error:
            refused()
        assert code(error) == expected


@pytest.mark.parametrize("left", ["internet gateway", "group", "endpoint", "network acl", "route table"])
def test_a_vpc_goes_only_when_it_is_empty(network: Network, left: str) -> None:
    ec2, vpc = network.ec2, network.vpc
    for subnet in network.public + network.private:
        ec2.delete_subnet(SubnetId=subnet)
    if left != "internet gateway":
        ec2.detach_internet_gateway(InternetGatewayId=network.gateway, VpcId=vpc)
    if left != "group":
        ec2.delete_security_group(GroupId=network.group)
    if left == "endpoint":
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{P}.s3")
    if left == "network acl":
        ec2.create_network_acl(VpcId=vpc)
    if left == "route table":
        network.route_table()
    with pytest.raises(ClientError) as error:
        ec2.delete_vpc(VpcId=vpc)
    assert code(error) == "DependencyViolation"


def test_an_empty_vpc_goes_with_its_defaults_and_tags(network: Network) -> None:
    ec2, vpc = network.ec2, network.vpc
    table = network.route_table()
    ec2.associate_route_table(RouteTableId=table, SubnetId=network.private[0])
    ec2.create_tags(Resources=[vpc, table], Tags=[{"Key": "drctl:environment", "Value": "test"}])
    for subnet in network.public + network.private:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_security_group(GroupId=network.group)
    ec2.detach_internet_gateway(InternetGatewayId=network.gateway, VpcId=vpc)
    ec2.delete_vpc(VpcId=vpc)
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    assert ec2.describe_network_acls(Filters=filters)["NetworkAcls"] == []
    assert ec2.describe_tags(Filters=[{"Name": "key", "Values": ["drctl:environment"]}])["Tags"] == []


def test_an_acl_is_found_by_one_of_the_subnets_that_are_named(network: Network) -> None:
    ec2, (first, second, *_) = network.ec2, [*network.public, *network.private]
    acl = ec2.create_network_acl(VpcId=network.vpc)["NetworkAcl"]["NetworkAclId"]
    named = [{"Name": "association.subnet-id", "Values": [first, second]}]
    (default,) = ec2.describe_network_acls(Filters=named)["NetworkAcls"]
    (moved,) = (each for each in default["Associations"] if each["SubnetId"] == first)
    ec2.replace_network_acl_association(AssociationId=moved["NetworkAclAssociationId"], NetworkAclId=acl)
    found = ec2.describe_network_acls(Filters=named)["NetworkAcls"]
    assert {each["NetworkAclId"] for each in found} == {acl, default["NetworkAclId"]}


def test_creates_that_aws_refuses(network: Network) -> None:
    ec2, vpc = network.ec2, network.vpc
    second = Network(network.sim, P, 5)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    table, other = network.route_table(), network.route_table()
    ec2.associate_route_table(RouteTableId=table, SubnetId=network.private[0])
    endpoint = {"VpcId": vpc, "ServiceName": f"com.amazonaws.{P}.s3"}
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]

    def route(**target: str) -> Callable[[], Any]:
        return lambda: ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)

    refused: list[tuple[str, Callable[[], Any]]] = [
        ("DryRunOperation", lambda: ec2.create_vpc(CidrBlock="10.9.0.0/16", DryRun=True)),
        ("InvalidVpc.Range", lambda: ec2.create_vpc(CidrBlock="10.0.0.0/8")),
        (
            "InvalidVpcID.NotFound",
            lambda: ec2.create_security_group(GroupName="a", Description="a", VpcId="vpc-0"),
        ),
        (
            "InvalidParameterValue",
            lambda: ec2.create_security_group(GroupName="default", Description="a", VpcId=vpc),
        ),
        ("InvalidParameterValue", lambda: ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)),
        ("MissingParameter", lambda: ec2.create_nat_gateway(SubnetId=network.public[0])),
        ("NatGatewayNotFound", lambda: ec2.delete_nat_gateway(NatGatewayId="nat-0")),
        ("InvalidParameterCombination", route()),
        ("InvalidNatGatewayID.NotFound", route(NatGatewayId="nat-0")),
        ("InvalidVpcPeeringConnectionID.NotFound", route(VpcPeeringConnectionId="pcx-0")),
        ("InvalidParameterValue", route(GatewayId=second.gateway)),
        (
            "RouteAlreadyExists",
            lambda: ec2.create_route(
                RouteTableId=table, DestinationCidrBlock="10.0.0.0/16", GatewayId=network.gateway
            ),
        ),
        (
            "Resource.AlreadyAssociated",
            lambda: ec2.associate_route_table(RouteTableId=other, SubnetId=network.private[0]),
        ),
        (
            "InvalidParameterValue",
            lambda: ec2.associate_route_table(RouteTableId=table, SubnetId=second.private[0]),
        ),
        ("InvalidServiceName", lambda: ec2.create_vpc_endpoint(**{**endpoint, "ServiceName": "s3"})),
        (
            "InvalidRouteTableID.NotFound",
            lambda: ec2.create_vpc_endpoint(**endpoint, RouteTableIds=["rtb-0"]),
        ),
        (
            "InvalidVpcPeeringConnectionID.NotFound",
            lambda: ec2.accept_vpc_peering_connection(VpcPeeringConnectionId="pcx-0"),
        ),
        ("InvalidFlowLogId.NotFound", lambda: ec2.describe_flow_logs(FlowLogIds=["fl-0"])),
        ("InvalidNetworkAclID.NotFound", lambda: ec2.describe_network_acls(NetworkAclIds=["acl-0"])),
        (
            "InvalidNetworkAclEntry.NotFound",
            lambda: ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=7, Egress=True),
        ),
        (
            "InvalidAssociationID.NotFound",
            lambda: ec2.replace_network_acl_association(AssociationId="aclassoc-0", NetworkAclId=acl),
        ),
    ]
    for expected, attempt in refused:
        with pytest.raises(ClientError) as error:
            attempt()
        assert code(error) == expected, error.value
    assert len(ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.9.0.0/16"]}])["Vpcs"]) == 0


def prefix_list(network: Network, name: str) -> dict[str, Any]:
    filters = [{"Name": "prefix-list-name", "Values": [name]}]
    (found,) = network.ec2.describe_managed_prefix_lists(Filters=filters)["PrefixLists"]
    return dict(found)


def admit(network: Network, group: str, **peer: Any) -> dict[str, Any]:
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **peer}
    return dict(network.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission]))


def test_prefix_lists_count_with_their_weight_against_the_quota_of_a_group(network: Network) -> None:
    edge = prefix_list(network, "com.amazonaws.global.cloudfront.origin-facing")
    checkers = prefix_list(network, f"com.amazonaws.{P}.route53-healthchecks")
    assert (edge["MaxEntries"], checkers["MaxEntries"]) == (55, 25)
    admit(network, network.group, PrefixListIds=[{"PrefixListId": edge["PrefixListId"]}])
    with pytest.raises(ClientError) as error:
        admit(network, network.group, PrefixListIds=[{"PrefixListId": checkers["PrefixListId"]}])
    assert code(error) == "RulesPerSecurityGroupLimitExceeded"
    admit(network, network.make_group("second"), PrefixListIds=[{"PrefixListId": checkers["PrefixListId"]}])
    with pytest.raises(ClientError) as error:
        admit(network, network.group, PrefixListIds=[{"PrefixListId": "pl-0"}])
    assert code(error) == "InvalidPrefixListID.NotFound"


def test_rules_are_duplicates_whatever_they_say_of_themselves(network: Network) -> None:
    other = network.make_group("other")
    admit(network, network.group, UserIdGroupPairs=[{"GroupId": other, "Description": "one"}])
    with pytest.raises(ClientError) as error:
        admit(network, network.group, UserIdGroupPairs=[{"GroupId": other, "Description": "two"}])
    assert code(error) == "InvalidPermission.Duplicate"
    with pytest.raises(ClientError) as error:
        admit(
            network,
            network.group,
            IpRanges=[{"CidrIp": "10.0.0.0/16"}, {"CidrIp": "10.0.0.0/16"}],
        )
    assert code(error) == "InvalidPermission.Duplicate"
    elsewhere = Network(network.sim, P, 5)
    with pytest.raises(ClientError) as error:
        admit(network, network.group, UserIdGroupPairs=[{"GroupId": elsewhere.group}])
    assert code(error) == "InvalidGroup.NotFound"


def test_a_tagged_rule_is_revoked_by_its_id_once(network: Network) -> None:
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "Name", "Value": "https"}]}]
    made = network.ec2.authorize_security_group_egress(
        GroupId=network.group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
        ],
        TagSpecifications=tags,
    )
    rule = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    filters = [{"Name": "tag:Name", "Values": ["https"]}]
    shown = network.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    assert [known["SecurityGroupRuleId"] for known in shown] == [rule]
    network.ec2.revoke_security_group_egress(GroupId=network.group, SecurityGroupRuleIds=[rule])
    with pytest.raises(ClientError) as error:
        network.ec2.revoke_security_group_egress(GroupId=network.group, SecurityGroupRuleIds=[rule])
    assert code(error) == "InvalidSecurityGroupRuleId.NotFound"
    assert network.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [rule]}])["Tags"] == []


@pytest.mark.parametrize("kind", ["UserIdGroupPairs", "PrefixListIds", "IpRanges"])
def test_a_rule_keeps_its_description(network: Network, kind: str) -> None:
    checkers = prefix_list(network, f"com.amazonaws.{P}.route53-healthchecks")["PrefixListId"]
    peers = {
        "UserIdGroupPairs": {"GroupId": network.group},
        "PrefixListIds": {"PrefixListId": checkers},
        "IpRanges": {"CidrIp": "10.0.0.0/16"},
    }
    admit(network, network.group, **{kind: [{**peers[kind], "Description": "why"}]})
    by_group = [{"Name": "group-id", "Values": [network.group]}]

    def descriptions() -> list[str]:
        rules = network.ec2.describe_security_group_rules(Filters=by_group)["SecurityGroupRules"]
        return [rule["Description"] for rule in rules if not rule["IsEgress"]]

    assert descriptions() == ["why"]
    changed = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    network.ec2.update_security_group_rule_descriptions_ingress(
        GroupId=network.group,
        IpPermissions=[{**changed, kind: [{**peers[kind], "Description": "because"}]}],
    )
    assert descriptions() == ["because"]


def test_flow_logs_need_a_role_that_trusts_them_and_tell_duplicates_in_the_answer(network: Network) -> None:
    network.sim.client("logs").create_log_group(logGroupName="flows")
    wish = {
        "ResourceIds": [network.vpc],
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogGroupName": "flows",
        "DeliverLogsPermissionArn": make_role(network.sim, "lambda", "lambda.amazonaws.com"),
    }
    with pytest.raises(ClientError) as error:
        network.ec2.create_flow_logs(**wish)
    assert code(error) == "InvalidParameter"
    wish["DeliverLogsPermissionArn"] = make_role(network.sim, "flows", "vpc-flow-logs.amazonaws.com")
    first = network.ec2.create_flow_logs(**wish, ClientToken="a-token")
    assert network.ec2.create_flow_logs(**wish, ClientToken="a-token")["FlowLogIds"] == first["FlowLogIds"]
    again = network.ec2.create_flow_logs(**wish)
    assert [item["Error"]["Code"] for item in again["Unsuccessful"]] == ["FlowLogAlreadyExists"]
    gone = network.ec2.delete_flow_logs(FlowLogIds=[*first["FlowLogIds"], "fl-0"])
    assert [item["Error"]["Code"] for item in gone["Unsuccessful"]] == ["InvalidFlowLogId.NotFound"]
