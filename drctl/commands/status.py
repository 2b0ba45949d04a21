"""The environment at a glance: how each resource is, who serves, who writes, how far behind the standby is, which
alarms ring. Reads AWS, changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from drctl.commands.context import Context, identify
from drctl.commands.plan import starting
from drctl.commands.records import rebuilt
from drctl.engine.inspect import Change, inspect
from drctl.engine.walk import After, Job, walk
from drctl.errors import Diagnostic, DrctlError, Interrupted
from drctl.ledger.model import CONDEMNED

if TYPE_CHECKING:
    from drctl.aws.clients import Aws
    from drctl.ledger.store import Ledger


HEALTHY_SHARE = 0.18
LAG_WINDOW_S = 300


@dataclass(frozen=True)
class Alarm:
    """A CloudWatch alarm of the environment, and its state: OK, ALARM or INSUFFICIENT_DATA."""

    region: str
    name: str
    state: str


@dataclass(frozen=True)
class StatusResult:
    """Whatever AWS does not tell is None; ``unreadable`` says what could not be read, and why.

    serving_region: where the failover records point, by the primary's health check as Route 53 sees it
    lag_s: seconds by which the standby's database was behind at most, in the last minutes
    """

    environment: str
    account: str
    regions: tuple[str, ...]
    resources: tuple[Change, ...]
    serving_region: str | None
    writer_region: str | None
    lag_s: float | None
    alarms: tuple[Alarm, ...]
    unreadable: tuple[Diagnostic, ...]

    def as_json(self) -> dict[str, Any]:
        """cli.md: resources, serving_region, writer_region, lag, alarms."""
        return {
            "account": self.account,
            "regions": list(self.regions),
            "resources": [
                {"address": c.address, "phase": c.phase, "drifted": sorted(c.fields)} for c in self.resources
            ],
            "serving_region": self.serving_region,
            "writer_region": self.writer_region,
            "lag": {"database_s": self.lag_s},
            "alarms": [vars(alarm) for alarm in self.alarms],
            "unreadable": [vars(each) for each in self.unreadable],
        }


def status(context: Context) -> StatusResult:
    """Look at everything the state knows. What does not answer is shown as unreadable: that is news, not an error.

    Raises DrctlError when there is nothing to look at, or when nothing at all could be read.
    """
    environment = context.environment()
    ledger = context.reading(environment)
    if not ledger.records():
        raise DrctlError(
            Diagnostic(
                f"the environment {environment!r} has not been built",
                cause=f"{ledger.path} holds no resource",
                remedy="`drctl up` builds it",
            )
        )
    aws = context.aws()
    identity = identify(aws, ledger.meta.regions[-1], ledger, None)
    run = context.run(aws, identity, ledger, environment)
    resources = {a: r for a, r in rebuilt(ledger).items() if CONDEMNED not in a}
    jobs = [
        Job(address, starting(inspect, run, each), {need.address: After.DONE for need in each.needs})
        for address, each in resources.items()
    ]
    result = walk(jobs, context.clock, lambda _: None, context.interrupt)
    if result.interrupted:
        raise Interrupted(Diagnostic("interrupted; nothing was changed"))
    if result.failed and not result.done:
        raise DrctlError(result.failed[address] for address in sorted(result.failed))
    seen = [result.done[a] if a in result.done else Change(a, "", phase="unreadable") for a in resources]
    return StatusResult(
        environment,
        identity.account,
        ledger.meta.regions,
        tuple(sorted(seen, key=lambda change: change.address)),
        _serving(aws, ledger),
        _writer(aws, ledger),
        _lag(aws, ledger, context.clock.now()),
        tuple(_alarms(aws, ledger)),
        tuple(result.failed[address] for address in sorted(result.failed)),
    )


def _serving(aws: Aws, ledger: Ledger) -> str | None:
    """Route 53 answers with the primary while most of its checkers find the primary's check healthy (Route 53 developer
    guide, "How Route 53 determines whether a health check is healthy": more than 18 %)."""
    record = ledger.get("global/health-check/primary")
    if record is None or not record.outputs:
        return None
    check = next(iter(record.outputs.values()))
    try:
        seen = aws.route53().get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
    except (ClientError, BotoCoreError):
        return None
    if not seen:
        return None
    healthy = sum(each["StatusReport"]["Status"].startswith("Success") for each in seen)
    primary, standby = ledger.meta.regions
    return primary if healthy > HEALTHY_SHARE * len(seen) else standby


def _lag(aws: Aws, ledger: Ledger, now: float) -> float | None:
    """Aurora publishes AuroraGlobalDBReplicationLag, milliseconds, in the region that lags."""
    records = ledger.records().values()
    clusters = [
        (r.region, next(iter(r.outputs.values())))
        for r in records
        if r.kind == "aurora-cluster" and r.outputs
    ]
    lags: list[float] = []
    for region, cluster in clusters:
        try:
            points = aws.cloudwatch(region).get_metric_statistics(
                Namespace="AWS/RDS",
                MetricName="AuroraGlobalDBReplicationLag",
                Dimensions=[{"Name": "DBClusterIdentifier", "Value": cluster}],
                StartTime=datetime.fromtimestamp(now - LAG_WINDOW_S, UTC),
                EndTime=datetime.fromtimestamp(now, UTC),
                Period=60,
                Statistics=["Maximum"],
            )["Datapoints"]
        except (ClientError, BotoCoreError):
            continue
        lags += [point["Maximum"] / 1000 for point in points]
    return max(lags, default=None)


def _writer(aws: Aws, ledger: Ledger) -> str | None:
    """The region whose cluster writes, as the global cluster says it, asked in the standby region first."""
    record = next((r for r in ledger.records().values() if r.kind == "global-cluster"), None)
    if record is None or not record.outputs:
        return None
    name = next(iter(record.outputs.values()))
    for region in reversed(ledger.meta.regions):
        try:
            found = aws.rds(region).describe_global_clusters(GlobalClusterIdentifier=name)["GlobalClusters"]
        except (ClientError, BotoCoreError):
            continue
        for member in found[0].get("GlobalClusterMembers", []):
            if member.get("IsWriter"):
                return member["DBClusterArn"].split(":")[3]
    return None


def _alarms(aws: Aws, ledger: Ledger) -> Iterator[Alarm]:
    names = {
        (r.region, r.outputs.get("alarm_name", "")) for r in ledger.records().values() if r.kind == "alarm"
    }
    for region in ledger.meta.regions:
        try:
            pages = aws.cloudwatch(region).get_paginator("describe_alarms").paginate()
            found = [alarm for page in pages for alarm in page["MetricAlarms"]]
        except (ClientError, BotoCoreError):
            continue
        for alarm in found:
            if (region, alarm["AlarmName"]) in names:
                yield Alarm(region, alarm["AlarmName"], alarm["StateValue"])
