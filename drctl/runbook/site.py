"""The environment as a runbook needs it: names, ids and sizes out of the ledger alone.

On the worst day nothing in the lost region answers, so nothing here asks AWS. The sizes are those that were last built
(the records' fields), not those of today's settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from drctl.errors import Diagnostic, DrctlError
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import CONDEMNED, Record
from drctl.settings import BREAKER_TABLE, LOG_BUCKET


@dataclass(frozen=True)
class Service:
    """An ECS service in one region, and how many tasks it has there in normal times."""

    name: str
    arn: str
    aws_name: str
    cluster: str
    tasks: int
    min_tasks: int
    max_tasks: int
    cpu: int
    """CPU units of one task; 1024 are a vCPU."""

    @property
    def scalable_id(self) -> str:
        """What Application Auto Scaling calls it."""
        return f"service/{self.cluster}/{self.aws_name}"


@dataclass(frozen=True)
class Side:
    """One region's part. ``host`` is the region's own name, None without a domain."""

    region: str
    services: tuple[Service, ...]
    task_definitions: tuple[str, ...]
    target_groups: tuple[str, ...]
    load_balancer: str
    host: str | None
    cluster: str
    cluster_arn: str
    tables: Mapping[str, str]
    """The settings' name -> AWS's; so are the buckets."""
    buckets: Mapping[str, str]
    key: str
    certificate: str | None
    public_subnets: tuple[str, ...]
    vpc: str
    alarms: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """Both regions and what stands in front of them. ``health_checks``: name -> id.

    secret: its ARN in the primary region
    distribution: the name by which its users reach it
    """

    environment: str
    account: str
    primary: Side
    standby: Side
    global_cluster: str
    breaker_table: str
    secret: str
    health_checks: Mapping[str, str]
    switch_alarm: str
    failover_host: str | None
    distribution: str
    name_servers: tuple[str, ...]

    @property
    def sides(self) -> tuple[Side, Side]:
        """Primary first."""
        return self.primary, self.standby


def site(ledger: Ledger) -> Site:
    """Raises DrctlError when the environment is not there, or only in part."""
    records = [r for r in ledger.records().values() if CONDEMNED not in r.address]
    if not records:
        raise DrctlError(
            Diagnostic(
                f"the environment {ledger.meta.environment!r} has not been built",
                cause=f"{ledger.where} holds no resource",
                remedy="`drctl up` builds it; if it is there and only the state was lost, `drctl up` finds it again",
            )
        )
    found = Records(records)
    try:
        primary, standby = (_side(found, region) for region in ledger.meta.regions)
        zone = found.maybe("hosted-zone", "main")
        failover = found.maybe("record-set", "failover-primary")
        apex = found.maybe("record-set", "domain-a")
        return Site(
            environment=ledger.meta.environment,
            account=ledger.meta.account,
            primary=primary,
            standby=standby,
            global_cluster=found.one("global-cluster").outputs["global_cluster_id"],
            breaker_table=found.one("dynamodb-table", BREAKER_TABLE).outputs["table_name"],
            secret=found.one("secret").outputs["arn"],
            health_checks={r.name: r.outputs["health_check_id"] for r in found.all("health-check")},
            switch_alarm=found.one("alarm", "failover-trigger").outputs["alarm_name"],
            failover_host=failover.fields["record_name"] if failover else None,
            distribution=apex.fields["record_name"]
            if apex
            else found.one("distribution").outputs["domain_name"],
            name_servers=tuple(zone.outputs["name_servers"].replace(",", " ").split()) if zone else (),
        )
    except (KeyError, ValueError, LookupError) as error:
        raise DrctlError(
            Diagnostic(
                "the environment is not whole",
                cause=f"{ledger.where} does not hold all that a runbook needs: {error}",
                remedy="`drctl plan` shows what is missing, `drctl up` builds it",
            )
        ) from error


class Records:
    """The records by kind, name and region. What is not there raises LookupError."""

    def __init__(self, records: list[Record]) -> None:
        self._records = records

    def all(self, kind: str, region: str | None = None) -> Iterator[Record]:
        return (r for r in self._records if r.kind == kind and region in (None, r.region))

    def maybe(self, kind: str, name: str | None = None, region: str | None = None) -> Record | None:
        return next((r for r in self.all(kind, region) if name in (None, r.name)), None)

    def one(self, kind: str, name: str | None = None, region: str | None = None) -> Record:
        record = self.maybe(kind, name, region)
        if record is None:
            raise LookupError("/".join(each or "*" for each in (region, kind, name)))
        return record


def _side(found: Records, region: str) -> Side:
    cluster = found.one("aurora-cluster", region=region)
    certificate = found.maybe("certificate", region=region)
    hosts = {
        r.fields["alias"]["$ref"]: r.fields["record_name"] for r in found.all("record-set") if _of_region(r)
    }
    balancer = found.one("load-balancer", region=region)
    tables = [r for kind in ("dynamodb-table", "dynamodb-replica") for r in found.all(kind, region)]
    return Side(
        region=region,
        services=tuple(sorted((_service(found, r) for r in found.all("ecs-service", region)), key=_name)),
        task_definitions=tuple(r.outputs["arn"] for r in found.all("task-definition", region)),
        target_groups=tuple(r.outputs["arn"] for r in found.all("target-group", region)),
        load_balancer=balancer.outputs["dns_name"],
        host=hosts.get(balancer.address),
        cluster=cluster.outputs["cluster_id"],
        cluster_arn=cluster.outputs["arn"],
        tables={r.name: r.outputs["table_name"] for r in tables if r.name != BREAKER_TABLE},
        buckets={r.name: r.outputs["bucket"] for r in found.all("s3-bucket", region) if r.name != LOG_BUCKET},
        key=found.one("kms-key", region=region).outputs["key_id"],
        certificate=certificate.outputs["arn"] if certificate else None,
        public_subnets=tuple(
            r.outputs["subnet_id"] for r in found.all("subnet", region) if r.name.startswith("public-")
        ),
        vpc=found.one("vpc", region=region).outputs["vpc_id"],
        alarms=tuple(r.outputs["alarm_name"] for r in found.all("alarm", region)),
    )


def _name(service: Service) -> str:
    return service.name


def _of_region(record: Record) -> bool:
    return record.name.startswith("region-")


def _service(found: Records, record: Record) -> Service:
    scaling = found.one("scalable-target", record.name, record.region)
    task: Mapping[str, Any] = found.one("task-definition", record.name, record.region).fields
    return Service(
        name=record.name,
        arn=record.outputs["arn"],
        aws_name=record.outputs["service_name"],
        cluster=record.outputs["cluster_name"],
        tasks=record.fields["tasks"],
        min_tasks=scaling.fields["min_tasks"],
        max_tasks=scaling.fields["max_tasks"],
        cpu=int(task["cpu"]),
    )
