"""What watches a built environment, as AWS shows it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.environment import EMAIL, ENVIRONMENT, Built, P, S

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)
MONITOR = "demo-health-monitor"
WATCHED = {
    ("drctl", "ServiceHealth"),
    ("drctl", "Heartbeat"),
    ("AWS/Lambda", "Errors"),
    ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"),
    ("AWS/ApplicationELB", "UnHealthyHostCount"),
    ("AWS/RDS", "AuroraGlobalDBReplicationLag"),
    ("AWS/RDS", "AuroraGlobalDBRPOLag"),
    ("AWS/DynamoDB", "ReplicationLatency"),
    ("AWS/S3", "OperationsFailedReplication"),
    ("AWS/S3", "ReplicationLatency"),
    ("ECS/ContainerInsights", "RunningTaskCount"),
}


def test_the_monitor_runs_in_both_regions_every_minute_outside_the_vpc(built: Built) -> None:
    code = set()
    for region in (P, S):
        function = built.client("lambda", region).get_function(FunctionName=MONITOR)["Configuration"]
        assert (function["State"], function["Runtime"][:6]) == ("Active", "python")
        assert not function.get("VpcConfig", {}).get("SubnetIds")
        assert function["LoggingConfig"]["LogGroup"] == f"/aws/lambda/{MONITOR}"
        assert function["KMSKeyArn"] == _key(built, region)
        code.add(function["CodeSha256"])
        events = built.client("events", region)
        rule = events.describe_rule(Name=MONITOR)
        assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(1 minute)")
        (target,) = events.list_targets_by_rule(Rule=MONITOR)["Targets"]
        assert target["Arn"] == function["FunctionArn"]
        policy = json.loads(built.client("lambda", region).get_policy(FunctionName=MONITOR)["Policy"])
        (statement,) = policy["Statement"]
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert statement["Condition"]["ArnLike"]["AWS:SourceArn"] == rule["Arn"]
    assert len(code) == 1, "the same code in both regions"


def test_only_the_monitor_of_s_holds_the_decision(built: Built) -> None:
    variables = {
        region: built.client("lambda", region).get_function_configuration(FunctionName=MONITOR)[
            "Environment"
        ]["Variables"]
        for region in (P, S)
    }
    assert variables[P]["ROLE"] == "primary"
    assert variables[S]["ROLE"] == "standby"
    assert "TABLE" not in variables[P]
    assert (variables[S]["TABLE"], variables[S]["THRESHOLD"], variables[S]["TIMEOUT_S"]) == (
        "demo-breaker",
        "3",
        "300",
    )
    assert variables[S]["PROMOTE_DATABASE"] == "false"


def test_alarms_watch_everything_every_minute_and_tell_somebody(built: Built) -> None:
    for region in (P, S):
        topic = _topic(built, region)
        watched = set()
        for alarm in _alarms(built, region):
            assert alarm["AlarmActions"] == [topic], alarm["AlarmName"]
            assert alarm["OKActions"] == [topic], alarm["AlarmName"]
            assert alarm["ActionsEnabled"]
            alone = {"MetricStat": {"Metric": alarm, "Period": alarm.get("Period")}}
            for metric in alarm.get("Metrics") or [alone]:
                if "MetricStat" in metric:
                    assert metric["MetricStat"]["Period"] == 60, alarm["AlarmName"]
                    shown = metric["MetricStat"]["Metric"]
                    watched.add((shown["Namespace"], shown["MetricName"]))
        assert watched >= WATCHED, WATCHED - watched
        assert (("drctl", "FailoverTrigger") in watched) == (region == S)


def test_a_buckets_alarms_watch_the_rule_that_it_has(built: Built) -> None:
    for region in (P, S):
        for alarm in _alarms(built, region):
            dimensions = {each["Name"]: each["Value"] for each in alarm.get("Dimensions", [])}
            if alarm.get("Namespace") == "AWS/S3":
                found = built.client("s3", region).get_bucket_replication(Bucket=dimensions["SourceBucket"])
                (rule,) = found["ReplicationConfiguration"]["Rules"]
                assert dimensions["RuleId"] == rule["ID"], alarm["AlarmName"]
                assert rule["Destination"]["Bucket"].endswith(f":{dimensions['DestinationBucket']}")


def test_a_monitor_that_is_silent_is_an_alarm(built: Built) -> None:
    for region in (P, S):
        (alarm,) = (each for each in _alarms(built, region) if each["AlarmName"] == "demo-heartbeat")
        assert alarm["TreatMissingData"] == "breaching"


def test_the_topic_is_encrypted_and_whoever_is_told_is_subscribed(built: Built) -> None:
    for region in (P, S):
        sns, topic = built.client("sns", region), _topic(built, region)
        attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
        key = built.client("kms", region).describe_key(KeyId=attributes["KmsMasterKeyId"])["KeyMetadata"]
        assert key["Arn"] == _key(built, region)
        (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", EMAIL)
        policy = attributes["Policy"]
        assert "cloudwatch.amazonaws.com" in policy


def test_a_dashboard_in_each_region_shows_its_alarms(built: Built) -> None:
    for region in (P, S):
        shown = built.client("cloudwatch", region).get_dashboard(DashboardName=f"demo-{region}")
        body = shown["DashboardBody"]
        widgets = json.loads(body)["widgets"]
        assert {"text", "metric", "alarm"} <= {widget["type"] for widget in widgets}
        for alarm in _alarms(built, region):
            assert alarm["AlarmArn"] in body, alarm["AlarmName"]


def _alarms(built: Built, region: str) -> list[dict[str, Any]]:
    """Ours; those of autoscaling are its own business."""
    shown = built.client("cloudwatch", region).describe_alarms(AlarmNamePrefix="demo-")["MetricAlarms"]
    return [alarm for alarm in shown if not alarm["AlarmName"].endswith("-x")]


def _topic(built: Built, region: str) -> str:
    return f"arn:aws:sns:{region}:123456789012:demo-alerts"


def _key(built: Built, region: str) -> str:
    return str(built.client("kms", region).describe_key(KeyId="alias/demo")["KeyMetadata"]["Arn"])
