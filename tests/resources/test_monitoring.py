"""What watches the environment and tells: functions and their schedule, alarms, topics, dashboards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drctl.engine.resource import Resource
from drctl.engine.run import ResourceFailed
from drctl.resources.alarm import Alarm
from drctl.resources.dashboard import Dashboard, Graph, Line
from drctl.resources.event_rule import EventRule
from drctl.resources.event_target import EventTarget
from drctl.resources.iam_role import IamRole, ServiceTrust
from drctl.resources.iam_role_policy import IamRolePolicy, Statement
from drctl.resources.kms_key import KmsKey
from drctl.resources.lambda_function import LambdaFunction
from drctl.resources.lambda_permission import LambdaPermission
from drctl.resources.log_group import LogGroup
from drctl.resources.output_of import OutputOf
from drctl.resources.sns_subscription import SnsSubscription
from drctl.resources.sns_topic import SnsTopic
from tests.contract import Damage, Trial, assert_unchanged, whole_life

if TYPE_CHECKING:
    from tests.conftest import Sim

WEST = "us-west-2"
KEY = KmsKey(name="main", region=WEST, alias="trial-main")
TOPIC = SnsTopic(name="alarms", region=WEST, aws_name="trial-alarms", key=KEY)
SUBSCRIPTION = SnsSubscription(name="ops", region=WEST, topic=TOPIC, email="ops@airline.test")
ALARM = Alarm(
    name="failover-trigger",
    region=WEST,
    aws_name="trial-failover-trigger",
    namespace="drctl",
    metric="FailoverTrigger",
    dimensions=(("Environment", "trial"), ("Topic", OutputOf(TOPIC, "arn"))),
    statistic="Maximum",
    threshold=1,
    comparison="GreaterThanOrEqualToThreshold",
    missing="ignore",
    topic=TOPIC,
)
MISSING_TASKS = Alarm(
    name="missing-tasks",
    region=WEST,
    aws_name="trial-missing-tasks",
    namespace="ECS/ContainerInsights",
    metric="DesiredTaskCount",
    minus="RunningTaskCount",
    dimensions=(("ClusterName", "trial"),),
    statistic="Average",
    evaluation_periods=3,
    datapoints=2,
    threshold=1,
    comparison="GreaterThanOrEqualToThreshold",
    missing="breaching",
    topic=TOPIC,
)
DASHBOARD = Dashboard(
    name="main",
    region=WEST,
    aws_name="trial",
    title="trial in us-west-2",
    alarms=(ALARM,),
    graphs=(
        Graph("Health", (Line("drctl", "ServiceHealth", (("Environment", "trial"),), "Minimum"),)),
        Graph("Told", (Line("AWS/SNS", "NumberOfMessages", (("Topic", OutputOf(TOPIC, "arn")),)),)),
    ),
)
ROLE = IamRole(
    name="monitor",
    region="global",
    aws_name="trial-monitor",
    trust=ServiceTrust("lambda.amazonaws.com"),
    description="the health monitor",
)
POLICY = IamRolePolicy(
    name="monitor",
    region="global",
    role=ROLE,
    aws_name="monitor",
    statements=(Statement(("cloudwatch:PutMetricData",), ("*",)),),
)
LOGS = LogGroup(name="monitor", region=WEST, aws_name="/trial/monitor", key=KEY, retention_days=7)
FUNCTION = LambdaFunction(
    name="monitor",
    region=WEST,
    aws_name="trial-monitor",
    role=ROLE,
    role_policy=POLICY,
    folder="health_monitor",
    environment=(("ROLE", "standby"), ("TOPIC", OutputOf(TOPIC, "arn"))),
    log_group=LOGS,
    key=KEY,
)
RULE = EventRule(name="monitor", region=WEST, aws_name="trial-monitor", schedule="rate(1 minute)")
TARGET = EventTarget(name="monitor", region=WEST, rule=RULE, function=FUNCTION)
PERMISSION = LambdaPermission(name="monitor", region=WEST, function=FUNCTION, rule=RULE)


def damages(sim: Sim) -> dict[str, tuple[Resource[Any], dict[str, Damage]]]:
    """Every kind, and what somebody may do to it behind our back, by the drift that shows it."""
    alarms, events, functions, sns = (
        sim.client(service, WEST) for service in ("cloudwatch", "events", "lambda", "sns")
    )

    def reconfigure(**change: object) -> Damage:
        def damage(made: Any) -> None:
            functions.update_function_configuration(FunctionName=made.function_name, **change)
            sim.advance(60)

        return damage

    def put_alarm(**change: object) -> Damage:
        def put(made: Any) -> None:
            held = alarms.describe_alarms(AlarmNames=[made.alarm_name])["MetricAlarms"][0]
            state = ("Alarm", "State", "Evaluat")
            kept = {
                k: v for k, v in held.items() if not k.startswith(state) or k.endswith(("Periods", "Actions"))
            }
            alarms.put_metric_alarm(AlarmName=made.alarm_name, **{**kept, **change})

        return put

    return {
        "alarm": (
            ALARM,
            {
                "Threshold": put_alarm(Threshold=5.0),
                "AlarmActions": put_alarm(AlarmActions=[]),
                "ActionsEnabled": lambda made: alarms.disable_alarm_actions(AlarmNames=[made.alarm_name]),
                "absent": lambda made: alarms.delete_alarms(AlarmNames=[made.alarm_name]),
            },
        ),
        "alarm on a difference": (MISSING_TASKS, {"EvaluationPeriods": put_alarm(EvaluationPeriods=5)}),
        "topic": (
            TOPIC,
            {
                "policy": lambda made: sns.add_permission(
                    TopicArn=made.arn, Label="x", AWSAccountId=["210987654321"], ActionName=["Publish"]
                ),
                "key": lambda made: sns.set_topic_attributes(
                    TopicArn=made.arn, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns"
                ),
            },
        ),
        "dashboard": (
            DASHBOARD,
            {
                "body": lambda made: alarms.put_dashboard(
                    DashboardName=made.dashboard_name,
                    DashboardBody=without_graphs(alarms.get_dashboard(DashboardName=made.dashboard_name)),
                )
            },
        ),
        "rule": (
            RULE,
            {
                "state": lambda made: events.disable_rule(Name=made.rule_name),
                "schedule": lambda made: events.put_rule(
                    Name=made.rule_name, ScheduleExpression="rate(5 minutes)"
                ),
            },
        ),
        "target": (
            TARGET,
            {
                "absent": lambda made: events.remove_targets(Rule=made.rule_name, Ids=[made.target_id]),
                "function": lambda made: events.put_targets(
                    Rule=made.rule_name,
                    Targets=[
                        {"Id": made.target_id, "Arn": "arn:aws:lambda:us-west-2:123456789012:function:x"}
                    ],
                ),
            },
        ),
        "permission": (
            PERMISSION,
            {
                "absent": lambda made: functions.remove_permission(
                    FunctionName=made.function_name, StatementId=made.statement_id
                )
            },
        ),
        "function": (
            FUNCTION,
            {
                "Timeout": reconfigure(Timeout=3),
                "Environment": reconfigure(Environment={"Variables": {"ROLE": "primary"}}),
            },
        ),
    }


def without_graphs(dashboard: dict[str, Any]) -> str:
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    return json.dumps({"widgets": [each for each in widgets if each["type"] != "metric"]})


@pytest.mark.parametrize(
    "which",
    ["alarm", "alarm on a difference", "topic", "dashboard", "rule", "target", "permission", "function"],
)
def test_it_lives_its_whole_life(sim: Sim, tmp_path: Path, which: str) -> None:
    resource, damage = damages(sim)[which]
    whole_life(sim, tmp_path, resource, damage)


def test_changed_code_and_settings_of_a_function_are_deployed_one_after_the_other(
    sim: Sim, tmp_path: Path
) -> None:
    functions = sim.client("lambda", WEST)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(FUNCTION)
        name = trial.outputs(FUNCTION).function_name
        functions.update_function_code(FunctionName=name, ZipFile=b"PK\x05\x06" + bytes(18))
        sim.advance(60)
        functions.update_function_configuration(FunctionName=name, MemorySize=1024)
        sim.advance(60)
        assert trial.inspect(FUNCTION).fields.keys() == {"code", "MemorySize"}
        with trial.mutations() as mutations:
            assert trial.ensure(FUNCTION) == "update"
        assert mutations == ["UpdateFunctionConfiguration", "UpdateFunctionCode"]
        assert_unchanged(trial, FUNCTION)


def test_a_statement_that_was_tampered_with_is_said_anew(sim: Sim, tmp_path: Path) -> None:
    functions = sim.client("lambda", WEST)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(PERMISSION)
        name = trial.outputs(FUNCTION).function_name
        functions.remove_permission(FunctionName=name, StatementId="monitor")
        functions.add_permission(
            FunctionName=name,
            StatementId="monitor",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
        )
        assert trial.inspect(PERMISSION).action == "replace"
        assert trial.ensure(PERMISSION) == "replace"
        statement = json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"][0]
        assert statement["Condition"]["ArnLike"]["AWS:SourceArn"] == trial.outputs(RULE).arn


def test_strangers_of_the_same_name_are_left_alone(sim: Sim, tmp_path: Path) -> None:
    alarms, events, sns = (sim.client(service, WEST) for service in ("cloudwatch", "events", "sns"))
    alarms.put_metric_alarm(
        AlarmName=ALARM.aws_name,
        Namespace="theirs",
        MetricName="theirs",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=9,
        ComparisonOperator="LessThanThreshold",
    )
    alarms.put_dashboard(DashboardName=DASHBOARD.aws_name, DashboardBody='{"widgets": []}')
    events.put_rule(Name=RULE.aws_name, ScheduleExpression="rate(1 hour)")
    sns.create_topic(Name=TOPIC.aws_name)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(KEY)
        with trial.mutations() as mutations:
            for early in (TOPIC, RULE):
                with pytest.raises(ResourceFailed) as failure:
                    trial.ensure(early)
                assert "exists already" in failure.value.diagnostic.cause
        assert mutations == []
        sns.delete_topic(TopicArn=f"arn:aws:sns:{WEST}:123456789012:{TOPIC.aws_name}")
        trial.ensure(TOPIC)
        for stranger in (ALARM, DASHBOARD):
            with pytest.raises(ResourceFailed):
                trial.ensure(stranger)
            trial.remove(stranger)
    assert alarms.describe_alarms()["MetricAlarms"][0]["Namespace"] == "theirs"
    assert alarms.get_dashboard(DashboardName=DASHBOARD.aws_name)["DashboardBody"] == '{"widgets": []}'
    assert events.describe_rule(Name=RULE.aws_name)["ScheduleExpression"] == "rate(1 hour)"


def test_an_unconfirmed_subscription_is_asked_for_once_and_goes_with_its_topic(
    sim: Sim, tmp_path: Path
) -> None:
    sns = sim.client("sns", WEST)
    with Trial(sim, tmp_path) as trial:
        assert trial.inspect(SUBSCRIPTION).action == "create"
        assert trial.ensure(SUBSCRIPTION) == "create"
        assert_unchanged(trial, SUBSCRIPTION)
        assert len(sns.list_subscriptions()["Subscriptions"]) == 1
        trial.remove_all(SUBSCRIPTION)
        assert dict(trial.run.ledger.records()) == {}
    assert sns.list_subscriptions()["Subscriptions"] == []
