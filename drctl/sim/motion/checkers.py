"""Route 53's health checkers: they look at the endpoints of health checks, from outside, whatever region is out.

All regions that a check is made from look at the same moment and see the same; on AWS they are not coordinated.
"""

from __future__ import annotations

from http.client import responses
from typing import Any

from drctl.sim.call import Answer, Moto
from drctl.sim.gaps.cloudwatch_metrics import record
from drctl.sim.gaps.route53_health_checks import ENDPOINT_TYPES, finding, health_checks, healthy, observe
from drctl.sim.motion import addresses, balancer, edge, outage, routing
from drctl.sim.motion.http import Request, Response
from drctl.sim.motion.pulse import pulse
from drctl.sim.world import World

SEARCHED = 5120
"""Bytes of an answer in which a string is looked for (HealthCheckConfig API reference, Type)."""

METRICS_REGION = "us-east-1"
"""Where Route 53 publishes its metrics (developer guide, "Monitoring health checks using CloudWatch")."""

UNRESOLVED = "Failure: DNS resolution failed"
"""HealthCheckConfig API reference, FullyQualifiedDomainName; the rest of the texts was seen in answers of AWS."""

SILENCE = (
    "Failure: Connection timed out. The endpoint or the internet connection is down, or requests are being blocked by "
    "your firewall. See Configuring Router and Firewall Rules for Amazon Route 53 Health Checks at "
    "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-router-firewall-rules.html"
)


@pulse("health-checkers-fast", 10.0)
def look_every_ten_seconds(world: World, moto: Moto) -> None:
    look(world, moto, 10)


@pulse("health-checkers", 30.0)
def look_every_thirty_seconds(world: World, moto: Moto) -> None:
    look(world, moto, 30)


def look(world: World, moto: Moto, interval: int) -> None:
    """Look at every endpoint whose check has this RequestInterval, and keep what was found."""
    for (account, check_id), check in list(health_checks(world).items()):
        config = check["HealthCheckConfig"]
        if (
            config["Type"] in ENDPOINT_TYPES
            and config["RequestInterval"] == interval
            and not config["Disabled"]
        ):
            observe(world, account, check_id, *found_at(world, moto, config))


def found_at(world: World, moto: Moto, config: dict[str, Any]) -> tuple[bool, str]:
    """Whether the endpoint answers as it should, and the status report in Route 53's words."""
    address, suffix = config.get("IPAddress"), ""
    if address is None:
        resolved = routing.addresses(world, config.get("FullyQualifiedDomainName", ""))
        if not resolved:
            return False, UNRESOLVED
        address, suffix = resolved[0], f". Resolved IP: {resolved[0]}"
    if config["Type"] == "TCP":
        connected = _connects(world, address, int(config.get("Port", 80)))
        return connected, (SILENCE if not connected else "Success: TCP connection established") + suffix
    response = _answer(world, moto, address, config)
    if response is None:
        return False, SILENCE + suffix
    good = 200 <= response.status < 400
    text = f"HTTP Status Code {response.status}, {responses.get(response.status, 'Unknown')}"
    if good and config["Type"].endswith("_STR_MATCH"):
        good = config.get("SearchString", "").encode() in response.body[:SEARCHED]
        text += "" if good else ". The response does not contain the search string"
    return good, f"{'Success' if good else 'Failure'}: {text}{suffix}"


def _connects(world: World, address: str, port: int) -> bool:
    owner = addresses.owner(world, address)
    if owner is None:
        return False
    kind, owned = owner
    if kind == "balancer":
        return balancer.listening(world, owned, port) is not None
    return port in (80, 443) and edge.deployed(world, owned) is not None


def _answer(world: World, moto: Moto, address: str, config: dict[str, Any]) -> Response | None:
    owner = addresses.owner(world, address)
    if owner is None:
        return None
    request = Request(
        "GET",
        config.get("FullyQualifiedDomainName", address).lower(),
        "/" + config.get("ResourcePath", "/").removeprefix("/"),
        {"user-agent": "Amazon-Route53-Health-Check-Service", "connection": "close"},
        secure=config["Type"].startswith("HTTPS"),
    )
    kind, owned = owner
    if kind == "balancer":
        return balancer.answer(world, moto, owned, int(config.get("Port", 80)), request)
    return edge.answer(world, moto, owned, request)


@pulse("health-check-metrics", 60.0)
def publish(world: World, moto: Moto) -> None:
    """Developer guide, "Monitoring health checks using CloudWatch": every minute, in us-east-1."""
    if outage.is_out(world, METRICS_REGION):
        return
    for (account, check_id), check in health_checks(world).items():
        for metric, value in measured(world, account, check).items():
            where = (account, METRICS_REGION)
            record(world, where, "AWS/Route53", metric, {"HealthCheckId": check_id}, value)


def measured(world: World, account: str, check: Answer) -> dict[str, float]:
    """The metrics of one check; a disabled one has but its status."""
    config = check["HealthCheckConfig"]
    metrics = {"HealthCheckStatus": float(healthy(world, account, check["Id"]))}
    if config["Disabled"]:
        return metrics
    if config["Type"] in ENDPOINT_TYPES:
        metrics["HealthCheckPercentageHealthy"] = 100.0 * finding(world, account, check)
    if config["Type"] == "CALCULATED":
        children = config.get("ChildHealthChecks", [])
        metrics["ChildHealthCheckHealthyCount"] = float(sum(healthy(world, account, c) for c in children))
    return metrics
