"""A state that is a team's: shared by machines, surviving the loss of the primary region, moved in and out."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from drctl.aws.clients import Aws
from drctl.aws.team_store import TeamStore
from tests.environment import EVERYTHING, Desk, Installation, P, Ran, S
from tests.view.test_json import checked

ACCOUNT = "123456789012"
BUCKET = f"drctl-demo-state-{ACCOUNT}-{S}"
SHARED = EVERYTHING + '[state]\nstore = "s3"\n'
KEYS = ("--target", "*/kms-key/main")
"""The smallest environment there is: a key in each region."""

PATIENCE_S = 120.0


class Machine(Desk):
    """Another machine: the same settings, nothing else, and the way to the same AWS."""

    def __init__(self, folder: Path, place: Installation, settings: str = SHARED) -> None:
        super().__init__(folder)
        self.state.mkdir(parents=True)
        (self.state / "sim").symlink_to(place.state / "sim")
        self.settings(settings)

    def ok(self, *arguments: str) -> Ran:
        ran = self.on_sim(*arguments)
        assert ran.code == 0, f"{arguments}: exit {ran.code}\n{ran.out[-6000:]}\n{ran.err[-6000:]}"
        return ran

    def on_sim(self, *arguments: str) -> Ran:
        return self.run("--sim", "--output", "json", *arguments)


@pytest.fixture
def place(fresh: Installation) -> Installation:
    fresh.settings(SHARED)
    return fresh


@pytest.fixture
def other(place: Installation, tmp_path: Path) -> Machine:
    return Machine(tmp_path / "other", place)


def store(place: Installation) -> TeamStore:
    return TeamStore(Aws(place.sim.session(), place.sim.endpoint), "demo", ACCOUNT, S)


def keys(place: Installation) -> list[str]:
    """All customer keys of both regions that are not on their way out."""
    found = []
    for region in (P, S):
        kms = place.client("kms", region)
        for key in kms.list_keys()["Keys"]:
            described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            if described["KeyManager"] == "CUSTOMER" and described["KeyState"] != "PendingDeletion":
                found.append(described["Arn"])
    return found


def addresses(ran: Ran) -> list[str]:
    return [record["address"] for record in ran.json["records"]]


def buckets(place: Installation) -> list[str]:
    return [each["Name"] for each in place.client("s3", S).list_buckets()["Buckets"]]


def files(machine: Desk) -> list[str]:
    return sorted(path.name for path in machine.state.glob("demo.*") if path.is_file())


def test_what_one_machine_builds_another_knows_changes_and_removes(
    place: Installation, other: Machine
) -> None:
    assert addresses(place.ok("state", "list")) == []
    assert buckets(place) == []  # looking makes nothing
    calls = place.calls()
    assert place.ok("up", "--yes", *KEYS).json["summary"]["create"] == 2
    made = Counter(e["operation"] for e in place.sim.access_log()[calls:] if e["service"] == "s3")
    print(f"requests of an up of two resources to S3: {sum(made.values())}, {dict(made)}")
    assert files(place) == []
    assert addresses(other.ok("state", "list")) == [f"{P}/kms-key/main", f"{S}/kms-key/main"]
    calls = place.calls()
    again = other.ok("up", "--yes", *KEYS).json["summary"]
    assert (again["unchanged"], again["create"], again["update"]) == (2, 0, 0)
    made = Counter(e["operation"] for e in place.sim.access_log()[calls:] if e["service"] == "s3")
    print(f"requests of an up without changes to S3: {sum(made.values())}, {dict(made)}")
    pointer = json.loads(place.client("s3", S).get_object(Bucket=BUCKET, Key="state.json")["Body"].read())
    state = place.client("s3", S).head_object(Bucket=BUCKET, Key=pointer["snapshot"])
    assert state["ServerSideEncryption"] == "aws:kms"
    assert state["SSEKMSKeyId"] in keys(place)
    assert other.ok("destroy", "--yes").json["left"] == []
    assert buckets(place) == []
    assert keys(place) == []
    assert addresses(place.ok("state", "list")) == []


def test_its_calls_go_to_the_standby_alone(place: Installation) -> None:
    place.ok("up", "--yes", *KEYS)
    assert place.run("sim", "outage", P).code == 0
    calls = place.calls()
    assert len(addresses(place.ok("state", "list"))) == 2
    asked = [(e["service"], e["region"]) for e in place.sim.access_log()[calls:]]
    assert asked
    assert {region for _, region in asked} == {S}
    assert {service for service, _ in asked} <= {"s3", "sts"}
    assert place.run("sim", "heal", P).code == 0
    place.destroy()


def test_a_second_run_is_told_who_is_at_work(place: Installation, other: Machine) -> None:
    hold = store(place).hold("failover")
    ran = other.on_sim("up", "--yes", *KEYS)
    assert ran.code == 4
    assert "drctl failover" in ran.json["errors"][0]["cause"]
    assert other.ok("state", "unlock").json["broken"]["command"] == "failover"
    other.ok("up", "--yes", *KEYS)
    hold.release()
    other.ok("destroy", "--yes")


def test_what_a_killed_run_began_another_machine_completes(place: Installation, tmp_path: Path) -> None:
    brief = SHARED + "lease_s = 10\n"
    place.settings(brief)
    other = Machine(tmp_path / "other", place, brief)
    many = [*KEYS, "--target", "*/vpc/main", "--target", "*/subnet/*"]
    child = place.start("--sim", "--output", "json", "up", "--yes", *many)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and not place.sim.calls(operation="CreateVpc"):
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    named = store(place).holder()
    assert named is not None
    assert (named.pid, named.command) == (child.pid, "up")
    while (ran := other.on_sim("up", "--yes", *many)).code == 4:
        assert time.monotonic() < deadline + PATIENCE_S
        time.sleep(1)
    assert ran.code == 0, ran.out
    assert other.ok("plan", *many).json["summary"].get("create", 0) == 0
    assert len(keys(place)) == 2
    ours = [v for r in (P, S) for v in place.client("ec2", r).describe_vpcs()["Vpcs"] if v.get("Tags")]
    assert len(ours) == 2
    assert other.ok("destroy", "--yes").json["left"] == []
    assert buckets(place) == []


def test_a_destroy_killed_at_the_end_is_completed_by_the_next(place: Installation, other: Machine) -> None:
    place.ok("up", "--yes", *KEYS)
    place.sim.fault("error", service="s3", operation="DeleteBucket", code="AccessDenied", status=403)
    ran = place.on_sim("destroy", "--yes")
    assert ran.code == 1
    assert "DeleteBucket" in json.dumps(ran.json["errors"])
    assert buckets(place) == [BUCKET]
    place.sim.heal()
    other.ok("destroy", "--yes")
    assert buckets(place) == []


def test_a_state_is_moved_into_the_bucket_and_back(place: Installation, other: Machine) -> None:
    place.settings(EVERYTHING)
    place.ok("up", "--yes", *KEYS)
    copy = (place.state / "demo.json").read_text()
    lineage = json.loads(copy)["lineage"]
    place.settings(SHARED)
    refused = place.on_sim("up", "--yes", *KEYS)
    assert refused.code == 1
    assert "drctl state move --to s3" in refused.json["errors"][0]["remedy"]
    moved = checked(place.ok("state", "move", "--to", "s3"), "state move")
    assert (moved["records"], moved["set"]) == (2, None)
    assert files(place) == [] or files(place) == ["demo.lock"]
    assert len(addresses(other.ok("state", "list"))) == 2
    (place.state / "demo.json").write_text(copy)
    refused = place.on_sim("state", "move", "--to", "s3")
    assert refused.code == 1
    assert "two different states" in refused.json["errors"][0]["summary"]
    (place.state / "demo.json").unlink()
    snapshot = store(place).load().snapshot
    assert snapshot is not None
    assert json.loads(snapshot)["lineage"] == lineage

    place.settings(EVERYTHING)
    refused = place.on_sim("up", "--yes", *KEYS)
    assert refused.code == 1
    assert 'set [state] store = "s3"' in refused.json["errors"][0]["remedy"]
    place.ok("state", "move", "--to", "file")
    assert json.loads((place.state / "demo.json").read_text())["lineage"] == lineage
    assert buckets(place) == []
    assert place.ok("up", "--yes", *KEYS).json["summary"]["unchanged"] == 2
    nothing = place.on_sim("state", "move", "--to", "file")
    assert nothing.code == 5
    place.destroy()


@pytest.mark.parametrize("to", ["s3", "file"])
def test_a_move_that_was_interrupted_is_ended_by_another(place: Installation, to: str) -> None:
    """Out of the bucket, with the copy made and the bucket not yet gone; then either way."""
    place.ok("up", "--yes", *KEYS)
    denied: dict[str, Any] = {"code": "AccessDenied", "status": 403}
    place.sim.fault("error", service="s3", operation="ListObjectVersions", **denied)
    assert place.on_sim("state", "move", "--to", "file").code == 1
    assert {"demo.json", "demo.moving"} <= set(files(place))
    for settings in (SHARED, EVERYTHING):
        place.settings(settings)
        refused = place.on_sim("state", "list")
        assert refused.code == 1
        assert "drctl state move --to" in refused.json["errors"][0]["remedy"]
    place.sim.heal()
    place.ok("state", "move", "--to", to)
    place.settings(SHARED if to == "s3" else EVERYTHING)
    assert "demo.moving" not in files(place)
    assert ("demo.json" in files(place), BUCKET in buckets(place)) == (to == "file", to == "s3")
    assert len(addresses(place.ok("state", "list"))) == 2
    place.destroy()
    assert buckets(place) == []
