"""Health checks of Route 53 as records, and what they say.

moto drops the alarm of CLOUDWATCH_METRIC checks, never moves the version, and always answers Success.
``healthy(world, account, id)`` is the status of a check of any type; ``observe`` is where a health checker writes.
"""

from __future__ import annotations

import copy
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.moto_api._internal import mock_random

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.gaps.route53 import moment, page, tags
from drctl.sim.motion import outage
from drctl.sim.registry import gap
from drctl.sim.world import World

ENDPOINT_TYPES = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")
CHECKERS = {
    "ap-northeast-1": "54.248.220.44",
    "ap-southeast-1": "54.255.254.236",
    "ap-southeast-2": "54.252.254.236",
    "eu-west-1": "54.228.16.44",
    "sa-east-1": "54.232.40.76",
    "us-east-1": "54.243.31.204",
    "us-west-1": "54.183.255.140",
    "us-west-2": "54.244.52.204",
}
"""The regions Route 53 checks from, with an address of each published range."""
SETTABLE = (
    "IPAddress",
    "Port",
    "ResourcePath",
    "FullyQualifiedDomainName",
    "SearchString",
    "FailureThreshold",
    "Inverted",
    "Disabled",
    "HealthThreshold",
    "ChildHealthChecks",
    "EnableSNI",
    "Regions",
    "AlarmIdentifier",
    "InsufficientDataHealthStatus",
)
"""UpdateHealthCheck knows no others: type, interval, latency measurement and reference are for life."""


def health_checks(world: World) -> dict[tuple[str, str], Answer]:
    """(account, id) -> the HealthCheck as its answers show it."""
    return world.section("route53.health_checks")


def observe(world: World, account: str, id: str, success: bool, report: str) -> None:
    """What a health checker found at an endpoint, before inversion. ``report``: Route 53's status text.

    FailureThreshold findings in a row change the status, either way; a new check is healthy (developer guide, "How
    Route 53 determines the status of health checks that monitor an endpoint").
    """
    held = world.section("route53.observations").setdefault((account, id), {"success": True, "against": 0})
    against = 0 if success == held["success"] else held["against"] + 1
    if against >= health_checks(world)[account, id]["HealthCheckConfig"]["FailureThreshold"]:
        held["success"], against = success, 0
    held.update(against=against, report=report, at=world.now)


def healthy(world: World, account: str, id: str) -> bool:
    """Whether Route 53 considers a check healthy now: disabled counts as healthy, inversion comes last.

    Developer guide, "How Route 53 determines whether a health check is healthy".
    """
    check = health_checks(world).get((account, id))
    if check is None:
        return True
    config = check["HealthCheckConfig"]
    return bool(config["Disabled"] or finding(world, account, check)) != bool(config["Inverted"])


def finding(world: World, account: str, check: Answer) -> bool:
    config = check["HealthCheckConfig"]
    if config["Type"] == "CALCULATED":
        children = config.get("ChildHealthChecks", [])
        return sum(healthy(world, account, child) for child in children) >= config.get("HealthThreshold", 0)
    if config["Type"] == "CLOUDWATCH_METRIC":
        return alarm_finding(world, account, check)
    observation = world.section("route53.observations").get((account, check["Id"]))
    return observation is None or bool(observation["success"])


def alarm_finding(world: World, account: str, check: Answer) -> bool:
    """What the watched alarm says. On AWS the checkers read the alarm's metric, so SetAlarmState moves nothing.

    Of a region that is out no data come.
    """
    config = check["HealthCheckConfig"]
    alarm = watched_alarm(account, config["AlarmIdentifier"])
    last = world.section("route53.alarm_findings")
    state = "INSUFFICIENT_DATA" if alarm is None else alarm.state_value
    if state != "INSUFFICIENT_DATA":
        last[account, check["Id"]] = state == "OK"
    if state == "INSUFFICIENT_DATA" or outage.is_out(world, config["AlarmIdentifier"]["Region"]):
        known = config.get("InsufficientDataHealthStatus", "LastKnownStatus")
        if known == "LastKnownStatus":
            return bool(last.get((account, check["Id"]), True))
        return bool(known == "Healthy")
    return bool(state == "OK")


def watched_alarm(account: str, identifier: dict[str, str]) -> Any:
    """moto's alarm, or None when there is none of the name or no such region."""
    regions = cloudwatch_backends[account]
    region = identifier["Region"]
    return regions[region].alarms.get(identifier["Name"]) if region in regions else None


def check_of(call: Call, world: World) -> Answer:
    check_id = call.params["HealthCheckId"]
    if (call.account, check_id) not in health_checks(world):
        raise Refused("NoSuchHealthCheck", f"No health check exists with the specified ID {check_id}.", 404)
    return health_checks(world)[call.account, check_id]


def complete(config: dict[str, Any]) -> dict[str, Any]:
    """The settings with what Route 53 fills in."""
    filled: dict[str, Any] = {"Inverted": False, "Disabled": False}
    if config["Type"] in ENDPOINT_TYPES:
        secure = config["Type"].startswith("HTTPS")
        filled |= {"RequestInterval": 30, "FailureThreshold": 3, "MeasureLatency": False, "EnableSNI": secure}
        if config["Type"] != "TCP":
            filled["Port"] = 443 if secure else 80
    elif config["Type"] == "CLOUDWATCH_METRIC":
        filled["InsufficientDataHealthStatus"] = "LastKnownStatus"
    return filled | copy.deepcopy(config)


def reference_of(call: Call, world: World) -> dict[str, Any] | None:
    """What the caller reference was used for before: ``id`` and ``settings``; it survives the check itself."""
    found = world.section("route53.check_references").get((call.account, call.params["CallerReference"]))
    return None if found is None else dict(found)


@gap("route53", "CreateHealthCheck")
def create_health_check(call: Call, world: World, moto: Moto) -> Answer:
    before = reference_of(call, world)
    if before is not None:
        return {"HealthCheck": shown(call, world, before["id"]), "Location": location(before["id"])}
    check_id = str(mock_random.uuid4())
    config = complete(call.params["HealthCheckConfig"])
    world.section("route53.check_references")[call.account, call.params["CallerReference"]] = {
        "id": check_id,
        "settings": config,
    }
    health_checks(world)[call.account, check_id] = {
        "Id": check_id,
        "CallerReference": call.params["CallerReference"],
        "HealthCheckConfig": copy.deepcopy(config),
        "HealthCheckVersion": 1,
    }
    return {"HealthCheck": shown(call, world, check_id), "Location": location(check_id)}


def location(id: str) -> str:
    return f"https://route53.amazonaws.com/2013-04-01/healthcheck/{id}"


def shown(call: Call, world: World, id: str) -> Answer:
    check = copy.deepcopy(health_checks(world)[call.account, id])
    identifier = check["HealthCheckConfig"].get("AlarmIdentifier")
    alarm = watched_alarm(call.account, identifier) if identifier else None
    if alarm is not None:
        check["CloudWatchAlarmConfiguration"] = {
            "EvaluationPeriods": int(alarm.evaluation_periods),
            "Threshold": float(alarm.threshold),
            "ComparisonOperator": alarm.comparison_operator,
            "Period": int(alarm.period),
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "Statistic": alarm.statistic,
            "Dimensions": [{"Name": one.name, "Value": one.value} for one in alarm.dimensions],
        }
    return check


@gap("route53", "GetHealthCheck")
def get_health_check(call: Call, world: World, moto: Moto) -> Answer:
    return {"HealthCheck": shown(call, world, check_of(call, world)["Id"])}


@gap("route53", "UpdateHealthCheck")
def update_health_check(call: Call, world: World, moto: Moto) -> Answer:
    check = check_of(call, world)
    for element in call.params.get("ResetElements", []):
        check["HealthCheckConfig"].pop(element, None)
    changed = {name: call.params[name] for name in SETTABLE if name in call.params}
    check["HealthCheckConfig"].update(copy.deepcopy(changed))
    check["HealthCheckVersion"] += 1
    return {"HealthCheck": shown(call, world, check["Id"])}


@gap("route53", "DeleteHealthCheck")
def delete_health_check(call: Call, world: World, moto: Moto) -> Answer:
    check_id = check_of(call, world)["Id"]
    del health_checks(world)[call.account, check_id]
    tags(world).pop((call.account, "healthcheck", check_id), None)
    world.section("route53.observations").pop((call.account, check_id), None)
    world.section("route53.alarm_findings").pop((call.account, check_id), None)
    return {}


@gap("route53", "ListHealthChecks")
def list_health_checks(call: Call, world: World, moto: Moto) -> Answer:
    ids = sorted(check_id for account, check_id in health_checks(world) if account == call.account)
    return page(call, "HealthChecks", [shown(call, world, check_id) for check_id in ids], ids)


@gap("route53", "GetHealthCheckCount")
def get_health_check_count(call: Call, world: World, moto: Moto) -> Answer:
    return {"HealthCheckCount": sum(account == call.account for account, _ in health_checks(world))}


@gap("route53", "GetHealthCheckStatus")
def get_health_check_status(call: Call, world: World, moto: Moto) -> Answer:
    check = check_of(call, world)
    config = check["HealthCheckConfig"]
    seen = world.section("route53.observations").get((call.account, check["Id"]), {})
    good = healthy(world, call.account, check["Id"])
    report = "Success: HTTP Status Code 200, OK" if good else "Failure: The health check is unhealthy."
    if seen and not config["Inverted"] and not config["Disabled"]:
        report = seen["report"]
    status = {"Status": report, "CheckedTime": moment(seen.get("at", world.now))}
    regions = config.get("Regions") or (CHECKERS if config["Type"] in ENDPOINT_TYPES else ["us-east-1"])
    return {
        "HealthCheckObservations": [
            {"Region": region, "IPAddress": CHECKERS.get(region, "0.0.0.0"), "StatusReport": status}  # noqa: S104
            for region in regions
        ]
    }
