"""`state rebuild`: a lost or damaged state made again from AWS alone, on which nothing is changed by it."""

from __future__ import annotations

import resource
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drctl.commands.rebuild import UNLISTED
from drctl.ledger.file_store import FileStore
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import CREATING, Intent, record_from_json
from drctl.sim import client
from tests.census import REGIONS
from tests.environment import ENVIRONMENT, EVERYTHING, TIMEOUT, Built, Desk, Installation, P, S
from tests.shape import SHAPE, shape

UNCONFIRMED = {f"{region}/sns-subscription/email-1" for region in REGIONS}
"""SNS tells the ARN of what nobody has confirmed yet only to who subscribes."""


@pytest.fixture
def loser(built: Built, tmp_path: Path) -> Iterator[Built]:
    """The whole environment, whose state is put back in the end, whatever became of it."""
    files = _files(built)
    for path in files:
        shutil.copy2(path, tmp_path / path.name)
    yield built
    client.end_outage(built.sim.status())
    built.settings(EVERYTHING)
    for path in _files(built):
        path.unlink()
    for path in files:
        shutil.copy2(tmp_path / path.name, path)


@pytest.mark.xdist_group(ENVIRONMENT)
def test_a_lost_state_is_rebuilt_as_it_was_and_nothing_is_changed(loser: Built) -> None:
    before, calls = _records(loser), loser.calls()
    _lose(loser)

    ran = loser.ok("state", "rebuild")

    assert loser.mutations(calls) == []
    assert ran.json["missing"] == ran.json["strays"] == ran.json["set_aside"] == []
    assert ran.json["notices"] == [UNLISTED]
    assert _told(ran.json["records"]) == _told(before)
    assert _told(_records(loser)) == _told(before)
    assert loser.changes() == {}
    assert loser.up().done == {}
    assert loser.mutations(calls) == []


@pytest.mark.xdist_group(ENVIRONMENT)
def test_a_machine_with_nothing_but_the_settings_rebuilds_the_same(loser: Built, tmp_path: Path) -> None:
    """There it is AWS as boto3 finds it: no simulator that drctl knows of."""
    before, calls = _records(loser), loser.calls()
    elsewhere = Desk(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    elsewhere.settings(EVERYTHING)
    environment = loser.sim.environment()

    ran = elsewhere.run("--output", "json", "state", "rebuild", environment=environment)

    assert ran.code == 0, ran.out
    assert _told(ran.json["records"]) == _told(before)
    planned = elsewhere.run("--output", "json", "plan", environment=environment)
    assert planned.json["changes"] == []
    assert loser.mutations(calls) == []


@pytest.mark.xdist_group(ENVIRONMENT)
@pytest.mark.parametrize("damage", ["snapshot", "journal", "no snapshot"])
def test_a_damaged_state_is_kept_aside_and_rebuilt(loser: Built, damage: str) -> None:
    before, calls = _records(loser), loser.calls()
    snapshot, journal = loser.state / "demo.json", loser.state / "demo.journal"
    if damage == "snapshot":
        snapshot.write_bytes(snapshot.read_bytes()[:-2000])
    elif damage == "journal":
        journal.write_bytes(b"00000000 not an entry\n")
    else:
        snapshot.unlink()
        journal.write_bytes(b"00000000 not an entry\n")
    damaged = sorted(path.read_bytes() for path in _files(loser) if path.suffix != ".lock")
    assert loser.on_sim("plan").code == 1

    ran = loser.ok("state", "rebuild")

    kept = [Path(loser.folder, name) for name in ran.json["set_aside"]]
    assert all(".damaged-" in path.name for path in kept)
    assert sorted(path.read_bytes() for path in kept) == damaged
    assert _told(_records(loser)) == _told(before)
    assert loser.changes() == {}
    assert loser.mutations(calls) == []
    loser.config.unlink()
    assert _told(_records(loser)) == _told(before), "what was kept aside is nobody's state"


@pytest.mark.xdist_group(ENVIRONMENT)
def test_a_sound_state_is_replaced_only_when_that_is_confirmed_and_kept_aside(loser: Built) -> None:
    before = (loser.state / "demo.json").read_bytes()

    refused = loser.on_sim("state", "rebuild")

    assert refused.code == 5
    assert (loser.state / "demo.json").read_bytes() == before
    ran = loser.ok("state", "rebuild", "--yes")
    (kept,) = (name for name in ran.json["set_aside"] if ".json.replaced-" in name)
    assert Path(loser.folder, kept).read_bytes() == before
    assert loser.changes() == {}


@pytest.mark.xdist_group(ENVIRONMENT)
@pytest.mark.parametrize("place", [P, S, "global"])
def test_what_cannot_be_read_is_named_and_nothing_is_written(loser: Built, place: str) -> None:
    _lose(loser)
    client.begin_outage(loser.sim.status(), place)

    ran = loser.on_sim("state", "rebuild")

    assert ran.code == 1
    said = [error["summary"] + error["cause"] for error in ran.json["errors"]]
    control_planes = "the control planes of IAM, Route 53 and CloudFront do not answer"
    assert any((control_planes if place == "global" else place) in each for each in said), said
    assert not any((loser.state / f"demo.{suffix}").exists() for suffix in ("json", "journal"))


@pytest.mark.xdist_group(ENVIRONMENT)
def test_where_nothing_is_there_is_nothing_to_rebuild(loser: Built) -> None:
    loser.settings('environment = "other"\n' + EVERYTHING)

    ran = loser.on_sim("state", "rebuild")

    assert ran.code == 1
    assert "nothing of the environment 'other' was found" in ran.out
    assert not (loser.state / "other.json").exists()


@pytest.mark.xdist_group(ENVIRONMENT)
def test_what_the_settings_no_longer_name_is_told_and_not_recorded(loser: Built) -> None:
    before = {record["address"]: record["outputs"] for record in _records(loser)}
    gateways = {address for address in before if "/nat-gateway/" in address}
    _lose(loser)
    loser.settings(EVERYTHING + '[network]\nnat_gateways = "none"\n')

    ran = loser.ok("state", "rebuild")

    recorded = {record["address"] for record in ran.json["records"]}
    assert gateways.isdisjoint(recorded)
    strays = {each["address"]: each["arn"] for each in ran.json["strays"]}
    for address in gateways:
        assert strays[address].endswith(before[address]["nat_gateway_id"])
    assert strays.keys() <= before.keys() - recorded
    shown = loser.run("--sim", "state", "rebuild", "--yes")
    assert all(f"{address}  " in shown.out for address in strays)


@pytest.mark.xdist_group("fresh")
def test_a_half_built_environment_is_recorded_as_far_as_it_is_there(fresh: Installation) -> None:
    before, planned = fresh.census(), fresh.changes()
    _kill_up(fresh, after=120)
    _lose(fresh)
    calls = fresh.calls()

    ran = fresh.ok("state", "rebuild")

    assert fresh.mutations(calls) == []
    recorded = {record["address"] for record in ran.json["records"]}
    missing = {each["address"] for each in ran.json["missing"]}
    assert recorded
    assert missing
    assert recorded | missing == planned.keys()
    assert recorded.isdisjoint(missing)
    left = fresh.changes()
    assert {address for address, action in left.items() if action == "create"} == missing
    assert fresh.up().done.keys() >= missing
    assert fresh.changes() == {}
    assert shape(before, fresh.census()) == SHAPE, "something is there twice, or missing"
    fresh.config.unlink()
    fresh.destroy()
    assert fresh.census() == before


ADDRESS, ASKED_FOR, NETWORK = f"{P}/elastic-ip/nat-a", f"{P}/elastic-ip/nat-b", f"{P}/internet-gateway/main"


@pytest.mark.xdist_group("fresh")
def test_what_refers_to_a_thing_that_is_gone_can_be_removed_and_made_again(fresh: Installation) -> None:
    """A bucket whose key somebody has scheduled for deletion."""
    before = fresh.census()
    bucket = f"{P}/s3-bucket/assets"
    fresh.ok("up", "--yes", "--target", bucket)
    key = fresh.ok("state", "show", f"{P}/kms-key/main").json["records"][0]["outputs"]["key_id"]
    keys = fresh.client("kms", P)
    keys.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    keys.delete_alias(AliasName="alias/demo")  # which would go with the key
    for path in _files(fresh):
        path.unlink()

    rebuilt = fresh.ok("state", "rebuild").json

    assert {each["address"]: each["phase"] for each in rebuilt["records"]}[f"{P}/kms-key/main"] == "gone"
    assert f"{P}/kms-key/main" in {each["address"] for each in rebuilt["missing"]}
    fresh.destroy()
    assert fresh.census() == before


def test_what_only_a_sound_state_knows_is_kept(fresh: Installation) -> None:
    """Which of two is the old one; and what was asked for and is not to be seen yet."""
    fresh.ok("up", "--yes", "--target", ADDRESS)
    store, ec2 = FileStore(fresh.state, "demo"), fresh.client("ec2", P)
    hold = store.hold("test")
    ledger = Ledger(store, "demo", hold)
    first = ledger.records()[ADDRESS]
    (tags,) = (each["Tags"] for each in ec2.describe_addresses()["Addresses"])
    specification = {"ResourceType": "elastic-ip", "Tags": tags}
    second = ec2.allocate_address(Domain="vpc", TagSpecifications=[specification])
    outputs = {"allocation_id": second["AllocationId"], "public_ip": second["PublicIp"]}
    ledger.condemn(first, replace(first, outputs=outputs))
    intent = Intent("create", "0" * 32, fresh.sim.clock.now())
    asked_for = replace(first, address=ASKED_FOR, name="nat-b", phase=CREATING, outputs={}, intent=intent)
    ledger.put(asked_for)
    before = ledger.records()
    hold.release()

    ran = fresh.ok("state", "rebuild", "--yes")

    records = {record["address"]: record for record in _records(fresh)}
    assert records.keys() == before.keys()
    assert records[ADDRESS]["outputs"] == outputs
    for address in (f"{ADDRESS}~1", ASKED_FOR):
        assert record_from_json(records[address]) == before[address]
    assert ran.json["strays"] == []
    assert f"{ADDRESS}~1" not in {each["address"] for each in ran.json["missing"]}
    assert any(f"{ADDRESS}~1, {ASKED_FOR}" in each for each in ran.json["notices"])
    fresh.ok("up", "--yes", "--target", ADDRESS)
    assert [each["AllocationId"] for each in ec2.describe_addresses()["Addresses"]] == [
        second["AllocationId"]
    ]


@pytest.mark.xdist_group("fresh")
def test_when_the_new_state_cannot_be_written_it_is_said_where_the_old_one_is(fresh: Installation) -> None:
    """No file may become longer than a few lines, as on a disk that is full."""
    fresh.ok("up", "--yes", "--target", NETWORK)
    before = (fresh.state / "demo.json").read_bytes()

    ran = fresh.run(
        *("--sim", "--output", "json", "state", "rebuild", "--yes"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2,) * 2),
    )

    assert ran.code == 1
    *_, aside = ran.json["errors"]
    assert aside["summary"] == "the state of before is kept aside"
    (kept,) = (name for name in aside["cause"].split(", ") if ".json.replaced-" in name)
    assert Path(fresh.folder, kept).read_bytes() == before


def _files(place: Installation) -> list[Path]:
    return [path for path in place.state.glob("demo.*") if path.is_file()]


def _lose(place: Installation) -> None:
    for path in _files(place):
        path.unlink()


def _records(place: Installation) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = place.ok("state", "list").json["records"]
    return records


def _told(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What a record tells, without when it was made."""
    told = {}
    for record in records:
        told[record["address"]] = {name: value for name, value in record.items() if name != "created_at"}
        if record["address"] in UNCONFIRMED:
            del told[record["address"]]["outputs"]
    return told


def _kill_up(place: Installation, after: int) -> None:
    """When so many mutating calls have arrived; what was under way then ends before this returns."""
    place.sim.set_speed(300)
    calls, child = place.calls(), place.start("--sim", "up", "--yes")
    deadline = time.monotonic() + TIMEOUT
    while len(place.mutations(calls)) < after:
        assert child.poll() is None, "it had ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child.kill()
    child.communicate()
    place.sim.set_speed(600)
    place.sim.advance(60)
