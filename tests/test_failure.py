"""Something that AWS refuses stops what depends on it and nothing else; the next ``up`` goes on from there."""

from __future__ import annotations

from tests.environment import Installation, P, S
from tests.shape import SHAPE, shape
from tests.stranger import View
from tests.strangers import differences, photograph

DENIED = {
    "service": "lambda",
    "operation": "CreateFunction",
    "region": S,
    "status": 403,
    "code": "AccessDeniedException",
    "message": "User is not authorized to perform: lambda:CreateFunction",
}
QUOTA = {
    "service": "dynamodb",
    "operation": "CreateTable",
    "region": P,
    "status": 400,
    "code": "LimitExceededException",
    "message": "Subscriber limit exceeded: there is a limit of 2500 tables per Region",
}


def test_a_failure_stops_its_followers_only_and_the_next_up_goes_on_from_there(fresh: Installation) -> None:
    before, planned = fresh.census(), fresh.changes()
    fresh.sim.fault("error", **DENIED)
    fresh.sim.fault("error", **QUOTA)

    ran = fresh.on_sim("up", "--yes")

    assert ran.code == 1
    assert ran.json["ok"] is False
    assert ran.json["environment"] == "demo"
    shown = {error["address"]: error for error in ran.json["errors"]}
    tables = {f"{P}/dynamodb-table/{name}" for name in ("sessions", "breaker")}
    assert shown.keys() == {f"{S}/lambda-function/health-monitor", *tables}
    for address, error in shown.items():
        wanted = DENIED if "lambda" in address else QUOTA
        assert wanted["message"] in error["cause"]
        assert wanted["code"] in error["cause"]
        assert error["remedy"]
    followers = planned.keys() - ran.done.keys() - shown.keys()
    assert f"{S}/event-target/health-monitor" in followers
    assert f"{S}/dynamodb-replica/sessions" in followers
    assert f"{P}/ecs-service/app" in followers, "the task's role names the table"
    for unconcerned in ("load-balancer/main", "aurora-instance/1", "lambda-function/health-monitor"):
        assert f"{P}/{unconcerned}" in ran.done
    assert "global/distribution/main" in ran.done

    fresh.sim.heal()
    missing = fresh.changes()
    assert missing.keys() == followers | shown.keys()
    assert set(missing.values()) == {"create"}
    assert fresh.up().done == missing
    assert fresh.changes() == {}
    assert shape(before, fresh.census()) == SHAPE


def test_things_of_our_names_that_are_not_ours_are_all_named_before_anything_changes(
    fresh: Installation,
) -> None:
    fresh.client("cloudwatch", P).put_dashboard(DashboardName=f"demo-{P}", DashboardBody='{"widgets": []}')
    fresh.client("logs", S).create_log_group(logGroupName="/ecs/demo-app")
    fresh.client("dynamodb", P).create_table(
        TableName="demo-sessions",
        AttributeDefinitions=[{"AttributeName": "sessionId", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "sessionId", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": "drctl:environment", "Value": "another"}],
    )
    fresh.sim.advance(60)
    somebodys = [
        View("cloudwatch", P, "get_dashboard", {"DashboardName": f"demo-{P}"}),
        View("logs", S, "describe_log_groups", {"logGroupNamePrefix": "/ecs/demo-app"}),
        View("dynamodb", P, "describe_table", {"TableName": "demo-sessions"}),
    ]
    untouched, calls = photograph(fresh.client, somebodys), fresh.calls()

    ran = fresh.on_sim("up", "--yes")

    assert ran.code == 1
    assert {error["address"] for error in ran.json["errors"]} == {
        f"{P}/dashboard/main",
        f"{S}/log-group/app",
        f"{P}/dynamodb-table/sessions",
    }
    assert "belongs to drctl environment 'another'" in ran.out
    assert fresh.mutations(calls) == []
    assert differences(untouched, photograph(fresh.client, somebodys)) == {}
