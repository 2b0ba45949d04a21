"""The name server, asked with real DNS over UDP and TCP: zones, aliases, failover, and AWS's own names."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from drctl.sim import client
from tests.conftest import Sim
from tests.sim.network import Web

ZONE = "drctl.test"
P, S = "us-east-1", "us-west-2"
PROPAGATION = 60
Change = Callable[..., None]


class Resolver:
    """What a client sees of the name server."""

    def __init__(self, status: client.Status) -> None:
        assert status.name_server is not None
        self.host, self.port = status.name_server

    def ask(self, name: str, type: str = "A", tcp: bool = False, **more: Any) -> dns.message.Message:
        query = dns.message.make_query(name, type, **more)
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, self.host, port=self.port, timeout=30)

    def values(self, name: str, type: str = "A", **more: Any) -> list[str]:
        return sorted(str(value) for rrset in self.ask(name, type, **more).answer for value in rrset)


@pytest.fixture
def resolver(sim: Sim) -> Resolver:
    return Resolver(sim.status())


@pytest.fixture
def dns53(sim: Sim) -> Any:
    return sim.client("route53")


@pytest.fixture
def zone(dns53: Any) -> str:
    return str(dns53.create_hosted_zone(Name=ZONE, CallerReference="zone")["HostedZone"]["Id"])


@pytest.fixture
def change(sim: Sim, zone: str) -> Change:
    return partial(change_records, sim, zone)


def change_records(sim: Sim, zone: str, *records: dict[str, Any]) -> None:
    """Write records into the zone, and let the name servers learn of them."""
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record} for record in records]
    sim.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    sim.advance(PROPAGATION)


def simple(name: str, *values: str, type: str = "A", ttl: int = 30) -> dict[str, Any]:
    name = f"{name}.{ZONE}" if name else ZONE
    return {"Name": name, "Type": type, "TTL": ttl, "ResourceRecords": [{"Value": each} for each in values]}


def alias(name: str, target: str, zone_id: str, evaluate: bool = False, **more: Any) -> dict[str, Any]:
    leads = {"HostedZoneId": zone_id, "DNSName": target, "EvaluateTargetHealth": evaluate}
    return {"Name": f"{name}.{ZONE}", "Type": "A", "AliasTarget": leads, **more}


def test_records_are_answered_with_their_ttl_over_udp_and_tcp(resolver: Resolver, change: Change) -> None:
    change(
        simple("two", "192.0.2.1", "192.0.2.2", ttl=77),
        simple("", '"v=spf1 -all" "second part"', type="TXT"),
        simple("", "10 mail.example.net", type="MX"),
        simple("www", f"two.{ZONE}", type="CNAME"),
        simple("away", "elsewhere.example.net", type="CNAME"),
    )
    for tcp in (False, True):
        answer = resolver.ask(f"TWO.{ZONE}", tcp=tcp)
        assert answer.flags & dns.flags.AA
        assert answer.answer[0].ttl == 77
        assert sorted(str(value) for value in answer.answer[0]) == ["192.0.2.1", "192.0.2.2"]
        assert resolver.values(f"www.{ZONE}", tcp=tcp) == ["192.0.2.1", "192.0.2.2", f"two.{ZONE}."]
        assert resolver.values(f"www.{ZONE}", "CNAME", tcp=tcp) == [f"two.{ZONE}."]
        assert resolver.values(ZONE, "TXT", tcp=tcp) == ['"v=spf1 -all" "second part"']
        assert resolver.values(ZONE, "MX", tcp=tcp) == ["10 mail.example.net."]
        assert resolver.values(f"away.{ZONE}", tcp=tcp) == ["elsewhere.example.net."]


def test_a_zone_names_its_servers(resolver: Resolver, dns53: Any, zone: str) -> None:
    servers = dns53.get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"]
    assert resolver.values(ZONE, "NS") == sorted(f"{server}." for server in servers)
    assert len(resolver.values(ZONE, "SOA")) == 1


def test_what_is_not_there_is_told_from_what_is_not_ours(resolver: Resolver, change: Change) -> None:
    change(simple("deep.under", "192.0.2.1"))
    for name, kind, rcode in (
        (f"none.{ZONE}", "A", dns.rcode.NXDOMAIN),
        (f"under.{ZONE}", "A", dns.rcode.NOERROR),
        (f"deep.under.{ZONE}", "AAAA", dns.rcode.NOERROR),
        ("none.us-east-1.elb.amazonaws.com", "A", dns.rcode.NXDOMAIN),
        ("none.cloudfront.net", "A", dns.rcode.NXDOMAIN),
    ):
        answer = resolver.ask(name, kind)
        assert (answer.rcode(), answer.answer) == (rcode, [])
        assert answer.authority[0].rdtype == dns.rdatatype.SOA
    assert resolver.ask("elsewhere.example.net").rcode() == dns.rcode.REFUSED


def test_a_wildcard_answers_for_what_has_no_name_of_its_own(resolver: Resolver, change: Change) -> None:
    change(simple("*", "192.0.2.1"), simple("own", '"text"', type="TXT"))
    assert resolver.values(f"any.{ZONE}") == ["192.0.2.1"]
    assert resolver.values(f"any.at.all.{ZONE}") == ["192.0.2.1"]
    assert str(resolver.ask(f"any.{ZONE}").answer[0].name) == f"any.{ZONE}."
    assert resolver.values(f"own.{ZONE}") == []


def test_what_is_too_long_for_a_datagram_is_asked_again_over_tcp(resolver: Resolver, change: Change) -> None:
    addresses = [f"192.0.2.{number}" for number in range(1, 101)]
    change(simple("many", *addresses))
    assert resolver.ask(f"many.{ZONE}").flags & dns.flags.TC
    assert not resolver.ask(f"many.{ZONE}", use_edns=0, payload=4096).flags & dns.flags.TC
    assert len(resolver.values(f"many.{ZONE}", tcp=True)) == 100


def test_what_is_no_query_gets_an_error_or_nothing(resolver: Resolver) -> None:
    notify = dns.message.make_query(ZONE, "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    for query, rcode in (
        (notify, dns.rcode.NOTIMP),
        (dns.message.make_query("version.bind", "TXT", rdclass="CH"), dns.rcode.REFUSED),
    ):
        assert dns.query.udp(query, resolver.host, port=resolver.port, timeout=30).rcode() == rcode
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.settimeout(30)
        raw.connect((resolver.host, resolver.port))
        raw.send(b"short")
        raw.send(b"\x12\x34\x01\x00\x00\x01" + bytes(6))
        answer = raw.recv(512)
    assert (answer[:2], answer[3] & 0x0F) == (b"\x12\x34", dns.rcode.FORMERR)


def test_a_change_reaches_the_name_servers_when_it_is_in_sync(
    sim: Sim, dns53: Any, zone: str, resolver: Resolver, change: Change
) -> None:
    sim.set_speed(1)
    change(simple("a", "192.0.2.1"), simple("gone", "192.0.2.9"))
    batch = [
        {"Action": "UPSERT", "ResourceRecordSet": simple("a", "192.0.2.2")},
        {"Action": "DELETE", "ResourceRecordSet": simple("gone", "192.0.2.9")},
    ]
    info = dns53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": batch})["ChangeInfo"]
    assert resolver.values(f"a.{ZONE}") == ["192.0.2.1"]
    assert resolver.values(f"gone.{ZONE}") == ["192.0.2.9"]
    sim.advance(PROPAGATION)
    assert dns53.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    assert resolver.values(f"a.{ZONE}") == ["192.0.2.2"]
    assert resolver.ask(f"gone.{ZONE}").rcode() == dns.rcode.NXDOMAIN


def test_of_two_zones_of_one_name_the_newest_that_has_the_name_answers(
    sim: Sim, dns53: Any, resolver: Resolver, change: Change
) -> None:
    change(simple("a", "192.0.2.1"), simple("b", "192.0.2.1"))
    other = dns53.create_hosted_zone(Name=ZONE, CallerReference="other")["HostedZone"]["Id"]
    created = [{"Action": "CREATE", "ResourceRecordSet": simple("b", "192.0.2.2")}]
    dns53.change_resource_record_sets(HostedZoneId=other, ChangeBatch={"Changes": created})
    sim.advance(PROPAGATION)
    assert resolver.values(f"a.{ZONE}") == ["192.0.2.1"]
    assert resolver.values(f"b.{ZONE}") == ["192.0.2.2"]


def test_a_chain_of_names_that_does_not_end_is_a_failure_of_the_server(
    resolver: Resolver, change: Change
) -> None:
    change(simple("a", f"b.{ZONE}", type="CNAME"), simple("b", f"a.{ZONE}", type="CNAME"))
    assert resolver.ask(f"a.{ZONE}").rcode() == dns.rcode.SERVFAIL


class Pair:
    """A load balancer in each of two regions, each with one healthy target."""

    def __init__(self, sim: Sim) -> None:
        self.sim = sim
        self.webs = {region: Web(sim, region) for region in (P, S)}
        for web in self.webs.values():
            web.listen()
        sim.advance(200)
        for web in self.webs.values():
            web.elbv2.register_targets(TargetGroupArn=web.targets, Targets=[{"Id": "10.0.2.10"}])
        sim.advance(60)
        self.shown = {
            region: web.elbv2.describe_load_balancers()["LoadBalancers"][0]
            for region, web in self.webs.items()
        }

    def failover(self, region: str, role: str, evaluate: bool = True, **more: Any) -> dict[str, Any]:
        shown = self.shown[region]
        target, of_zone = f"dualstack.{shown['DNSName']}", shown["CanonicalHostedZoneId"]
        named = {"SetIdentifier": role.lower(), "Failover": role, **more}
        return alias("app", target, of_zone, evaluate, **named)

    def stop(self, region: str) -> None:
        web = self.webs[region]
        web.elbv2.deregister_targets(TargetGroupArn=web.targets, Targets=[{"Id": "10.0.2.10"}])


@pytest.fixture
def pair(sim: Sim) -> Pair:
    return Pair(sim)


def test_a_load_balancer_and_its_alias_have_the_same_address(
    resolver: Resolver, change: Change, pair: Pair
) -> None:
    shown = pair.shown[P]
    change(alias("direct", shown["DNSName"], shown["CanonicalHostedZoneId"]))
    (address,) = resolver.values(shown["DNSName"])
    assert address.startswith("127.77.")
    (answer,) = resolver.ask(f"direct.{ZONE}").answer
    assert (str(answer.name), answer.ttl, [str(value) for value in answer]) == (
        f"direct.{ZONE}.",
        60,
        [address],
    )
    assert resolver.values(f"dualstack.{shown['DNSName']}") == [address]
    assert resolver.values(pair.shown[S]["DNSName"]) != [address]
    pair.webs[P].elbv2.delete_load_balancer(LoadBalancerArn=pair.webs[P].balancer)
    answer = resolver.ask(f"direct.{ZONE}")
    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])


def test_a_distribution_has_an_address_under_its_own_name(sim: Sim, resolver: Resolver) -> None:
    origin = {
        "Id": "o",
        "DomainName": "origin.example.net",
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
    }
    made = sim.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": "d",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "o",
                "ViewerProtocolPolicy": "https-only",
                "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
            },
        }
    )["Distribution"]
    assert resolver.values(made["DomainName"])[0].startswith("127.77.")
    assert resolver.values(made["DomainName"], "AAAA") == []


def test_primary_answers_until_its_health_check_fails_and_again_when_nobody_is_healthy(
    sim: Sim, dns53: Any, resolver: Resolver, change: Change, pair: Pair
) -> None:
    checks = {}
    for region in (P, S):
        sim.client("cloudwatch", S).put_metric_alarm(
            AlarmName=region,
            Namespace="test",
            MetricName="down",
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        checks[region] = dns53.create_health_check(
            CallerReference=region,
            HealthCheckConfig={"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Region": S, "Name": region}},
        )["HealthCheck"]["Id"]

    def alarm(region: str, state: str) -> None:
        sim.client("cloudwatch", S).set_alarm_state(AlarmName=region, StateValue=state, StateReason="test")

    change(
        pair.failover(P, "PRIMARY", HealthCheckId=checks[P]),
        pair.failover(S, "SECONDARY", HealthCheckId=checks[S]),
    )
    own = {region: resolver.values(shown["DNSName"]) for region, shown in pair.shown.items()}
    answers = []
    for region, state in ((P, "OK"), (P, "ALARM"), (S, "ALARM"), (S, "OK"), (P, "OK")):
        alarm(region, state)
        answers.append(resolver.values(f"app.{ZONE}"))
    assert answers == [own[P], own[S], own[P], own[S], own[P]]


def test_an_alias_that_evaluates_its_target_follows_the_targets_health(
    sim: Sim, resolver: Resolver, change: Change, pair: Pair
) -> None:
    change(pair.failover(P, "PRIMARY"), pair.failover(S, "SECONDARY"))
    own = {region: resolver.values(shown["DNSName"]) for region, shown in pair.shown.items()}
    assert resolver.values(f"app.{ZONE}") == own[P]
    pair.stop(P)
    assert resolver.values(f"app.{ZONE}") == own[S]
    pair.stop(S)
    assert resolver.values(f"app.{ZONE}") == own[P], "nobody is healthy"


def test_an_alias_that_does_not_evaluate_its_target_stays(
    resolver: Resolver, change: Change, pair: Pair
) -> None:
    change(pair.failover(P, "PRIMARY", evaluate=False), pair.failover(S, "SECONDARY"))
    pair.stop(P)
    assert resolver.values(f"app.{ZONE}") == resolver.values(pair.shown[P]["DNSName"])


def test_an_alias_of_an_alias_inherits_health_and_ttl(
    resolver: Resolver, dns53: Any, zone: str, change: Change, pair: Pair
) -> None:
    change(pair.failover(P, "PRIMARY"), pair.failover(S, "SECONDARY"))
    zone_id = zone.rsplit("/", 1)[-1]
    change(
        alias("top", f"app.{ZONE}", zone_id, True, SetIdentifier="one", Failover="PRIMARY"),
        {**simple("top", "192.0.2.1", ttl=5), "SetIdentifier": "two", "Failover": "SECONDARY"},
    )
    assert resolver.values(f"top.{ZONE}") == resolver.values(pair.shown[P]["DNSName"])
    pair.stop(P)
    assert resolver.values(f"top.{ZONE}") == resolver.values(pair.shown[S]["DNSName"])
    pair.stop(S)
    assert resolver.values(f"top.{ZONE}") == ["192.0.2.1"]
    assert resolver.ask(f"top.{ZONE}").answer[0].ttl == 5


def test_names_are_answered_during_an_outage_and_lead_away_from_it_once_it_is_noticed(
    sim: Sim, resolver: Resolver, change: Change, pair: Pair
) -> None:
    change(pair.failover(P, "PRIMARY"), pair.failover(S, "SECONDARY"))
    own = {region: resolver.values(shown["DNSName"]) for region, shown in pair.shown.items()}
    for region in (P, "global"):
        client.request(sim.status(), "POST", f"outages/{region}")
    assert resolver.values(f"app.{ZONE}") == own[P]
    sim.advance(60)
    assert resolver.values(f"app.{ZONE}") == own[S]
    assert resolver.values(pair.shown[P]["DNSName"]) == own[P], "a load balancer keeps its name"


def test_a_private_zone_answers_nobody_outside(sim: Sim, dns53: Any, resolver: Resolver) -> None:
    vpc = sim.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    sim.advance(10)
    dns53.create_hosted_zone(Name="inside.test", CallerReference="p", VPC={"VPCRegion": P, "VPCId": vpc})
    assert resolver.ask("inside.test", "SOA").rcode() == dns.rcode.REFUSED


def test_names_survive_a_restart(tmp_path: Path) -> None:
    status = client.start(tmp_path, 600.0, idle_stop=600)
    try:
        sim = Sim(status)
        route53 = sim.client("route53")
        made = route53.create_hosted_zone(Name=ZONE, CallerReference="zone")["HostedZone"]["Id"]
        created = [{"Action": "CREATE", "ResourceRecordSet": simple("a", "192.0.2.1")}]
        route53.change_resource_record_sets(HostedZoneId=made, ChangeBatch={"Changes": created})
        client.stop(tmp_path)
        status = client.start(tmp_path, 600.0, idle_stop=600)
        Sim(status).advance(PROPAGATION)
        assert Resolver(status).values(f"a.{ZONE}") == ["192.0.2.1"]
    finally:
        client.stop(tmp_path)
