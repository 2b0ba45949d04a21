"""What the world sees: zones, records, health checks, certificates, the distribution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drctl.engine.resource import Resource
from drctl.engine.run import ResourceFailed
from drctl.resources.alarm import Alarm
from drctl.resources.certificate import Certificate
from drctl.resources.distribution import Distribution
from drctl.resources.health_check import AlarmCheck, CalculatedCheck, EndpointCheck, HealthCheck
from drctl.resources.hosted_zone import HostedZone
from drctl.resources.internet_gateway import InternetGateway
from drctl.resources.kms_key import KmsKey
from drctl.resources.load_balancer import LoadBalancer
from drctl.resources.origin_access_control import OriginAccessControl
from drctl.resources.output_of import OutputOf
from drctl.resources.record_set import RecordSet
from drctl.resources.s3_bucket import S3Bucket
from drctl.resources.s3_bucket_policy import S3BucketPolicy
from drctl.resources.security_group import SecurityGroup
from drctl.resources.sns_topic import SnsTopic
from drctl.resources.subnet import Subnet
from drctl.resources.vpc import Vpc
from tests.contract import Damage, Trial, assert_unchanged, whole_life

if TYPE_CHECKING:
    from tests.conftest import Sim

EAST, WEST, GLOBAL = "us-east-1", "us-west-2", "global"
DOMAIN = "airline.test"


def bucket(name: str, region: str, owner: Any = "BucketOwnerEnforced") -> S3Bucket:
    return S3Bucket(
        name=name,
        region=region,
        aws_name=f"trial-{name}-{region}",
        key=None,
        versioned=False,
        logs=None,
        expire_days=None,
        owner=owner,
    )


def load_balancer(region: str, network: int) -> LoadBalancer:
    vpc = Vpc(name="main", region=region, cidr=f"10.{network}.0.0/16")
    subnets = tuple(
        Subnet(name=f"public-{zone}", region=region, vpc=vpc, cidr=f"10.{network}.{part}.0/24", zone=zone)
        for part, zone in enumerate("ab")
    )
    group = SecurityGroup(name="edge", region=region, vpc=vpc, aws_name="trial-edge", description="edge")
    logs = bucket("logs", region, "BucketOwnerPreferred")
    policy = S3BucketPolicy(name="logs", region=region, bucket=logs, receives_logs=True)
    return LoadBalancer(
        name="main",
        region=region,
        aws_name="trial-main",
        internet_gateway=InternetGateway(name="main", region=region, vpc=vpc),
        subnets=subnets,
        security_groups=(group,),
        access_logs=logs,
        access_logs_policy=policy,
    )


PRIMARY, STANDBY = load_balancer(EAST, 0), load_balancer(WEST, 1)
ZONE = HostedZone(name="main", region=GLOBAL, domain=DOMAIN)


def endpoint(interval: int) -> HealthCheck:
    check = EndpointCheck(
        host=f"{EAST}.{DOMAIN}", port=443, path="/health", https=True, interval=interval, threshold=3
    )
    return HealthCheck(name="endpoint-primary", region=GLOBAL, checks=check)


ENDPOINT = endpoint(interval=10)
SWITCH = Alarm(
    name="failover-trigger",
    region=WEST,
    aws_name="trial-failover-trigger",
    namespace="drctl",
    metric="FailoverTrigger",
    dimensions=(("Environment", "trial"),),
    statistic="Maximum",
    threshold=1,
    comparison="GreaterThanOrEqualToThreshold",
    missing="ignore",
    topic=SnsTopic(
        name="alerts",
        region=WEST,
        aws_name="trial-alerts",
        key=KmsKey(name="main", region=WEST, alias="trial-main"),
    ),
)
SWITCHED = HealthCheck(name="switch", region=GLOBAL, checks=AlarmCheck(SWITCH))
CERTIFICATE = Certificate(name="main", region=EAST, domain=DOMAIN, zone=ZONE)


def combined(endpoint: HealthCheck) -> HealthCheck:
    return HealthCheck(name="primary", region=GLOBAL, checks=CalculatedCheck((endpoint, SWITCHED), 2))


def failover_record(check: HealthCheck, zone: HostedZone = ZONE) -> RecordSet:
    return RecordSet(
        name="failover-primary",
        region=GLOBAL,
        zone=zone,
        record_name=f"app.{DOMAIN}",
        type="A",
        alias=PRIMARY,
        evaluate_target_health=True,
        failover="PRIMARY",
        health_check=check,
    )


def simple_record(zone: HostedZone, name: str = f"{EAST}.{DOMAIN}") -> RecordSet:
    return RecordSet(
        name="region-primary",
        region=GLOBAL,
        zone=zone,
        record_name=name,
        type="A",
        alias=PRIMARY,
        evaluate_target_health=False,
    )


CONTROL = OriginAccessControl(name="assets", region=GLOBAL, aws_name="trial-assets")
DISTRIBUTION = Distribution(
    name="main",
    region=GLOBAL,
    comment="trial",
    aliases=(DOMAIN,),
    certificate=CERTIFICATE,
    primary=PRIMARY,
    standby=STANDBY,
    primary_host=f"{EAST}.{DOMAIN}",
    standby_host=f"{WEST}.{DOMAIN}",
    failover_host=f"app.{DOMAIN}",
    assets=(bucket("assets", EAST), bucket("assets", WEST)),
    oac=CONTROL,
    log_bucket=PRIMARY.access_logs,
    price_class="PriceClass_100",
)
WITHOUT_A_DOMAIN = replace(
    DISTRIBUTION,
    aliases=(),
    certificate=None,
    primary_host=None,
    standby_host=None,
    failover_host=None,
    assets=None,
)


@pytest.fixture
def zones(sim: Sim) -> Any:
    return sim.client("route53")


def records(zones: Any, zone_id: str) -> dict[tuple[str, str], dict[str, Any]]:
    """A zone's records by name and type."""
    found = zones.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    return {(each["Name"], each["Type"]): each for each in found}


def put(zones: Any, zone_id: str, action: str, record: dict[str, Any]) -> None:
    changes = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    zones.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=changes)


def text(name: str) -> dict[str, Any]:
    return {"Name": name, "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"theirs"'}]}


def existing_zone(zones: Any) -> str:
    """A zone that somebody made before drctl, with a record in it."""
    made = zones.create_hosted_zone(Name=DOMAIN, CallerReference="by hand")["HostedZone"]["Id"]
    put(zones, made, "CREATE", text(DOMAIN))
    return str(made.rpartition("/")[2])


def damages(sim: Sim) -> dict[str, tuple[Resource[Any], dict[str, Damage]]]:
    """Every kind, and what somebody may do to it behind our back, by the drift that shows it."""
    zones, cloudfront = sim.client("route53"), sim.client("cloudfront")

    def untag(kind: str) -> Damage:
        return lambda made: zones.change_tags_for_resource(
            ResourceType=kind,
            ResourceId=getattr(made, "zone_id", "") or made.health_check_id,
            RemoveTagKeys=["drctl:address"],
        )

    def change_check(**change: object) -> Damage:
        return lambda made: zones.update_health_check(HealthCheckId=made.health_check_id, **change)

    def change_record(action: str, **change: object) -> Damage:
        def damage(made: Any) -> None:
            name, kind, _ = made.record_id.split("|")
            put(zones, made.zone_id, action, {**records(zones, made.zone_id)[name, kind], **change})

        return damage

    def change_distribution(change: Callable[[dict[str, Any]], object]) -> Damage:
        def damage(made: Any) -> None:
            held = cloudfront.get_distribution_config(Id=made.distribution_id)
            change(held["DistributionConfig"])
            cloudfront.update_distribution(
                Id=made.distribution_id, IfMatch=held["ETag"], DistributionConfig=held["DistributionConfig"]
            )

        return damage

    def unsign(made: Any) -> None:
        held = cloudfront.get_origin_access_control_config(Id=made.oac_id)
        config = {**held["OriginAccessControlConfig"], "SigningBehavior": "never"}
        cloudfront.update_origin_access_control(
            Id=made.oac_id, IfMatch=held["ETag"], OriginAccessControlConfig=config
        )

    def unprove(made: Any) -> None:
        zone_id = zones.list_hosted_zones()["HostedZones"][0]["Id"]
        for record in records(zones, zone_id).values():
            if record["Type"] == "CNAME":
                put(zones, zone_id, "DELETE", record)

    def disable(made: Any) -> None:
        change_distribution(lambda config: config.update(Enabled=False))(made)
        sim.advance(600)

    distribution_damages: dict[str, Damage] = {
        "Comment": change_distribution(lambda config: config.update(Comment="mine now")),
        "DefaultCacheBehavior.TargetOriginId": change_distribution(
            lambda config: config["DefaultCacheBehavior"].update(TargetOriginId="primary")
        ),
        "CacheBehaviors.Quantity": change_distribution(
            lambda config: config.update(CacheBehaviors={"Quantity": 0})
        ),
        "Enabled": disable,
    }
    return {
        "zone": (ZONE, {"tags": untag("hostedzone")}),
        "endpoint check": (
            ENDPOINT,
            {
                "tags": untag("healthcheck"),
                "FailureThreshold": change_check(FailureThreshold=9),
                "Disabled": change_check(Disabled=True),
                "absent": lambda made: zones.delete_health_check(HealthCheckId=made.health_check_id),
            },
        ),
        "calculated check": (
            combined(ENDPOINT),
            {
                "HealthThreshold": change_check(HealthThreshold=1),
                "ChildHealthChecks": change_check(ChildHealthChecks=[]),
            },
        ),
        "alarm check": (
            SWITCHED,
            {"InsufficientDataHealthStatus": change_check(InsufficientDataHealthStatus="Unhealthy")},
        ),
        "failover record": (
            failover_record(ENDPOINT),
            {
                "target": change_record(
                    "UPSERT",
                    AliasTarget={
                        "HostedZoneId": "Z35SXDOTRQ7X7K",
                        "DNSName": "elsewhere.us-east-1.elb.amazonaws.com.",
                        "EvaluateTargetHealth": True,
                    },
                ),
                "absent": change_record("DELETE"),
            },
        ),
        "certificate": (CERTIFICATE, {"validation": unprove}),
        "access control": (CONTROL, {"SigningBehavior": unsign}),
        "distribution": (DISTRIBUTION, distribution_damages),
    }


@pytest.mark.parametrize(
    "which",
    [
        "zone",
        "endpoint check",
        "calculated check",
        "alarm check",
        "failover record",
        "certificate",
        "access control",
        "distribution",
    ],
)
def test_it_lives_its_whole_life(sim: Sim, tmp_path: Path, which: str) -> None:
    resource, damage = damages(sim)[which]
    whole_life(sim, tmp_path, resource, damage)


def test_an_existing_zone_is_used_and_left_as_it_was(sim: Sim, tmp_path: Path, zones: Any) -> None:
    zone_id = existing_zone(zones)
    before = records(zones, zone_id)
    zone = HostedZone(name="main", region=GLOBAL, domain=DOMAIN, zone_id=zone_id)
    certificate = replace(CERTIFICATE, zone=zone)
    record = simple_record(zone)
    with Trial(sim, tmp_path) as trial:
        assert trial.ensure(zone) == "unchanged"
        trial.ensure(record, certificate)
        assert records(zones, zone_id).keys() > before.keys()
        trial.remove_all(record, certificate)
        assert dict(trial.run.ledger.records()) == {}
    assert records(zones, zone_id) == before
    tags = zones.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id)
    assert tags["ResourceTagSet"]["Tags"] == []


def test_a_zone_of_ours_gives_way_to_an_existing_one(sim: Sim, tmp_path: Path, zones: Any) -> None:
    with Trial(sim, tmp_path) as trial:
        trial.ensure(ZONE)
        old = trial.outputs(ZONE).zone_id
        adopted = replace(ZONE, zone_id=existing_zone(zones))
        assert trial.inspect(adopted).action == "replace"
        assert trial.ensure(adopted) == "replace"
        assert trial.outputs(adopted).zone_id == adopted.zone_id
    assert (
        [zone["Id"] for zone in zones.list_hosted_zones()["HostedZones"]]
        == [f"/hostedzone/{adopted.zone_id}"]
        != [old]
    )


def test_a_zone_of_ours_goes_with_what_others_put_into_it(sim: Sim, tmp_path: Path, zones: Any) -> None:
    with Trial(sim, tmp_path) as trial:
        trial.ensure(ZONE)
        put(zones, trial.outputs(ZONE).zone_id, "CREATE", text(f"mail.{DOMAIN}"))
        trial.remove(ZONE)
    assert zones.list_hosted_zones()["HostedZones"] == []


def test_records_of_others_are_left_alone(sim: Sim, tmp_path: Path, zones: Any) -> None:
    zone_id = existing_zone(zones)
    theirs = {"Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "203.0.113.1"}]}
    for name in (f"{EAST}.{DOMAIN}", f"app.{DOMAIN}"):
        put(zones, zone_id, "CREATE", {"Name": name, **theirs})
    before = records(zones, zone_id)
    zone = HostedZone(name="main", region=GLOBAL, domain=DOMAIN, zone_id=zone_id)
    with Trial(sim, tmp_path) as trial:
        for record in (simple_record(zone), failover_record(ENDPOINT, zone)):
            with pytest.raises(ResourceFailed) as failure:
                trial.ensure(record)
            assert "drctl did not make" in failure.value.diagnostic.cause
            trial.remove(record)
    assert records(zones, zone_id) == before


def test_a_renamed_record_leaves_nothing_under_its_old_name(sim: Sim, tmp_path: Path, zones: Any) -> None:
    with Trial(sim, tmp_path) as trial:
        trial.ensure(simple_record(ZONE))
        renamed = simple_record(ZONE, f"*.{DOMAIN}")
        assert trial.ensure(renamed) == "replace"
        assert_unchanged(trial, renamed)
        held = records(zones, trial.outputs(ZONE).zone_id)
    assert [name for name, kind in held if kind == "A"] == [f"\\052.{DOMAIN}."]


def test_a_lost_answer_leaves_one_record_which_is_known_again(sim: Sim, tmp_path: Path, zones: Any) -> None:
    record = simple_record(ZONE)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(ZONE)
        sim.fault("lost", service="route53", operation="ChangeResourceRecordSets", times=1)
        assert trial.ensure(record) == "create"
        assert_unchanged(trial, record)
        trial.remove(record)
        held = records(zones, trial.outputs(ZONE).zone_id)
    assert {kind for _, kind in held} == {"NS", "SOA"}


def test_another_interval_is_another_health_check(sim: Sim, tmp_path: Path, zones: Any) -> None:
    slower = endpoint(interval=30)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(failover_record(combined(ENDPOINT)))
        first = trial.outputs(ENDPOINT).health_check_id
        direct = failover_record(slower)
        assert trial.inspect(slower).action == "replace"
        trial.ensure(combined(slower), direct)
        assert_unchanged(trial, combined(slower))
        second = trial.outputs(slower).health_check_id
        held = records(zones, trial.outputs(ZONE).zone_id)
    checks = {check["Id"]: check["HealthCheckConfig"] for check in zones.list_health_checks()["HealthChecks"]}
    assert first not in checks
    assert checks[second]["RequestInterval"] == 30
    assert held[f"app.{DOMAIN}.", "A"]["HealthCheckId"] == second


def test_certificates_of_two_regions_share_their_proof_and_take_it_along(
    sim: Sim, tmp_path: Path, zones: Any
) -> None:
    other = replace(CERTIFICATE, region=WEST)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(CERTIFICATE, other)
        zone_id = trial.outputs(ZONE).zone_id
        assert [kind for _, kind in records(zones, zone_id)].count("CNAME") == 1
        trial.remove(CERTIFICATE)
        assert trial.ensure(other) == "update"
        trial.remove(other)
        assert {kind for _, kind in records(zones, zone_id)} == {"NS", "SOA"}


def test_the_proof_of_somebody_elses_certificate_stays(sim: Sim, tmp_path: Path, zones: Any) -> None:
    acm = sim.client("acm")
    zone_id = existing_zone(zones)
    theirs = acm.request_certificate(DomainName=DOMAIN, ValidationMethod="DNS")["CertificateArn"]
    sim.advance(10)
    options = acm.describe_certificate(CertificateArn=theirs)["Certificate"]["DomainValidationOptions"]
    proof = options[0]["ResourceRecord"]
    values = {"TTL": 60, "ResourceRecords": [{"Value": proof["Value"]}]}
    put(zones, zone_id, "CREATE", {"Name": proof["Name"], "Type": "CNAME", **values})
    certificate = replace(CERTIFICATE, zone=replace(ZONE, zone_id=zone_id))
    with Trial(sim, tmp_path) as trial:
        trial.ensure(certificate)
        trial.remove(certificate)
    assert (proof["Name"], "CNAME") in records(zones, zone_id)
    assert [each["CertificateArn"] for each in acm.list_certificates()["CertificateSummaryList"]] == [theirs]


def test_a_host_may_be_known_only_after_up(sim: Sim, tmp_path: Path) -> None:
    check = replace(
        ENDPOINT,
        checks=EndpointCheck(OutputOf(PRIMARY, "dns_name"), 80, "/", https=False, interval=30, threshold=3),
    )
    with Trial(sim, tmp_path) as trial:
        assert trial.inspect(check).action == "create"
        trial.ensure(check)
        assert_unchanged(trial, check)


def test_somebody_elses_access_control_is_left_alone(sim: Sim, tmp_path: Path) -> None:
    cloudfront = sim.client("cloudfront")
    theirs = {
        "Name": CONTROL.aws_name,
        "SigningProtocol": "sigv4",
        "SigningBehavior": "never",
        "OriginAccessControlOriginType": "s3",
    }
    cloudfront.create_origin_access_control(OriginAccessControlConfig=theirs)
    with Trial(sim, tmp_path) as trial:
        with pytest.raises(ResourceFailed):
            trial.ensure(CONTROL)
        trial.remove(CONTROL)
    held = cloudfront.list_origin_access_controls()["OriginAccessControlList"]["Items"]
    assert [each["SigningBehavior"] for each in held] == ["never"]
