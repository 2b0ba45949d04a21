"""Alarms that are evaluated every minute, tell their topics, and what AWS publishes for them to watch."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from drctl.sim import client
from drctl.sim.motion.alarms import judge
from tests.sim.test_cloudwatch import alarm, state
from tests.sim.test_ecs import App

REGION = "us-east-1"
MINUTE = 60.0


def periods(drawn: str) -> list[bool | None]:
    """As the user guide draws them: ``0`` well, ``X`` breaching, ``-`` missing."""
    return [{"0": False, "X": True, "-": None}[one] for one in drawn.split()]


@pytest.mark.parametrize(
    ("drawn", "needed", "missing", "ignore", "breaching", "not_breaching"),
    [
        ("0 - X - X", 3, "OK", "OK", "OK", "OK"),
        ("- - - - 0", 3, "OK", "OK", "OK", "OK"),
        ("- - - - -", 3, "INSUFFICIENT_DATA", None, "ALARM", "OK"),
        ("0 X X - X", 3, "ALARM", "ALARM", "ALARM", "ALARM"),
        ("- - X - -", 3, "ALARM", None, "ALARM", "OK"),
        ("0 - X - X", 2, "ALARM", "ALARM", "ALARM", "ALARM"),
        ("0 0 X 0 X", 2, "ALARM", "ALARM", "ALARM", "ALARM"),
        ("0 - X - -", 2, "OK", "OK", "ALARM", "OK"),
        ("- - - - 0", 2, "OK", "OK", "ALARM", "OK"),
        ("- - - X -", 2, "ALARM", None, "ALARM", "OK"),
    ],
)
def test_missing_data_is_treated_as_the_user_guide_draws_it(
    drawn: str, needed: int, missing: str, ignore: str | None, breaching: str, not_breaching: str
) -> None:
    """The two tables of "Configuring how CloudWatch alarms treat missing data": three periods evaluated out of five."""
    found = [
        judge(periods(drawn), 3, needed, treated)
        for treated in ("missing", "ignore", "breaching", "notBreaching")
    ]
    assert found == [missing, ignore, breaching, not_breaching]


@pytest.fixture
def awake(sim: Any) -> Any:
    """A world whose alarms are evaluated, with hardly any time passing by itself."""
    sim.set_speed(0.01)
    return sim


def switch(**more: Any) -> dict[str, Any]:
    return alarm(
        AlarmName="failover-trigger",
        MetricName="FailoverTrigger",
        Dimensions=[{"Name": "Environment", "Value": "shop"}],
        Statistic="Maximum",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="ignore",
        **more,
    )


def publish(watch: Any, name: str, value: float, **dimensions: str) -> None:
    named = [{"Name": key, "Value": one} for key, one in dimensions.items()]
    watch.put_metric_data(
        Namespace="drctl", MetricData=[{"MetricName": name, "Value": value, "Dimensions": named}]
    )


def test_a_switch_flips_within_a_minute_stays_and_flips_back(awake: Any) -> None:
    watch = awake.client("cloudwatch")
    watch.put_metric_alarm(**switch())
    watch.put_composite_alarm(AlarmName="anything", AlarmRule="ALARM(failover-trigger)")
    awake.advance(MINUTE)
    assert state(watch, "failover-trigger") == "INSUFFICIENT_DATA"
    publish(watch, "FailoverTrigger", 1, Environment="other")
    publish(watch, "FailoverTrigger", 1, Environment="shop", Region="us-east-1")
    awake.advance(MINUTE)
    assert state(watch, "failover-trigger") == "INSUFFICIENT_DATA"
    publish(watch, "FailoverTrigger", 1, Environment="shop")
    awake.advance(MINUTE)
    assert state(watch, "failover-trigger") == "ALARM"
    assert state(watch, "anything", "CompositeAlarm") == "ALARM"
    awake.advance(30 * MINUTE)
    assert state(watch, "failover-trigger") == "ALARM"
    publish(watch, "FailoverTrigger", 0, Environment="shop")
    awake.advance(MINUTE)
    found = watch.describe_alarms(AlarmNames=["failover-trigger"])["MetricAlarms"][0]
    assert found["StateValue"] == "OK"
    assert "was not greater than or equal to the threshold (1.0)" in found["StateReason"]
    assert json.loads(found["StateReasonData"])["recentDatapoints"] == [0.0]
    assert state(watch, "anything", "CompositeAlarm") == "OK"


def test_alarms_rest_while_time_runs_too_fast_and_then_look_at_what_they_were_awake_for(sim: Any) -> None:
    watch = sim.client("cloudwatch")
    watch.put_metric_alarm(**switch() | {"TreatMissingData": "breaching"})
    sim.advance(600)
    assert state(watch, "failover-trigger") == "INSUFFICIENT_DATA"
    sim.set_speed(0.01)
    sim.advance(1)
    assert state(watch, "failover-trigger") == "INSUFFICIENT_DATA"
    sim.advance(MINUTE)
    assert state(watch, "failover-trigger") == "ALARM"


def test_a_metric_that_stops_is_bad_where_its_absence_is(awake: Any) -> None:
    watch = awake.client("cloudwatch")
    watch.put_metric_alarm(
        **alarm(MetricName="Heartbeat", Statistic="Sum", EvaluationPeriods=2, TreatMissingData="breaching")
    )
    for _ in range(4):
        publish(watch, "Heartbeat", 1)
        awake.advance(MINUTE)
    assert state(watch, "health") == "OK"
    awake.advance(2 * MINUTE)
    assert state(watch, "health") == "OK", "two of the four periods that are looked at have data"
    awake.advance(2 * MINUTE)
    assert state(watch, "health") == "ALARM"


def test_an_alarm_on_a_difference_sees_both_metrics(awake: Any) -> None:
    watch = awake.client("cloudwatch")

    def line(name: str) -> dict[str, Any]:
        metric = {"Namespace": "drctl", "MetricName": name, "Dimensions": []}
        return {"Metric": metric, "Period": 60, "Stat": "Maximum"}

    watch.put_metric_alarm(
        AlarmName="missing",
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        Metrics=[
            {"Id": "metric", "MetricStat": line("Desired"), "ReturnData": False},
            {"Id": "minus", "MetricStat": line("Running"), "ReturnData": False},
            {"Id": "difference", "Expression": "metric - minus", "ReturnData": True},
        ],
    )
    for running, expected in ((2, "OK"), (1, "ALARM"), (2, "OK")):
        publish(watch, "Desired", 2)
        publish(watch, "Running", running)
        awake.advance(MINUTE)
        assert state(watch, "missing") == expected


def test_alarms_on_tables_ignore_missing_data_whatever_they_say(awake: Any) -> None:
    watch = awake.client("cloudwatch")
    watch.put_metric_alarm(**alarm(Namespace="AWS/DynamoDB", TreatMissingData="breaching"))
    awake.advance(10 * MINUTE)
    assert state(watch, "health") == "INSUFFICIENT_DATA"


def test_a_change_is_told_to_the_topic_of_the_new_state(awake: Any) -> None:
    watch, topics, queues = (awake.client(service) for service in ("cloudwatch", "sns", "sqs"))
    topic = topics.create_topic(Name="alarms")["TopicArn"]
    queue = queues.create_queue(QueueName="pager")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{topic.split(':')[4]}:pager"
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def heard() -> list[tuple[str, str, str]]:
        said = []
        for one in queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            queues.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
            told = json.loads(json.loads(one["Body"])["Message"])
            said.append((told["AlarmName"], told["OldStateValue"], told["NewStateValue"]))
        return sorted(said)

    watch.put_metric_alarm(**switch(AlarmActions=[topic], OKActions=[topic]))
    watch.put_metric_alarm(**switch(AlarmActions=[topic], ActionsEnabled=False) | {"AlarmName": "silent"})
    watch.put_composite_alarm(
        AlarmName="both", AlarmRule="ALARM(failover-trigger) AND ALARM(silent)", AlarmActions=[topic]
    )
    awake.advance(MINUTE)
    assert heard() == []
    publish(watch, "FailoverTrigger", 1, Environment="shop")
    awake.advance(2 * MINUTE)
    assert heard() == [("both", "OK", "ALARM"), ("failover-trigger", "INSUFFICIENT_DATA", "ALARM")]
    watch.set_alarm_state(AlarmName="failover-trigger", StateValue="OK", StateReason="by hand")
    assert heard() == [("failover-trigger", "ALARM", "OK")]


def test_alarms_of_a_region_that_is_out_stay_as_they_are_until_it_is_back(awake: Any) -> None:
    there = awake.client("cloudwatch", "us-west-2")
    there.put_metric_alarm(**alarm(TreatMissingData="breaching"))
    client.begin_outage(awake.status(), "us-west-2")
    awake.advance(10 * MINUTE)
    client.end_outage(awake.status(), "us-west-2")
    assert state(there, "health") == "INSUFFICIENT_DATA"
    awake.advance(MINUTE)
    assert state(there, "health") == "ALARM"


def latest(sim: Any, namespace: str, metric: str, **dimensions: str) -> list[float]:
    """What was published in the last two minutes under exactly these dimensions, oldest first."""
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    stat = {
        "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
        "Period": 60,
        "Stat": "Maximum",
    }
    now = sim.clock.now()
    found = sim.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": stat}],
        StartTime=datetime.fromtimestamp(now - 2 * MINUTE, UTC),
        EndTime=datetime.fromtimestamp(now + 1, UTC),
        ScanBy="TimestampAscending",
    )
    return list(found["MetricDataResults"][0]["Values"])


def test_load_balancers_and_services_publish_what_alarms_watch(sim: Any) -> None:
    app = App(sim)
    app.create()
    sim.set_speed(0.01)
    sim.advance(40)
    balancer = app.balancer.rsplit(":loadbalancer/", 1)[1]
    group = app.targets.rsplit(":", 1)[1]
    service = {"ClusterName": "app", "ServiceName": "web"}
    hosts = {"TargetGroup": group, "LoadBalancer": balancer}
    insights = "ECS/ContainerInsights"
    sim.advance(MINUTE)
    assert latest(sim, insights, "DesiredTaskCount", **service)[-1] == 3
    assert latest(sim, insights, "RunningTaskCount", **service)[-1] == 3
    sim.advance(3 * MINUTE)
    assert latest(sim, insights, "RunningTaskCount", **service) == [3, 3]
    assert latest(sim, "AWS/ECS", "CPUUtilization", **service)
    assert latest(sim, "AWS/ApplicationELB", "HealthyHostCount", **hosts) == [3, 3]
    assert latest(sim, "AWS/ApplicationELB", "UnHealthyHostCount", **hosts) == [0, 0]
    assert latest(sim, "AWS/ApplicationELB", "RequestCount", LoadBalancer=balancer) == []
    client.begin_outage(sim.status(), REGION)
    sim.advance(5 * MINUTE)
    client.end_outage(sim.status(), REGION)
    assert latest(sim, insights, "RunningTaskCount", **service) == []
