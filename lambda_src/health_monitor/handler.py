"""The health monitor: runs in both regions every minute, and in the standby decides about the primary.

Deployed as ``handler.lambda_handler`` with the files of this folder at the top of the zip, which is why they
import each other by plain name. Tests put the zip itself on the path, so that what they run is what is
deployed. Its environment variables are described in settings.py, its metrics in metrics.py.

An invocation makes two probes, half a minute apart, because EventBridge cannot schedule more often than once
a minute. Each probe makes all checks side by side; **one of them decides: the primary's request path**.

- The primary's ECS, RDS, DynamoDB and S3 *control planes* do not decide. They can be down while the
  application serves, and failing over then would break what works; and from the standby they could not be
  asked once the region is lost, which is when it matters. The standby's function calls nothing in the
  primary's region but the URL a user calls.
- What the standby sees of *its own* region does not decide either. A sick standby is no evidence about the
  primary, so it must not open the breaker; and a standby whose control planes are slow must not keep the
  breaker shut while the primary is down. Whether the standby can take the traffic is asked where the traffic
  is sent: its DNS record evaluates its load balancer's health, on the data plane.
- The primary's function sees more, but a region that may be lost cannot be the one to say so. It publishes
  metrics and never touches the breaker.
- A standby that cannot reach its own table decides nothing: without the count of what came before, one failed
  probe would have to be enough, or every sandbox would have an opinion of its own.

The decision is stored before anything follows from it, and what follows is driven by what is stored: the
FailoverTrigger metric, and the promotion if it is wanted, are due while the breaker is open, they have not been
done, and the path *still* fails. So CloudWatch being down when the breaker opens delays the failover by a probe
rather than losing it, and a primary that came back meanwhile is not failed away from.
"""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Protocol

import clients
import probes
from breaker import Breaker, State, after_probe
from breaker_table import BreakerTable, BreakerUnavailableError
from metrics import Metrics, NotPublishedError
from probes import Finding, Probe
from promotion import PromotionError, promote
from settings import Settings

REQUEST_PATH = "RequestPath"

PROBE_NEEDS_S = 22
"""Seconds one probe may take with everything hanging: the checks 8, the breaker 7, the metrics 7."""

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


class Context(Protocol):
    """What is used of the object Lambda passes.
    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


def lambda_handler(event: object, context: Context) -> dict[str, object]:  # noqa: ARG001 - Lambda's signature
    """Probe twice; return, and log, what was seen and decided. Raises ValueError for wrong settings only."""
    monitor = Monitor(Settings.read(os.environ))
    gap_s = monitor.settings.probe_gap_s
    due = time.time() + gap_s
    made = [monitor.probe(f"{context.aws_request_id}/1")]
    wait_s = min(gap_s, max(0.0, due - time.time()))
    if context.get_remaining_time_in_millis() / 1000 > wait_s + PROBE_NEEDS_S:
        time.sleep(wait_s)
        made.append(monitor.probe(f"{context.aws_request_id}/2"))
    summary: dict[str, object] = {
        "environment": monitor.settings.environment,
        "role": monitor.settings.role,
        "region": monitor.settings.region,
        "probes": made,
    }
    log.info(json.dumps(summary))
    return summary


class Monitor:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._aws = clients.in_region(settings.region)
        self._metrics = Metrics(self._aws.cloudwatch, settings.metric_namespace, settings.environment)
        self._table = BreakerTable(self._aws.dynamodb, settings.table, settings.environment)

    def probe(self, name: str) -> dict[str, object]:
        """One probe: look, decide, act, publish. No failure of one keeps the next from being tried."""
        errors: list[str] = []
        now = time.time()
        probe = Probe(self._checks())
        breaker = None
        if self.settings.decides:
            # Before the other checks are waited for: they may hang, and do not matter here.
            breaker = self._decide(probe.finding(REQUEST_PATH).healthy, now, name, errors)
        findings = probe.findings()
        self._publish(findings, breaker, errors)
        return {
            "at": now,
            "checks": {check: asdict(finding) for check, finding in findings.items()},
            "breaker": asdict(breaker) if breaker else None,
            "errors": errors,
        }

    def _checks(self) -> dict[str, Callable[[], Finding]]:
        wanted, aws = self.settings, self._aws
        checks: dict[str, Callable[[], Finding]] = {
            REQUEST_PATH: partial(probes.request_path, wanted.endpoint_url)
        }
        if wanted.cluster and wanted.services:
            checks["EcsServices"] = partial(probes.ecs_services, aws.ecs, wanted.cluster, wanted.services)
        if wanted.db_cluster:
            checks["DatabaseCluster"] = partial(probes.database_cluster, aws.rds, wanted.db_cluster)
        if wanted.tables:
            checks["Tables"] = partial(probes.tables, aws.dynamodb, wanted.tables)
        if wanted.buckets:
            checks["Buckets"] = partial(probes.buckets, aws.s3, wanted.buckets)
        return checks

    def _decide(self, healthy: bool, now: float, name: str, errors: list[str]) -> Breaker | None:
        """Store what the probe does to the breaker and carry out what is due; None when it cannot be stored."""

        def count(breaker: Breaker) -> Breaker:
            return after_probe(breaker, healthy, now, self.settings.threshold, self.settings.timeout_s)

        try:
            breaker = self._change(count, now, name)
            if breaker.state is State.OPEN and not healthy:
                breaker = self._act(breaker, now, name, errors)
        except BreakerUnavailableError as error:
            errors.append(str(error))
            return None
        return breaker

    def _act(self, breaker: Breaker, now: float, name: str, errors: list[str]) -> Breaker:
        """Each consequence is recorded as soon as it is done. If the record fails it is done again, which
        is harmless: the metric says the same, and the promotion looks first."""
        opened_at = breaker.opened_at

        def record(published: bool, promoted: bool) -> Breaker:
            def mark(stored: Breaker) -> Breaker:
                if stored.opened_at != opened_at:
                    return stored  # opened anew meanwhile: not what was acted upon
                return replace(
                    stored, published=stored.published or published, promoted=stored.promoted or promoted
                )

            return self._change(mark, now, name)

        if not breaker.published:
            try:
                self._metrics.publish(self._metrics.failover_trigger())
                log.warning("breaker open: FailoverTrigger published")
                breaker = record(published=True, promoted=False)
            except NotPublishedError as error:
                errors.append(str(error))
        if self.settings.promote_database and not breaker.promoted:
            try:
                outcome = promote(self._aws, self.settings.global_cluster, self.settings.region)
                log.warning("breaker open: promotion of the standby's database %s", outcome)
                breaker = record(published=False, promoted=True)
            except PromotionError as error:
                errors.append(str(error))
        return breaker

    def _change(self, transition: Callable[[Breaker], Breaker], now: float, name: str) -> Breaker:
        return self._table.change(transition, now, writer=f"{name}/{uuid.uuid4().hex[:8]}")

    def _publish(self, findings: dict[str, Finding], breaker: Breaker | None, errors: list[str]) -> None:
        settings, metrics = self.settings, self._metrics
        looked_at: dict[str, dict[str, Finding]] = {settings.primary_region: {}, settings.region: {}}
        for check, finding in findings.items():
            region = settings.primary_region if check == REQUEST_PATH else settings.region
            looked_at[region][check] = finding
        data = metrics.heartbeat(settings.region)
        for region, seen in looked_at.items():
            data += metrics.health(region, seen)
        if breaker:
            data += metrics.breaker_state(settings.region, breaker.state)
        try:
            metrics.publish(data)
        except NotPublishedError as error:
            errors.append(str(error))
