"""The team's store: the contract of all stores, over S3; and what only it has."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import boto3
import pytest

from drctl.aws.bucket_settings import read_settings
from drctl.aws.clients import Aws
from drctl.aws.state_bucket import StateBucket
from drctl.aws.tagging import tagged
from drctl.aws.team_store import TeamStore
from drctl.errors import DrctlError, LockedError
from drctl.ledger.journal import Entry
from drctl.ledger.ledger import Ledger
from drctl.ledger.store import HoldLost, StateDamaged
from tests.conftest import Sim
from tests.ledger.contract import (
    ENVIRONMENT,
    NEVER,
    StoreContract,
    a_record,
    numbered,
    opened,
    seen,
    writing,
)

ACCOUNT = "123456789012"
REGION = "us-west-2"
BUCKET = f"drctl-{ENVIRONMENT}-state-{ACCOUNT}-{REGION}"


class Door:
    """To S3, with somebody beside it who is told of every call, and of what is written. Making one costs more than
    most tests: it is made once, and watched by one after the other."""

    def __init__(self, endpoint: str) -> None:
        self.aws = Aws(boto3.Session("simulated", "simulated", region_name=REGION), endpoint)
        self.called: Callable[[], None] = nothing
        self.wrote: Callable[[int], None] = nothing
        for aws in (self.aws, self.aws.brief):
            events = aws.s3(REGION).meta.events
            events.register("before-call.s3", lambda **_: self.called())
            events.register(
                "before-parameter-build.s3.PutObject", lambda params, **_: self.wrote(len(params["Body"]))
            )


def nothing(*_: object) -> None:
    """Happens."""


@cache
def door(endpoint: str, number: int) -> Door:
    """number: a test that needs several at once counts them."""
    return Door(endpoint)


class TeamPlace:
    """A bucket of the simulated AWS."""

    lease_s = 1.0
    stride = 20

    def __init__(self, sim: Sim) -> None:
        self.sim = sim
        self.s3 = sim.client("s3", REGION)
        self._written = 0
        self._guard = threading.Lock()
        self._doors = (door(sim.endpoint, number) for number in itertools.count())
        self.shared = self._next(nothing, self._count)

    def store(self, lease_s: float = 60.0, renew_s: float = 15.0) -> TeamStore:
        return TeamStore(self.shared, ENVIRONMENT, ACCOUNT, REGION, lease_s, renew_s)

    def watched(self, before: Callable[[], None]) -> TeamStore:
        return TeamStore(self._next(before, nothing), ENVIRONMENT, ACCOUNT, REGION, 60.0, NEVER)

    def written(self) -> int:
        return self._written

    def _next(self, called: Callable[[], None], wrote: Callable[[int], None]) -> Aws:
        door = next(self._doors)
        door.called, door.wrote = called, wrote
        return door.aws

    def _count(self, size: int) -> None:
        with self._guard:
            self._written += size


@pytest.fixture
def place(sim: Sim) -> TeamPlace:
    return TeamPlace(sim)


class TestTeamStore(StoreContract):
    """The contract."""


def names(place: TeamPlace, prefix: str = "") -> list[str]:
    return [e["Key"] for e in place.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def test_its_name_fits_with_the_longest_environment_and_region() -> None:
    aws = Aws(boto3.Session("a", "b"))
    assert len(StateBucket(aws, "e" * 19, ACCOUNT, "ap-southeast-1").name) <= 63


def test_the_bucket_is_made_by_the_first_hold_tagged_private_and_versioned(place: TeamPlace) -> None:
    place.store().load()
    assert place.store().holder() is None
    place.store().break_hold()
    assert place.s3.list_buckets()["Buckets"] == []
    place.store().hold("up").release()
    tags = {t["Key"]: t["Value"] for t in place.s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    assert tags == {"drctl:environment": ENVIRONMENT}
    assert (
        list(tagged(place.shared, REGION, ENVIRONMENT)) == []
    )  # or it would be a stray, to be removed by hand
    shown = read_settings(place.s3, BUCKET)
    assert (shown["versioning"], shown["public_access_blocked"]) == (True, True)
    assert (shown["owner"], shown["encryption"]) == ("BucketOwnerEnforced", "AES256")
    assert "noncurrent-versions" in str(shown["lifecycle"])
    (statement,) = json.loads(place.s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_first_hold_cut_off_anywhere_is_made_good_by_the_next(place: TeamPlace) -> None:
    for operations in range(1, 12):

        def die(left: list[int] = [operations]) -> None:  # noqa: B006 - counts down
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            place.watched(die).hold("up")
        place.store().break_hold()
        place.store().hold("up").release()
        assert read_settings(place.s3, BUCKET)["versioning"]
        hold = place.store().hold("destroy")
        hold.erase()
        hold.release()
        assert place.s3.list_buckets()["Buckets"] == []


def test_a_bucket_that_is_not_ours_is_refused_and_left_alone(place: TeamPlace) -> None:
    place.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    with pytest.raises(DrctlError, match="does not carry the tag drctl:environment=demo"):
        place.store().hold("up")
    assert names(place) == []
    assert not read_settings(place.s3, BUCKET)["versioning"]


def test_with_credentials_of_another_account_no_bucket_is_made(place: TeamPlace) -> None:
    store = TeamStore(place.shared, ENVIRONMENT, "210987654321", REGION)
    with pytest.raises(DrctlError, match=f"would be made in {ACCOUNT}"):
        store.hold("up")
    assert place.s3.list_buckets()["Buckets"] == []


@pytest.mark.parametrize("code", ["OperationAborted", "NoSuchBucket"])
def test_a_bucket_that_is_coming_or_going_is_asked_again(place: TeamPlace, code: str) -> None:
    for operation in ("PutBucketVersioning", "PutObject"):
        place.sim.fault("error", service="s3", operation=operation, code=code, status=409, times=1)
    with writing(place.store()) as ledger:
        ledger.put(a_record())
    assert set(seen(place).records()) == {a_record().address}


@pytest.mark.parametrize("skip", range(10))
def test_an_answer_that_was_lost_is_found_to_be_our_own(place: TeamPlace, skip: int) -> None:
    """At each write: lock, lock again, pointer, fence, first snapshot and pointer, entries, fold, release."""
    place.sim.fault("lost", service="s3", operation="PutObject", skip=skip, times=1)
    with writing(place.store()) as ledger:
        ledger.put(numbered(1))
        ledger.put(numbered(2))
        ledger.fold(1.0)
        ledger.check_lock()
    assert [fault["hit"] for fault in place.sim.faults()] == [1]
    assert set(seen(place).records()) == {numbered(1).address, numbered(2).address}
    assert place.store().holder() is None


def test_a_conflicting_write_is_asked_for_again(place: TeamPlace) -> None:
    place.sim.fault(
        "error", service="s3", operation="PutObject", code="ConditionalRequestConflict", status=409, times=3
    )
    with writing(place.store()) as ledger:
        ledger.put(a_record())
    assert set(seen(place).records()) == {a_record().address}


def test_an_append_that_failed_is_settled_before_the_next(place: TeamPlace) -> None:
    """Whether it stands there or not: no slot between two is empty, and the later entry counts."""
    for kind, more in (("lost", {}), ("error", {"code": "SlowDown", "status": 503})):
        hold, ledger = opened(place.store())
        ledger.put(numbered(1))
        place.sim.fault(kind, service="s3", operation="PutObject", **more)
        with pytest.raises(DrctlError):
            ledger.put(numbered(2))
        place.sim.heal()
        ledger.put(numbered(3))
        ledger.put(numbered(4))
        expected = {numbered(n).address for n in (1, 3, 4)}
        assert expected == set(ledger.records()) == set(seen(place).records())
        hold.release()
        assert expected == set(seen(place).records())


def test_s3_that_does_not_answer_is_told_and_the_hold_ends_with_its_lease(place: TeamPlace) -> None:
    hold, ledger = opened(place.store(3 * place.lease_s, 0.2))
    ledger.put(a_record())
    place.sim.fault("error", service="s3", code="InternalError", status=500)
    with pytest.raises(DrctlError) as told:
        place.store().load()
    assert BUCKET in told.value.diagnostics[0].summary
    with pytest.raises(HoldLost):
        while True:
            hold.check()
            time.sleep(0.1)
    place.sim.heal()
    hold.release()


def test_what_was_folded_is_swept_and_the_snapshot_before_is_kept(place: TeamPlace) -> None:
    with writing(place.store()) as ledger:
        for number in range(5):
            ledger.put(numbered(number))
            ledger.fold(float(number))
    assert names(place, "journal/") == []
    assert len(names(place, "snapshot/")) == 2
    assert set(names(place)) >= {"lock.json", "state.json"}


def test_what_a_fold_could_not_sweep_the_next_one_does(place: TeamPlace) -> None:
    place.sim.fault("error", service="s3", operation="DeleteObjects", code="AccessDenied", status=403)
    with writing(place.store()) as ledger:
        ledger.put(a_record())
        ledger.fold(1.0)
        assert names(place, "journal/")
        place.sim.heal()
        ledger.fold(2.0)
        assert names(place, "journal/") == []


def test_the_fence_of_a_hold_that_was_taken_stays_and_another_goes(place: TeamPlace) -> None:
    sleeper = place.store().hold("up")
    place.store().break_hold()
    for _ in range(3):
        with writing(place.store()) as ledger:
            ledger.put(a_record())
            ledger.fold(1.0)
    assert len(names(place, "journal/")) == 1
    with pytest.raises(HoldLost):
        sleeper.append(Entry(1, {}))
    sleeper.release()


def test_clocks_that_disagree_cost_a_watch_and_no_living_hold(place: TeamPlace) -> None:
    """A lock that seems old is watched: it is renewed meanwhile."""
    lease_s = 3 * place.lease_s
    hold = place.store(lease_s, 0.1).hold("up")

    def set_back(params: dict[str, Any], **_: Any) -> None:
        if params["Key"] == "lock.json":
            body = json.loads(params["Body"])
            params["Body"] = json.dumps({**body, "at": body["at"] - 10_000}).encode()

    event = "before-parameter-build.s3.PutObject"
    doors = (place.shared, place.shared.brief)
    for door in doors:
        door.s3(REGION).meta.events.register_first(event, set_back)
    while place.store().holder() is not None:
        time.sleep(0.05)
    with pytest.raises(LockedError):
        place.store().hold("destroy")
    for door in doors:
        door.s3(REGION).meta.events.unregister(event, set_back)
    hold.check()
    hold.release()


def damage(place: TeamPlace, how: str) -> None:
    if how == "no snapshot":
        place.s3.delete_object(Bucket=BUCKET, Key=max(names(place, "snapshot/")))
    elif how == "no pointer":
        place.s3.delete_object(Bucket=BUCKET, Key="state.json")
    elif how == "a gap":
        place.s3.delete_object(Bucket=BUCKET, Key=min(names(place, "journal/")))
    else:
        key = "state.json" if how == "no pointer's text" else max(names(place, "journal/"))
        body = place.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        place.s3.put_object(Bucket=BUCKET, Key=key, Body=body.replace(b"2", b"7")[:-3])


@pytest.mark.parametrize("how", ["no snapshot", "no pointer", "no pointer's text", "a gap", "a torn entry"])
def test_a_damaged_state_is_never_an_empty_one_and_can_be_set_aside(place: TeamPlace, how: str) -> None:
    with writing(place.store()) as ledger:
        ledger.put(numbered(1))
        ledger.fold(1.0)
        ledger.put(numbered(2))
        ledger.put(numbered(3))
    damage(place, how)
    hold = place.store().hold("state rebuild")
    with pytest.raises(StateDamaged):
        Ledger(place.store(), ENVIRONMENT, hold)
    kept = hold.set_aside("damaged-1")
    assert [name.rpartition("/")[2] for name in kept] == ["state.json.damaged-1"] * (how != "no pointer")
    ledger = Ledger(place.store(), ENVIRONMENT, hold)
    ledger.put(numbered(9))
    hold.release()
    assert set(seen(place).records()) == {numbered(9).address}
    with writing(place.store()) as ledger:
        ledger.erase()
    assert place.s3.list_buckets()["Buckets"] == []


def test_a_state_sealed_with_a_key_can_be_read_without_it_once_it_is_unsealed(place: TeamPlace) -> None:
    kms = place.sim.client("kms", REGION)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    with writing(place.store()) as ledger:
        ledger.put(a_record())
        ledger.encrypt(key)
        ledger.fold(1.0)
        ledger.put(numbered(1))
        assert sealed(place) == {key: 2, None: 3}  # all but lock, pointer and the snapshot before
    with writing(place.store()) as ledger:
        ledger.fold(2.0)
        assert sealed(place) == {key: 2, None: 2}  # the snapshots; it is remembered
        ledger.encrypt(None)
        ledger.fold(3.0)
        ledger.forget(numbered(1).address)
        ledger.fold(4.0)
        assert sealed(place) == {None: 4}
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        assert set(seen(place).records()) == {a_record().address}
        ledger.put(numbered(2))
    assert place.store().holder() is None
    assert set(seen(place).records()) == {a_record().address, numbered(2).address}


def sealed(place: TeamPlace) -> Counter[str | None]:
    """How many objects each key of KMS seals."""
    found = Counter[str | None]()
    for name in names(place):
        shown = place.s3.head_object(Bucket=BUCKET, Key=name)
        found[shown.get("SSEKMSKeyId")] += 1
    return found


@pytest.mark.parametrize("operation", ["PutObject", "GetObject"])
def test_a_key_that_is_refused_changes_nothing(place: TeamPlace, operation: str) -> None:
    with writing(place.store()) as ledger:
        ledger.put(numbered(1))
        place.sim.fault("error", service="s3", operation=operation, code="AccessDenied", status=403, times=1)
        with pytest.raises(DrctlError, match="cannot be encrypted"):
            ledger.encrypt(place.sim.client("kms", REGION).create_key()["KeyMetadata"]["Arn"])
        ledger.put(numbered(2))
        ledger.fold(1.0)
    assert set(seen(place).records()) == {numbered(1).address, numbered(2).address}
    assert set(sealed(place)) == {None}


@pytest.mark.parametrize("key", ["lock.json", "state.json"])
def test_what_a_newer_drctl_wrote_is_left_to_it(place: TeamPlace, key: str) -> None:
    with writing(place.store()) as ledger:
        ledger.put(a_record())
    body = json.loads(place.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    newer = json.dumps({**body, "version": body["version"] + 1, "more": 1}).encode()
    place.s3.put_object(Bucket=BUCKET, Key=key, Body=newer)
    with pytest.raises(DrctlError) as told:
        place.store().hold("up")
    assert "install the newer drctl" in told.value.diagnostics[0].remedy
    if key == "lock.json":
        with pytest.raises(DrctlError, match="newer"):
            place.store().break_hold()
    assert place.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == newer


def test_a_lock_that_cannot_be_read_can_be_broken(place: TeamPlace) -> None:
    hold, ledger = opened(place.store())
    ledger.put(a_record())
    place.s3.put_object(Bucket=BUCKET, Key="lock.json", Body=b"{")
    with pytest.raises(StateDamaged):
        place.store().hold("destroy")
    assert place.store().break_hold() is None
    with pytest.raises(HoldLost):
        ledger.put(numbered(1))
    hold.release()
    with writing(place.store()) as ledger:
        assert set(ledger.records()) == {a_record().address}


def test_a_lock_whose_holder_seems_dead_is_broken_and_names_it(place: TeamPlace) -> None:
    hold = place.store(place.lease_s, NEVER).hold("failover")
    while place.store().holder() is not None:
        time.sleep(0.1)
    broken = place.store().break_hold()
    assert broken is not None
    assert broken.command == "failover"
    assert place.store().break_hold() is None
    hold.release()


def test_what_a_former_holder_wrote_late_does_not_keep_the_bucket(place: TeamPlace) -> None:
    hold = place.store().hold("destroy")
    asked = []

    def late(**_: Any) -> None:
        asked.append(1)
        if len(asked) == 1:
            place.s3.put_object(Bucket=BUCKET, Key="late", Body=b"")

    event = "before-call.s3.DeleteBucket"
    place.shared.s3(REGION).meta.events.register_first(event, late, unique_id="late")
    try:
        hold.erase()
    finally:
        place.shared.s3(REGION).meta.events.unregister(event, unique_id="late")
    hold.release()
    assert len(asked) == 2
    assert place.s3.list_buckets()["Buckets"] == []


def test_a_hold_can_be_broken_although_it_is_being_renewed(place: TeamPlace) -> None:
    hold = place.store(60.0, 0.001).hold("up")
    for _ in range(3):
        place.store().break_hold()
    assert place.store().holder() is None
    with pytest.raises(HoldLost):
        hold.append(Entry(1, {}))
    hold.release()
