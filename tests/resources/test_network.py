"""The kinds of the network, each through its whole life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drctl.engine.resource import Resource
from drctl.resources.elastic_ip import ElasticIp
from drctl.resources.flow_log import FlowLog
from drctl.resources.iam_role import IamRole, ServiceTrust
from drctl.resources.internet_gateway import InternetGateway
from drctl.resources.kms_key import KmsKey
from drctl.resources.log_group import LogGroup
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
from tests.contract import ENVIRONMENT, Trial, assert_unchanged, whole_life
from tests.lost_drill import cut_off, network_acls

if TYPE_CHECKING:
    from tests.conftest import Sim

EAST, WEST = "us-east-1", "us-west-2"

VPC = Vpc(name="main", region=EAST, cidr="10.0.0.0/16")
STANDBY_VPC = Vpc(name="main", region=WEST, cidr="10.1.0.0/16")
SUBNET = Subnet(name="public-a", region=EAST, vpc=VPC, cidr="10.0.0.0/24", zone="a")
GATEWAY = InternetGateway(name="main", region=EAST, vpc=VPC)
ADDRESS = ElasticIp(name="nat-a", region=EAST, internet_gateway=GATEWAY)
NAT = NatGateway(name="a", region=EAST, subnet=SUBNET, elastic_ip=ADDRESS)
TABLE = RouteTable(name="private-a", region=EAST, vpc=VPC)
ASSOCIATION = RouteTableAssociation(name="private-a", region=EAST, route_table=TABLE, subnet=SUBNET)
PEERING = VpcPeering(name="main", region=EAST, requester=VPC, accepter=STANDBY_VPC)
ENDPOINT = VpcEndpoint(name="s3", region=EAST, vpc=VPC, service="s3", route_tables=(TABLE,))
GROUP = SecurityGroup(name="service", region=EAST, vpc=VPC, aws_name="trial-service", description="tasks")
OTHER_GROUP = SecurityGroup(name="alb", region=EAST, vpc=VPC, aws_name="trial-alb", description="edge")
ADDRESSES = CidrBlock("10.1.0.0/16")
KEY = KmsKey(name="main", region=EAST, alias="trial")
LOGS = LogGroup(name="flow", region=EAST, aws_name="/trial/flow", key=KEY, retention_days=7)
ROLE = IamRole(
    name="flow",
    region="global",
    aws_name="trial-flow",
    trust=ServiceTrust("vpc-flow-logs.amazonaws.com"),
    description="flow logs",
)
FLOW_LOG = FlowLog(name="main", region=EAST, vpc=VPC, log_group=LOGS, role=ROLE)


def route(target: InternetGateway | NatGateway | VpcPeering) -> Route:
    return Route(name="way", region=EAST, route_table=TABLE, destination="10.1.0.0/16", target=target)


def rule(
    peer: SecurityGroup | CidrBlock | PrefixList, description: str = "from the edge"
) -> SecurityGroupRule:
    return SecurityGroupRule(
        name="in", region=EAST, group=GROUP, direction="ingress", port=443, peer=peer, description=description
    )


def tagged(sim: Sim, resource: Resource[Any]) -> Callable[[], int]:
    """How many EC2 things carry this address, without those whose end AWS still shows for a while."""
    ec2 = sim.client("ec2", resource.region)
    if isinstance(resource, NatGateway):
        states = [{"Name": "state", "Values": ["pending", "available", "deleting"]}]
        return lambda: len(ec2.describe_nat_gateways(Filters=states)["NatGateways"])
    if isinstance(resource, VpcPeering):
        status = [{"Name": "status-code", "Values": ["pending-acceptance", "active"]}]
        return lambda: len(ec2.describe_vpc_peering_connections(Filters=status)["VpcPeeringConnections"])
    filters = [
        {"Name": "key", "Values": ["drctl:address"]},
        {"Name": "value", "Values": [resource.address]},
    ]
    return lambda: len(ec2.describe_tags(Filters=filters)["Tags"])


def test_a_vpc(sim: Sim, tmp_path: Path) -> None:
    ec2 = sim.client("ec2")

    def turn_names_off(vpc: Any) -> None:
        ec2.modify_vpc_attribute(VpcId=vpc.vpc_id, EnableDnsHostnames={"Value": False})

    def open_default_group(vpc: Any) -> None:
        ec2.authorize_security_group_ingress(
            GroupId=vpc.default_security_group_id, IpProtocol="-1", CidrIp="0.0.0.0/0"
        )

    damages = {
        "dns_hostnames": turn_names_off,
        "default_group_rules": open_default_group,
        "cut_off_by": lambda vpc: cut_off(ec2, vpc.vpc_id, ENVIRONMENT),
    }
    whole_life(sim, tmp_path, VPC, damages)


@pytest.mark.parametrize("fault", [None, "lost"])
def test_what_a_drill_cut_off_is_connected_again_and_another_acl_is_left_alone(
    sim: Sim, tmp_path: Path, fault: str | None
) -> None:
    ec2, other = sim.client("ec2"), replace(SUBNET, name="public-b", cidr="10.0.1.0/24", zone="b")
    with Trial(sim, tmp_path) as trial:
        trial.ensure(SUBNET, other)
        vpc_id = trial.outputs(VPC).vpc_id
        drills = cut_off(ec2, vpc_id, ENVIRONMENT)
        theirs = cut_off(ec2, vpc_id, "another")
        (one,) = [trial.outputs(other).subnet_id]
        moved = {a["SubnetId"]: a["NetworkAclAssociationId"] for a in associations(ec2, theirs)}
        ec2.replace_network_acl_association(AssociationId=moved[one], NetworkAclId=drills)
        if fault is not None:
            for operation in ("ReplaceNetworkAclAssociation", "DeleteNetworkAcl"):
                sim.fault(fault, service="ec2", operation=operation, times=1)

        assert trial.inspect(VPC).fields["cut_off_by"]
        assert trial.ensure(VPC) == "update"

        (default,) = network_acls(ec2, vpc_id, {"Name": "default", "Values": ["true"]})
        assert [each["SubnetId"] for each in default["Associations"]] == [one]
        assert len(associations(ec2, theirs)) == 1
        assert {acl["NetworkAclId"] for acl in network_acls(ec2, vpc_id)} == {default["NetworkAclId"], theirs}


def test_a_vpc_goes_with_what_a_drill_has_left_in_it(sim: Sim, tmp_path: Path) -> None:
    ec2 = sim.client("ec2")
    with Trial(sim, tmp_path) as trial:
        trial.ensure(SUBNET)
        vpc_id = trial.outputs(VPC).vpc_id
        cut_off(ec2, vpc_id, ENVIRONMENT)
        trial.remove_all(SUBNET)
    assert network_acls(ec2, vpc_id) == []


def associations(ec2: Any, acl: str) -> list[Any]:
    found: list[Any] = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Associations"]
    return found


def test_an_internet_gateway_stays_attached(sim: Sim, tmp_path: Path) -> None:
    ec2 = sim.client("ec2")

    def detach(gateway: Any) -> None:
        (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": [VPC.cidr]}])["Vpcs"]
        ec2.detach_internet_gateway(InternetGatewayId=gateway.internet_gateway_id, VpcId=vpc["VpcId"])

    whole_life(sim, tmp_path, GATEWAY, {"vpc": detach})


def test_a_nat_gateway_is_made_again_when_somebody_removes_it(sim: Sim, tmp_path: Path) -> None:
    ec2 = sim.client("ec2")
    whole_life(
        sim,
        tmp_path,
        NAT,
        {"absent": lambda nat: ec2.delete_nat_gateway(NatGatewayId=nat.nat_gateway_id)},
    )


def test_a_route_table_association_follows_its_table(sim: Sim, tmp_path: Path) -> None:
    ec2 = sim.client("ec2")

    def move(association: Any) -> None:
        (table,) = ec2.describe_route_tables(
            Filters=[{"Name": "association.main", "Values": ["true"]}, *of_vpc(ec2)]
        )["RouteTables"]
        ec2.replace_route_table_association(
            AssociationId=association.association_id, RouteTableId=table["RouteTableId"]
        )

    whole_life(sim, tmp_path, ASSOCIATION, {"route_table": move})


def of_vpc(ec2: Any) -> list[dict[str, Any]]:
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": [VPC.cidr]}])["Vpcs"]
    return [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]


def test_a_peering_is_accepted_and_tagged_on_the_other_side(sim: Sim, tmp_path: Path) -> None:
    there = sim.client("ec2", WEST)
    whole_life(
        sim,
        tmp_path,
        PEERING,
        {
            "accepter_tags": lambda peering: there.delete_tags(
                Resources=[peering.vpc_peering_id], Tags=[{"Key": "drctl:address"}]
            )
        },
    )


def test_a_failed_peering_can_be_removed(sim: Sim, tmp_path: Path) -> None:
    overlapping = Vpc(name="other", region=WEST, cidr=VPC.cidr)
    peering = VpcPeering(name="main", region=EAST, requester=VPC, accepter=overlapping)
    with Trial(sim, tmp_path) as trial:
        with pytest.raises(Exception, match="could not make us-east-1/vpc-peering/main"):
            trial.ensure(peering)
        trial.remove_all(peering)


def test_a_route(sim: Sim, tmp_path: Path) -> None:
    ec2 = sim.client("ec2")

    def delete(made: Any) -> None:
        table_id, _, cidr = made.route_id.partition("|")
        ec2.delete_route(RouteTableId=table_id, DestinationCidrBlock=cidr)

    whole_life(sim, tmp_path, route(GATEWAY), {"absent": delete})


def test_a_route_is_repaired_when_it_leads_nowhere_or_elsewhere(sim: Sim, tmp_path: Path) -> None:
    ec2 = sim.client("ec2")
    with Trial(sim, tmp_path) as trial:
        trial.ensure(route(PEERING))
        ec2.delete_vpc_peering_connection(
            VpcPeeringConnectionId=trial.outputs(PEERING).vpc_peering_id,
        )
        change = trial.inspect(route(PEERING))
        assert change.action == "update"
        assert change.fields["state"].actual == "blackhole"
        assert trial.ensure(route(PEERING)) == "update"
        assert_unchanged(trial, route(PEERING))
        assert trial.inspect(route(GATEWAY)).fields.keys() == {"target"}
        assert trial.ensure(route(GATEWAY)) == "update"
        assert_unchanged(trial, route(GATEWAY))


def test_an_endpoint_keeps_its_route_tables(sim: Sim, tmp_path: Path) -> None:
    ec2 = sim.client("ec2")

    def take_table_away(endpoint: Any) -> None:
        (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint.vpc_endpoint_id])["VpcEndpoints"]
        ec2.modify_vpc_endpoint(
            VpcEndpointId=endpoint.vpc_endpoint_id, RemoveRouteTableIds=found["RouteTableIds"]
        )

    whole_life(sim, tmp_path, ENDPOINT, {"route_tables": take_table_away})


def test_a_flow_log(sim: Sim, tmp_path: Path) -> None:
    ec2 = sim.client("ec2")
    whole_life(
        sim, tmp_path, FLOW_LOG, {"absent": lambda log: ec2.delete_flow_logs(FlowLogIds=[log.flow_log_id])}
    )


def test_a_security_group_has_no_rules_but_ours(sim: Sim, tmp_path: Path) -> None:
    ec2 = sim.client("ec2")

    def open_to_the_world(group: Any) -> None:
        ec2.authorize_security_group_ingress(
            GroupId=group.security_group_id, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
        )

    whole_life(sim, tmp_path, GROUP, {"foreign_rules": open_to_the_world})


@pytest.mark.parametrize(
    "peer",
    [
        CidrBlock("10.1.0.0/16"),
        OTHER_GROUP,
        PrefixList("com.amazonaws.global.cloudfront.origin-facing"),
        PrefixList("com.amazonaws.us-east-1.route53-healthchecks"),
    ],
    ids=["addresses", "group", "cloudfront", "health-checkers"],
)
def test_a_security_group_rule(
    sim: Sim, tmp_path: Path, peer: SecurityGroup | CidrBlock | PrefixList
) -> None:
    ec2 = sim.client("ec2")

    def revoke(made: Any) -> None:
        ec2.revoke_security_group_ingress(GroupId=made.group_id, SecurityGroupRuleIds=[made.rule_id])

    whole_life(sim, tmp_path, rule(peer), {"absent": revoke})


def test_a_rule_s_description_changes_in_place(sim: Sim, tmp_path: Path) -> None:
    with Trial(sim, tmp_path) as trial:
        trial.ensure(rule(ADDRESSES))
        made = trial.outputs(rule(ADDRESSES))
        assert trial.ensure(rule(ADDRESSES, "from elsewhere")) == "update"
        assert trial.outputs(rule(ADDRESSES)) == made
        assert_unchanged(trial, rule(ADDRESSES, "from elsewhere"))


def test_another_peer_is_another_rule(sim: Sim, tmp_path: Path) -> None:
    with Trial(sim, tmp_path) as trial:
        trial.ensure(rule(CidrBlock("10.1.0.0/16")))
        moved = rule(CidrBlock("10.2.0.0/16"))
        assert trial.inspect(moved).action == "replace"
        assert trial.ensure(moved) == "replace"
        assert tagged(sim, moved)() == 1
        assert_unchanged(trial, GROUP)


def test_a_plan_of_nothing_shows_everything_as_new(sim: Sim, tmp_path: Path) -> None:
    everything = (NAT, ASSOCIATION, route(PEERING), ENDPOINT, FLOW_LOG, rule(OTHER_GROUP))
    with Trial(sim, tmp_path) as trial, trial.mutations() as mutations:
        for each in everything:
            assert trial.inspect(each).action == "create"
    assert mutations == []
