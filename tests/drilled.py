"""One drill of a lost region, watched by somebody outside who shares no code with drctl, and what both saw."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drctl.sim import client
from tests.census import Census
from tests.configuration import fields
from tests.environment import DOMAIN, P, Ran, S
from tests.rehearsal import NAME, Rehearsal
from tests.rehearsal_kills import Wanted, at

SPEED = 8.0
"""Simulated seconds in a real one: slow enough for everybody's looks to keep to their second."""

LAG_S = 5.0
"""What replication of the database, the table and the bucket takes while the primary still writes."""

WAIT_S = 120.0
"""Real seconds for the drill to come somewhere."""


@dataclass(frozen=True)
class Look:
    """One of the outsider's."""

    time: float
    ended: float
    ok: bool
    who: str
    detail: str
    sequence: int | None


@dataclass
class Drilled:
    """What became of it.

    out_since: when the simulator took the region out, by its own clock
    seen: the outsider's looks, by probe; audit: probe, number and HTTP status of what the standby had of its writes
    configured, exists: configuration, field by field, and everything there is, each before and after
    """

    ran: Ran
    journal: list[dict[str, Any]]
    path: Path
    folder: Path
    out_since: float
    seen: dict[str, list[Look]]
    audit: dict[str, list[tuple[str, int, int]]]
    configured: tuple[dict[str, str], dict[str, str]]
    exists: tuple[Census, Census]
    plan: dict[str, str]
    access: list[dict[str, Any]]
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in self.journal:
            if entry["kind"] == "fact":
                self.facts.setdefault(entry["name"], entry["value"])

    @property
    def unsure_s(self) -> float:
        """How long the call took that began the outage: drctl counts from its beginning, the outsider from its end."""
        return self.out_since - float(self.facts["outage_at"])

    @property
    def report(self) -> dict[str, Any]:
        """The JSON master."""
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return found

    def of_report(self, part: str, items: str, key: str) -> dict[str, dict[str, Any]]:
        """A table of the report, by the column that names its rows."""
        return {each[key]: each for each in self.report[part][items]}

    def samples(self, probe: str) -> list[Look]:
        """drctl's own looks."""
        rows = [row for entry in self.journal if entry["kind"] == "samples" for row in entry["rows"]]
        return [
            Look(at, at + ms / 1000 * SPEED, ok, who, detail, sequence)
            for at, name, ok, ms, who, detail, sequence in sorted(rows, key=lambda row: float(row[0]))
            if name == probe
        ]

    def before(self, probe: str) -> list[Look]:
        """drctl's own that were acknowledged before the outage."""
        return [look for look in self.samples(probe) if look.ok and look.time < self.facts["outage_at"]]

    def ours(self, probe: str) -> list[Look]:
        """drctl's own looks from the outage to the beginning of the failback."""
        return self._of_outage(self.samples(probe))

    def during(self, probe: str) -> list[Look]:
        """The outsider's looks from the outage to the beginning of the failback."""
        return self._of_outage(self.seen[probe])

    def _of_outage(self, looks: list[Look]) -> list[Look]:
        return [look for look in looks if self.out_since <= look.time < self.facts["failback_at"]]


def drill(place: Rehearsal, folder: Path) -> Drilled:
    """See the module. ``folder``: an empty one, for what the outsider writes down."""
    configured, exists = fields(place.client), place.census()
    with place.moving(SPEED):
        status = place.sim.status()
        outsider = _outsider(place, status, folder / "seen.jsonl")
        usual = client.lags(status)
        calls, known = place.calls(), len(place.journals)
        with outsider, ThreadPoolExecutor(1) as threads:
            run = threads.submit(place.runbook, "drill", "--simulate-outage", speed=SPEED)

            def until(wanted: Wanted) -> None:
                _wait(place, known, wanted, run.done)

            try:
                until(at("before.probes", "begun"))
                outsider.begin()
                client.set_lags(status, dict.fromkeys(usual, LAG_S))
                until(at("outage.detect", "begun"))
                out_since = place.sim.status().outages[P]
            finally:
                client.set_lags(status, usual)
                ran = run.result()
        path = place.journals[-1]
        return Drilled(
            ran=ran,
            journal=place.journal(),
            path=path,
            folder=path.with_suffix(""),
            out_since=out_since,
            seen=outsider.looks(),
            audit=outsider.audit(),
            configured=(configured, fields(place.client)),
            exists=(exists, place.census()),
            plan=place.changes(),
            access=place.sim.access_log()[calls:],
        )


def _wait(place: Rehearsal, known: int, wanted: Wanted, over: Callable[[], bool]) -> None:
    """Until the journal of the run has an entry."""
    deadline = time.monotonic() + WAIT_S
    while len(place.journals) == known or not any(map(wanted, place.journal())):
        assert not over(), "the drill ended before it came there"
        assert time.monotonic() < deadline, "the drill does not come there"
        time.sleep(0.01)


class _Outside:
    """The outsider's process, from ``with`` to its end, at which it has cleaned up."""

    def __init__(self, settings: dict[str, Any], output: Path) -> None:
        self._output = output
        program = Path(__file__).with_name("outsider.py")
        with output.open("w", encoding="utf-8") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(program), json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=file,
                text=True,
            )

    def __enter__(self) -> _Outside:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=WAIT_S)

    def begin(self) -> None:
        """Look from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def _said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._output.read_text(encoding="utf-8").splitlines()]

    def looks(self) -> dict[str, list[Look]]:
        """By probe, the oldest first. It has removed what it wrote."""
        assert self._process.returncode == 0
        assert self._said()[-1] == {"removed": True}
        found: dict[str, list[Look]] = {}
        for said in self._said():
            if "probe" in said:
                found.setdefault(said.pop("probe"), []).append(Look(**said))
        return found

    def audit(self) -> dict[str, list[tuple[str, int, int]]]:
        """What the standby answered about the outsider's writes: probe, number, status; ``records``, ``sessions``."""
        return {
            said["audit"]: [(probe, number, status) for probe, number, status in said["statuses"]]
            for said in self._said()
            if "audit" in said
        }


def _outsider(place: Rehearsal, status: client.Status, output: Path) -> _Outside:
    own = {}
    for region in (P, S):
        (balancer,) = place.client("elbv2", region).describe_load_balancers()["LoadBalancers"]
        own[region] = _name_of(place, balancer["DNSName"])
    return _Outside(
        {
            "now": status.now,
            "at": status.read_at,
            "speed": status.speed,
            "name_server": status.name_server,
            "https": status.ports[443],
            "trust": str(status.ca_bundle),
            "name": NAME,
            "distribution": DOMAIN,
            "own": own,
            "standby": S,
        },
        output,
    )


def _name_of(place: Rehearsal, balancer: str) -> str:
    """The name that always leads to this load balancer."""
    route53 = place.client("route53", P)
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            target = record.get("AliasTarget", {}).get("DNSName", "").removeprefix("dualstack.").rstrip(".")
            if "SetIdentifier" not in record and target.lower() == balancer.lower():
                return str(record["Name"]).rstrip(".")
    raise AssertionError(f"no name leads to {balancer} alone")
