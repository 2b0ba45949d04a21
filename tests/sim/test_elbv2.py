"""Elastic Load Balancing as strict and as slow as AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Sim
from tests.sim.network import Network, Web, code


@pytest.fixture
def web(sim: Sim) -> Web:
    return Web(sim)


def test_a_load_balancer_is_provisioned_and_leaves_interfaces_behind(web: Web) -> None:
    def state() -> str:
        shown = web.elbv2.describe_load_balancers(LoadBalancerArns=[web.balancer])["LoadBalancers"][0]
        return str(shown["State"]["Code"])

    assert state() == "provisioning"
    web.sim.advance(200)
    assert state() == "active"
    assert {shown["SubnetId"] for shown in web.interfaces()} == set(web.public)

    web.elbv2.delete_load_balancer(LoadBalancerArn=web.balancer)
    with pytest.raises(ClientError) as error:
        state()
    assert code(error) == "LoadBalancerNotFound"
    for refused in (
        lambda: web.ec2.delete_security_group(GroupId=web.group),
        lambda: web.ec2.delete_subnet(SubnetId=web.public[0]),
        lambda: web.ec2.detach_internet_gateway(InternetGatewayId=web.gateway, VpcId=web.vpc),
    ):
        with pytest.raises(ClientError) as error:
            refused()
        assert code(error) == "DependencyViolation"
    web.sim.advance(40)
    web.ec2.delete_security_group(GroupId=web.group)
    web.ec2.detach_internet_gateway(InternetGatewayId=web.gateway, VpcId=web.vpc)
    web.elbv2.delete_load_balancer(LoadBalancerArn=web.balancer)


def test_the_same_settings_return_the_same_thing_and_others_are_a_duplicate(web: Web) -> None:
    listener = web.listen()
    again = web.elbv2.create_load_balancer(**web.balancer_wish)["LoadBalancers"][0]
    assert again["LoadBalancerArn"] == web.balancer
    assert again["CanonicalHostedZoneId"] == "Z35SXDOTRQ7X7K"
    assert (
        web.elbv2.create_target_group(**web.target_wish)["TargetGroups"][0]["TargetGroupArn"] == web.targets
    )
    assert web.listen() == listener
    redirect = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}}
    for expected, refused in (
        (
            "DuplicateLoadBalancerName",
            lambda: web.elbv2.create_load_balancer(**{**web.balancer_wish, "Scheme": "internal"}),
        ),
        (
            "DuplicateTargetGroupName",
            lambda: web.elbv2.create_target_group(**{**web.target_wish, "HealthCheckPath": "/other"}),
        ),
        ("DuplicateListener", lambda: web.listen(DefaultActions=[redirect])),
    ):
        with pytest.raises(ClientError) as error:
            refused()
        assert code(error) == expected


def test_actions_are_shown_with_what_aws_fills_in(web: Web) -> None:
    web.listen()
    redirect = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}}
    web.listen(81, DefaultActions=[redirect])
    shown = web.elbv2.describe_listeners(LoadBalancerArn=web.balancer)["Listeners"]
    forward, moved = (
        listener["DefaultActions"][0] for listener in sorted(shown, key=lambda one: one["Port"])
    )
    assert forward["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": web.targets, "Weight": 1}]
    assert moved["RedirectConfig"] == {
        "Protocol": "HTTPS",
        "Port": "#{port}",
        "Host": "#{host}",
        "Path": "/#{path}",
        "Query": "#{query}",
        "StatusCode": "HTTP_301",
    }
    assert not any("SslPolicy" in listener for listener in shown)


def test_new_security_groups_move_to_the_interfaces(web: Web) -> None:
    other = web.make_group("other")
    web.elbv2.set_security_groups(LoadBalancerArn=web.balancer, SecurityGroups=[other])
    web.ec2.delete_security_group(GroupId=web.group)
    with pytest.raises(ClientError) as error:
        web.ec2.delete_security_group(GroupId=other)
    assert code(error) == "DependencyViolation"


def test_a_target_is_initial_healthy_draining_and_gone(web: Web) -> None:
    target = {"Id": "10.0.2.10"}
    web.elbv2.modify_target_group_attributes(
        TargetGroupArn=web.targets,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
    )
    web.elbv2.register_targets(TargetGroupArn=web.targets, Targets=[target])
    assert web.health() == ["unused"]
    web.listen()
    web.sim.advance(1)
    assert web.health() == ["initial"]
    web.sim.advance(300)
    assert web.health() == ["healthy"]
    web.elbv2.deregister_targets(TargetGroupArn=web.targets, Targets=[target])
    assert web.health() == ["draining"]
    web.sim.advance(40)
    assert web.health() == []


def test_a_target_group_in_use_stays_until_its_listener_is_gone(web: Web) -> None:
    listener = web.listen()
    with pytest.raises(ClientError) as error:
        web.elbv2.delete_target_group(TargetGroupArn=web.targets)
    assert code(error) == "ResourceInUse"
    other = {**web.balancer_wish, "Name": "other"}
    second = web.elbv2.create_load_balancer(**other)["LoadBalancers"][0]["LoadBalancerArn"]
    with pytest.raises(ClientError) as error:
        web.elbv2.create_listener(
            LoadBalancerArn=second,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": web.targets}],
        )
    assert code(error) == "TargetGroupAssociationLimit"
    web.elbv2.delete_listener(ListenerArn=listener)
    (shown,) = web.elbv2.describe_target_groups(TargetGroupArns=[web.targets])["TargetGroups"]
    assert shown["LoadBalancerArns"] == []
    web.elbv2.delete_target_group(TargetGroupArn=web.targets)


def test_a_listener_takes_issued_certificates_of_its_region_only(web: Web) -> None:
    def request(region: str) -> str:
        acm = web.sim.client("acm", region)
        return str(acm.request_certificate(DomainName="a.test", ValidationMethod="DNS")["CertificateArn"])

    pending, elsewhere = request("us-east-1"), request("us-west-2")
    https: dict[str, Any] = {"Protocol": "HTTPS", "port": 443}
    for expected, wish in (
        ("ValidationError", {}),
        ("UnsupportedCertificate", {"Certificates": [{"CertificateArn": pending}]}),
        ("CertificateNotFound", {"Certificates": [{"CertificateArn": pending[:-4] + "ffff"}]}),
        ("ValidationError", {"Certificates": [{"CertificateArn": elsewhere}]}),
        ("SSLPolicyNotFound", {"Certificates": [{"CertificateArn": pending}], "SslPolicy": "none"}),
        ("ValidationError", {"Protocol": "HTTP", "Certificates": [{"CertificateArn": pending}]}),
    ):
        with pytest.raises(ClientError) as error:
            web.listen(**{**https, **wish})
        assert code(error) == expected, wish


def test_load_balancers_that_aws_refuses(sim: Sim) -> None:
    network = Network(sim)
    elsewhere = Network(sim, second=1)
    alone = sim.client("ec2").create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    shut = [
        network.ec2.create_subnet(
            VpcId=alone, CidrBlock=f"10.7.{i}.0/24", AvailabilityZone=f"us-east-1{zone}"
        )
        for i, zone in enumerate("ab")
    ]
    elbv2 = sim.client("elbv2")
    wish = {"Name": "web", "Subnets": network.public, "SecurityGroups": [network.group]}
    for expected, change in (
        ("ValidationError", {"Name": "-web"}),
        ("ValidationError", {"Subnets": network.public[:1]}),
        ("InvalidConfigurationRequest", {"Subnets": [network.public[0], network.private[0]]}),
        ("SubnetNotFound", {"Subnets": [network.public[0], "subnet-0"]}),
        ("InvalidSecurityGroup", {"SecurityGroups": ["sg-0"]}),
        ("InvalidSecurityGroup", {"SecurityGroups": [elsewhere.group]}),
        ("InvalidSubnet", {"Subnets": [made["Subnet"]["SubnetId"] for made in shut], "SecurityGroups": []}),
    ):
        with pytest.raises(ClientError) as error:
            elbv2.create_load_balancer(**{**wish, **change})
        assert code(error) == expected, change


def test_deletion_protection_holds(web: Web) -> None:
    def protect(value: str) -> None:
        web.elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=web.balancer,
            Attributes=[{"Key": "deletion_protection.enabled", "Value": value}],
        )

    protect("true")
    with pytest.raises(ClientError) as error:
        web.elbv2.delete_load_balancer(LoadBalancerArn=web.balancer)
    assert code(error) == "OperationNotPermitted"
    protect("false")
    web.elbv2.delete_load_balancer(LoadBalancerArn=web.balancer)
    with pytest.raises(ClientError) as error:
        web.elbv2.describe_tags(ResourceArns=[web.balancer])
    assert code(error) == "LoadBalancerNotFound"


def test_access_logs_need_a_bucket_that_the_load_balancer_can_write(web: Web) -> None:
    s3 = web.sim.client("s3")
    s3.create_bucket(Bucket="balancer-logs")

    def enable() -> None:
        attributes = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "balancer-logs"}
        web.elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=web.balancer,
            Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()],
        )

    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::balancer-logs/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    encrypted = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
    steps: list[Callable[[], Any]] = [
        lambda: None,
        lambda: s3.put_bucket_encryption(Bucket="balancer-logs", ServerSideEncryptionConfiguration=encrypted),
    ]
    for prepare in steps:
        prepare()
        with pytest.raises(ClientError) as error:
            enable()
        assert code(error) == "InvalidConfigurationRequest"
        s3.put_bucket_policy(Bucket="balancer-logs", Policy=policy)
    s3.delete_bucket_encryption(Bucket="balancer-logs")
    enable()
