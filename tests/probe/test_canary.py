"""Canaries: what they write, what they find of it in the other region, and that they leave nothing behind."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from drctl.probe.canary import UNRECORDED, BucketCanary, DatabaseCanary, TableCanary
from drctl.probe.client import Client
from drctl.probe.dns import Resolver
from drctl.probe.outside import Unreachable
from tests.conftest import Sim
from tests.probe.world import BALANCERS, HOST, HOST_P, HOST_S, HandClock, P, S, World
from tests.sim.test_dynamodb import Tables
from tests.sim.test_s3 import SOURCE, TARGET, Buckets

RUN = "2026-11-22-drill"


class Writer:
    """The region that writes."""

    region = P

    def __call__(self) -> str:
        return self.region


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def tables(sim: Sim) -> Tables:
    """Both replicas are there, and time has nearly stopped."""
    made = Tables(sim)
    made.build()
    sim.set_speed(0.01)
    return made


def table_canary(tables: Tables, writer: Writer, run: str = RUN, after: int | None = None) -> TableCanary:
    return TableCanary(tables.at, "sessions", "sessionId", run, writer, tables.sim.clock, after)


def items(tables: Tables, region: str) -> set[str]:
    return {item["sessionId"]["S"] for item in tables.at[region].scan(TableName="sessions").get("Items", [])}


def test_items_arrive_in_the_other_region_with_its_lag(tables: Tables, writer: Writer) -> None:
    canary = table_canary(tables, writer)
    for number in (1, 2, 3):
        found = canary.write()
        assert (found.ok, found.who, found.sequence) == (True, P, number)
    assert canary.arrived(P, canary.used()) == [1, 2, 3]
    assert canary.arrived(S, canary.used()) == []
    tables.sim.advance(1)
    canary.write()
    assert canary.arrived(S, canary.used()) == [1, 2, 3]
    assert canary.arrived(S, [2, 4]) == [2]


def test_an_item_tells_its_run_number_and_place(tables: Tables, writer: Writer) -> None:
    table_canary(tables, writer).write()
    (item,) = tables.at[P].scan(TableName="sessions")["Items"]
    assert item["sessionId"]["S"].startswith(f"drctl-drill/{RUN}/")
    assert (item["sequence"]["N"], item["region"]["S"]) == ("1", P)
    assert float(item["written_at"]["N"]) > 0


def test_the_canary_follows_the_writer(tables: Tables, writer: Writer) -> None:
    canary = table_canary(tables, writer)
    canary.write()
    writer.region = S
    assert canary.write().who == S
    assert canary.arrived(S, [1, 2]) == [2]


def test_all_items_of_the_run_are_removed_and_no_others(tables: Tables, writer: Writer) -> None:
    canary, other = table_canary(tables, writer), table_canary(tables, writer, run="another")
    tables.put(P, "a user's own")
    other.write()
    for _ in range(130):
        canary.write()
    tables.sim.advance(1)
    assert canary.arrived(S, canary.used()) == list(range(1, 131))
    assert canary.remove() == {}
    tables.sim.advance(1)
    for region in (P, S):
        assert items(tables, region) == {"1", "drctl-drill/another/000000001"}


def test_a_region_that_cannot_be_reached_is_named_and_the_other_one_cleaned(
    tables: Tables, writer: Writer
) -> None:
    canary = table_canary(tables, writer)
    canary.write()
    tables.sim.advance(1)
    tables.sim.fault("error", region=P, service="dynamodb")
    left = canary.remove()
    assert list(left) == [P]
    assert "BatchWriteItem" in left[P]
    tables.sim.heal()
    assert canary.arrived(S, [1]) == []


def test_a_refused_write_raises_and_uses_up_its_number(tables: Tables, writer: Writer) -> None:
    canary = table_canary(tables, writer)
    tables.sim.fault("error", region=P, service="dynamodb")
    with pytest.raises(ClientError):
        canary.write()
    tables.sim.heal()
    assert canary.write().sequence == 2


def test_after_a_resume_no_number_is_used_twice_and_nothing_is_left(tables: Tables, writer: Writer) -> None:
    """The killed process had written three; its journal knows of two."""
    killed = table_canary(tables, writer)
    for _ in range(3):
        killed.write()
    canary = table_canary(tables, writer, after=2)
    assert canary.write().sequence == 2 + UNRECORDED + 1
    assert canary.remove() == {}
    tables.sim.advance(1)
    assert items(tables, P) == items(tables, S) == set()


@pytest.fixture
def buckets(sim: Sim) -> Buckets:
    """Two versioned buckets that replicate to each other, delete markers too."""
    made = Buckets(sim)
    made.prepare()
    made.replicate()
    back = made.rule()
    back["Destination"] = {
        **back["Destination"],
        "Bucket": f"arn:aws:s3:::{SOURCE}",
        "EncryptionConfiguration": {"ReplicaKmsKeyID": made.keys[P]},
    }
    rules = {"Role": made.role, "Rules": [back]}
    made.s.put_bucket_replication(Bucket=TARGET, ReplicationConfiguration=rules)
    sim.advance(60)
    sim.set_speed(0.01)
    return made


def bucket_canary(buckets: Buckets, writer: Writer, run: str = RUN, after: int | None = None) -> BucketCanary:
    clients, names = {P: buckets.p, S: buckets.s}, {P: SOURCE, S: TARGET}
    return BucketCanary(clients, names, run, writer, buckets.sim.clock, after)


def versions(buckets: Buckets, region: str) -> set[str]:
    client, bucket = (buckets.p, SOURCE) if region == P else (buckets.s, TARGET)
    page = client.list_object_versions(Bucket=bucket)
    return {each["Key"] for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]}


def test_objects_arrive_in_the_other_region_with_its_lag(buckets: Buckets, writer: Writer) -> None:
    canary = bucket_canary(buckets, writer)
    assert [canary.write().sequence for _ in range(3)] == [1, 2, 3]
    assert (canary.arrived(P, canary.used()), canary.arrived(S, canary.used())) == ([1, 2, 3], [])
    buckets.sim.advance(10)
    canary.write()
    assert canary.arrived(S, canary.used()) == [1, 2, 3]
    assert canary.arrived(S, [3, 4]) == [3]
    writer.region = S
    assert canary.write().who == S
    assert canary.arrived(P, [5]) == []
    buckets.sim.advance(10)
    assert canary.arrived(P, [5]) == [5]


def test_an_object_tells_its_number_and_place(buckets: Buckets, writer: Writer) -> None:
    bucket_canary(buckets, writer).write()
    (key,) = versions(buckets, P)
    assert key.startswith(f"drctl-drill/{RUN}/")
    body = json.loads(buckets.p.get_object(Bucket=SOURCE, Key=key)["Body"].read())
    assert (body["sequence"], body["region"]) == (1, P)


def test_every_version_and_delete_marker_of_the_run_goes_and_no_others(
    buckets: Buckets, writer: Writer
) -> None:
    canary, other = bucket_canary(buckets, writer), bucket_canary(buckets, writer, run="another")
    other.write()
    for _ in range(3):
        canary.write()
    buckets.p.put_object(Bucket=SOURCE, Key=f"drctl-drill/{RUN}/000000001", Body=b"again")
    buckets.p.delete_object(Bucket=SOURCE, Key=f"drctl-drill/{RUN}/000000002")
    buckets.sim.advance(10)
    assert canary.remove() == {}
    buckets.sim.advance(10)
    assert versions(buckets, P) == versions(buckets, S) == {"drctl-drill/another/000000001"}


def test_a_bucket_that_cannot_be_reached_is_named(buckets: Buckets, writer: Writer) -> None:
    canary = bucket_canary(buckets, writer)
    canary.write()
    buckets.sim.advance(10)
    buckets.sim.fault("error", region=P, service="s3")
    assert list(canary.remove()) == [P]
    buckets.sim.heal()
    assert (versions(buckets, P) != set(), versions(buckets, S)) == (True, set())


@pytest.fixture
def database(outside_world: World) -> DatabaseCanary:
    return database_canary(outside_world)


def database_canary(world: World, probe: str = "write-name") -> DatabaseCanary:
    clock = HandClock()
    client = Client(world.outside, Resolver(world.outside, (), clock), clock, 20.0, BALANCERS)
    records = {P: f"https://{HOST_P}/api/records/{{id}}", S: f"https://{HOST_S}/api/records/{{id}}"}
    return DatabaseCanary(client, f"https://{HOST}/api/sessions/{{id}}", records, RUN, probe, clock)


def test_rows_are_written_by_name_and_looked_for_in_each_region(
    database: DatabaseCanary, outside_world: World
) -> None:
    for number in (1, 2, 3):
        found = database.write()
        assert (found.ok, found.who, found.sequence) == (True, P, number)
    held = outside_world.sites[P].held
    assert list(held) == [f"drctl-drill-{RUN}-write-name-{number}" for number in (1, 2, 3)]
    assert [json.loads(body)["sequence"] for body in held.values()] == [1, 2, 3]
    assert database.arrived(P, [1, 2, 3]) == [1, 2, 3]
    outside_world.sites[S].held = dict(list(held.items())[:2])
    assert database.arrived(S, [1, 2, 3]) == [1, 2]


def test_the_two_ways_in_do_not_write_the_same_rows(outside_world: World) -> None:
    for probe in ("write-name", "write-distribution"):
        database_canary(outside_world, probe).write()
    assert len(outside_world.sites[P].held) == 2


def test_a_region_that_does_not_say_what_it_has_is_not_taken_for_one_that_has_nothing(
    database: DatabaseCanary, outside_world: World
) -> None:
    database.write()
    outside_world.sites[S].status = 503
    with pytest.raises(Unreachable, match="answers 503"):
        database.arrived(S, [1])


def test_a_write_that_is_not_taken_is_not_acknowledged(
    database: DatabaseCanary, outside_world: World
) -> None:
    outside_world.sites[P].status = 503
    found = database.write()
    assert (found.ok, found.detail, found.sequence) == (False, "503", 1)


def test_rows_are_removed_by_name(database: DatabaseCanary, outside_world: World) -> None:
    for _ in range(20):
        database.write()
    assert database.remove() == {}
    assert outside_world.sites[P].held == {}


def test_what_is_not_answered_at_once_is_asked_for_again(
    database: DatabaseCanary, outside_world: World
) -> None:
    for _ in range(20):
        database.write()
    outside_world.sites[P].deaf = 3
    assert database.remove() == {}
    assert outside_world.sites[P].held == {}


def test_an_application_that_does_not_delete_keeps_its_rows_and_that_is_said(
    database: DatabaseCanary, outside_world: World
) -> None:
    database.write()
    outside_world.sites[P].status = 405
    assert database.remove() == {"": "DELETE answers 405"}


def test_where_nobody_answers_nothing_is_removed_and_that_is_said(
    database: DatabaseCanary, outside_world: World
) -> None:
    outside_world.names.records[HOST] = ["127.0.0.77"], 60
    with pytest.raises(Unreachable):
        database.write()
    assert database.remove() == {"": "connection refused"}
