"""Who serves, who writes, how far behind the other is, what breaker, switch and alarms say: what a failover moves.

Names and ids come out of the ledger, so that an environment of which only a part is there can be looked at too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from drctl.aws.errors import classify
from drctl.aws.metric import highest
from drctl.aws.silence import silence
from drctl.commands import journals
from drctl.engine.walk import THREADS
from drctl.errors import Diagnostic
from drctl.ledger.model import CONDEMNED
from drctl.probe.client import Client
from drctl.probe.dns import Resolver
from drctl.probe.outside import Outside, Unreachable
from drctl.resources.s3_replication import RULE_ID
from drctl.runbook import breaker, database, journal
from drctl.runbook.breaker import Breaker
from drctl.runbook.site import Records
from drctl.settings import BREAKER_TABLE

if TYPE_CHECKING:
    from drctl.aws.clients import Aws
    from drctl.commands.context import Context
    from drctl.ledger.ledger import Ledger

T = TypeVar("T")

DNS_TIMEOUT_S = 5.0
"""Seconds of the environment's time in which a name server answers, or is taken for gone."""

SWITCH = "failover-trigger"


@dataclass(frozen=True)
class Alarm:
    """A CloudWatch alarm of the environment. ``state``: OK, ALARM or INSUFFICIENT_DATA; ``since``: epoch seconds."""

    region: str
    name: str
    state: str
    since: float | None


@dataclass(frozen=True)
class Switch:
    """The failover switch, as its alarm stands. ``since``: epoch seconds."""

    thrown: bool
    state: str
    since: float | None


@dataclass(frozen=True)
class Lag:
    """The most that the region that does not write was behind in the last minutes; None where nothing is published."""

    database_s: float | None = None
    table_s: float | None = None
    bucket_s: float | None = None


@dataclass(frozen=True)
class OpenRun:
    """A run without a verdict. ``step``: its last; ``under_way``: somebody is at it, so it was not interrupted."""

    run: str
    runbook: str
    step: str | None
    under_way: bool


@dataclass(frozen=True)
class Roles:
    """What a look found. Whatever AWS does not tell is None; ``unreadable`` says why, place by place.

    at: when, epoch seconds
    serving_region: where the failover name points, as the zone's own name servers answer
    silent: place -> why nobody answers there; nothing else was asked of it
    """

    at: float
    serving_region: str | None
    writer_region: str | None
    lag: Lag
    breaker: Breaker | None
    switch: Switch | None
    run: OpenRun | None
    alarms: tuple[Alarm, ...]
    silent: Mapping[str, str]
    unreadable: tuple[Diagnostic, ...]


def roles(context: Context, aws: Aws, ledger: Ledger) -> Roles:
    """Look, at both regions at once."""
    with _threads() as threads:
        return _Look(context, aws, ledger, threads).roles()


def places(ledger: Ledger) -> list[str]:
    """The regions in which the environment has something, "global" among them."""
    return sorted({*ledger.meta.regions, *(address.partition("/")[0] for address in ledger.records())})


@contextmanager
def _threads() -> Iterator[Executor]:
    """Threads that nobody waits for when the operator has had enough."""
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="drctl-roles")
    try:
        yield threads
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


class _Look:
    """One look: what was asked, and what could not be read."""

    def __init__(self, context: Context, aws: Aws, ledger: Ledger, threads: Executor) -> None:
        self._context, self._aws, self._ledger, self._threads = context, aws, ledger, threads
        self._now = context.clock.now()
        self._primary, self._standby = ledger.meta.regions
        known = (r for r in ledger.records().values() if r.outputs and CONDEMNED not in r.address)
        self._records = Records(list(known))
        self._unreadable: list[Diagnostic] = []
        self._silent: dict[str, str] = {}

    def roles(self) -> Roles:
        run = _open_run(self._context, self._ledger.meta.environment)
        serving = self._ask("who serves", self._serving)
        asked = places(self._ledger)
        answers = self._threads.map(partial(silence, self._aws), asked)
        self._silent = {place: why for place, why in zip(asked, answers, strict=True) if why is not None}
        writing = self._ask("who writes", self._writer)
        shut = self._ask("the breaker", self._breaker)
        ringing = {
            region: self._ask(f"the alarms of {region}", partial(self._alarms, region))
            for region in self._answering(self._ledger.meta.regions)
        }
        writer = writing.result()
        lag = self._lag(self._standby if writer == self._standby else self._primary)
        alarms = [alarm for found in ringing.values() for alarm in found.result() or ()]
        return Roles(
            at=self._now,
            serving_region=serving.result(),
            writer_region=writer,
            lag=lag,
            breaker=shut.result(),
            switch=self._switch(alarms),
            run=run,
            alarms=tuple(alarms),
            silent=self._silent,
            unreadable=tuple(sorted(self._unreadable, key=lambda each: each.summary)),
        )

    def _ask(self, what: str, read: Callable[[], T | None]) -> Future[T | None]:
        def tolerant() -> T | None:
            try:
                return read()
            except (ClientError, BotoCoreError) as error:
                trouble = classify(error)
                self._unreadable.append(
                    Diagnostic(f"could not read {what}", "", trouble.cause, trouble.remedy)
                )
            except Unreachable as error:
                self._unreadable.append(Diagnostic(f"could not read {what}", "", str(error)))
            return None

        return self._threads.submit(tolerant)

    def _answering(self, regions: Iterable[str]) -> list[str]:
        return [region for region in regions if region not in self._silent]

    def _serving(self) -> str | None:
        """Not Route 53's API: it does not tell the status of a calculated check ("GetHealthCheckStatus"), and is in
        us-east-1, which may be the region that is out."""
        failover = self._records.maybe("record-set", "failover-primary")
        zone = self._records.maybe("hosted-zone", "main")
        if failover is None or zone is None:
            return None
        servers = zone.outputs["name_servers"].replace(",", " ").split()
        balancers = {r.region: r.outputs["dns_name"] for r in self._records.all("load-balancer")}
        outside, clock = self._context.access.outside or Outside(), self._context.clock
        client = Client(outside, Resolver(outside, servers, clock), clock, DNS_TIMEOUT_S, balancers)
        return client.dns(failover.fields["record_name"]).who or None

    def _writer(self) -> str | None:
        """The standby is asked first: it is the one that is there on the worst day."""
        record = self._records.maybe("global-cluster")
        regions = self._answering((self._standby, self._primary))
        if record is None or not regions:
            return None
        return database.writer_of(self._aws, record.outputs["global_cluster_id"], regions[0])

    def _breaker(self) -> Breaker | None:
        record = self._records.maybe("dynamodb-replica", BREAKER_TABLE, self._standby)
        if record is None or self._standby in self._silent:
            return None
        table, environment = record.outputs["table_name"], self._ledger.meta.environment
        return breaker.read(self._aws, self._standby, table, environment)

    def _alarms(self, region: str) -> list[Alarm]:
        names = {record.outputs["alarm_name"] for record in self._records.all("alarm", region)}
        pages = self._aws.cloudwatch(region).get_paginator("describe_alarms").paginate()
        return [
            Alarm(region, found["AlarmName"], found["StateValue"], _since(found))
            for page in pages
            for found in page["MetricAlarms"]
            if found["AlarmName"] in names
        ]

    def _switch(self, alarms: Iterable[Alarm]) -> Switch | None:
        record = self._records.maybe("alarm", SWITCH, self._standby)
        for alarm in alarms:
            if record and (alarm.region, alarm.name) == (self._standby, record.outputs["alarm_name"]):
                return Switch(alarm.state == "ALARM", alarm.state, alarm.since)
        return None

    def _lag(self, source: str) -> Lag:
        """Aurora publishes in the region that lags; DynamoDB (milliseconds) and S3 (seconds) in the one that sends."""
        (target,) = {self._primary, self._standby} - {source}
        behind: list[Future[float | None]] = []
        cluster = self._records.maybe("aurora-cluster", region=target)
        if cluster is not None and target not in self._silent:
            name = cluster.outputs["cluster_id"]
            read = partial(database.lag_of, self._aws, target, name, self._now)
            behind.append(self._ask("how far the database is behind", read))
        tables, buckets = [], []
        if source not in self._silent:
            pairs = self._tables(source, target)
            tables = [self._latency("the tables", source, "AWS/DynamoDB", each) for each in pairs]
            buckets = [self._latency("the buckets", source, "AWS/S3", each) for each in self._buckets(source)]
        milliseconds = _most(tables)
        return Lag(_most(behind), None if milliseconds is None else milliseconds / 1000, _most(buckets))

    def _latency(
        self, what: str, source: str, namespace: str, dimensions: Mapping[str, str]
    ) -> Future[float | None]:
        read = partial(highest, self._aws, source, namespace, "ReplicationLatency", dimensions, self._now)
        return self._ask(f"how far {what} are behind", read)

    def _tables(self, source: str, target: str) -> Iterator[dict[str, str]]:
        for kind in ("dynamodb-table", "dynamodb-replica"):
            for record in self._records.all(kind, source):
                if record.name != BREAKER_TABLE:
                    yield {"TableName": record.outputs["table_name"], "ReceivingRegion": target}

    def _buckets(self, source: str) -> Iterator[dict[str, str]]:
        buckets = {record.address: record.outputs["bucket"] for record in self._records.all("s3-bucket")}
        for record in self._records.all("s3-replication", source):
            destination = buckets.get(record.fields["destination"]["$ref"])
            if destination is not None:
                bucket = record.outputs["bucket"]
                yield {"SourceBucket": bucket, "DestinationBucket": destination, "RuleId": RULE_ID}


def _most(values: Iterable[Future[float | None]]) -> float | None:
    told = (value.result() for value in values)
    return max((value for value in told if value is not None), default=None)


def _since(alarm: Mapping[str, Any]) -> float | None:
    """When the state last changed; the other time also moves when nothing but the reason does."""
    moment = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    return moment.timestamp() if moment else None


def _open_run(context: Context, environment: str) -> OpenRun | None:
    path = journals.newest(context.state_dir, environment)
    entries = journal.read(path) if path else []
    if path is None or not journals.is_open(entries):
        return None
    runbook = str(entries[0]["runbook"])
    steps = [str(entry["step"]) for entry in entries if entry["kind"] == "step"]
    held = context.store(environment).holder()
    return OpenRun(path.stem, runbook, steps[-1] if steps else None, bool(held and held.command == runbook))
