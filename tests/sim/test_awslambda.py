"""Lambda functions: states, one change at a time, what moto forgets; and the rules of EventBridge that call them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sim.test_iam import LAMBDA, package

ACCOUNT = "123456789012"


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture
def settings(sim: Any) -> dict[str, Any]:
    """What CreateFunction takes, with a role that has become usable."""
    sim.set_speed(1)
    role = sim.client("iam").create_role(RoleName="monitor", AssumeRolePolicyDocument=LAMBDA)["Role"]["Arn"]
    sim.advance(60)
    return {
        "FunctionName": "monitor",
        "Runtime": "python3.12",
        "Handler": "handler.handler",
        "Role": role,
        "Code": {"ZipFile": package()},
        "Timeout": 50,
        "Environment": {"Variables": {"TABLE": "breaker"}},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/drctl/monitor"},
        "Tags": {"drctl:environment": "x"},
    }


def test_a_function_is_pending_then_active_and_changes_one_at_a_time(
    sim: Any, settings: dict[str, Any]
) -> None:
    functions = sim.client("lambda")
    made = functions.create_function(**settings)
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    with pytest.raises(ClientError) as caught:
        functions.update_function_code(FunctionName="monitor", ZipFile=package("x = 1"))
    assert code(caught) == "ResourceConflictException"
    sim.advance(60)
    found = functions.get_function(FunctionName="monitor")
    assert (found["Configuration"]["State"], found["Configuration"]["LastUpdateStatus"]) == (
        "Active",
        "Successful",
    )
    assert found["Configuration"]["LoggingConfig"] == settings["LoggingConfig"]
    assert found["Tags"] == settings["Tags"]
    changed = functions.update_function_code(FunctionName=made["FunctionArn"], ZipFile=package("x = 1"))
    assert changed["LastUpdateStatus"] == "InProgress"
    assert changed["CodeSha256"] != made["CodeSha256"]
    with pytest.raises(ClientError) as caught:
        functions.update_function_configuration(FunctionName="monitor", Timeout=55)
    assert code(caught) == "ResourceConflictException"
    sim.advance(60)
    functions.update_function_configuration(FunctionName="monitor", Timeout=55)
    sim.advance(60)
    kept = functions.get_function_configuration(FunctionName="monitor")
    assert (kept["Timeout"], kept["LoggingConfig"]["LogFormat"], kept["LastUpdateStatus"]) == (
        55,
        "JSON",
        "Successful",
    )
    functions.delete_function(FunctionName="monitor")
    assert functions.create_function(**settings)["State"] == "Pending"


@pytest.mark.parametrize(
    ("refused", "changes"),
    [
        ("InvalidParameterValueException", {"Role": f"arn:aws:iam::{ACCOUNT}:role/nobody"}),
        ("InvalidParameterValueException", {"Environment": {"Variables": {"AWS_REGION": "us-east-1"}}}),
        ("ValidationException", {"Timeout": 901}),
        ("ValidationException", {"MemorySize": 20_000}),
    ],
)
def test_settings_that_lambda_refuses(
    sim: Any, settings: dict[str, Any], refused: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as caught:
        sim.client("lambda").create_function(**settings | changes)
    assert code(caught) == refused


def test_names_and_statements_are_unique_and_some_concurrency_stays_free(
    sim: Any, settings: dict[str, Any]
) -> None:
    functions = sim.client("lambda")
    functions.create_function(**settings)
    with pytest.raises(ClientError) as caught:
        functions.create_function(**settings)
    assert code(caught) == "ResourceConflictException"
    permission = {
        "FunctionName": "monitor",
        "StatementId": "schedule",
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/minute",
    }
    functions.add_permission(**permission)
    with pytest.raises(ClientError) as caught:
        functions.add_permission(**permission)
    assert code(caught) == "ResourceConflictException"
    assert "schedule" in functions.get_policy(FunctionName="monitor")["Policy"]
    functions.remove_permission(FunctionName="monitor", StatementId="schedule")
    with pytest.raises(ClientError) as caught:
        functions.get_policy(FunctionName="monitor")
    assert code(caught) == "ResourceNotFoundException"
    functions.put_function_concurrency(FunctionName="monitor", ReservedConcurrentExecutions=1)
    assert functions.get_function(FunctionName="monitor")["Concurrency"] == {
        "ReservedConcurrentExecutions": 1
    }
    with pytest.raises(ClientError) as caught:
        functions.put_function_concurrency(FunctionName="monitor", ReservedConcurrentExecutions=901)
    assert code(caught) == "InvalidParameterValueException"


def test_invoking_is_a_gap_of_the_simulator_and_not_an_answer(sim: Any, settings: dict[str, Any]) -> None:
    sim.client("lambda").create_function(**settings)
    with pytest.raises(ClientError) as caught:
        sim.client("lambda").invoke(FunctionName="monitor")
    assert code(caught) == "SimulatorGap"


@pytest.mark.parametrize(
    ("expression", "accepted"),
    [
        ("rate(1 minute)", True),
        ("rate(5 minutes)", True),
        ("cron(0 12 * * ? *)", True),
        ("rate(1 minutes)", False),
        ("rate(5 minute)", False),
        ("rate(30 seconds)", False),
        ("cron(0 12 * * *)", False),
        ("cron(0 12 * * * *)", False),
    ],
)
def test_a_schedule_is_grammatical(sim: Any, expression: str, accepted: bool) -> None:
    events = sim.client("events")
    if accepted:
        assert events.put_rule(Name="minute", ScheduleExpression=expression)["RuleArn"]
    else:
        with pytest.raises(ClientError) as caught:
            events.put_rule(Name="minute", ScheduleExpression=expression)
        assert code(caught) == "ValidationException"


def test_a_rule_keeps_its_tags_and_stays_while_it_has_targets(sim: Any) -> None:
    events = sim.client("events")
    tags = [{"Key": "a", "Value": "1"}]
    arn = events.put_rule(Name="minute", ScheduleExpression="rate(1 minute)", Tags=tags)["RuleArn"]
    again = [{"Key": "b", "Value": "2"}]
    events.put_rule(Name="minute", ScheduleExpression="rate(2 minutes)", Tags=again)
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
    target = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:monitor"
    events.put_targets(Rule="minute", Targets=[{"Id": "f", "Arn": target}])
    with pytest.raises(ClientError) as caught:
        events.put_targets(Rule="minute", Targets=[{"Id": str(n), "Arn": target} for n in range(5)])
    assert code(caught) == "LimitExceededException"
    with pytest.raises(ClientError) as caught:
        events.delete_rule(Name="minute")
    assert code(caught) == "ValidationException"
    events.remove_targets(Rule="minute", Ids=["f"])
    events.delete_rule(Name="minute")
    with pytest.raises(ClientError) as caught:
        events.describe_rule(Name="minute")
    assert code(caught) == "ResourceNotFoundException"
