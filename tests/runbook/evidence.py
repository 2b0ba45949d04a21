"""A drill's journal as a run writes it: twelve minutes, a look a second by seven probes, the primary lost and back.

Times are offsets in seconds from the beginning; every number is the same each time it is made.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drctl.probe.measure import measure
from drctl.runbook.journal import Journal

PRIMARY, STANDBY = "us-east-1", "us-west-2"
NAME, DISTRIBUTION = "app.demo.example.net", "d1a2b3c4d5e6f7.cloudfront.net"
TYPICAL_MS = {
    "dns": 9,
    "read-name": 61,
    "write-name": 88,
    "read-distribution": 44,
    "write-distribution": 97,
    "table": 12,
    "bucket": 38,
}
RUN, SIMULATED = "20260314T100000Z-drill", {"speed": 10}


@dataclass(frozen=True)
class Drill:
    """What happened, in seconds after the beginning."""

    run: str = RUN
    began: float = 1_773_482_400.0  # 2026-03-14 10:00:00 UTC
    outage: int = 120
    detected: int = 151
    switched: int = 153
    dns: int = 181
    reads: int = 196
    promotion: int = 154
    promoted: int = 217
    writes: int = 232
    over: int = 420
    failback: int = 480
    back: int = 560
    end: int = 720
    lost_writes: int = 2
    simulated: dict[str, float] | None = None
    objective_s: int = 900
    verdict: bool = True
    digest_after: str = "5f0c0d8c1f6e2b71a4"

    def at(self, offset: float) -> float:
        """The time of an offset."""
        return self.began + offset

    def write(self, path: Path) -> Path:
        """The journal of it."""
        journal = Journal(path)
        for offset, kind, data in sorted(self._entries(), key=lambda entry: entry[0]):
            journal.add(kind, self.at(offset), **data)
        if self.verdict:
            results = measure(journal.entries)
            missed = [
                name for name, met in (("time", results.rto_met), ("point", results.rpo_met)) if not met
            ]
            journal.add(
                "verdict",
                self.at(self.end),
                outcome="objective missed" if missed else "passed",
                reasons=[f"the recovery {name} is beyond its objective" for name in missed],
                results=results.as_json(),
            )
        journal.close()
        return path

    def _entries(self) -> Iterator[tuple[float, str, dict[str, Any]]]:
        yield 0, "run", self._run()
        for name, value, limit, detail in PRECHECKS:
            yield (
                2,
                "check",
                {
                    "stage": "before",
                    "name": name,
                    "ok": True,
                    "detail": detail,
                    "value": value,
                    "limit": limit,
                },
            )
        yield 3, "fact", {"name": "serving", "value": PRIMARY}
        yield 3, "fact", {"name": "writer", "value": PRIMARY}
        yield 3, "fact", {"name": "lag_before", "value": {"database_s": 0.4, "table_s": 0.7, "bucket_s": 3.1}}
        yield 4, "fact", {"name": "digest_before", "value": "5f0c0d8c1f6e2b71a4"}
        for step, title, began, ended, evidence in self._steps():
            yield (
                began,
                "step",
                {
                    "step": step,
                    "title": title,
                    "state": "begun",
                    "detail": "",
                    "evidence": {},
                },
            )
            detail = evidence.pop("detail", "")
            yield (
                ended,
                "step",
                {
                    "step": step,
                    "title": title,
                    "state": "done",
                    "detail": detail,
                    "evidence": evidence,
                },
            )
            yield (
                ended,
                "check",
                {
                    "stage": step,
                    "name": "seen from outside",
                    "ok": True,
                    "detail": detail,
                    "value": None,
                    "limit": None,
                },
            )
        yield self.outage - 0.5, "undo", {"name": "heal", "arguments": {"region": PRIMARY}}
        yield self.outage, "fact", {"name": "outage_at", "value": self.at(self.outage)}
        yield self.detected, "fact", {"name": "detected_at", "value": self.at(self.detected)}
        yield self.switched, "fact", {"name": "switched_at", "value": self.at(self.switched)}
        yield self.promotion, "fact", {"name": "promotion_at", "value": self.at(self.promotion)}
        yield self.promoted, "fact", {"name": "promoted_at", "value": self.at(self.promoted)}
        yield (
            self.promoted,
            "deviation",
            {
                "what": "the promotion was asked for twice",
                "why": "RDS answered InvalidGlobalClusterStateFault: the cluster was <available>; 4 s later it took it",
            },
        )
        for store, lost in (("database", self.lost_writes), ("table", 0), ("bucket", 1)):
            arrived = [n for n in range(1, self.outage + 1) if n <= self.outage - lost]
            yield (
                self.promoted + 1,
                "fact",
                {
                    "name": "canary",
                    "value": {"store": store, "arrived": arrived, "at": self.at(self.promoted + 1)},
                },
            )
        yield self.over, "fact", {"name": "outage_over_at", "value": self.at(self.over)}
        yield self.over, "undone", {"name": "heal"}
        yield self.failback, "fact", {"name": "failback_at", "value": self.at(self.failback)}
        yield self.back, "fact", {"name": "traffic_back_at", "value": self.at(self.back)}
        yield self.end - 3, "fact", {"name": "digest_after", "value": self.digest_after}
        for name, value, limit, detail in PRECHECKS:
            yield (
                self.end - 2,
                "check",
                {
                    "stage": "after",
                    "name": name,
                    "ok": True,
                    "detail": detail,
                    "value": value,
                    "limit": limit,
                },
            )
        samples = list(self.samples())
        for second in range(0, self.end, 5):
            batch = [row for row in samples if second <= row[0] - self.began < second + 5]
            yield second + 5, "samples", {"rows": batch}
        for second, row in self._calls():
            yield second, "calls", {"rows": [row]}

    def _run(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "runbook": "drill",
            "environment": "demo",
            "account": "123456789012",
            "caller": "arn:aws:sts::123456789012:assumed-role/demo-operator/ada",
            "primary": PRIMARY,
            "standby": STANDBY,
            "settings_digest": "9e2fbd31c07a4d15",
            "drctl": "0.1.0",
            "objectives": {"rto_s": self.objective_s, "rpo_s": 60},
            "method": "region",
            "trigger": "automatic",
            "simulated": self.simulated,
            "forced": False,
            "command": "drctl drill --simulate-outage --method region --yes",
            "host": "ops-1",
            "user": "ada",
            "probes": {
                "name": NAME,
                "distribution": DISTRIBUTION,
                "interval_s": 1,
                "read_path": "/health",
                "write_path": "/api/records/{id}",
            },
            "ttl_s": 60,
            "health_check": {"interval_s": 10, "threshold": 3},
        }

    def _steps(self) -> Iterator[tuple[str, str, float, float, dict[str, Any]]]:
        yield "steady-state", "Look at the steady state", 5, 62, {"detail": "7 probes, none failed in 57 s"}
        yield (
            "outage",
            f"Take {PRIMARY} away",
            self.outage,
            self.outage + 1,
            {"detail": "every load balancer refuses, the control plane answers 503"},
        )
        yield (
            "detection",
            "Wait until the failure is detected",
            self.outage + 1,
            self.detected,
            {"detail": "health check: 3 failures in a row, seen by 16 of 16 checkers"},
        )
        yield (
            "switch",
            "Switch the traffic over",
            self.detected,
            self.switched,
            {
                "detail": "FailoverTrigger published in us-west-2",
                "metric": "FailoverTrigger",
            },
        )
        yield (
            "promotion",
            "Promote the database",
            self.promotion,
            self.promoted,
            {
                "detail": "us-west-2 writes",
                "writer": STANDBY,
            },
        )
        yield (
            "capacity",
            "Raise the standby to full size",
            self.promotion,
            self.promotion + 41,
            {"detail": "3 of 3 tasks run"},
        )
        yield (
            "served",
            "Wait until reads and writes are served",
            self.promoted,
            self.writes + 10,
            {"detail": "10 looks in a row without a failure"},
        )
        yield "hold", "Hold, and watch the standby carry the load", self.writes + 10, self.over - 1, {}
        yield "heal", f"Give {PRIMARY} back", self.over, self.over + 2, {}
        yield (
            "failback",
            "Fail back",
            self.failback,
            self.back,
            {"detail": "planned switchover, no write lost"},
        )
        yield "steady-again", "Look at the steady state again", self.back + 1, self.end - 5, {}

    def samples(self) -> Iterator[list[Any]]:
        """A row for each probe and second."""
        chance = random.Random(7)
        served = {
            "dns": (self.outage, self.dns),
            "read-name": (self.outage, self.reads),
            "write-name": (self.outage, self.writes),
            "read-distribution": (self.outage, self.outage + 7),
            "write-distribution": (self.outage, self.writes + 3),
            "table": (self.outage, self.switched + 6),
            "bucket": (self.outage, self.switched + 9),
        }
        for second in range(self.end):
            for number, (probe, (lost, again)) in enumerate(served.items()):
                when = round(self.at(second + number * 0.07 + chance.random() * 0.05), 3)
                latency = round(TYPICAL_MS[probe] * chance.lognormvariate(0, 0.22), 1)
                sequence = second + 1 if probe in ("write-name", "table", "bucket") else None
                moving = self.failback + 20
                if probe == "dns":
                    who = STANDBY if again <= second < moving else PRIMARY
                    yield [when, probe, True, latency, who, "", None]
                elif lost <= second < again:
                    reason, waited = ("timed out", 2000.0) if chance.random() < 0.6 else ("503", latency * 3)
                    yield [when, probe, False, waited, "", reason, sequence]
                elif probe.startswith("write") and moving <= second < moving + 9:
                    yield [when, probe, False, latency, STANDBY, "500 read-only", sequence]
                else:
                    away = again <= second < moving + (30 if "read" in probe else 9)
                    slower = latency * 1.7 if away and probe != "table" else latency
                    yield [when, probe, True, round(slower, 1), STANDBY if away else PRIMARY, "200", sequence]

    def _calls(self) -> Iterator[tuple[float, list[Any]]]:
        chance = random.Random(3)

        def row(
            offset: float, service: str, operation: str, region: str, status: object
        ) -> tuple[float, list[Any]]:
            endpoint = (
                f"https://{service}.{region}.amazonaws.com"
                if region != "global"
                else f"https://{service}.amazonaws.com"
            )
            ms = round(chance.lognormvariate(4, 0.4), 1)
            return offset, [self.at(offset), service, operation, region, endpoint, status, ms]

        for offset in range(5, self.outage, 15):
            yield row(offset, "route53", "GetHealthCheckStatus", "global", 200)
            yield row(offset + 0.2, "cloudwatch", "GetMetricStatistics", STANDBY, 200)
        yield row(self.outage - 0.2, "ecs", "UpdateService", PRIMARY, 200)
        yield row(self.switched - 1, "cloudwatch", "PutMetricData", STANDBY, 200)
        yield row(self.promotion, "rds", "FailoverGlobalCluster", STANDBY, 400)
        yield row(self.promotion + 4, "rds", "FailoverGlobalCluster", STANDBY, 200)
        yield row(self.promotion + 1, "ecs", "UpdateService", STANDBY, 200)
        yield row(self.promotion + 1.4, "application-autoscaling", "RegisterScalableTarget", STANDBY, 200)
        for offset in range(self.promotion + 5, self.promoted, 3):
            yield row(offset, "rds", "DescribeGlobalClusters", STANDBY, 200)
            yield row(offset + 0.4, "ecs", "DescribeServices", STANDBY, 200)
        for offset in range(self.failback, self.back, 4):
            yield row(offset, "rds", "DescribeGlobalClusters", PRIMARY, 200)
        yield row(self.failback + 1, "rds", "SwitchoverGlobalCluster", STANDBY, 200)
        yield row(self.failback + 20, "cloudwatch", "PutMetricData", STANDBY, 200)


PRECHECKS = (
    ("caller", None, None, "assumed-role/demo-operator, the account of the settings"),
    ("primary serves", PRIMARY, PRIMARY, "dns and both load balancers agree"),
    ("database lag", 0.4, 5, "seconds, the highest of the last 5 minutes"),
    ("table replication", 0.7, 5, "seconds"),
    ("bucket replication", 3.1, 900, "seconds"),
    ("standby tasks", 1, 1, "running, of those that should"),
    ("alarms", 0, 0, "ringing"),
    ('stack is <clean> & "whole"', 0, 0, "what differs from the settings </script><script>alert(1)</script>"),
)
"""Name, value, limit, detail. The last has what a page must not take for markup."""


def altered(path: Path, number: int, **changes: Any) -> Path:
    """The journal with one entry edited by hand, its hash left as it was."""
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[number] = json.dumps(
        {**json.loads(lines[number]), **changes}, sort_keys=True, separators=(",", ":")
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
