"""What Route 53 refuses about health checks."""

from __future__ import annotations

from typing import Any

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.route53 import zones
from drctl.sim.gaps.route53_health_checks import (
    CHECKERS,
    ENDPOINT_TYPES,
    check_of,
    complete,
    health_checks,
    reference_of,
    watched_alarm,
)
from drctl.sim.registry import rule
from drctl.sim.world import World

TYPES = (*ENDPOINT_TYPES, "CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL")
PLAIN_STATISTICS = ("Average", "Minimum", "Maximum", "Sum", "SampleCount")


@rule(
    "route53",
    "CreateHealthCheck",
    source="CreateHealthCheck API reference, CallerReference: HealthCheckAlreadyExists with other settings and, "
    "whatever the settings, for a deleted health check",
)
def caller_reference_means_one_check(call: Call, world: World) -> None:
    before = reference_of(call, world)
    if before is None:
        return
    gone = (call.account, before["id"]) not in health_checks(world)
    if gone or before["settings"] != complete(call.params["HealthCheckConfig"]):
        raise Refused(
            "HealthCheckAlreadyExists",
            "A different health check has already been created with the specified caller reference.",
            409,
        )


@rule(
    "route53",
    "CreateHealthCheck",
    source='HealthCheckConfig API reference; InvalidInput "Invalid parameter : Basic health checks must not have an '
    'metric region specified."',
)
def settings_fit_the_type(call: Call, world: World) -> None:
    config = call.params["HealthCheckConfig"]
    if config.get("Type") not in TYPES:
        raise invalid(f"Unknown health check type: {config.get('Type')}")
    if config["Type"] in ENDPOINT_TYPES:
        if "AlarmIdentifier" in config:
            raise invalid("Basic health checks must not have an metric region specified.")
        if not config.get("FullyQualifiedDomainName") and not config.get("IPAddress"):
            raise invalid("Either IPAddress or FullyQualifiedDomainName must be specified.")
        if config.get("RequestInterval", 30) not in (10, 30):
            raise invalid("RequestInterval must be 10 or 30.")
    elif config["Type"] == "CALCULATED" and "HealthThreshold" not in config:
        raise invalid("HealthThreshold must be specified for calculated health checks.")
    elif config["Type"] == "CLOUDWATCH_METRIC" and "AlarmIdentifier" not in config:
        raise invalid("AlarmIdentifier must be specified for CloudWatch metric health checks.")
    require_valid_values(call, world, config)


@rule(
    "route53",
    "UpdateHealthCheck",
    source="UpdateHealthCheck API reference: InvalidInput; HealthCheckConfig ranges",
)
def new_settings_are_valid(call: Call, world: World) -> None:
    check_of(call, world)
    require_valid_values(call, world, call.params)


def require_valid_values(call: Call, world: World, config: dict[str, Any]) -> None:
    if not 1 <= int(config.get("FailureThreshold", 3)) <= 10:
        raise invalid("FailureThreshold must be between 1 and 10.")
    if not 0 <= int(config.get("HealthThreshold", 0)) <= 256:
        raise invalid("HealthThreshold must be between 0 and 256.")
    regions = config.get("Regions")
    if regions and (len(regions) < 3 or not set(regions) <= CHECKERS.keys()):
        raise invalid("Regions must name at least three of the regions that Route 53 checks from.")
    for child in config.get("ChildHealthChecks", []):
        if (call.account, child) not in health_checks(world):
            raise invalid(f"ChildHealthChecks names a health check that does not exist: {child}")
    if "AlarmIdentifier" in config:
        require_watchable_alarm(call.account, config["AlarmIdentifier"])


def require_watchable_alarm(account: str, identifier: dict[str, str]) -> None:
    """Developer guide, "Types of Route 53 health checks": standard resolution, plain statistics, one metric, no
    M out of N, no composite alarm."""
    alarm = watched_alarm(account, identifier)
    name = f"{identifier['Name']} in {identifier['Region']}"
    if alarm is None:
        raise invalid(f"CloudWatch alarm not found: {name}")
    needed = alarm.datapoints_to_alarm
    if (
        alarm.rule
        or alarm.metric_data_queries
        or alarm.statistic not in PLAIN_STATISTICS
        or int(alarm.period) < 60
        or (needed and int(needed) != int(alarm.evaluation_periods))
    ):
        raise invalid(f"CloudWatch alarm is of a kind that health checks do not support: {name}")


@rule(
    "route53",
    "UpdateHealthCheck",
    source='HealthCheckVersionMismatch "The value of HealthCheckVersion in the request doesn\'t match"',
)
def version_is_the_current_one(call: Call, world: World) -> None:
    check = check_of(call, world)
    wanted = call.params.get("HealthCheckVersion")
    if wanted is not None and int(wanted) != check["HealthCheckVersion"]:
        raise Refused(
            "HealthCheckVersionMismatch",
            f"The health check version {wanted} does not match the current version {check['HealthCheckVersion']}.",
            409,
        )


@rule(
    "route53",
    "GetHealthCheckStatus",
    source="GetHealthCheckStatus API reference, HealthCheckId: \"You can't use GetHealthCheckStatus to get the status "
    'of a calculated health check"; that it is InvalidInput, and its words, are a guess',
)
def status_is_of_what_checkers_see(call: Call, world: World) -> None:
    if check_of(call, world)["HealthCheckConfig"]["Type"] == "CALCULATED":
        raise invalid("The status of a calculated health check is not available.")


@rule(
    "route53",
    "DeleteHealthCheck",
    source="HealthCheckInUse in the service model. Today's API reference says the code is no longer in use and that "
    "answers become unpredictable instead; the simulator keeps the refusal so that the order is proven",
)
def check_in_use_stays(call: Call, world: World) -> None:
    check_id = check_of(call, world)["Id"]
    by_record = any(
        record.get("HealthCheckId") == check_id
        for (account, _), held in zones(world).items()
        if account == call.account
        for record in held["records"].values()
    )
    by_check = any(
        check_id in other["HealthCheckConfig"].get("ChildHealthChecks", [])
        for (account, _), other in health_checks(world).items()
        if account == call.account
    )
    if by_record or by_check:
        user = "resource record set" if by_record else "calculated health check"
        raise Refused("HealthCheckInUse", f"The health check {check_id} is associated with a {user}.")


def invalid(message: str) -> Refused:
    return Refused("InvalidInput", f"Invalid parameter : {message}")
