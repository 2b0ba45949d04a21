"""Load balancers, the application behind them, and the edge: reached over the network, as their users do."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drctl.sim import client
from tests.conftest import Sim
from tests.sim.network import Web, make_role
from tests.sim.test_acm import issued_certificate
from tests.sim.test_cloudfront import config, listed
from tests.sim.test_dynamodb import Tables
from tests.sim.test_rds import Aurora
from tests.sim.visitor import Page, Visitor

P, S = "us-east-1", "us-west-2"


class Site(Web):
    """A load balancer in a region with a service of the application behind it; its tasks run only when asked to."""

    def __init__(self, sim: Sim, region: str = P, tasks: int = 0, **variables: str) -> None:
        super().__init__(sim, region)
        self.listener = self.listen()
        self.ecs = sim.client("ecs", region)
        self.ecs.create_cluster(clusterName="app")
        container = {
            "name": "web",
            "image": "public.ecr.aws/nginx/nginx:1.27",
            "portMappings": [{"containerPort": 8080}],
            "environment": [{"name": name, "value": value} for name, value in variables.items()],
        }
        definition = self.ecs.register_task_definition(
            family="app",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="1024",
            memory="2048",
            executionRoleArn=make_role(sim, f"execution-{region}", "ecs-tasks.amazonaws.com"),
            containerDefinitions=[container],
        )["taskDefinition"]["taskDefinitionArn"]
        sim.advance(200)
        self.ecs.create_service(
            cluster="app",
            serviceName="web",
            taskDefinition=definition,
            desiredCount=tasks,
            launchType="FARGATE",
            networkConfiguration={
                "awsvpcConfiguration": {"subnets": self.private, "securityGroups": [self.group]}
            },
            loadBalancers=[{"targetGroupArn": self.targets, "containerName": "web", "containerPort": 8080}],
        )
        sim.advance(300)

    @property
    def name(self) -> str:
        shown = self.elbv2.describe_load_balancers(LoadBalancerArns=[self.balancer])["LoadBalancers"][0]
        return str(shown["DNSName"])

    def act(self, *actions: dict[str, Any]) -> None:
        """Another default action."""
        self.elbv2.modify_listener(ListenerArn=self.listener, DefaultActions=list(actions))


@pytest.fixture
def visitor(sim: Sim) -> Visitor:
    return Visitor(sim)


@pytest.fixture
def regions(sim: Sim) -> Iterator[Sim]:
    """For tests that take regions out: they are back afterwards."""
    yield sim
    client.request(sim.status(), "DELETE", "outages")


def out(sim: Sim, region: str) -> None:
    client.request(sim.status(), "POST", f"outages/{region}")


def page(found: Page | None) -> Page:
    assert found is not None, "nobody answered"
    return found


def test_a_load_balancer_answers_once_it_is_ready_and_503_until_it_has_tasks(
    sim: Sim, visitor: Visitor
) -> None:
    site = Web(sim)
    site.listen()
    name = site.elbv2.describe_load_balancers()["LoadBalancers"][0]["DNSName"]
    assert visitor.ask(f"http://{name}/health") is None
    sim.advance(300)
    alone = page(visitor.ask(f"http://{name}/health"))
    assert alone.status == 503
    assert alone.headers["server"] == "awselb/2.0"
    assert visitor.ask(f"https://{name}/health") is None

    address = visitor.resolve(name)
    site.elbv2.delete_load_balancer(LoadBalancerArn=site.balancer)
    assert visitor.is_gone(address, 80)


def test_tasks_answer_and_say_where_they_are(sim: Sim, visitor: Visitor) -> None:
    site = Site(sim, S, tasks=1)
    found = page(visitor.ask(f"http://{site.name}/health?deep=1"))
    assert (found.status, found.headers["x-region"], found.json["region"]) == (200, S, S)
    head = page(visitor.ask(f"http://{site.name}/", "HEAD"))
    assert (head.status, head.body) == (200, b"")
    assert page(visitor.ask(f"http://{site.name}/", "POST", "{}")).status == 405
    assert page(visitor.ask(f"http://{site.name}/api/sessions/a", "PUT", "{}")).status == 503
    site.ecs.update_service(cluster="app", service="web", desiredCount=0)
    assert page(visitor.ask(f"http://{site.name}/")).status == 503


def test_listeners_redirect_and_answer_for_themselves(sim: Sim, visitor: Visitor) -> None:
    site = Site(sim)
    site.act(
        {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    )
    moved = page(visitor.ask(f"http://{site.name}/a/b?c=d"))
    assert moved.status == 301
    assert moved.headers["location"] == f"https://{site.name}:443/a/b?c=d"
    site.act(
        {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "410", "MessageBody": "no more"}}
    )
    gone = page(visitor.ask(f"http://{site.name}/"))
    assert (gone.status, gone.body) == (410, b"no more")


def test_the_rule_with_the_lowest_priority_decides(sim: Sim, visitor: Visitor) -> None:
    site = Site(sim)
    for priority, pattern, status in ((20, "/a/*", "202"), (10, "/a/b?", "210"), (30, "*", "203")):
        site.elbv2.create_rule(
            ListenerArn=site.listener,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [pattern]}}],
            Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": status}}],
        )
    answered = [page(visitor.ask(f"http://{site.name}{path}")).status for path in ("/a/bc", "/a/b", "/A/b")]
    assert answered == [210, 202, 203]


def test_sessions_are_items_that_reach_the_other_region(sim: Sim, visitor: Visitor) -> None:
    tables = Tables(sim)
    tables.build()
    site, other = (Site(sim, region, tasks=1, TABLES="sessions,more") for region in (P, S))
    written = page(visitor.ask(f"http://{site.name}/api/sessions/one%20two", "PUT", '{"n": 1}'))
    assert (written.status, written.headers["x-region"]) == (200, P)
    key = {"sessionId": {"S": "one two"}}
    item = tables.at[P].get_item(TableName="sessions", Key=key)["Item"]
    assert (item["body"], item["region"]) == ({"S": '{"n": 1}'}, {"S": P})
    assert float(item["written_at"]["N"]) == pytest.approx(written.json["written_at"], abs=1e-3)

    too_long = page(visitor.ask(f"http://{site.name}/api/sessions/a", "PUT", "x" * 400_000))
    assert (too_long.status, too_long.json["region"]) == (413, P)

    sim.advance(5)
    read = page(visitor.ask(f"http://{other.name}/sessions/one%20two"))
    assert (read.json["body"], read.json["written_in"], read.json["region"]) == ({"n": 1}, P, S)
    assert tables.at[S].get_item(TableName="sessions", Key=key)["Item"] == item
    assert page(visitor.ask(f"http://{other.name}/api/sessions/one%20two", "DELETE")).status == 200
    sim.advance(5)
    assert page(visitor.ask(f"http://{site.name}/api/sessions/one%20two")).status == 404
    assert page(visitor.ask(f"http://{site.name}/api/records/one%20two")).status == 503


def test_records_are_written_in_one_region_or_nothing_is(sim: Sim, visitor: Visitor) -> None:
    tables = Tables(sim)
    tables.build()
    Aurora(sim).build()
    by_region = {
        region: Site(sim, region, tasks=1, TABLES="sessions", DRCTL_ENVIRONMENT="app", DRCTL_ROLE=role)
        for region, role in ((P, "p"), (S, "s"))
    }
    assert page(visitor.ask(f"http://{by_region[P].name}/api/sessions/a", "PUT", "1")).status == 200
    refused = page(visitor.ask(f"http://{by_region[S].name}/api/sessions/b", "PUT", "2"))
    assert refused.status == 503
    assert "app-s" in refused.json["error"]
    sim.advance(5)
    assert [item["sessionId"]["S"] for item in tables.at[S].scan(TableName="sessions")["Items"]] == ["a"]
    for region, site in by_region.items():
        found = page(visitor.ask(f"http://{site.name}/api/records/a")).json
        assert (found["id"], found["value"], found["region"]) == ("a", "1", region)
        assert page(visitor.ask(f"http://{site.name}/api/records/b")).status == 404


def test_a_network_acl_that_denies_cuts_the_load_balancer_off(sim: Sim, visitor: Visitor) -> None:
    site = Site(sim, tasks=1)
    name = site.name
    acls = site.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [site.vpc]}])["NetworkAcls"]
    deny = {
        "RuleNumber": 50,
        "Protocol": "6",
        "RuleAction": "deny",
        "Egress": False,
        "CidrBlock": "0.0.0.0/0",
    }

    def put(**more: Any) -> None:
        site.ec2.create_network_acl_entry(NetworkAclId=acls[0]["NetworkAclId"], **{**deny, **more})

    put(PortRange={"From": 8080, "To": 8081})
    put(RuleNumber=51, CidrBlock="10.0.0.0/8")
    assert page(visitor.ask(f"http://{name}/")).status == 200
    put(RuleNumber=52, PortRange={"From": 80, "To": 80})
    assert visitor.ask(f"http://{name}/") is None
    site.ec2.delete_network_acl_entry(NetworkAclId=acls[0]["NetworkAclId"], RuleNumber=52, Egress=False)
    assert page(visitor.ask(f"http://{name}/")).status == 200


def test_a_region_that_is_out_answers_nothing(regions: Sim, visitor: Visitor) -> None:
    site = Site(regions, S, tasks=1)
    name = site.name
    out(regions, S)
    assert visitor.ask(f"http://{name}/") is None
    client.request(regions.status(), "DELETE", f"outages/{S}")
    assert page(visitor.ask(f"http://{name}/")).status == 200


def test_a_listener_presents_the_certificate_for_the_name_that_is_asked_for(
    sim: Sim, visitor: Visitor
) -> None:
    site = Site(sim, tasks=1)
    arn = issued_certificate(sim, "drctl.test", "*.drctl.test")
    site.listen(443, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])
    for host in ("drctl.test", "app.drctl.test"):
        assert page(visitor.ask(f"https://{host}/", at=site.name)).status == 200
    for host in (site.name, "a.b.drctl.test", "other.test"):
        with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
            visitor.ask(f"https://{host}/", at=site.name)


class Edge:
    """A distribution of two sites without a domain: reads from either, writes to the first, assets from a bucket."""

    def __init__(self, sim: Sim) -> None:
        self.sim = sim
        self.sites = {region: Site(sim, region, tasks=1, TABLES="sessions") for region in (P, S)}
        self.cloudfront = sim.client("cloudfront")
        self.s3 = sim.client("s3")
        self.s3.create_bucket(Bucket="assets")
        self.s3.put_object(Bucket="assets", Key="assets/a b.txt", Body=b"hello", ContentType="text/plain")
        control = self.cloudfront.create_origin_access_control(
            OriginAccessControlConfig={
                "Name": "assets",
                "SigningProtocol": "sigv4",
                "SigningBehavior": "always",
                "OriginAccessControlOriginType": "s3",
            }
        )["OriginAccessControl"]["Id"]
        wanted = config()
        bucket = {
            "Id": "assets",
            "DomainName": "assets.s3.us-east-1.amazonaws.com",
            "S3OriginConfig": {"OriginAccessIdentity": ""},
            "OriginAccessControlId": control,
        }
        wanted["Origins"] = listed(
            *(
                {
                    "Id": name,
                    "DomainName": self.sites[region].name,
                    "CustomOriginConfig": {
                        "HTTPPort": 80,
                        "HTTPSPort": 443,
                        "OriginProtocolPolicy": "http-only",
                    },
                }
                for name, region in (("p", P), ("s", S))
            ),
            bucket,
        )
        reads = wanted["DefaultCacheBehavior"]
        writes = {**wanted["CacheBehaviors"]["Items"][0], "TargetOriginId": "p"}
        assets = {**reads, "PathPattern": "assets/*", "TargetOriginId": "assets"}
        wanted["CacheBehaviors"] = listed(writes, assets)
        made = self.cloudfront.create_distribution(DistributionConfig=wanted)["Distribution"]
        self.id, self.arn, self.name = made["Id"], made["ARN"], made["DomainName"]

    def deploy(self) -> None:
        self.sim.advance(900)

    def change(self, **more: Any) -> None:
        held = self.cloudfront.get_distribution_config(Id=self.id)
        self.cloudfront.update_distribution(
            Id=self.id, IfMatch=held["ETag"], DistributionConfig={**held["DistributionConfig"], **more}
        )


def test_the_edge_serves_what_is_deployed(sim: Sim, visitor: Visitor) -> None:
    edge = Edge(sim)
    assert visitor.ask(f"http://{edge.name}/") is None
    edge.deploy()
    moved = page(visitor.ask(f"http://{edge.name}/a?b"))
    assert (moved.status, moved.headers["location"]) == (301, f"https://{edge.name}/a?b")
    assert page(visitor.ask(f"http://{edge.name}/api/sessions/a", "PUT", "1")).status == 307
    found = page(visitor.ask(f"https://{edge.name}/a"))
    assert (found.status, found.headers["x-region"]) == (200, P)
    assert found.headers["x-cache"] == "Miss from cloudfront"
    assert page(visitor.ask(f"https://{edge.name}/a", "PUT", "1")).status == 403
    assert page(visitor.ask(f"https://{edge.name}/api/a", "POST", "1")).status == 405
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        visitor.ask("https://app.drctl.test/", at=edge.name)

    edge.change(Enabled=False)
    assert page(visitor.ask(f"https://{edge.name}/a")).status == 200
    edge.deploy()
    assert visitor.ask(f"https://{edge.name}/a") is None


def test_reads_fail_over_to_the_other_origin_and_writes_do_not(regions: Sim, visitor: Visitor) -> None:
    edge = Edge(regions)
    edge.deploy()
    edge.sites[P].ecs.update_service(cluster="app", service="web", desiredCount=0)
    read = page(visitor.ask(f"https://{edge.name}/sessions/a"))
    assert read.headers["x-region"] == S
    assert page(visitor.ask(f"https://{edge.name}/api/sessions/a", "PUT", "1")).status == 503

    out(regions, P)
    assert page(visitor.ask(f"https://{edge.name}/a")).headers["x-region"] == S
    failed = page(visitor.ask(f"https://{edge.name}/api/sessions/a"))
    assert (failed.status, failed.headers["x-cache"]) == (504, "Error from cloudfront")
    out(regions, S)
    assert page(visitor.ask(f"https://{edge.name}/a")).status == 504


def test_an_origin_over_tls_needs_a_name_that_resolves_and_a_certificate_for_it(
    sim: Sim, visitor: Visitor
) -> None:
    edge = Edge(sim)
    site = edge.sites[P]
    arn = issued_certificate(sim, "drctl.test", "*.drctl.test")
    site.listen(443, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])
    balancer = site.elbv2.describe_load_balancers(LoadBalancerArns=[site.balancer])["LoadBalancers"][0]
    zone = sim.client("route53").list_hosted_zones()["HostedZones"][0]["Id"]

    def alias(name: str) -> None:
        target = {
            "HostedZoneId": balancer["CanonicalHostedZoneId"],
            "DNSName": balancer["DNSName"],
            "EvaluateTargetHealth": False,
        }
        record = {"Name": name, "Type": "A", "AliasTarget": target}
        changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
        sim.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    alias("app.drctl.test")
    alias("a.b.drctl.test")
    sim.advance(120)
    for name, status in (("app.drctl.test", 200), ("a.b.drctl.test", 502), ("none.drctl.test", 502)):
        held = edge.cloudfront.get_distribution_config(Id=edge.id)["DistributionConfig"]["Origins"]["Items"]
        wanted = [
            {
                **one,
                "DomainName": name,
                "CustomOriginConfig": {**one["CustomOriginConfig"], "OriginProtocolPolicy": "https-only"},
            }
            if one["Id"] == "p"
            else one
            for one in held
        ]
        edge.change(Origins=listed(*wanted))
        edge.deploy()
        found = page(visitor.ask(f"https://{edge.name}/api/a"))
        assert found.status == status, name


def test_what_answers_is_the_same_after_a_restart(tmp_path: Path) -> None:
    sim = Sim(client.start(tmp_path, 600.0))
    try:
        edge = Edge(sim)
        edge.deploy()
        before = Visitor(sim)
        address = before.resolve(edge.name)
        assert page(before.ask(f"https://{edge.name}/")).status == 200
        client.stop(tmp_path)
        visitor = Visitor(Sim(client.start(tmp_path, 600.0)))
        assert visitor.resolve(edge.name) == address
        assert page(visitor.ask(f"https://{edge.name}/")).headers["x-region"] == P
    finally:
        client.stop(tmp_path)


def test_assets_come_from_a_bucket_that_lets_the_distribution_read(regions: Sim, visitor: Visitor) -> None:
    edge = Edge(regions)
    edge.deploy()
    url = f"https://{edge.name}/assets/a%20b.txt"
    assert page(visitor.ask(url)).status == 403
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::assets/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": edge.arn}},
    }
    edge.s3.put_bucket_policy(
        Bucket="assets", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    found = page(visitor.ask(url))
    assert (found.status, found.body, found.headers["content-type"]) == (200, b"hello", "text/plain")
    assert page(visitor.ask(f"https://{edge.name}/assets/none")).status == 403
    out(regions, P)
    assert page(visitor.ask(url)).status == 504


def test_what_is_no_request_is_told_so(sim: Sim, visitor: Visitor) -> None:
    site = Site(sim)
    for sent, status in (
        (b"nonsense\r\n\r\n", b"400"),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", b"413"),
    ):
        with visitor.connect(visitor.resolve(site.name), 80) as connection:
            connection.sendall(sent)
            assert connection.recv(1000).split()[1] == status
