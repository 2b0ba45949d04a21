"""Route 53's health checkers: what they find at an endpoint, when that moves a check, and whom it leads away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from drctl.sim import client
from tests.conftest import TEST_SPEED, Sim
from tests.sim.network import Web
from tests.sim.test_names import ZONE, Resolver, change_records, simple

P, S = "us-east-1", "us-west-2"
STILL = 0.001
"""Simulated seconds in a real one: awake, and nothing happens but by sim.advance."""

TIMED_OUT = "Failure: Connection timed out."
PRIMARY, SECONDARY = "192.0.2.1", "192.0.2.2"


def fixed(status: int, body: str = "") -> dict[str, Any]:
    response = {"StatusCode": str(status), "ContentType": "text/plain", "MessageBody": body}
    return {"Type": "fixed-response", "FixedResponseConfig": response}


class Checked:
    """A load balancer that answers by itself, health checks of it, and names that follow the checks."""

    def __init__(self, sim: Sim) -> None:
        self.sim = sim
        self.made = 0
        self.web = Web(sim)
        self.listener = self.web.listen(DefaultActions=[fixed(200, "all is well")])
        sim.advance(200)
        sim.set_speed(STILL)
        self.route53 = sim.client("route53")
        self.zone = self.route53.create_hosted_zone(Name=ZONE, CallerReference="zone")["HostedZone"]["Id"]
        self.resolver = Resolver(sim.status())
        shown = self.web.elbv2.describe_load_balancers()["LoadBalancers"][0]
        self.host = str(shown["DNSName"])

    def answer(self, status: int) -> None:
        """From now on the load balancer answers so."""
        self.web.elbv2.modify_listener(ListenerArn=self.listener, DefaultActions=[fixed(status)])

    def check(self, **more: Any) -> str:
        wish = {"Type": "HTTP", "RequestInterval": 10, "FailureThreshold": 3, **more}
        if "IPAddress" not in wish:
            wish.setdefault("FullyQualifiedDomainName", self.host)
        return self.create(wish)

    def create(self, wish: dict[str, Any]) -> str:
        self.made += 1
        made = self.route53.create_health_check(CallerReference=str(self.made), HealthCheckConfig=wish)
        return str(made["HealthCheck"]["Id"])

    def followed(self, **more: Any) -> str:
        """A check that a name follows."""
        check = self.check(**more)
        self.follow(check)
        return check

    def follow(self, *checks: str) -> None:
        """Give each check a failover record: DNS tells what Route 53 makes of the findings, the API does not."""
        primary = {"SetIdentifier": "p", "Failover": "PRIMARY"}
        secondary = {"SetIdentifier": "s", "Failover": "SECONDARY"}
        for check in checks:
            change_records(
                self.sim,
                self.zone,
                {**simple(check, PRIMARY), **primary, "HealthCheckId": check},
                {**simple(check, SECONDARY), **secondary},
            )

    def healthy(self, check: str) -> bool:
        """Whether the name that follows the check leads to its primary."""
        (address,) = self.resolver.values(f"{check}.{ZONE}")
        return {PRIMARY: True, SECONDARY: False}[address]

    def healthy_after(self, seconds: float, check: str) -> bool:
        self.sim.advance(seconds)
        return self.healthy(check)

    def reports(self, check: str) -> dict[str, str]:
        shown = self.route53.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
        return {each["Region"]: each["StatusReport"]["Status"] for each in shown}

    def measured(self, metric: str, check: str) -> list[float]:
        now = self.sim.clock.now()
        points = self.sim.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Route53",
            MetricName=metric,
            Dimensions=[{"Name": "HealthCheckId", "Value": check}],
            StartTime=datetime.fromtimestamp(now - 3600, UTC),
            EndTime=datetime.fromtimestamp(now + 1, UTC),
            Period=60,
            Statistics=["Average"],
        )["Datapoints"]
        return [point["Average"] for point in sorted(points, key=lambda point: point["Timestamp"])]


@pytest.fixture
def checked(sim: Sim) -> Checked:
    return Checked(sim)


@pytest.mark.parametrize("interval", [10, 30])
def test_as_many_findings_in_a_row_as_the_threshold_says_change_the_status(
    checked: Checked, interval: int
) -> None:
    check = checked.followed(RequestInterval=interval)
    assert checked.healthy_after(interval, check)
    checked.answer(503)
    assert checked.healthy_after(2 * interval, check)
    assert not checked.healthy_after(interval, check)
    checked.answer(200)
    assert not checked.healthy_after(2 * interval, check)
    assert checked.healthy_after(interval, check)


def test_a_finding_that_differs_starts_the_count_again(checked: Checked) -> None:
    check = checked.followed()
    for status in (503, 200, 503):
        checked.answer(status)
        assert checked.healthy_after(20, check)
    assert not checked.healthy_after(10, check)


def test_every_region_reports_what_it_saw_last(checked: Checked) -> None:
    (address,) = checked.resolver.values(checked.host)
    check = checked.check(Regions=["us-east-1", "eu-west-1", "us-west-2"])
    for status, report in (
        (200, "Success: HTTP Status Code 200, OK"),
        (404, "Failure: HTTP Status Code 404, Not Found"),
        (503, "Failure: HTTP Status Code 503, Service Unavailable"),
    ):
        checked.answer(status)
        checked.sim.advance(10)
        assert checked.reports(check) == dict.fromkeys(
            ("us-east-1", "eu-west-1", "us-west-2"), f"{report}. Resolved IP: {address}"
        )


@pytest.mark.parametrize(
    ("wish", "report"),
    [
        ({"FullyQualifiedDomainName": "none.example.net"}, "Failure: DNS resolution failed"),
        ({"IPAddress": "192.0.2.1"}, TIMED_OUT),
        ({"Port": 81}, TIMED_OUT),
        ({"Type": "HTTPS"}, TIMED_OUT),
        ({"Type": "TCP", "Port": 80}, "Success: "),
        ({"Type": "TCP", "Port": 22}, TIMED_OUT),
        ({"Type": "HTTP_STR_MATCH", "SearchString": "is well"}, "Success: HTTP Status Code 200, OK"),
        ({"Type": "HTTP_STR_MATCH", "SearchString": "is not"}, "Failure: HTTP Status Code 200, OK"),
    ],
)
def test_an_endpoint_is_looked_at_as_the_check_says(
    checked: Checked, wish: dict[str, Any], report: str
) -> None:
    check = checked.check(**wish)
    checked.sim.advance(10)
    reports = checked.reports(check)
    assert len(reports) == 8
    assert all(said.startswith(report) for said in reports.values())


def test_a_redirect_is_an_answer(checked: Checked) -> None:
    config = {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}
    checked.web.elbv2.modify_listener(
        ListenerArn=checked.listener, DefaultActions=[{"Type": "redirect", "RedirectConfig": config}]
    )
    check = checked.check()
    checked.sim.advance(10)
    assert set(checked.reports(check).values()) == {
        f"Success: HTTP Status Code 301, Moved Permanently. Resolved IP: "
        f"{checked.resolver.values(checked.host)[0]}"
    }


def test_a_load_balancer_without_a_healthy_target_is_found_unavailable(checked: Checked) -> None:
    forward = {"Type": "forward", "TargetGroupArn": checked.web.targets}
    checked.web.elbv2.modify_listener(ListenerArn=checked.listener, DefaultActions=[forward])
    check = checked.check()
    checked.sim.advance(10)
    assert "503, Service Unavailable" in checked.reports(check)[P]


def test_a_disabled_check_is_not_made_and_an_inverted_one_says_the_opposite(checked: Checked) -> None:
    check = checked.followed()
    checked.route53.update_health_check(HealthCheckId=check, Disabled=True)
    checked.answer(503)
    assert checked.healthy_after(100, check)
    assert checked.reports(check)[P].startswith("Success: ")
    checked.route53.update_health_check(HealthCheckId=check, Disabled=False, Inverted=True)
    assert not checked.healthy_after(20, check)
    assert checked.healthy_after(10, check)


def test_while_the_world_sleeps_nothing_is_looked_at_and_what_was_found_stays(checked: Checked) -> None:
    seen, other = checked.followed(), checked.followed(FailureThreshold=1)
    checked.answer(503)
    assert not checked.healthy_after(30, seen)
    checked.sim.set_speed(TEST_SPEED)
    checked.sim.advance(60)
    checked.answer(200)
    new = checked.followed(FailureThreshold=2, FullyQualifiedDomainName="none.example.net")
    assert not checked.healthy_after(600, seen)
    assert not checked.healthy(other)
    assert checked.healthy(new)
    checked.sim.set_speed(STILL)
    assert checked.healthy_after(30, seen)
    assert checked.healthy(other)
    assert not checked.healthy(new)


def test_checkers_look_on_while_a_region_is_out_and_names_lead_away_from_it(checked: Checked) -> None:
    check = checked.followed()
    assert checked.healthy_after(10, check)
    client.request(checked.sim.status(), "POST", f"outages/{P}")
    assert checked.healthy_after(20, check)
    assert not checked.healthy_after(10, check)
    client.request(checked.sim.status(), "DELETE", "outages")
    assert checked.reports(check)[P].startswith(TIMED_OUT)
    assert not checked.healthy_after(20, check)
    assert checked.healthy_after(10, check)


def test_the_alarm_of_a_region_that_is_out_says_nothing(checked: Checked) -> None:
    cloudwatch = checked.sim.client("cloudwatch", S)
    cloudwatch.put_metric_alarm(
        AlarmName="switch",
        Namespace="test",
        MetricName="switch",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="ignore",
    )
    cloudwatch.set_alarm_state(AlarmName="switch", StateValue="OK", StateReason="test")
    watching = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Region": S, "Name": "switch"}}
    checks = {
        known: checked.create({**watching, "InsufficientDataHealthStatus": known})
        for known in ("LastKnownStatus", "Healthy", "Unhealthy")
    }
    checked.follow(*checks.values())
    assert all(checked.healthy(check) for check in checks.values())
    client.request(checked.sim.status(), "POST", f"outages/{S}")
    assert {known: checked.healthy(check) for known, check in checks.items()} == {
        "LastKnownStatus": True,
        "Healthy": True,
        "Unhealthy": False,
    }


def test_the_status_of_checks_is_a_metric_of_us_east_1_unless_that_is_out(checked: Checked) -> None:
    check = checked.check(FailureThreshold=1)
    parent = checked.create({"Type": "CALCULATED", "ChildHealthChecks": [check], "HealthThreshold": 1})
    checked.sim.advance(60)
    checked.answer(503)
    checked.sim.advance(60)
    assert checked.measured("HealthCheckStatus", check) == [1.0, 0.0]
    assert checked.measured("HealthCheckPercentageHealthy", check) == [100.0, 0.0]
    assert checked.measured("HealthCheckStatus", parent) == [1.0, 0.0]
    assert checked.measured("ChildHealthCheckHealthyCount", parent) == [1.0, 0.0]
    client.request(checked.sim.status(), "POST", f"outages/{P}")
    checked.sim.advance(600)
    client.request(checked.sim.status(), "DELETE", "outages")
    assert checked.measured("HealthCheckStatus", check) == [1.0, 0.0]
