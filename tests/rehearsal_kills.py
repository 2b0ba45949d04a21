"""Runbooks that are killed: a real process, SIGKILLed the moment its journal says what is wanted; and what must hold
when such a run has come to its end after all, asked of AWS by boto3 and of the journal's own file."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.environment import EVERYTHING, P, Ran, S
from tests.rehearsal import NAME, PATHS, Rehearsal
from tests.sim.visitor import Visitor

Entry = dict[str, Any]
Wanted = Callable[[Entry], bool]

PATIENCE_S = 300.0
"""Real seconds for a run to come to the entry at which it is to be killed."""

GLANCE_S = 0.002

SPEED = 20.0
"""As fast as a busy machine bears it; nothing here measures a time."""

SELDOM = "interval_s = 3\n"
"""A setting of [drill], so that a busy machine keeps up with the users' looks at this speed."""


def at(step: str, state: str) -> Wanted:
    """``begun``: it is written, and its act is about to begin; ``done``: it is proven."""
    return lambda entry: entry["kind"] == "step" and entry["step"] == step and entry["state"] == state


def of_kind(kind: str, **values: Any) -> Wanted:
    """An entry with these values."""
    return lambda entry: entry["kind"] == kind and all(entry.get(n) == v for n, v in values.items())


@contextmanager
def moving(place: Rehearsal, speed: float = SPEED) -> Iterator[None]:
    """The world moves, and users look seldom; afterwards as before."""
    place.settings(EVERYTHING + PATHS + SELDOM)
    try:
        with place.moving(speed):
            yield
    finally:
        place.settings(EVERYTHING + PATHS)


class Kills:
    """Runs of runbooks on one environment that are killed or interrupted."""

    def __init__(self, place: Rehearsal) -> None:
        self._place = place
        self._log = place.folder / "killed.log"

    def run(self, *arguments: str) -> Ran:
        """Undisturbed, to its end."""
        return self._place.runbook(*arguments, speed=SPEED)

    def kill(self, arguments: Sequence[str], wanted: Wanted, number: int = signal.SIGKILL) -> None:
        """Run it until an entry of its own is the wanted one, and end it then."""
        child = self._until(arguments, wanted)
        child.send_signal(number)
        child.wait()

    def kill_at_each(self, arguments: Sequence[str], points: Sequence[tuple[str, str]]) -> None:
        """One run, killed at each of these steps' states in turn and resumed up to the next.

        Some steps are so short that a process is at the next one before it dies; what is done then has no such point.
        """
        killed = 0
        for step, state in points:
            done = killed and any(at(step, "done")(entry) for entry in read(self._place.journals[-1]))
            if not done:
                self.kill(arguments, at(step, state))
                killed += 1
                arguments = (arguments[0], "--resume")
        assert killed > len(points) / 2, "too few kills to prove anything"

    @property
    def too_late(self) -> bool:
        """Whether the last run came to its verdict before it died: after the last step there is nothing else to do."""
        return read(self._place.journals[-1])[-1]["kind"] == "verdict"

    def interrupt(self, arguments: Sequence[str], wanted: Wanted) -> Ran:
        """The same with Ctrl-C, and what it says at its end."""
        child = self._until(arguments, wanted, stdout=subprocess.PIPE)
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=PATIENCE_S)
        return Ran(child.returncode, out, self._log.read_text(encoding="utf-8"))

    def _until(self, arguments: Sequence[str], wanted: Wanted, **options: Any) -> subprocess.Popen[str]:
        known = {path: len(read(path)) for path in self._place.journals}
        with self._log.open("w", encoding="utf-8") as log:
            child = self._place.start(
                *("--sim", "--output", "json", *arguments, "--yes"),
                environment={"DRCTL_SIM_SPEED": str(SPEED)},
                **{"stdout": subprocess.DEVNULL, "stderr": log, **options},
            )
        deadline = time.monotonic() + PATIENCE_S
        while not any(wanted(entry) for entry in self._new(known)):
            ended = child.poll() is not None
            if ended and any(wanted(entry) for entry in self._new(known)):
                break
            if ended or time.monotonic() > deadline:
                child.kill()
                child.wait()
                said = self._log.read_text(encoding="utf-8")[-3000:]
                raise AssertionError(f"{arguments} never came to what was wanted:\n{said}")
            time.sleep(GLANCE_S)
        return child

    def _new(self, known: dict[Path, int]) -> Iterable[Entry]:
        if not self._place.journals:
            return []
        newest = self._place.journals[-1]
        return read(newest)[known.get(newest, 0) :]


_read: dict[Path, tuple[int, list[Entry]]] = {}


def read(path: Path) -> list[Entry]:
    """The whole lines of a journal. What was read before is not read again: journals only grow."""
    offset, entries = _read.get(path, (0, []))
    if path.stat().st_size > offset:
        with path.open("rb") as file:
            file.seek(offset)
            whole, _, _ = file.read().rpartition(b"\n")
        if whole:
            entries = [*entries, *map(json.loads, whole.splitlines())]
            _read[path] = (offset + len(whole) + 1, entries)
    return entries


def roles(place: Rehearsal) -> dict[str, Any]:
    """Who writes, who is asked to serve, with how many tasks, and everything a method of outage touches."""
    found: dict[str, Any] = {}
    for region in (P, S):
        (cluster,) = place.client("rds", region).describe_global_clusters(
            GlobalClusterIdentifier="demo-global"
        )["GlobalClusters"]
        found[f"{region} writer"] = [
            m["DBClusterArn"] for m in cluster["GlobalClusterMembers"] if m["IsWriter"]
        ]
        found[f"{region} clusters"] = [
            (each["DBClusterIdentifier"], each["Status"])
            for each in place.client("rds", region).describe_db_clusters()["DBClusters"]
        ]
        found[f"{region} services"] = _services(place, region)
        found[f"{region} acls"] = sorted(
            (association["SubnetId"], acl["NetworkAclId"])
            for acl in place.client("ec2", region).describe_network_acls()["NetworkAcls"]
            for association in acl["Associations"]
        )
        alarms = place.client("cloudwatch", region).describe_alarms()["MetricAlarms"]
        found[f"{region} switch"] = any(
            a["StateValue"] == "ALARM" for a in alarms if "failover-trigger" in a["AlarmName"]
        )
    checks = place.client("route53", P).list_health_checks()["HealthChecks"]
    found["health checks"] = sorted(
        (
            c["Id"],
            c["HealthCheckConfig"].get("Inverted", False),
            c["HealthCheckConfig"].get("Disabled", False),
        )
        for c in checks
    )
    found["regions out"] = place.sim.status().outages
    found["DNS"] = Visitor(place.sim).resolve(NAME)
    return found


def left_behind(place: Rehearsal) -> list[str]:
    """What probes wrote and nobody took away, in either region."""
    found: list[str] = []
    for region in (P, S):
        tables = place.client("dynamodb", region)
        for table in tables.list_tables()["TableNames"]:
            for page in tables.get_paginator("scan").paginate(TableName=table):
                found += [f"{region} {table} {item}" for item in page["Items"] if "drctl-drill" in str(item)]
        stores = place.client("s3", region)
        for bucket in (each["Name"] for each in stores.list_buckets()["Buckets"]):
            for page in stores.get_paginator("list_object_versions").paginate(Bucket=bucket):
                objects = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                found += [f"{bucket} {o['Key']}" for o in objects if o["Key"].startswith("drctl-drill")]
    return found


def whole(entries: list[Entry]) -> bool:
    """Whether every entry's hash holds the one before it: computed here, not by drctl."""
    before = "0" * 64
    for entry in entries:
        body = {name: value for name, value in entry.items() if name != "hash"}
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        if entry["hash"] != hashlib.sha256((before + text).encode()).hexdigest():
            return False
        before = entry["hash"]
    return True


def open_undos(entries: list[Entry]) -> set[str]:
    """The names of what was done on purpose and not taken back."""
    found: set[str] = set()
    for entry in entries:
        if entry["kind"] == "undo":
            found.add(entry["name"])
        elif entry["kind"] == "undone":
            found.discard(entry["name"])
    return found


def assert_as_before(place: Rehearsal, before: dict[str, Any], *outcomes: str) -> None:
    """The last run ended with one of these outcomes, everything is as it was, and nothing of the run is left."""
    assert_clean(place, *outcomes)
    assert open_undos(place.journal()) == set()
    changed = difference(before, roles(place))
    assert not changed, f"{changed}; before: {[before[name] for name in changed]}"
    assert place.changes() == {}


def assert_clean(place: Rehearsal, *outcomes: str) -> None:
    """The last run ended with one of these outcomes, its journal is whole, and nothing that it wrote is left."""
    entries = place.journal()
    verdict = entries[-1]
    assert verdict["kind"] == "verdict"
    assert verdict["outcome"] in outcomes, verdict["reasons"]
    assert whole(entries), "the journal's chain is broken"
    facts = place.facts()
    if any(entry["kind"] == "step" and entry["step"] == "outage.inject" for entry in entries):
        assert facts["digest_before"] == facts["digest_after"]
    left = left_behind(place)
    assert not left, f"{len(left)} are left behind: {left[:5]}"


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What is another now, by name."""
    return {name: after[name] for name in after if after[name] != before[name]}


def _services(place: Rehearsal, region: str) -> list[Any]:
    ecs, scaling = place.client("ecs", region), place.client("application-autoscaling", region)
    found: list[Any] = []
    for cluster in ecs.list_clusters()["clusterArns"]:
        for arn in ecs.list_services(cluster=cluster)["serviceArns"]:
            (seen,) = ecs.describe_services(cluster=cluster, services=[arn])["services"]
            found.append((arn, seen["desiredCount"], seen["runningCount"]))
    for target in scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]:
        suspended = sorted(name for name, value in target.get("SuspendedState", {}).items() if value)
        found.append((target["ResourceId"], target["MinCapacity"], target["MaxCapacity"], suspended))
    return found
