"""Settings about running the environment: checks, the monitor, alarms, logs, operators, objectives."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from drctl.settings.section import Refusal, Section, refuse_all
from drctl.settings.values import (
    Account,
    EmailAddress,
    Flag,
    RetentionDays,
    one_of,
    pattern,
    refused,
    shown,
    whole,
)

RequestPath = Annotated[
    str,
    pattern(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,254}", "a path that begins with /, up to 255 characters"),
]
WritePath = Annotated[
    str,
    pattern(
        r"/api/(?=[^{]*\{id\}[^{}]*$)[A-Za-z0-9._~!$&'()*+,;=:@%/?{}-]{1,250}",
        "a path below /api/ with {id} in it once, up to 255 characters",
    ),
]
# CloudWatch API, PutMetricAlarm, AlarmName.
AlarmName = Annotated[str, pattern(r"[^\x00-\x1f]{1,255}", "the name of an alarm, up to 255 characters")]
# AWS STS API, AssumeRole, ExternalId.
ExternalId = Annotated[
    str, pattern(r"[\w+=,.@:/-]{2,1224}", "2 to 1224 letters, digits and _ + = , . @ : / -")
]


def _refuse_repeated(items: tuple[str, ...]) -> None:
    refuse_all(
        Refusal((index,), f"{shown(item)} is given more than once", "each one once")
        for index, item in enumerate(items)
        if item in items[:index]
    )


class HealthCheck(Section):
    """Route 53's health checks of the two regions."""

    interval: Annotated[int, one_of(10, 30)] = Field(
        default=10, description="seconds between two checks by one checker, 10 or 30"
    )
    threshold: Annotated[int, whole(1, 10)] = Field(
        default=3, description="checks in a row until the state changes"
    )


class Monitor(Section):
    """The health monitor's circuit breaker, which decides in the standby region about a failover of DNS."""

    threshold: Annotated[int, whole(1, 20)] = Field(
        default=3, description="failed probes in a row that open the breaker"
    )
    timeout_s: Annotated[int, whole(30, 3600, "seconds")] = Field(
        default=300, description="seconds an open breaker waits before it tries again"
    )
    promote_database: Flag = Field(
        default=False,
        description="an opening breaker fails the database over too, at the risk of losing the last writes",
    )


class Alarms(Section):
    """When somebody is told. FailoverTrigger, a switch that is on or off, always is an alarm and has no number."""

    emails: tuple[EmailAddress, ...] = Field(
        default=(), description="who is told; each confirms once, by a link in a mail"
    )
    unhealthy_minutes: Annotated[int, whole(1, 60, "minutes")] = Field(
        default=3, description="ServiceHealth says unhealthy for so many minutes in a row"
    )
    heartbeat_minutes: Annotated[int, whole(2, 60, "minutes")] = Field(
        default=3, description="the monitor has not been heard of for so many minutes"
    )
    http_5xx: Annotated[int, whole(1, 1_000_000)] = Field(default=10, description="5xx answers in a minute")
    unhealthy_hosts: Annotated[int, whole(1, 5000)] = Field(
        default=1, description="tasks the load balancer calls unhealthy"
    )
    missing_tasks: Annotated[int, whole(1, 5000)] = Field(
        default=1, description="tasks of a service that should run and do not"
    )
    replication_lag_ms: Annotated[int, whole(1, 3_600_000, "milliseconds")] = Field(
        default=1000, description="the standby's database is behind by so many milliseconds"
    )
    rpo_lag_ms: Annotated[int, whole(1, 3_600_000, "milliseconds")] = Field(
        default=5000, description="so many milliseconds of writes would be lost if the primary were"
    )
    table_latency_ms: Annotated[int, whole(1, 3_600_000, "milliseconds")] = Field(
        default=5000, description="DynamoDB takes so many milliseconds to replicate"
    )
    object_failures: Annotated[int, whole(1, 1_000_000)] = Field(
        default=1, description="objects that S3 failed to replicate, in a minute"
    )
    object_latency_s: Annotated[int, whole(1, 86_400, "seconds")] = Field(
        default=900,
        description="S3 takes so many seconds to replicate; 900 is what its replication time control promises",
    )
    function_errors: Annotated[int, whole(1, 1_000_000)] = Field(
        default=1, description="failed runs of a Lambda function, in a minute"
    )

    @field_validator("emails")
    @classmethod
    def _are_distinct(cls, emails: tuple[str, ...]) -> tuple[str, ...]:
        _refuse_repeated(emails)
        return emails


class Logs(Section):
    """CloudWatch's log groups."""

    retention_days: RetentionDays = Field(
        default=7, description="logs are kept so long: 1, 3, 5, 7, 14, 30, 60, 90 ..."
    )


class Operators(Section):
    """Who may assume the operator role, which may do what a failover and a failback do, and nothing else."""

    accounts: tuple[Account, ...] = Field(
        default=(), description="other AWS accounts, 12 digits each, in quotes"
    )
    external_id: ExternalId | None = Field(
        default=None,
        description="what they must say to assume it; required with accounts",
        examples=["a-phrase-you-agreed-on"],
    )

    @field_validator("accounts")
    @classmethod
    def _are_distinct(cls, accounts: tuple[str, ...]) -> tuple[str, ...]:
        _refuse_repeated(accounts)
        return accounts

    @field_validator("external_id")
    @classmethod
    def _goes_with_accounts(cls, external_id: str | None, info: ValidationInfo) -> str | None:
        # Without one, whoever gets another customer of these accounts to act for him gets the role: the confused
        # deputy (IAM User Guide, "The confused deputy problem").
        if info.data.get("accounts") and external_id is None:
            raise refused("it is missing, and operators.accounts names accounts", "2 to 1224 characters")
        return external_id


class Objectives(Section):
    """What a drill is measured against."""

    rto_s: Annotated[int, whole(1, 86_400, "seconds")] = Field(
        default=900, description="recovery time: seconds until clients are served again"
    )
    rpo_s: Annotated[int, whole(0, 86_400, "seconds")] = Field(
        default=60, description="recovery point: seconds of writes that may be lost"
    )


class Calls(Section):
    """How long drctl waits for AWS: behind a slow proxy, longer than usual."""

    connect_timeout_s: Annotated[int, whole(1, 300, "seconds")] = Field(
        default=5, description="seconds to wait for a connection"
    )
    answer_timeout_s: Annotated[int, whole(1, 600, "seconds")] = Field(
        default=30, description="seconds to wait for an answer; then the next look tells what was done"
    )


class Drill(Section):
    """How users are played in a drill or a failover, and when a drill stops by itself."""

    read_path: RequestPath | None = Field(
        default=None,
        description="what a user reads through both names; the first service's health_path when left out",
        examples=["/sessions"],
    )
    write_path: WritePath | None = Field(
        default=None,
        description="where a user writes (PUT, a JSON body), {id} standing for what is written; below /api/, "
        "which is what the distribution passes on. Left out, writes are measured on the data stores only",
        examples=["/api/sessions/{id}"],
    )
    record_path: WritePath | None = Field(
        default=None,
        description="where a region's own database tells (GET, 200 or 404) whether it has what was written; needed to "
        "count the writes that a failover of the database lost",
        examples=["/api/records/{id}"],
    )
    interval_s: Annotated[int, whole(1, 60, "seconds")] = Field(
        default=1, description="seconds between two looks of a probe"
    )
    hold_s: Annotated[int, whole(0, 86_400, "seconds")] = Field(
        default=60, description="seconds a drill stays failed over before it fails back"
    )
    error_budget_s: Annotated[int, whole(1, 86_400, "seconds")] = Field(
        default=600,
        description="a drill takes itself back when users have not been served for so many seconds",
    )
    stop_alarms: tuple[AlarmName, ...] = Field(
        default=(),
        description="a drill takes itself back when one of these alarms in the standby region rings",
    )

    @field_validator("stop_alarms")
    @classmethod
    def _are_distinct(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        _refuse_repeated(names)
        return names
