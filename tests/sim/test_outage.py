"""What leaves a region and what enters it, while it is out and afterwards; how far replication is behind."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from drctl.sim import client
from drctl.sim.motion import replication
from tests.conftest import Sim
from tests.sim.test_dynamodb import Tables
from tests.sim.test_rds import Aurora
from tests.sim.test_s3 import SOURCE, TARGET, Buckets, P, S

LAG = 60.0
"""Simulated seconds. Long enough that a busy machine does not let it pass between two calls."""


@pytest.fixture
def tables(sim: Sim) -> Tables:
    """A table with a replica, and plenty of time between a write and its arrival."""
    made = Tables(sim)
    made.build()
    client.set_lags(sim.status(), {"table": LAG})
    return made


@pytest.fixture
def buckets(sim: Sim) -> Buckets:
    """Two buckets, the first replicated into the second with metrics, and plenty of time between them."""
    made = Buckets(sim)
    made.prepare()
    made.replicate()
    client.set_lags(sim.status(), {"bucket": LAG})
    return made


def measured(sim: Sim, region: str, namespace: str, metric: str, **dimensions: str) -> list[float]:
    """The metric of the last ten minutes, minute by minute."""
    now = sim.clock.now()
    found = sim.client("cloudwatch", region).get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=datetime.fromtimestamp(now - 600, UTC),
        EndTime=datetime.fromtimestamp(now + 1, UTC),
        Period=60,
        Statistics=["Maximum"],
    )
    return [point["Maximum"] for point in sorted(found["Datapoints"], key=lambda point: point["Timestamp"])]


def test_items_wait_in_a_region_that_is_out_and_the_last_writer_wins(tables: Tables) -> None:
    sim = tables.sim
    tables.put(P, "before")
    client.begin_outage(sim.status(), P)
    sim.advance(3600)
    assert tables.value(S) is None
    tables.put(S, "meanwhile")
    sim.advance(LAG)
    client.end_outage(sim.status(), P)
    assert tables.value(P) == "before", "what had entered the region nobody could bring in"
    sim.advance(LAG)
    assert (tables.value(P), tables.value(S)) == ("meanwhile", "meanwhile")


def test_items_wait_for_a_region_that_is_out(tables: Tables) -> None:
    sim = tables.sim
    client.begin_outage(sim.status(), S)
    tables.put(P, "waits")
    sim.advance(3600)
    client.end_outage(sim.status(), S)
    assert tables.value(S) is None
    sim.advance(LAG)
    assert tables.value(S) == "waits"


def test_with_both_regions_out_one_that_is_back_is_not_enough(tables: Tables) -> None:
    sim = tables.sim
    tables.put(P, "waits")
    client.begin_outage(sim.status(), P)
    client.begin_outage(sim.status(), S)
    sim.advance(600)
    client.end_outage(sim.status(), P)
    sim.advance(600)
    client.end_outage(sim.status())
    assert tables.value(S) is None
    sim.advance(LAG)
    assert tables.value(S) == "waits"


def test_objects_stay_pending_while_a_region_is_out(buckets: Buckets) -> None:
    sim = buckets.sim
    buckets.p.put_object(Bucket=SOURCE, Key="a", Body=b"x")
    client.begin_outage(sim.status(), P)
    sim.advance(3600)
    assert "Contents" not in buckets.s.list_objects_v2(Bucket=TARGET)
    client.end_outage(sim.status(), P)
    assert buckets.p.head_object(Bucket=SOURCE, Key="a")["ReplicationStatus"] == "PENDING"
    sim.advance(LAG)
    assert buckets.p.head_object(Bucket=SOURCE, Key="a")["ReplicationStatus"] == "COMPLETED"
    assert buckets.s.head_object(Bucket=TARGET, Key="a")["ReplicationStatus"] == "REPLICA"


def test_lags_are_the_usual_ones_until_others_are_set(sim: Sim) -> None:
    status = sim.status()
    assert client.lags(status) == replication.USUAL
    client.set_lags(status, {"table": 2, "bucket": 0})
    assert client.lags(status) == {**replication.USUAL, "table": 2, "bucket": 0}
    for wrong in ({"queue": 1.0}, {"table": -1.0}, {"table": 1.0, "bucket": float("inf")}):
        with pytest.raises(client.Rejected):
            client.set_lags(status, wrong)
    assert client.lags(status) == {**replication.USUAL, "table": 2, "bucket": 0}


def test_a_region_that_is_none_is_refused_with_those_there_are(sim: Sim) -> None:
    status = sim.status()
    for act in (client.begin_outage, client.end_outage):
        with pytest.raises(client.Rejected, match=r"global or one of .*us-east-1"):
            act(status, "us-middle-1")
    assert list(client.begin_outage(status, "global").outages) == ["global"]
    assert client.end_outage(status, P).outages.keys() == {"global"}, (
        "a region that is not out is back already"
    )
    assert client.end_outage(status).outages == {}


def test_the_latency_of_a_table_is_told_where_it_is_written_and_grows_while_nothing_arrives(
    tables: Tables,
) -> None:
    sim = tables.sim
    client.set_lags(sim.status(), {"table": 2})
    sim.advance(300)
    for source, target in ((P, S), (S, P)):
        told = measured(
            sim, source, "AWS/DynamoDB", "ReplicationLatency", TableName="sessions", ReceivingRegion=target
        )
        assert told[-1] == 2000
    client.begin_outage(sim.status(), S)
    tables.put(P, "waits")
    sim.advance(300)
    late = measured(sim, P, "AWS/DynamoDB", "ReplicationLatency", TableName="sessions", ReceivingRegion=S)
    assert late[-1] >= 240_000
    client.end_outage(sim.status(), S)
    sim.advance(120)
    assert measured(sim, P, "AWS/DynamoDB", "ReplicationLatency", TableName="sessions", ReceivingRegion=S)[
        -1
    ] == pytest.approx(2000)


def test_what_waits_in_a_bucket_and_what_failed_is_told_by_rule(buckets: Buckets) -> None:
    sim = buckets.sim
    rule = {"SourceBucket": SOURCE, "DestinationBucket": TARGET, "RuleId": "everything"}
    client.begin_outage(sim.status(), S)
    buckets.p.put_object(Bucket=SOURCE, Key="a", Body=b"12345")
    sim.advance(300)
    told = {
        metric: measured(sim, P, "AWS/S3", metric, **rule)
        for metric in ("OperationsPendingReplication", "BytesPendingReplication", "ReplicationLatency")
    }
    assert told["OperationsPendingReplication"][-1] == 1
    assert told["BytesPendingReplication"][-1] == 5
    assert told["ReplicationLatency"][-1] >= 240
    client.end_outage(sim.status(), S)
    buckets.sim.client("kms", S).disable_key(KeyId=buckets.keys[S])
    sim.advance(300)
    assert measured(sim, P, "AWS/S3", "OperationsPendingReplication", **rule)[-1] == 0
    assert sum(measured(sim, P, "AWS/S3", "OperationsFailedReplication", **rule)) == 1


def test_the_lag_of_a_database_is_told_where_it_lags_while_its_source_is_there(sim: Sim) -> None:
    Aurora(sim).build()
    sim.advance(60)
    for metric in ("AuroraGlobalDBReplicationLag", "AuroraGlobalDBRPOLag"):
        assert measured(sim, S, "AWS/RDS", metric, DBClusterIdentifier="app-s")[-1] == pytest.approx(100)
        assert measured(sim, P, "AWS/RDS", metric, DBClusterIdentifier="app-p") == []
    client.begin_outage(sim.status(), P)
    sim.advance(700)
    assert measured(sim, S, "AWS/RDS", "AuroraGlobalDBReplicationLag", DBClusterIdentifier="app-s") == []


def test_what_waits_survives_a_restart_of_the_simulator(tmp_path: Path) -> None:
    started = client.start(tmp_path, 1)
    try:
        sim = Sim(started)
        tables = Tables(sim)
        tables.build()
        tables.put(P, "waits")
        client.begin_outage(started, P)
        sim.advance(60)
    finally:
        client.stop(tmp_path)
    again = client.start(tmp_path, 1)
    try:
        assert list(again.outages) == [P]
        client.end_outage(again, P)
        later = Sim(again)
        later.advance(60)
        found = later.client("dynamodb", S).get_item(TableName="sessions", Key={"sessionId": {"S": "1"}})
        assert found["Item"]["value"] == {"S": "waits"}
    finally:
        client.stop(tmp_path)
