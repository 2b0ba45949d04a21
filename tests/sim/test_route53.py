"""Route 53: zones, records as a consistent whole, health checks and their versions."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sim.test_names import Resolver, change_records

ZONE = "drctl.test"
ALIAS = {
    "HostedZoneId": "Z35SXDOTRQ7X7K",
    "DNSName": "lb.us-east-1.elb.amazonaws.com",
    "EvaluateTargetHealth": True,
}


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture
def dns(sim: Any) -> Any:
    return sim.client("route53")


@pytest.fixture
def zone(dns: Any) -> str:
    return str(dns.create_hosted_zone(Name=ZONE, CallerReference="zone")["HostedZone"]["Id"])


def simple(name: str, *values: str, type: str = "A", ttl: int = 60) -> dict[str, Any]:
    return {"Name": name, "Type": type, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}


def failover(role: str, identifier: str | None = None, **more: Any) -> dict[str, Any]:
    named = {"SetIdentifier": identifier or role.lower(), "Failover": role, "AliasTarget": ALIAS}
    return {"Name": f"app.{ZONE}", "Type": "A", **named, **more}


def change(dns: Any, zone: str, *pairs: tuple[str, dict[str, Any]]) -> Any:
    changes = [{"Action": action, "ResourceRecordSet": record} for action, record in pairs]
    return dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})["ChangeInfo"]


def endpoint(**more: Any) -> dict[str, Any]:
    return {"Type": "HTTPS", "FullyQualifiedDomainName": f"p.{ZONE}", "ResourcePath": "/health", **more}


def create_check(dns: Any, reference: str, config: dict[str, Any]) -> Any:
    return dns.create_health_check(CallerReference=reference, HealthCheckConfig=config)["HealthCheck"]


def create_alarm(sim: Any, **more: Any) -> None:
    settings = {
        "AlarmName": "switch",
        "Namespace": "drctl",
        "MetricName": "FailoverTrigger",
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }
    given = {name: value for name, value in (settings | more).items() if value is not None}
    sim.client("cloudwatch", "us-west-2").put_metric_alarm(**given)


def test_a_hosted_zone_answers_to_its_reference_and_goes_only_when_empty(dns: Any, zone: str) -> None:
    made = dns.get_hosted_zone(Id=zone)
    assert len(made["DelegationSet"]["NameServers"]) == 4
    assert made["HostedZone"]["ResourceRecordSetCount"] == 2
    with pytest.raises(ClientError) as caught:
        dns.create_hosted_zone(Name=ZONE, CallerReference="zone")
    assert code(caught) == "HostedZoneAlreadyExists"
    change(dns, zone, ("CREATE", simple(f"a.{ZONE}", "192.0.2.1")))
    with pytest.raises(ClientError) as caught:
        dns.delete_hosted_zone(Id=zone)
    assert code(caught) == "HostedZoneNotEmpty"
    change(dns, zone, ("DELETE", simple(f"a.{ZONE}", "192.0.2.1")))
    dns.delete_hosted_zone(Id=zone)
    with pytest.raises(ClientError) as caught:
        dns.get_hosted_zone(Id=zone)
    assert code(caught) == "NoSuchHostedZone"


@pytest.mark.parametrize("name", ["example.com", "www.example.net", "bad_domain..test"])
def test_reserved_and_malformed_names_are_refused(dns: Any, name: str) -> None:
    with pytest.raises(ClientError) as caught:
        dns.create_hosted_zone(Name=name, CallerReference="x")
    assert code(caught) == "InvalidDomainName"


def test_a_change_is_pending_until_every_server_has_it(sim: Any, dns: Any, zone: str) -> None:
    sim.set_speed(1)
    info = change(dns, zone, ("UPSERT", simple(f"a.{ZONE}", "192.0.2.1")))
    assert dns.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "PENDING"
    sim.advance(60)
    assert dns.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    with pytest.raises(ClientError) as caught:
        dns.get_change(Id="C0UNKNOWN")
    assert code(caught) == "NoSuchChange"


def test_tags_of_zones_and_checks(dns: Any, zone: str) -> None:
    check = create_check(dns, "c", endpoint())["Id"]
    for kind, identifier in (("hostedzone", zone.rsplit("/", 1)[-1]), ("healthcheck", check)):
        named = {"ResourceType": kind, "ResourceId": identifier}
        dns.change_tags_for_resource(
            **named, AddTags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
        )
        dns.change_tags_for_resource(**named, RemoveTagKeys=["b"])
        assert dns.list_tags_for_resource(**named)["ResourceTagSet"]["Tags"] == [{"Key": "a", "Value": "1"}]
    with pytest.raises(ClientError) as caught:
        dns.list_tags_for_resource(ResourceType="healthcheck", ResourceId="none")
    assert code(caught) == "NoSuchHealthCheck"


HELD = (
    ("CREATE", simple(f"simple.{ZONE}", "192.0.2.1")),
    ("CREATE", simple(f"cname.{ZONE}", "elsewhere.test", type="CNAME")),
    ("CREATE", failover("PRIMARY")),
    ("CREATE", failover("SECONDARY")),
)


@pytest.mark.parametrize(
    ("refused", "pair"),
    [
        ("InvalidChangeBatch", ("CREATE", simple(f"simple.{ZONE}", "192.0.2.9"))),
        ("InvalidChangeBatch", ("DELETE", simple(f"simple.{ZONE}", "192.0.2.9"))),
        ("InvalidChangeBatch", ("DELETE", simple(f"simple.{ZONE}", "192.0.2.1", ttl=61))),
        ("InvalidChangeBatch", ("DELETE", simple(f"none.{ZONE}", "192.0.2.1"))),
        ("InvalidChangeBatch", ("UPSERT", simple("other.test", "192.0.2.1"))),
        ("InvalidChangeBatch", ("UPSERT", simple(f"app.{ZONE}", "192.0.2.1"))),
        ("InvalidChangeBatch", ("UPSERT", failover("PRIMARY", "another"))),
        ("InvalidChangeBatch", ("UPSERT", simple(f"cname.{ZONE}", "192.0.2.1"))),
        ("InvalidChangeBatch", ("UPSERT", simple(ZONE, "elsewhere.test", type="CNAME"))),
        ("InvalidChangeBatch", ("UPSERT", simple(f"a.{ZONE}", "not an address"))),
        ("InvalidChangeBatch", ("UPSERT", simple(f"t.{ZONE}", "unquoted", type="TXT"))),
        ("NoSuchHealthCheck", ("UPSERT", failover("PRIMARY", HealthCheckId="no-such-check"))),
        ("InvalidInput", ("UPSERT", {"Name": f"x.{ZONE}", "Type": "A"})),
        ("InvalidInput", ("UPSERT", {**simple(f"x.{ZONE}", "192.0.2.1"), "Failover": "PRIMARY"})),
        (
            "InvalidChangeBatch",
            (
                "UPSERT",
                {
                    "Name": f"edge.{ZONE}",
                    "Type": "A",
                    "AliasTarget": {
                        "HostedZoneId": "Z2FDTNDATAQYW2",
                        "DNSName": "d1.cloudfront.net",
                        "EvaluateTargetHealth": True,
                    },
                },
            ),
        ),
    ],
)
def test_a_refused_batch_changes_nothing(dns: Any, zone: str, refused: str, pair: tuple[str, Any]) -> None:
    change(dns, zone, *HELD)
    before = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    with pytest.raises(ClientError) as caught:
        change(dns, zone, ("UPSERT", simple(f"good.{ZONE}", "192.0.2.7")), pair)
    assert code(caught) == refused
    assert dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"] == before


def test_one_batch_may_swap_primary_and_secondary(dns: Any, zone: str) -> None:
    change(dns, zone, *HELD)
    change(
        dns, zone, ("UPSERT", failover("SECONDARY", "primary")), ("UPSERT", failover("PRIMARY", "secondary"))
    )
    records = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert {one["SetIdentifier"]: one["Failover"] for one in records if "Failover" in one} == {
        "primary": "SECONDARY",
        "secondary": "PRIMARY",
    }
    assert all(one["AliasTarget"]["EvaluateTargetHealth"] for one in records if "Failover" in one)


def test_listing_is_paged_in_the_order_of_reversed_labels(dns: Any, zone: str) -> None:
    change(dns, zone, *HELD)
    names: list[tuple[str, str]] = []
    position: dict[str, str] = {}
    while True:
        page = dns.list_resource_record_sets(HostedZoneId=zone, MaxItems="2", **position)
        names += [(one["Name"], one.get("SetIdentifier", "")) for one in page["ResourceRecordSets"]]
        if not page["IsTruncated"]:
            break
        following = {
            "Name": "StartRecordName",
            "Type": "StartRecordType",
            "Identifier": "StartRecordIdentifier",
        }
        position = {
            parameter: page[f"NextRecord{name}"]
            for name, parameter in following.items()
            if f"NextRecord{name}" in page
        }
    assert names == [
        (f"{ZONE}.", ""),
        (f"{ZONE}.", ""),
        (f"app.{ZONE}.", "primary"),
        (f"app.{ZONE}.", "secondary"),
        (f"cname.{ZONE}.", ""),
        (f"simple.{ZONE}.", ""),
    ]


def test_a_caller_reference_means_one_health_check_for_ever(dns: Any) -> None:
    first = create_check(dns, "c", endpoint())
    assert create_check(dns, "c", endpoint())["Id"] == first["Id"]
    with pytest.raises(ClientError) as caught:
        create_check(dns, "c", endpoint(RequestInterval=10))
    assert code(caught) == "HealthCheckAlreadyExists"
    dns.delete_health_check(HealthCheckId=first["Id"])
    with pytest.raises(ClientError) as caught:
        create_check(dns, "c", endpoint())
    assert code(caught) == "HealthCheckAlreadyExists"


def test_an_update_moves_the_version_and_only_the_current_one_may_be_changed(dns: Any) -> None:
    made = create_check(
        dns, "c", endpoint(RequestInterval=10, Regions=["us-east-1", "eu-west-1", "us-west-2"])
    )
    assert made["HealthCheckConfig"]["Port"] == 443
    updated = dns.update_health_check(HealthCheckId=made["Id"], HealthCheckVersion=1, FailureThreshold=5)
    assert updated["HealthCheck"]["HealthCheckVersion"] == 2
    config = updated["HealthCheck"]["HealthCheckConfig"]
    assert (config["RequestInterval"], config["FailureThreshold"], len(config["Regions"])) == (10, 5, 3)
    with pytest.raises(ClientError) as caught:
        dns.update_health_check(HealthCheckId=made["Id"], HealthCheckVersion=1, Inverted=True)
    assert code(caught) == "HealthCheckVersionMismatch"


@pytest.mark.parametrize(
    "config",
    [
        {"Type": "HTTPS"},
        endpoint(RequestInterval=20),
        endpoint(AlarmIdentifier={"Region": "us-west-2", "Name": "switch"}),
        endpoint(Regions=["us-east-1", "eu-west-1", "eu-north-1"]),
        {"Type": "CALCULATED", "ChildHealthChecks": []},
        {"Type": "CALCULATED", "HealthThreshold": 1, "ChildHealthChecks": ["no-such-check"]},
        {"Type": "CLOUDWATCH_METRIC"},
        {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Region": "us-west-2", "Name": "none"}},
    ],
)
def test_settings_that_do_not_fit_the_type_are_refused(dns: Any, config: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        create_check(dns, "c", config)
    assert code(caught) == "InvalidInput"


COUNTED = {"Metric": {"Namespace": "drctl", "MetricName": "FailoverTrigger"}, "Stat": "Maximum", "Period": 60}


@pytest.mark.parametrize(
    "alarm",
    [
        {"EvaluationPeriods": 3, "DatapointsToAlarm": 2},
        {"Period": 10},
        {"Statistic": None, "ExtendedStatistic": "p99"},
        {"Metrics": [{"Id": "m", "MetricStat": COUNTED}]}
        | dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period")),
    ],
)
def test_only_plain_alarms_can_be_watched(sim: Any, dns: Any, alarm: dict[str, Any]) -> None:
    create_alarm(sim, **alarm)
    watching = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Region": "us-west-2", "Name": "switch"}}
    with pytest.raises(ClientError) as caught:
        create_check(dns, "c", watching)
    assert code(caught) == "InvalidInput"


def test_the_status_of_a_calculated_check_is_not_told(dns: Any) -> None:
    child = create_check(dns, "child", endpoint())["Id"]
    assert dns.get_health_check_status(HealthCheckId=child)["HealthCheckObservations"]
    wish = {"Type": "CALCULATED", "ChildHealthChecks": [child], "HealthThreshold": 1}
    calculated = create_check(dns, "calculated", wish)["Id"]
    for check, refused in ((calculated, "InvalidInput"), ("no-such-check", "NoSuchHealthCheck")):
        with pytest.raises(ClientError) as caught:
            dns.get_health_check_status(HealthCheckId=check)
        assert code(caught) == refused


def test_the_failover_switch_flips_the_calculated_check(sim: Any, dns: Any, zone: str) -> None:
    create_alarm(sim)
    switch = create_check(
        dns,
        "switch",
        {
            "Type": "CLOUDWATCH_METRIC",
            "AlarmIdentifier": {"Region": "us-west-2", "Name": "switch"},
            "InsufficientDataHealthStatus": "Healthy",
        },
    )
    assert switch["CloudWatchAlarmConfiguration"]["MetricName"] == "FailoverTrigger"
    assert switch["HealthCheckConfig"]["InsufficientDataHealthStatus"] == "Healthy"
    primary = create_check(dns, "p", endpoint())
    both = create_check(
        dns,
        "both",
        {"Type": "CALCULATED", "ChildHealthChecks": [switch["Id"], primary["Id"]], "HealthThreshold": 2},
    )

    records = [
        {
            **simple(f"{name}.{ZONE}", role.lower(), type="CNAME"),
            "SetIdentifier": role,
            "Failover": role,
            **more,
        }
        for name, check in (("switch", switch), ("primary", primary), ("both", both))
        for role, more in (("PRIMARY", {"HealthCheckId": check["Id"]}), ("SECONDARY", {}))
    ]
    change_records(sim, zone, *records)
    resolver = Resolver(sim.status())

    def answers(*names: str) -> list[str]:
        return [value for name in names for value in resolver.values(f"{name}.{ZONE}", "CNAME")]

    assert answers("both") == ["primary."]
    sim.client("cloudwatch", "us-west-2").set_alarm_state(
        AlarmName="switch", StateValue="ALARM", StateReason="test"
    )
    assert answers("switch", "primary", "both") == ["secondary.", "primary.", "secondary."]
    dns.update_health_check(HealthCheckId=primary["Id"], Inverted=True)
    assert answers("primary") == ["secondary."]
    change(dns, zone, *(("DELETE", record) for record in records))
    with pytest.raises(ClientError) as caught:
        dns.delete_health_check(HealthCheckId=primary["Id"])
    assert code(caught) == "HealthCheckInUse"
    dns.delete_health_check(HealthCheckId=both["Id"])
    dns.delete_health_check(HealthCheckId=primary["Id"])


def test_a_check_of_a_record_stays(dns: Any, zone: str) -> None:
    check = create_check(dns, "c", endpoint())["Id"]
    change(dns, zone, ("CREATE", failover("PRIMARY", HealthCheckId=check)))
    with pytest.raises(ClientError) as caught:
        dns.delete_health_check(HealthCheckId=check)
    assert code(caught) == "HealthCheckInUse"
    change(dns, zone, ("DELETE", failover("PRIMARY", HealthCheckId=check)))
    dns.delete_health_check(HealthCheckId=check)
