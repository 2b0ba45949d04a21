"""CloudWatch metrics, alarms and dashboards; the log groups and topics beside them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture
def watch(sim: Any) -> Any:
    return sim.client("cloudwatch")


def alarm(**more: Any) -> dict[str, Any]:
    settings = {
        "AlarmName": "health",
        "Namespace": "drctl",
        "MetricName": "ServiceHealth",
        "Statistic": "Minimum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 1.0,
        "ComparisonOperator": "LessThanThreshold",
        **more,
    }
    return {name: value for name, value in settings.items() if value is not None}


def state(watch: Any, name: str, kind: str = "MetricAlarm") -> str:
    found = watch.describe_alarms(AlarmNames=[name], AlarmTypes=[kind])
    return str(found[f"{kind}s"][0]["StateValue"])


def test_a_new_alarm_has_no_data_and_an_updated_one_keeps_its_state_and_tags(watch: Any) -> None:
    watch.put_metric_alarm(**alarm(Tags=[{"Key": "a", "Value": "1"}]))
    assert state(watch, "health") == "INSUFFICIENT_DATA"
    watch.set_alarm_state(AlarmName="health", StateValue="ALARM", StateReason="test")
    watch.put_metric_alarm(**alarm(Threshold=2.0, Tags=[{"Key": "b", "Value": "2"}]))
    found = watch.describe_alarms(AlarmNames=["health"])["MetricAlarms"][0]
    assert (found["StateValue"], found["Threshold"]) == ("ALARM", 2.0)
    assert watch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"] == [{"Key": "a", "Value": "1"}]
    watch.delete_alarms(AlarmNames=["health"])
    watch.put_metric_alarm(**alarm())
    assert state(watch, "health") == "INSUFFICIENT_DATA"
    assert watch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"Period": 45},
        {"Period": 90},
        {"Period": 3600, "EvaluationPeriods": 169},
        {"Period": 60, "EvaluationPeriods": 1441},
        {"DatapointsToAlarm": 4},
        {"TreatMissingData": "maybe"},
        {"ComparisonOperator": "SmallerThanThreshold"},
        {"Statistic": None},
        {"MetricName": None},
        {"Threshold": None},
        {"AlarmActions": ["notify me"]},
        {"AlarmActions": [f"arn:aws:sns:us-east-1:{ACCOUNT}:t{n}" for n in range(6)]},
    ],
)
def test_alarms_that_cloudwatch_refuses(sim: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        sim.client("cloudwatch", parameter_validation=False).put_metric_alarm(**alarm(**changes))
    assert code(caught) == "ValidationError"


def test_a_composite_alarm_follows_the_alarms_of_its_rule(watch: Any) -> None:
    watch.put_metric_alarm(**alarm(AlarmName="one"))
    watch.put_metric_alarm(**alarm(AlarmName="two"))
    watch.put_composite_alarm(
        AlarmName="both",
        AlarmRule='ALARM("one") AND NOT (OK(two) OR FALSE)',
        AlarmActions=[f"arn:aws:sns:us-east-1:{ACCOUNT}:topic"],
    )
    assert state(watch, "both", "CompositeAlarm") == "OK"
    watch.set_alarm_state(AlarmName="one", StateValue="ALARM", StateReason="test")
    assert state(watch, "both", "CompositeAlarm") == "ALARM"
    watch.set_alarm_state(AlarmName="two", StateValue="OK", StateReason="test")
    assert state(watch, "both", "CompositeAlarm") == "OK"
    assert [one["AlarmName"] for one in watch.describe_alarms()["MetricAlarms"]] == ["one", "two"]
    assert watch.describe_alarms().get("CompositeAlarms", []) == []
    watch.delete_alarms(AlarmNames=["both"])
    with pytest.raises(ClientError) as caught:
        watch.delete_alarms(AlarmNames=["one", "both"])
    assert code(caught) == "ResourceNotFound"
    assert state(watch, "one") == "ALARM"


@pytest.mark.parametrize(
    "rule", ["ALARM(none)", "ALARM(health) AND", "health", "ALARM(health", "ALARM(both)"]
)
def test_a_composite_rule_is_grammatical_and_names_existing_alarms(watch: Any, rule: str) -> None:
    watch.put_metric_alarm(**alarm())
    with pytest.raises(ClientError) as caught:
        watch.put_composite_alarm(AlarmName="both", AlarmRule=rule)
    assert code(caught) == "ValidationError"


def test_alarms_are_listed_fifty_at_a_time(watch: Any) -> None:
    for number in range(52):
        watch.put_metric_alarm(**alarm(AlarmName=f"a{number:02}"))
    assert len(watch.describe_alarms()["MetricAlarms"]) == 50
    pages = watch.get_paginator("describe_alarms").paginate()
    assert sum(len(page["MetricAlarms"]) for page in pages) == 52


def test_metrics_are_aggregated_by_period_and_combined_by_expressions(sim: Any, watch: Any) -> None:
    sim.set_speed(1)
    hour = datetime.fromtimestamp(sim.clock.now(), tz=UTC).replace(minute=0, second=0, microsecond=0)
    past = hour - timedelta(hours=1)
    region = [{"Name": "Region", "Value": "us-east-1"}]
    for minute, values in ((1, [1.0, 3.0]), (2, [5.0])):
        at = past + timedelta(minutes=minute)
        datum = {"MetricName": "Latency", "Dimensions": region, "Timestamp": at, "Values": values}
        watch.put_metric_data(Namespace="drctl", MetricData=[datum])
    watch.put_metric_data(Namespace="drctl", MetricData=[{"MetricName": "Latency", "Value": 100.0}])
    window = {"StartTime": past, "EndTime": past + timedelta(minutes=10)}
    metric = {"Namespace": "drctl", "MetricName": "Latency", "Dimensions": region}
    points = watch.get_metric_statistics(**metric, **window, Period=60, Statistics=["Average", "Maximum"])
    ordered = sorted(points["Datapoints"], key=lambda point: point["Timestamp"])
    assert [(point["Average"], point["Maximum"]) for point in ordered] == [(2.0, 3.0), (5.0, 5.0)]
    queries = [
        {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "p", "MetricStat": {"Metric": metric, "Period": 600, "Stat": "p99"}},
        {"Id": "e", "Expression": "IF(m > 4, m * 10, 0)"},
    ]
    found = watch.get_metric_data(MetricDataQueries=queries, **window, ScanBy="TimestampAscending")
    assert {one["Id"]: one["Values"] for one in found["MetricDataResults"]} == {"p": [5.0], "e": [0.0, 50.0]}
    assert len(watch.list_metrics(Namespace="drctl")["Metrics"]) == 2
    assert len(watch.list_metrics(Namespace="drctl", Dimensions=[{"Name": "Region"}])["Metrics"]) == 1
    with pytest.raises(ClientError) as caught:
        watch.get_metric_data(MetricDataQueries=queries, StartTime=past, EndTime=past)
    assert code(caught) == "ValidationError"


@pytest.mark.parametrize(
    ("refused", "namespace", "datum"),
    [
        ("InvalidParameterValue", "AWS/RDS", {"Value": 1.0}),
        ("InvalidParameterValue", "drctl", {"Value": 1.0, "Timestamp": datetime(2001, 1, 1, tzinfo=UTC)}),
        ("InvalidParameterValue", "drctl", {"Values": [1.0], "Counts": [1.0, 2.0]}),
        ("InvalidParameterCombination", "drctl", {"Value": 1.0, "Values": [1.0]}),
        ("InvalidParameterCombination", "drctl", {}),
    ],
)
def test_data_that_cloudwatch_refuses(
    watch: Any, refused: str, namespace: str, datum: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as caught:
        watch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "m", **datum}])
    assert code(caught) == refused


def test_dashboards_hold_valid_json(watch: Any) -> None:
    shown = {"region": "us-east-1", "metrics": [["drctl", "ServiceHealth"]]}
    widget = {"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": shown}
    body = json.dumps({"widgets": [widget, {"type": "text", "properties": {"markdown": "# drctl"}}]})
    watch.put_dashboard(DashboardName="d", DashboardBody=body)
    assert watch.get_dashboard(DashboardName="d")["DashboardBody"] == body
    wrong = (
        {"widgets": [{**widget, "properties": {"metrics": shown["metrics"]}}]},
        {"widgets": [{**widget, "properties": {"region": "us-east-1", "metrics": ["drctl"]}}]},
        {"widgets": [{**widget, "x": 13}]},
        {"widgets": [{"type": "text", "properties": {}}]},
        {"widgets": [{"type": "picture", "properties": {}}]},
        {"widget": []},
    )
    for refused in ("{", *map(json.dumps, wrong)):
        with pytest.raises(ClientError) as caught:
            watch.put_dashboard(DashboardName="d", DashboardBody=refused)
        assert code(caught) == "InvalidParameterInput"
    watch.delete_dashboards(DashboardNames=["d"])
    with pytest.raises(ClientError) as caught:
        watch.get_dashboard(DashboardName="d")
    assert code(caught) == "ResourceNotFound"
    with pytest.raises(ClientError) as caught:
        watch.delete_dashboards(DashboardNames=["d"])
    assert code(caught) == "ResourceNotFound"


def key_policy(service: str | None, group: str = "*") -> str:
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
    logs = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Condition": {
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{group}"
            }
        },
    }
    statements = [one | {"Resource": "*"} for one in ([root, logs] if service else [root])]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        (key_policy("logs.us-east-1.amazonaws.com"), None),
        (key_policy("logs.us-east-1.amazonaws.com", "/drctl/*"), None),
        (key_policy("logs.us-east-1.amazonaws.com", "/other/*"), "AccessDeniedException"),
        (key_policy("logs.us-west-2.amazonaws.com"), "AccessDeniedException"),
        (key_policy(None), "AccessDeniedException"),
    ],
)
def test_a_log_group_is_encrypted_only_with_a_key_that_admits_it(
    sim: Any, policy: str, refused: str | None
) -> None:
    key = sim.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    sim.advance(10)
    logs = sim.client("logs")
    if refused is None:
        logs.create_log_group(logGroupName="/drctl/app", kmsKeyId=key, tags={"a": "b"})
        found = logs.describe_log_groups(logGroupNamePrefix="/drctl/")["logGroups"]
        assert [group["kmsKeyId"] for group in found] == [key]
    else:
        with pytest.raises(ClientError) as caught:
            logs.create_log_group(logGroupName="/drctl/app", kmsKeyId=key)
        assert code(caught) == refused


def test_a_log_group_needs_an_enabled_key_and_an_offered_retention(sim: Any) -> None:
    logs, kms = sim.client("logs"), sim.client("kms")
    key = kms.create_key(Policy=key_policy("logs.us-east-1.amazonaws.com"))["KeyMetadata"]["Arn"]
    sim.advance(10)
    kms.disable_key(KeyId=key)
    for wrong in (key, key[:-4] + "0000"):
        with pytest.raises(ClientError) as caught:
            logs.create_log_group(logGroupName="g", kmsKeyId=wrong)
        assert code(caught) == "InvalidParameterException"
    logs.create_log_group(logGroupName="g")
    logs.put_retention_policy(logGroupName="g", retentionInDays=7)
    with pytest.raises(ClientError) as caught:
        logs.put_retention_policy(logGroupName="g", retentionInDays=8)
    assert code(caught) == "InvalidParameterException"
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 7


def test_log_groups_found_by_a_part_of_their_names_show_little_of_themselves(sim: Any) -> None:
    logs = sim.client("logs")
    for name in ("DataLogs", "aws/DataLogs", "datalogs", "Groupdata"):
        logs.create_log_group(logGroupName=name)
        logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    found = logs.describe_log_groups(logGroupNamePattern="DataLogs")["logGroups"]
    assert [group["logGroupName"] for group in found] == ["DataLogs", "aws/DataLogs"]
    assert {member for group in found for member in group} == {"arn", "creationTime", "logGroupName"}
    assert len(logs.describe_log_groups(logGroupNamePattern="")["logGroups"]) == 4
    (whole,) = logs.describe_log_groups(logGroupNamePrefix="Data")["logGroups"]
    assert whole["retentionInDays"] == 7


def test_a_topic_is_created_again_only_as_it_is(sim: Any) -> None:
    sns = sim.client("sns")
    wanted = {
        "Name": "alerts",
        "Attributes": {"KmsMasterKeyId": "alias/drctl"},
        "Tags": [{"Key": "a", "Value": "1"}],
    }
    arn = sns.create_topic(**wanted)["TopicArn"]
    assert sns.create_topic(**wanted)["TopicArn"] == arn
    assert sns.create_topic(Name="alerts")["TopicArn"] == arn
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"] == "alias/drctl"
    for other in ({"Attributes": {"KmsMasterKeyId": "alias/other"}}, {"Tags": [{"Key": "a", "Value": "2"}]}):
        with pytest.raises(ClientError) as caught:
            sns.create_topic(**wanted | other)
        assert code(caught) == "InvalidParameter"
    with pytest.raises(ClientError) as caught:
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue="{")
    assert code(caught) == "InvalidParameter"
    sns.delete_topic(TopicArn=arn)
    assert sns.create_topic(Name="alerts", Attributes={"DisplayName": "d"})["TopicArn"] == arn


def test_an_e_mail_subscription_waits_for_a_person(sim: Any) -> None:
    sns = sim.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    subscribed = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@drctl.test")
    assert subscribed["SubscriptionArn"] == "pending confirmation"
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [one["SubscriptionArn"] for one in listed] == ["PendingConfirmation"]
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["SubscriptionsPending"], attributes["SubscriptionsConfirmed"]) == ("1", "0")
    with pytest.raises(ClientError) as caught:
        sns.unsubscribe(SubscriptionArn="PendingConfirmation")
    assert code(caught) == "InvalidParameter"
