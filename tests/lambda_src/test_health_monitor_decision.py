"""What the standby's monitor decides about the primary, from invocation to invocation."""

from __future__ import annotations

import json
import threading

import pytest
from sandbox import CLOSED_PORT, ONE_PROBE, PRIMARY, STANDBY, Environment


def test_a_single_failed_probe_is_counted_and_a_good_one_forgets_it(environment: Environment) -> None:
    environment.application.status = 503
    environment.standby.invoke(ONE_PROBE)
    assert (environment.breaker()["state"], environment.breaker()["failures"]) == ("CLOSED", 1)

    environment.application.status = 200
    environment.standby.invoke(ONE_PROBE)
    assert (environment.breaker()["state"], environment.breaker()["failures"]) == ("CLOSED", 0)
    assert environment.metric("FailoverTrigger") == []


def test_two_probes_an_invocation_and_the_third_failure_in_a_row_opens(environment: Environment) -> None:
    environment.application.status = 503
    assert [probe["breaker"]["state"] for probe in environment.standby.invoke()] == ["CLOSED", "CLOSED"]
    assert [probe["breaker"]["state"] for probe in environment.standby.invoke()] == ["OPEN", "OPEN"]

    assert set(environment.metric("FailoverTrigger", STANDBY)) == {1.0}
    assert environment.metric("FailoverTrigger", PRIMARY) == []
    assert max(environment.metric("BreakerState", Region=STANDBY)) == 2
    assert environment.breaker()["published"] is True


def test_the_count_survives_sandboxes_that_die(environment: Environment) -> None:
    """Each invocation in a process of its own, as after a cold start."""
    environment.application.status = 503
    for _ in range(2):
        output, _ = environment.standby.start().communicate(timeout=60)
        assert len(json.loads(output)) == 2
    assert (environment.breaker()["state"], environment.breaker()["failures"]) == ("OPEN", 4)


def test_two_invocations_at_once_count_every_probe_once_and_open_once(environment: Environment) -> None:
    """Two sandboxes, brought into step by the application: both learn of each failure at the same moment."""
    environment.application.status = 503
    environment.application.together = threading.Barrier(2)
    both = [environment.standby.start(), environment.standby.start()]
    probes = [probe for process in both for probe in json.loads(process.communicate(timeout=60)[0])]

    assert [probe["errors"] for probe in probes] == [[], [], [], []]
    stored = environment.breaker()
    assert (stored["state"], stored["failures"]) == ("OPEN", 4)
    opened = {probe["breaker"]["opened_at"] for probe in probes if probe["breaker"]["state"] == "OPEN"}
    assert opened == {stored["opened_at"]}


def test_a_write_whose_answer_was_lost_is_not_counted_twice(environment: Environment) -> None:
    environment.application.status = 503
    environment.sim.fault("lost", service="dynamodb", operation="PutItem", times=1)
    (probe,) = environment.standby.invoke(ONE_PROBE)
    assert probe["errors"] == []
    assert environment.breaker()["failures"] == 1


def test_an_opening_that_cloudwatch_missed_is_announced_by_a_later_probe(environment: Environment) -> None:
    environment.application.status = 503
    for _ in range(2):
        environment.standby.invoke(AWS_ENDPOINT_URL_CLOUDWATCH=CLOSED_PORT)
    assert (environment.breaker()["state"], environment.breaker()["published"]) == ("OPEN", False)

    environment.standby.invoke(ONE_PROBE)
    assert environment.breaker()["published"] is True
    assert set(environment.metric("FailoverTrigger")) == {1.0}


def test_an_opening_is_not_announced_late_when_the_primary_is_back(environment: Environment) -> None:
    environment.application.status = 503
    for _ in range(2):
        environment.standby.invoke(AWS_ENDPOINT_URL_CLOUDWATCH=CLOSED_PORT)
    environment.application.status = 200
    environment.standby.invoke()
    assert environment.metric("FailoverTrigger") == []


def test_closing_again_never_takes_the_failover_back(environment: Environment) -> None:
    environment.application.status = 503
    environment.standby.invoke()
    environment.standby.invoke()
    environment.application.status = 200
    states = [probe["breaker"]["state"] for probe in environment.standby.invoke(TIMEOUT_S="0")]

    assert states == ["HALF_OPEN", "CLOSED"]
    assert set(environment.metric("FailoverTrigger")) == {1.0}


def test_a_monitor_that_cannot_reach_its_table_fails_nothing_over(environment: Environment) -> None:
    environment.application.status = 503
    for _ in range(2):
        for probe in environment.standby.invoke(AWS_ENDPOINT_URL_DYNAMODB=CLOSED_PORT):
            assert probe["breaker"] is None
            assert probe["errors"]

    assert environment.breaker() == {}
    assert environment.metric("FailoverTrigger") == []
    assert set(environment.metric("Heartbeat", Region=STANDBY)) == {1.0}
    assert environment.metric("BreakerState", Region=STANDBY) == []


def test_a_damaged_item_decides_nothing_and_is_left_for_a_person(environment: Environment) -> None:
    item = {"id": {"S": environment.name}, "state": {"S": "AJAR"}, "version": {"N": "7"}}
    environment.sim.client("dynamodb", STANDBY).put_item(TableName=f"{environment.name}-breaker", Item=item)
    environment.application.status = 503
    (probe,) = environment.standby.invoke(ONE_PROBE)
    assert probe["breaker"] is None
    assert "damaged" in probe["errors"][0]
    assert environment.breaker()["version"] == 7


def test_the_primary_publishes_and_never_decides(environment: Environment) -> None:
    environment.application.status = 503
    for _ in range(2):
        assert all(probe["breaker"] is None for probe in environment.primary.invoke())

    assert environment.breaker() == {}
    assert set(environment.metric("ServiceHealth", PRIMARY, Region=PRIMARY)) == {0.0}
    assert set(environment.metric("Heartbeat", PRIMARY, Region=PRIMARY)) == {1.0}
    for region in (PRIMARY, STANDBY):
        assert environment.metric("FailoverTrigger", region) == []
        assert environment.metric("BreakerState", region, Region=region) == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"ROLE": "witness"}, "ROLE"),
        ({"TABLE": ""}, "TABLE"),
        ({"PROMOTE_DATABASE": "true"}, "GLOBAL_CLUSTER"),
        ({"PROMOTE_DATABASE": "1"}, "PROMOTE_DATABASE"),
    ],
)
def test_wrong_settings_are_an_error_of_the_function(
    environment: Environment, wrong: dict[str, str], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        environment.standby.invoke(**wrong)
