"""ACM: the record that proves a domain, and the wait until ACM has seen it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def describe(sim: Any, arn: str) -> Any:
    return sim.client("acm", arn.split(":")[3]).describe_certificate(CertificateArn=arn)["Certificate"]


def records(certificate: Any) -> list[tuple[str, str]]:
    """The distinct validation records of a certificate."""
    found = (option["ResourceRecord"] for option in certificate["DomainValidationOptions"])
    return sorted({(record["Name"], record["Value"]) for record in found})


def publish(sim: Any, zone: str, certificate: Any) -> None:
    changes = [
        {
            "Action": "UPSERT",
            "ResourceRecordSet": {
                "Name": name,
                "Type": "CNAME",
                "TTL": 60,
                "ResourceRecords": [{"Value": value}],
            },
        }
        for name, value in records(certificate)
    ]
    sim.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def create_zone(sim: Any, name: str = "drctl.test") -> str:
    return str(sim.client("route53").create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"])


def issued_certificate(sim: Any, domain: str, *others: str) -> str:
    """A certificate of us-east-1, validated through a zone that is made for it."""
    arn = str(
        sim.client("acm").request_certificate(
            DomainName=domain, SubjectAlternativeNames=[domain, *others], ValidationMethod="DNS"
        )["CertificateArn"]
    )
    sim.advance(10)
    publish(sim, create_zone(sim, domain), describe(sim, arn))
    sim.advance(200)
    assert describe(sim, arn)["Status"] == "ISSUED"
    return arn


def test_a_certificate_is_issued_only_after_its_record_exists(sim: Any) -> None:
    sim.set_speed(1)
    zone = create_zone(sim)
    request = {"DomainName": "drctl.test", "ValidationMethod": "DNS", "IdempotencyToken": "token"}
    arn = sim.client("acm").request_certificate(**request)["CertificateArn"]
    assert sim.client("acm").request_certificate(**request)["CertificateArn"] == arn
    assert "ResourceRecord" not in describe(sim, arn)["DomainValidationOptions"][0]
    sim.advance(3600)
    pending = describe(sim, arn)
    assert pending["Status"] == "PENDING_VALIDATION"
    assert "IssuedAt" not in pending
    publish(sim, zone, pending)
    assert describe(sim, arn)["Status"] == "PENDING_VALIDATION"
    sim.advance(200)
    done = describe(sim, arn)
    assert (done["Status"], done["DomainValidationOptions"][0]["ValidationStatus"]) == ("ISSUED", "SUCCESS")


def test_one_record_proves_a_domain_in_every_region_and_its_wildcard(sim: Any) -> None:
    zone = create_zone(sim)
    arns = [
        sim.client("acm", region).request_certificate(
            DomainName="drctl.test", SubjectAlternativeNames=["*.drctl.test"], ValidationMethod="DNS"
        )["CertificateArn"]
        for region in ("us-east-1", "us-west-2")
    ]
    sim.advance(10)
    first, second = (describe(sim, arn) for arn in arns)
    assert records(first) == records(second)
    assert len(records(first)) == 1
    publish(sim, zone, first)
    sim.advance(200)
    assert [describe(sim, arn)["Status"] for arn in arns] == ["ISSUED", "ISSUED"]
    later = sim.client("acm").request_certificate(DomainName="drctl.test", ValidationMethod="DNS")
    sim.advance(200)
    assert describe(sim, later["CertificateArn"])["Status"] == "ISSUED"


def test_a_token_of_a_deleted_certificate_asks_for_a_new_one(sim: Any) -> None:
    acm = sim.client("acm")
    request = {"DomainName": "drctl.test", "ValidationMethod": "DNS", "IdempotencyToken": "token"}
    tags = [{"Key": "a", "Value": "b"}]
    first = acm.request_certificate(**request, Tags=tags)["CertificateArn"]
    assert acm.list_tags_for_certificate(CertificateArn=first)["Tags"] == tags
    acm.delete_certificate(CertificateArn=first)
    assert acm.request_certificate(**request, Tags=tags)["CertificateArn"] != first


def test_a_certificate_of_a_listener_stays(sim: Any) -> None:
    arn = issued_certificate(sim, "drctl.test")
    ec2, balancers = sim.client("ec2"), sim.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    sim.advance(30)
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")[
            "Subnet"
        ]
        for n, zone in enumerate("ab")
    ]
    sim.advance(30)
    balancer = balancers.create_load_balancer(Name="lb", Subnets=[one["SubnetId"] for one in subnets])
    balancer_arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    group = balancers.create_target_group(Name="tg", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    sim.advance(300)
    listener = balancers.create_listener(
        LoadBalancerArn=balancer_arn,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroups"][0]["TargetGroupArn"]}],
    )["Listeners"][0]["ListenerArn"]
    assert describe(sim, arn)["InUseBy"] == [balancer_arn]
    with pytest.raises(ClientError) as caught:
        sim.client("acm").delete_certificate(CertificateArn=arn)
    assert code(caught) == "ResourceInUseException"
    balancers.delete_listener(ListenerArn=listener)
    sim.client("acm").delete_certificate(CertificateArn=arn)
