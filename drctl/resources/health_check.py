"""A Route 53 health check: of an endpoint, of an alarm, or calculated from others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from drctl.aws.errors import tolerating_absence
from drctl.aws.route53 import caller_reference, is_ours, tag, tag_drift
from drctl.engine.resource import Given, NotOurs, Observed, Repeat, Resource, differences, resource
from drctl.resources.alarm import Alarm
from drctl.resources.output_of import Text, resolve

if TYPE_CHECKING:
    from mypy_boto3_route53.literals import CloudWatchRegionType, InsufficientDataHealthStatusType
    from mypy_boto3_route53.type_defs import (
        HealthCheckConfigTypeDef,
        HealthCheckTypeDef,
        UpdateHealthCheckRequestTypeDef,
    )

    from drctl.aws.clients import Aws

INSUFFICIENT: InsufficientDataHealthStatusType = "LastKnownStatus"
"""What an alarm check says while its metric is silent: so a switch stays as it was thrown (HealthCheckConfig API
reference: a check without any known status counts as healthy)."""


@dataclass(frozen=True)
class EndpointCheck:
    """Requests of ``path``. ``interval``: 10 or 30 s; ``threshold``: answers in a row that change the state."""

    host: Text
    port: int
    path: str
    https: bool
    interval: int
    threshold: int


@dataclass(frozen=True)
class AlarmCheck:
    """Healthy while ``alarm`` is OK. Route 53 reads the alarm's metric itself, by a copy of the alarm's settings."""

    alarm: Alarm


@dataclass(frozen=True)
class CalculatedCheck:
    """Healthy while at least ``threshold`` of ``children`` are."""

    children: tuple[HealthCheck, ...]
    threshold: int


@dataclass(frozen=True)
class HealthCheckOutputs:
    health_check_id: str


@resource
class HealthCheck(Resource[HealthCheckOutputs]):
    """Route 53's checkers look from several regions; what they see needs no region of ours to be up."""

    kind: ClassVar[str] = "health-check"
    repeat: ClassVar[Repeat] = Repeat.TOKEN
    fixed: ClassVar[frozenset[str]] = frozenset({"Type", "RequestInterval"})

    checks: EndpointCheck | AlarmCheck | CalculatedCheck

    def read(self, aws: Aws, given: Given) -> Observed[HealthCheckOutputs] | None:
        check = self._find(aws, given)
        if check is None:
            return None
        actual: dict[str, object] = dict(check["HealthCheckConfig"])
        actual["ChildHealthChecks"] = sorted(check["HealthCheckConfig"].get("ChildHealthChecks", []))
        desired: dict[str, object] = {**self._config(given), "Inverted": False, "Disabled": False}
        if isinstance(self.checks, AlarmCheck):
            actual["watched"] = _watched(check)
            desired["watched"] = self.checks.alarm.watched(given)
        drift = differences(actual, desired)
        tags = tag_drift(aws, given, self, "healthcheck", check["Id"])
        return Observed(HealthCheckOutputs(check["Id"]), drift={**drift, **tags})

    def create(self, aws: Aws, given: Given) -> HealthCheckOutputs:
        made = aws.route53().create_health_check(
            CallerReference=caller_reference(given, self), HealthCheckConfig=self._config(given)
        )
        return HealthCheckOutputs(made["HealthCheck"]["Id"])

    def update(self, aws: Aws, given: Given, observed: Observed[HealthCheckOutputs]) -> None:
        check_id = observed.outputs.health_check_id
        if "tags" in observed.drift:
            tag(aws, given, self, "healthcheck", check_id)
        if observed.drift.keys() - {"tags"}:
            settings = {key: value for key, value in self._config(given).items() if key not in self.fixed}
            request = {**settings, "HealthCheckId": check_id, "Inverted": False, "Disabled": False}
            aws.route53().update_health_check(**cast("UpdateHealthCheckRequestTypeDef", request))

    def delete(self, aws: Aws, outputs: HealthCheckOutputs) -> None:
        aws.route53().delete_health_check(HealthCheckId=outputs.health_check_id)

    def _find(self, aws: Aws, given: Given) -> HealthCheckTypeDef | None:
        route53, recorded = aws.route53(), given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                check = route53.get_health_check(HealthCheckId=recorded.health_check_id)["HealthCheck"]
                if not is_ours(given, self, check["CallerReference"]):
                    raise NotOurs(f"health check {check['Id']} was not made by drctl for this address")
                return check
        for page in route53.get_paginator("list_health_checks").paginate():
            for check in page["HealthChecks"]:
                if is_ours(given, self, check["CallerReference"]) and check["Id"] not in given.others:
                    return check
        return None

    def _config(self, given: Given) -> HealthCheckConfigTypeDef:
        match self.checks:
            case EndpointCheck() as check:
                return {
                    "Type": "HTTPS" if check.https else "HTTP",
                    "FullyQualifiedDomainName": resolve(check.host, given),
                    "Port": check.port,
                    "ResourcePath": check.path,
                    "RequestInterval": check.interval,
                    "FailureThreshold": check.threshold,
                    "EnableSNI": check.https,
                }
            case AlarmCheck(alarm):
                region = cast("CloudWatchRegionType", alarm.region)
                return {
                    "Type": "CLOUDWATCH_METRIC",
                    "AlarmIdentifier": {"Region": region, "Name": given[alarm].alarm_name},
                    "InsufficientDataHealthStatus": INSUFFICIENT,
                }
            case CalculatedCheck(children, threshold):
                return {
                    "Type": "CALCULATED",
                    "ChildHealthChecks": sorted(given[child].health_check_id for child in children),
                    "HealthThreshold": threshold,
                }


def _watched(check: HealthCheckTypeDef) -> dict[str, object]:
    """Route 53's copy of the alarm, which it renews only when the health check is updated (developer guide,
    "Updating health checks when you change CloudWatch alarm settings"); in the alarm's own words."""
    copy = check.get("CloudWatchAlarmConfiguration")
    if copy is None:
        return {}
    dimensions = {each["Name"]: each["Value"] for each in copy.get("Dimensions", [])}
    return {**copy, "Dimensions": dimensions}
