"""What stands in front of both regions, as AWS shows it: names, health checks, the switch, CloudFront."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.environment import DOMAIN, ENVIRONMENT, Built, P, S
from tests.stranger import View

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)
READS = {"GET", "HEAD", "OPTIONS"}
ALL = READS | {"PUT", "POST", "PATCH", "DELETE"}


def test_every_region_has_a_name_and_the_failover_name_has_both(built: Built) -> None:
    records = _records(built)
    dns = {region: _dns_name(built, region) for region in (P, S)}
    for region in (P, S):
        assert dns[region] in records[f"{region}.{DOMAIN}.", "A", ""]["AliasTarget"]["DNSName"]
    checks = _checks(built)
    for role, region, check in (("PRIMARY", P, "primary"), ("SECONDARY", S, "endpoint-standby")):
        (record,) = (
            each for each in records.values() if each["Name"] == f"app.{DOMAIN}." and each["Failover"] == role
        )
        assert dns[region] in record["AliasTarget"]["DNSName"]
        assert record["AliasTarget"]["EvaluateTargetHealth"]
        assert record["HealthCheckId"] == checks[check]["Id"]


def test_the_domain_itself_is_the_distribution(built: Built) -> None:
    name = _distribution(built)["DomainName"]
    for kind in ("A", "AAAA"):
        assert name in _records(built)[f"{DOMAIN}.", kind, ""]["AliasTarget"]["DNSName"]


def test_each_region_is_checked_over_https_on_its_own_name(built: Built) -> None:
    for role, region in (("primary", P), ("standby", S)):
        config = _checks(built)[f"endpoint-{role}"]["HealthCheckConfig"]
        assert (config["Type"], config["Port"]) == ("HTTPS", 443)
        assert config["FullyQualifiedDomainName"] == f"{region}.{DOMAIN}"
        assert (config["RequestInterval"], config["FailureThreshold"]) == (10, 3)


def test_the_switch_is_an_alarm_of_s_that_the_primarys_check_takes_into_account(built: Built) -> None:
    """PRIMARY is healthy while its endpoint is AND nobody has thrown the switch: two of two."""
    checks = _checks(built)
    switch = checks["switch"]["HealthCheckConfig"]
    assert switch["Type"] == "CLOUDWATCH_METRIC"
    assert switch["AlarmIdentifier"] == {"Region": S, "Name": "demo-failover-trigger"}
    combined = checks["primary"]["HealthCheckConfig"]
    assert combined["Type"] == "CALCULATED"
    assert set(combined["ChildHealthChecks"]) == {checks["endpoint-primary"]["Id"], checks["switch"]["Id"]}
    assert combined["HealthThreshold"] == 2
    (alarm,) = built.client("cloudwatch", S).describe_alarms(AlarmNames=["demo-failover-trigger"])[
        "MetricAlarms"
    ]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("drctl", "FailoverTrigger")
    assert alarm["TreatMissingData"] == "ignore", "the switch stays where it was put"


def test_a_certificate_is_issued_in_each_region(built: Built) -> None:
    for region in (P, S):
        acm = built.client("acm", region)
        found = []
        for summary in acm.list_certificates()["CertificateSummaryList"]:
            arn = summary["CertificateArn"]
            tags = {t["Key"]: t["Value"] for t in acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]}
            if tags.get("drctl:environment") == "demo":
                found.append(acm.describe_certificate(CertificateArn=arn)["Certificate"])
        (certificate,) = found
        assert certificate["Status"] == "ISSUED"
        assert set(certificate["SubjectAlternativeNames"]) == {DOMAIN, f"*.{DOMAIN}"}


def test_cloudfront_fails_reads_over_and_sends_the_rest_to_the_failover_name(built: Built) -> None:
    """Only GET, HEAD and OPTIONS fail over, and only they may be allowed there (CloudFront guide, origin failover)."""
    distribution = _distribution(built)
    config = distribution["DistributionConfig"]
    assert (distribution["Status"], config["Enabled"]) == ("Deployed", True)
    assert config["Aliases"]["Items"] == [DOMAIN]
    viewer = config["ViewerCertificate"]
    assert viewer["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert f":acm:{P}:" in viewer["ACMCertificateArn"]
    assert (
        config["Logging"]["Bucket"].startswith(f"demo-logs-123456789012-{P}.")
        and config["Logging"]["Enabled"]
    )
    origins = {each["Id"]: each for each in config["Origins"]["Items"]}
    groups = {
        each["Id"]: [member["OriginId"] for member in each["Members"]["Items"]]
        for each in config["OriginGroups"]["Items"]
    }
    reads = config["DefaultCacheBehavior"]
    assert set(reads["AllowedMethods"]["Items"]) == READS
    hosts = [origins[member]["DomainName"] for member in groups[reads["TargetOriginId"]]]
    assert hosts == [f"{P}.{DOMAIN}", f"{S}.{DOMAIN}"]
    for host in hosts:
        (origin,) = (each for each in origins.values() if each["DomainName"] == host)
        assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    behaviours = {each["PathPattern"]: each for each in config["CacheBehaviors"]["Items"]}
    writes = behaviours["/api/*"]
    assert set(writes["AllowedMethods"]["Items"]) == ALL
    assert origins[writes["TargetOriginId"]]["DomainName"] == f"app.{DOMAIN}"
    assets = [origins[member] for member in groups[behaviours["/assets/*"]["TargetOriginId"]]]
    assert [each["DomainName"].split(".")[0] for each in assets] == [
        f"demo-assets-123456789012-{region}" for region in (P, S)
    ]
    assert all(each["OriginAccessControlId"] for each in assets)
    assert all(
        each["ViewerProtocolPolicy"] in ("redirect-to-https", "https-only")
        for each in (reads, *behaviours.values())
    )


def test_only_this_distribution_reads_the_assets(built: Built) -> None:
    arn = _distribution(built)["ARN"]
    for region in (P, S):
        name = f"demo-assets-123456789012-{region}"
        policy = json.loads(built.client("s3", region).get_bucket_policy(Bucket=name)["Policy"])
        (allowed,) = (each for each in policy["Statement"] if each["Effect"] == "Allow")
        assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert allowed["Action"] in ("s3:GetObject", ["s3:GetObject"])
        assert list(allowed["Condition"].values()) == [{"AWS:SourceArn": arn}]


def _records(built: Built) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Of our zone: somebody else has one of the same name."""
    route53 = built.client("route53", P)
    theirs = {
        each.parameters["HostedZoneId"]
        for each in built.strangers
        if isinstance(each, View) and each.operation == "list_resource_record_sets"
    }
    (zone,) = (each["Id"] for each in route53.list_hosted_zones()["HostedZones"] if each["Id"] not in theirs)
    records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {(each["Name"], each["Type"], each.get("SetIdentifier", "")): each for each in records}


def _checks(built: Built) -> dict[str, dict[str, Any]]:
    """By the last part of the address in their tags."""
    route53 = built.client("route53", P)
    found = {}
    for check in route53.list_health_checks()["HealthChecks"]:
        shown = route53.list_tags_for_resource(ResourceType="healthcheck", ResourceId=check["Id"])
        tags = {tag["Key"]: tag["Value"] for tag in shown["ResourceTagSet"]["Tags"]}
        if tags.get("drctl:environment") == "demo":
            found[tags["drctl:address"].rpartition("/")[2]] = check
    return found


def _distribution(built: Built) -> dict[str, Any]:
    cloudfront = built.client("cloudfront", P)
    listed = cloudfront.list_distributions()["DistributionList"]["Items"]
    (id_,) = (each["Id"] for each in listed if DOMAIN in each["Aliases"].get("Items", []))
    return dict(cloudfront.get_distribution(Id=id_)["Distribution"])


def _dns_name(built: Built, region: str) -> str:
    balancers = built.client("elbv2", region).describe_load_balancers(Names=["demo-main"])["LoadBalancers"]
    return str(balancers[0]["DNSName"])
