"""The probes of a run: who looks, how often, and what their looks of the last moments say together."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from drctl.errors import DrctlError
from drctl.probe.canary import UNRECORDED, BucketCanary, Canary, DatabaseCanary, TableCanary
from drctl.probe.client import Client
from drctl.probe.dns import Resolver
from drctl.probe.measure import STORES, acknowledged
from drctl.probe.outside import Outside, Unreachable
from drctl.probe.prober import Probe, Prober
from drctl.probe.sample import Sample
from drctl.runbook.step import Finding

if TYPE_CHECKING:
    from drctl.aws.clients import Aws
    from drctl.engine.clock import Clock
    from drctl.runbook.journal import Entry, Journal
    from drctl.runbook.recovery import Recovery
    from drctl.runbook.site import Side, Site
    from drctl.settings import Settings

TIMEOUT_S = 5.0
"""Seconds of the environment's time after which a user gives up."""

FLUSH_S = 0.5
"""Real seconds between two entries of samples in the journal: what a kill may cost."""

EMPTY_LOOKS = 3
"""Looks at the stores, some seconds apart, that must find nothing of a run's canaries."""

REMEMBERED = 5000
"""Samples of a probe that are kept at hand."""


class Watch:
    """Users and canaries of one run. ``canaries``: whether data stores are written to directly, as a drill does."""

    def __init__(
        self,
        site: Site,
        settings: Settings,
        clock: Clock,
        outside: Outside,
        journal: Journal,
        aws: Aws,
        *,
        canaries: bool,
    ) -> None:
        self._site, self._settings, self._clock, self._journal = site, settings, clock, journal
        self._aws, self._with_canaries = aws.brief.once, canaries
        self._client = Client(
            outside,
            Resolver(outside, site.name_servers, clock),
            clock,
            TIMEOUT_S,
            {side.region: side.load_balancer for side in site.sides},
        )
        self._writer = site.primary.region
        self._recent: dict[str, deque[Sample]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._unsaved: list[Sample] = []
        self._guard = threading.Lock()
        self._saved_at = time.monotonic()
        self._empty_looks = 0
        self._users: Prober | None = None
        self._stores: Prober | None = None
        for sample in samples(journal.entries):
            self._recent[sample.probe].append(sample)
        self._canaries = self._make_canaries(journal.entries)

    def describe(self) -> dict[str, object]:
        """For the journal's first entry."""
        drill = self._settings.drill
        return {
            "name": self._site.failover_host,
            "distribution": self._site.distribution,
            "interval_s": drill.interval_s,
            "read_path": self._read_path,
            "write_path": drill.write_path,
        }

    def start(self, recovery: Recovery) -> bool:
        """The probes look from now on, the canaries write where the writer is; False when they do already."""
        if self._users is not None:
            return False
        self._writer = recovery.fact("writer") or self._site.primary.region
        own = self._own_url(self._site.standby)
        self._users = self._prober({**self._user_probes(), "standby": lambda: self._client.read(own)})
        self._users.start()
        held = recovery.fact("outage_at") is not None and recovery.fact("promoted_at") is None
        if not (held and recovery.parameters.loses_data):
            self._start_canaries()
        return True

    def stop(self) -> None:
        """No probe looks any more; all they saw is in the journal."""
        probers = [prober for prober in (self._users, self._stores) if prober is not None]
        self._users = self._stores = None
        for prober in probers:
            # What its sink could not save is saved below, or said there.
            with suppress(DrctlError):
                prober.stop()
        self._save()

    def hold_canaries(self, recovery: Recovery) -> None:
        """Where the primary is about to be lost, nothing of drctl's may write there any more."""
        if recovery.parameters.loses_data and self._stores is not None:
            self._stores.stop()
            self._stores = None

    def follow_writer(self, side: Side) -> None:
        """From now on the canaries write in that region."""
        self._writer = side.region
        if self._users is not None:
            self._start_canaries()

    def count_arrivals(self, recovery: Recovery) -> None:
        """Write down which of the writes that were acknowledged before the outage the standby holds now."""
        self._save()
        for store, probe in STORES.items():
            canary = self._canaries.get(probe)
            if canary is None or (probe == "write-name" and not self._settings.drill.record_path):
                continue
            try:
                numbers = acknowledged(self._journal.entries, store)
                arrived = canary.arrived(self._site.standby.region, numbers)
            except (ClientError, BotoCoreError, Unreachable) as error:
                why = f"the standby's {store} could not be asked: {error}"
                recovery.note("deviation", what=f"lost writes of the {store} are not counted", why=why)
                continue
            recovery.remember("canary", {"store": store, "arrived": arrived, "at": self._clock.now()})

    def remove_canaries(self, recovery: Recovery) -> None:
        """Delete what was written, where that can be done."""
        for probe, canary in self._canaries.items():
            for region, why in canary.remove().items():
                place = f" in {region}" if region else ""
                recovery.note("deviation", what=f"what {probe} wrote could not be removed{place}", why=why)

    def sweep(self, recovery: Recovery) -> int:
        """How many items and objects of this run the tables and buckets of both regions hold; they are deleted."""
        left = 0
        for canary in (self._canaries[probe] for probe in ("table", "bucket") if probe in self._canaries):
            left += sum(len(canary.arrived(side.region, canary.used())) for side in self._site.sides)
        if left:
            self.remove_canaries(recovery)
        self._empty_looks = 0 if left else self._empty_looks + 1
        return left

    @property
    def swept(self) -> bool:
        """Nothing was found so often in a row that nothing is on its way from one region to the other any more."""
        return self._empty_looks >= EMPTY_LOOKS or not self._with_canaries

    def answers(self, side: Side) -> bool:
        """Whether the region's own name answers from outside."""
        try:
            return self._client.fetch("GET", self._own_url(side)).served
        except Unreachable:
            return False

    def dns_points_to(self, side: Side) -> Finding:
        """What the zone's name servers say about the failover name."""
        if self._site.failover_host is None:
            return Finding(True, "there is no domain")
        try:
            found = self._client.dns(self._site.failover_host)
        except Unreachable as error:
            return Finding(False, f"{self._site.failover_host}: {error}")
        return Finding(
            found.who == side.region, f"{self._site.failover_host} is in {found.who or found.detail}"
        )

    def served_by(self, side: Side, for_s: float | None = None) -> Finding:
        """Whether all users have been served for ``for_s`` seconds (three looks), by name in that region."""
        interval = self._settings.drill.interval_s
        since = self._clock.now() - (for_s or 3 * interval)
        for probe in self._user_probes():
            looks = [sample for sample in list(self._of(probe)) if sample.time >= since]
            if not looks or looks[0].time > since + 2 * interval:
                return Finding(False, f"{probe}: too few looks yet")
            bad = next((s for s in reversed(looks) if not s.ok), None)
            if bad is not None:
                return Finding(False, f"{probe}: {bad.detail}")
            by_name = probe in ("dns", "read-name", "write-name")
            if by_name and any(sample.who != side.region for sample in looks):
                return Finding(False, f"{probe}: {looks[-1].who or 'nobody known'} answers")
        return Finding(True, f"users read and write in {side.region}")

    def lost(self, side: Side, for_s: float) -> Finding:
        """Whether users have got nothing by name for ``for_s`` seconds, or the name servers have turned away."""
        turned = [sample for sample in list(self._of("dns"))[-2:] if sample.ok]
        if len(turned) == 2 and all(sample.who not in ("", side.region) for sample in turned):
            return Finding(True, f"the name servers answer with {turned[-1].who}")
        failing = self._failing_s("read-name")
        return Finding(failing >= for_s, f"reads by name have failed for {failing:.0f} s", failing, for_s)

    def unserved_s(self) -> float:
        """Seconds for which users could not read by name: from each failed look to the next good one, or to now."""
        lost, since = 0.0, None
        for sample in list(self._of("read-name")):
            if sample.ok and since is not None:
                lost, since = lost + sample.time - since, None
            elif not sample.ok and since is None:
                since = sample.time
        return lost + (self._clock.now() - since if since is not None else 0.0)

    def standby_silent_s(self) -> float:
        """Seconds since the standby last answered on its own name; 0 while it does, or never has."""
        return self._failing_s("standby") if any(sample.ok for sample in list(self._of("standby"))) else 0.0

    def _failing_s(self, probe: str) -> float:
        """Seconds from the first of the failures that the newest look ends, 0 when that one succeeded."""
        since = None
        for sample in reversed(list(self._of(probe))):
            if sample.ok:
                break
            since = sample.time
        return 0.0 if since is None else self._clock.now() - since

    def _of(self, probe: str) -> deque[Sample]:
        return self._recent[probe]

    def _prober(self, probes: dict[str, Probe]) -> Prober:
        return Prober(probes, self._settings.drill.interval_s, self._clock, self._see)

    def _start_canaries(self) -> None:
        if self._stores is None and self._with_canaries:
            self._stores = self._prober({name: self._canaries[name].write for name in ("table", "bucket")})
            self._stores.start()

    def _user_probes(self) -> dict[str, Probe]:
        """The looks of users."""
        site = self._site
        probes: dict[str, Probe] = {}
        if site.failover_host:
            name = site.failover_host
            probes["dns"] = lambda: self._client.dns(name)
            probes["read-name"] = lambda: self._client.read(self._url(name, self._read_path))
        probes["read-distribution"] = lambda: self._client.read(self._url(site.distribution, self._read_path))
        for probe in ("write-name", "write-distribution"):
            if probe in self._canaries:
                probes[probe] = self._canaries[probe].write
        return probes

    def _make_canaries(self, entries: list[Entry]) -> dict[str, Canary]:
        """After a resume their numbers go on where the journal ends."""
        highest = used_numbers(entries)
        site, run, clock = self._site, self._journal.path.stem, self._clock
        tables = {side.region: self._aws.dynamodb(side.region) for side in site.sides}
        stores = {side.region: self._aws.s3(side.region) for side in site.sides}
        buckets = {side.region: side.buckets[self._settings.buckets[0].name] for side in site.sides}
        made: dict[str, Canary] = {}
        if self._with_canaries:
            first = self._settings.tables[0]
            table, key = site.primary.tables[first.name], first.key
            made["table"] = TableCanary(tables, table, key, run, self._where, clock, highest.get("table"))
            made["bucket"] = BucketCanary(stores, buckets, run, self._where, clock, highest.get("bucket"))
        drill = self._settings.drill
        records = {side.region: self._own_url(side, drill.record_path or "/") for side in site.sides}
        for probe, host in (("write-name", site.failover_host), ("write-distribution", site.distribution)):
            if drill.write_path and host:
                url = self._url(host, drill.write_path)
                made[probe] = DatabaseCanary(
                    self._client, url, records, run, probe, clock, highest.get(probe)
                )
        return made

    def _where(self) -> str:
        return self._writer

    def _own_url(self, side: Side, path: str | None = None) -> str:
        return self._url(side.host or side.load_balancer, path or self._settings.services[0].health_path)

    def _url(self, host: str, path: str) -> str:
        return f"{'https' if self._settings.domain else 'http'}://{host}{path}"

    @property
    def _read_path(self) -> str:
        return self._settings.drill.read_path or self._settings.services[0].health_path

    def _see(self, sample: Sample) -> None:
        with self._guard:
            self._recent[sample.probe].append(sample)
            self._unsaved.append(sample)
            due = time.monotonic() - self._saved_at >= FLUSH_S
        if due:
            self._save()

    def _save(self) -> None:
        with self._guard:
            rows = [sample.row() for sample in self._unsaved]
            self._unsaved.clear()
            self._saved_at = time.monotonic()
        if rows:
            try:
                self._journal.add("samples", self._clock.now(), rows=rows)
            except DrctlError:
                with self._guard:
                    self._unsaved[:0] = map(Sample.from_row, rows)
                raise

    def abandon(self) -> None:
        """No probe looks any more, and nothing more is written: the run belongs to somebody else."""
        self._journal.seal()
        for prober in (self._users, self._stores):
            if prober is not None:
                prober.stop()


def used_numbers(entries: list[Entry]) -> dict[str, int]:
    """Canary -> the highest number that the journal knows of; nothing for a new run.

    A process that was killed before it wrote anything down has still used some, and the one that followed it, too.
    """
    if not entries:
        return {}
    highest = dict.fromkeys(STORES.values(), 0) | {"write-distribution": 0}
    for entry in entries:
        if entry["kind"] == "resumed":
            highest = {probe: number + UNRECORDED for probe, number in highest.items()}
        for sample in samples([entry]):
            if sample.sequence is not None:
                highest[sample.probe] = max(highest[sample.probe], sample.sequence)
    return highest


def samples(entries: list[Entry]) -> list[Sample]:
    """All of a journal."""
    return [Sample.from_row(row) for entry in entries if entry["kind"] == "samples" for row in entry["rows"]]
