"""Rows of an Aurora global database: what a secondary sees, what moving the writer loses, what an outage holds up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from drctl.sim import client
from tests.conftest import Sim
from tests.sim.test_rds import Aurora, P, S, code

LAG = 60.0
"""Simulated seconds. Long enough that a busy machine does not let it pass between two calls."""


class Database:
    """A global database with one instance in each region, and somebody who reads and writes."""

    def __init__(self, sim: Sim) -> None:
        self.sim = sim
        self.aurora = Aurora(sim)
        self.aurora.build()
        self.names = {P: "app-p", S: "app-s"}
        client.set_lags(sim.status(), {"database": LAG})

    def write(self, region: str, key: str, value: str = "1") -> None:
        self._rows("PUT", region, key, {"value": value})

    def read(self, region: str, key: str) -> str | None:
        try:
            return str(self._rows("GET", region, key, None)["value"])
        except client.SimulatorError as error:
            if "has no row" in str(error):
                return None
            raise

    def _rows(self, method: str, region: str, key: str, body: dict[str, str] | None) -> dict[str, object]:
        return client.request(self.sim.status(), method, f"rows/{region}/{self.names[region]}/{key}", body)

    def outage(self, region: str) -> None:
        client.begin_outage(self.sim.status(), region)

    def back(self, region: str) -> None:
        client.end_outage(self.sim.status(), region)

    def fail_over(self, to: str) -> None:
        """In the region that is to write, as the user guide says."""
        self.aurora.rds[to].failover_global_cluster(**self._target(to), AllowDataLoss=True)

    def switch_over(self, to: str) -> None:
        """In the region that writes, as the user guide says."""
        self.aurora.rds[P if to == S else S].switchover_global_cluster(**self._target(to))

    def _target(self, to: str) -> dict[str, str]:
        return {
            "GlobalClusterIdentifier": "world",
            "TargetDbClusterIdentifier": self.aurora.arn(to, self.names[to]),
        }

    def synchronisation(self, region: str) -> str:
        """Of the region's member, as S tells it."""
        members = self.aurora.world()["GlobalClusterMembers"]
        (found,) = (m for m in members if f":rds:{region}:" in m["DBClusterArn"])
        return str(found["SynchronizationStatus"])


@pytest.fixture
def database(sim: Sim) -> Iterator[Database]:
    yield Database(sim)


def test_a_secondary_shows_a_row_once_it_has_arrived_and_takes_none(database: Database) -> None:
    database.write(P, "a", "first")
    assert database.read(P, "a") == "first"
    assert database.read(S, "a") is None
    database.sim.advance(LAG)
    assert database.read(S, "a") == "first"
    with pytest.raises(client.SimulatorError, match="read-only"):
        database.write(S, "a", "second")
    assert database.read(P, "a") == "first"


def test_rows_do_not_overtake_each_other_when_the_lag_shrinks(database: Database) -> None:
    database.write(P, "a", "older")
    client.set_lags(database.sim.status(), {"database": 5})
    database.write(P, "a", "newer")
    database.sim.advance(LAG)
    assert database.read(S, "a") == "newer"


def test_a_new_member_starts_with_what_there_is(database: Database) -> None:
    database.write(P, "a")
    database.aurora.rds["eu"] = database.sim.client("rds", "eu-west-1")
    key = database.sim.client("kms", "eu-west-1").create_key()["KeyMetadata"]["Arn"]
    database.aurora.rds["eu"].create_db_cluster(
        DBClusterIdentifier="app-e",
        Engine="aurora-mysql",
        GlobalClusterIdentifier="world",
        KmsKeyId=key,
        SourceRegion=P,
    )
    database.names["eu-west-1"] = "app-e"
    with pytest.raises(client.SimulatorError, match="creating"):
        database.read("eu-west-1", "a")
    database.sim.advance(900)
    with pytest.raises(client.SimulatorError, match="no instance"):
        database.read("eu-west-1", "a")
    database.aurora.make_instance("eu", "app-e-1", "app-e")
    database.sim.advance(900)
    assert database.read("eu-west-1", "a") == "1"


def test_what_had_not_left_a_region_that_goes_out_arrives_when_it_is_back(database: Database) -> None:
    database.write(P, "early")
    database.sim.advance(LAG)
    database.write(P, "late")
    database.outage(P)
    database.sim.advance(3600)
    assert (database.read(S, "early"), database.read(S, "late")) == ("1", None)
    with pytest.raises(client.SimulatorError, match=f"{P} is out"):
        database.write(P, "never")
    with pytest.raises(client.SimulatorError, match=f"{P} is out"):
        database.read(P, "early")
    assert database.aurora.writer() == P
    database.back(P)
    assert database.read(S, "late") is None
    database.sim.advance(LAG)
    assert database.read(S, "late") == "1"


def test_a_failover_loses_what_had_not_arrived_and_rebuilds_the_old_primary(database: Database) -> None:
    database.write(P, "kept")
    database.sim.advance(LAG)
    database.write(P, "lost")
    database.outage(P)
    database.sim.advance(10)
    database.fail_over(S)
    moving = database.aurora.world()
    assert moving["Status"] == moving["FailoverState"]["Status"] == "failing-over"
    assert moving["FailoverState"]["IsDataLossAllowed"] is True
    assert database.aurora.cluster(S, "app-s")["Status"] == "failing-over"
    with pytest.raises(client.SimulatorError, match="failing-over"):
        database.write(S, "soon")
    database.sim.advance(130)
    moved = database.aurora.world()
    assert moved["Status"] == "available"
    assert "FailoverState" not in moved
    (writer,) = (m for m in moved["GlobalClusterMembers"] if m["IsWriter"])
    assert writer["DBClusterArn"] == database.aurora.arn(S, "app-s")
    assert writer["Readers"] == [database.aurora.arn(P, "app-p")]
    database.write(S, "new")
    assert (database.read(S, "kept"), database.read(S, "lost")) == ("1", None)

    database.sim.advance(3600)
    assert database.synchronisation(P) == "pending-resync"
    database.back(P)
    with pytest.raises(client.SimulatorError, match="being rebuilt"):
        database.read(P, "lost")
    with pytest.raises(client.SimulatorError, match="read-only"):
        database.write(P, "wrong")
    with pytest.raises(ClientError) as refused:
        database.switch_over(P)
    assert code(refused) == "InvalidDBClusterStateFault"
    database.sim.advance(80)
    assert database.synchronisation(P) == "pending-resync"
    database.sim.advance(50)
    assert database.synchronisation(P) == "connected"
    assert [database.read(P, key) for key in ("kept", "lost", "new")] == ["1", None, "1"]
    assert database.read(S, "lost") is None

    database.switch_over(P)
    database.sim.advance(40)
    assert database.aurora.writer() == P
    database.write(P, "home")
    database.sim.advance(LAG)
    assert [database.read(S, key) for key in ("kept", "lost", "new", "home")] == ["1", None, "1", "1"]


def test_a_rebuild_that_meets_another_outage_starts_again(database: Database) -> None:
    database.fail_over(S)
    database.sim.advance(130)
    assert database.synchronisation(P) == "pending-resync"
    database.outage(P)
    database.sim.advance(3600)
    assert database.synchronisation(P) == "pending-resync"
    database.back(P)
    database.sim.advance(310)
    assert database.synchronisation(P) == "connected"


def test_a_switchover_waits_for_the_target_and_loses_nothing(database: Database) -> None:
    client.set_lags(database.sim.status(), {"database": 200})
    database.write(P, "a")
    database.switch_over(S)
    assert database.aurora.world()["Status"] == "switching-over"
    for region in (P, S):
        assert database.aurora.cluster(region, database.names[region])["Status"] == "failing-over"
        with pytest.raises(client.SimulatorError, match=r"failing-over|switching-over"):
            database.write(region, "b")
    database.sim.advance(100)
    assert database.aurora.world()["FailoverState"]["Status"] == "switching-over"
    assert database.aurora.writer() == P
    database.sim.advance(110)
    assert database.aurora.writer() == S
    assert database.synchronisation(P) == "connected"
    assert database.read(S, "a") == "1"
    database.write(S, "b")
    database.sim.advance(200)
    assert database.read(P, "b") == "1"


def test_a_switchover_needs_both_regions_and_a_failover_only_its_own(database: Database) -> None:
    database.switch_over(S)
    database.outage(P)
    with pytest.raises(ClientError) as refused:
        database.fail_over(S)
    assert code(refused) == "InvalidGlobalClusterStateFault"
    database.sim.advance(40)
    told = database.aurora.world()
    assert (told["Status"], database.aurora.writer()) == ("available", P)
    assert "FailoverState" not in told
    for operation in ("switchover_global_cluster", "failover_global_cluster"):
        with pytest.raises(ClientError) as refused:
            getattr(database.aurora.rds[S], operation)(
                GlobalClusterIdentifier="world", TargetDbClusterIdentifier=database.aurora.arn(S, "app-s")
            )
        assert code(refused) == "InvalidDBClusterStateFault"
    database.fail_over(S)
    database.sim.advance(130)
    assert database.aurora.writer() == S


def test_each_is_asked_for_in_the_region_that_the_user_guide_names(database: Database) -> None:
    target = {
        "GlobalClusterIdentifier": "world",
        "TargetDbClusterIdentifier": database.aurora.arn(S, "app-s"),
    }
    with pytest.raises(ClientError, match=P) as refused:
        database.aurora.rds[S].switchover_global_cluster(**target)
    assert code(refused) == "InvalidParameterValue"
    with pytest.raises(ClientError, match=S) as refused:
        database.aurora.rds[P].failover_global_cluster(**target, AllowDataLoss=True)
    assert code(refused) == "InvalidParameterValue"
    assert database.aurora.world()["Status"] == "available"
