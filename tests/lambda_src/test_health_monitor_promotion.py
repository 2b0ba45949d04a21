"""Promotion of the standby's database: only when the settings say so, only in the standby, once an outage."""

from __future__ import annotations

import pytest
from sandbox import ONE_PROBE, PRIMARY, STANDBY, Environment
from workload import CREDENTIALS, DATABASE, database_instance, network

WANTED = {"PROMOTE_DATABASE": "true", "GLOBAL_CLUSTER": "shop"}


@pytest.fixture
def database(environment: Environment) -> Environment:
    """An environment with a global database that the primary writes, and a primary that is lost."""
    sim = environment.sim
    for region in (PRIMARY, STANDBY):
        network(sim, region)
    primary, standby = sim.client("rds", PRIMARY), sim.client("rds", STANDBY)
    primary.create_global_cluster(GlobalClusterIdentifier="shop", Engine="aurora-mysql")
    sim.advance(60)
    primary.create_db_cluster(
        DBClusterIdentifier="shop-primary", GlobalClusterIdentifier="shop", **DATABASE, **CREDENTIALS
    )
    sim.advance(600)
    database_instance(sim, PRIMARY, "shop-primary")
    sim.advance(600)
    standby.create_db_cluster(DBClusterIdentifier="shop-standby", GlobalClusterIdentifier="shop", **DATABASE)
    sim.advance(600)
    database_instance(sim, STANDBY, "shop-standby")
    sim.advance(600)
    environment.application.status = 503
    return environment


def writers(environment: Environment) -> list[str]:
    """Identifiers of the clusters that write, once what was asked for is done."""
    environment.sim.advance(900)
    answer = environment.sim.client("rds", STANDBY).describe_global_clusters(GlobalClusterIdentifier="shop")
    members = answer["GlobalClusters"][0]["GlobalClusterMembers"]
    return [member["DBClusterArn"].split(":")[-1] for member in members if member["IsWriter"]]


def test_off_by_default(database: Environment) -> None:
    database.standby.invoke()
    database.standby.invoke()
    assert database.breaker()["state"] == "OPEN"
    assert database.sim.calls(operation="FailoverGlobalCluster") == []
    assert writers(database) == ["shop-primary"]


def test_when_wanted_the_standby_is_promoted_once_and_from_its_own_region(database: Environment) -> None:
    database.standby.invoke(**WANTED)
    assert database.sim.calls(operation="FailoverGlobalCluster") == []
    for _ in range(3):
        database.standby.invoke(**WANTED, TIMEOUT_S="0")

    assert [call["region"] for call in database.sim.calls(operation="FailoverGlobalCluster")] == [STANDBY]
    assert database.breaker()["promoted"] is True
    assert writers(database) == ["shop-standby"]


def test_a_promotion_that_was_refused_is_tried_again_and_holds_nothing_up(database: Environment) -> None:
    database.sim.fault("error", service="rds", operation="FailoverGlobalCluster", times=1)
    database.standby.invoke(**WANTED)
    (probe,) = database.standby.invoke(ONE_PROBE, **WANTED)
    assert "promotion of shop" in probe["errors"][0]
    assert (database.breaker()["published"], database.breaker()["promoted"]) == (True, False)

    database.standby.invoke(ONE_PROBE, **WANTED)
    assert database.breaker()["promoted"] is True
    assert writers(database) == ["shop-standby"]


def test_a_promotion_whose_answer_was_lost_is_recognised(database: Environment) -> None:
    database.sim.fault("lost", service="rds", operation="FailoverGlobalCluster", times=1)
    database.standby.invoke(**WANTED)
    database.standby.invoke(ONE_PROBE, **WANTED)
    assert database.breaker()["promoted"] is False
    database.standby.invoke(ONE_PROBE, **WANTED)
    assert database.breaker()["promoted"] is True
    assert len(database.sim.calls(operation="FailoverGlobalCluster")) == 1


def test_the_primary_never_promotes(database: Environment) -> None:
    for _ in range(2):
        database.primary.invoke(**WANTED)
    assert database.sim.calls(operation="FailoverGlobalCluster") == []
