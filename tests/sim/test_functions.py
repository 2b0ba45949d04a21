"""Deployed functions: EventBridge invokes them, they run as processes of their own, in simulated time and network."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from drctl.aws import function_zip
from drctl.sim import client
from tests.conftest import Sim
from tests.sim.network import make_role
from tests.sim.test_acm import issued_certificate
from tests.sim.test_ecs import App
from tests.sim.test_iam import package

REGION = "us-east-1"
PATIENCE = 60.0
"""Real seconds. How long a busy machine may take for what takes one."""

DIARY = """
import json, os, time
import boto3

table = boto3.client("dynamodb")
count = 0

def write(id, **told):
    table.put_item(TableName="diary", Item={"id": {"S": id}, "told": {"S": json.dumps(told)}})

def handler(event, context):
    global count
    count += 1
    print("printed", count)
    write(
        "scheduled" if "source" in event else event["id"],
        count=count,
        now=time.time(),
        left=context.get_remaining_time_in_millis(),
        name=context.function_name,
        region=os.environ["AWS_REGION"],
        greeting=os.environ["GREETING"],
        source=event.get("source"),
    )
    if "sleep" in event:
        time.sleep(event["sleep"])
        write(event["id"] + " slept", now=time.time())
    if event.get("raise"):
        raise RuntimeError("as asked")
    if event.get("exit"):
        os._exit(1)
"""


def until(condition: Callable[[], Any]) -> Any:
    """What the condition yields once that is true."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.05)
    return found


class Diarist:
    """A function that writes into a table what it sees, and a clock that moves only when it is told to."""

    def __init__(self, sim: Sim) -> None:
        sim.set_speed(0.01)
        self.sim = sim
        self.functions = sim.client("lambda")
        self.role = make_role(sim, "diarist", "lambda.amazonaws.com")
        make_table(sim, "diary", REGION)
        self.arn = self.deploy("diarist", DIARY)

    def deploy(self, name: str, text: str) -> str:
        made = self.functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="handler.handler",
            Role=self.role,
            Code={"ZipFile": package(text)},
            Timeout=900,
            Environment={"Variables": {"GREETING": "hello"}},
        )
        self.sim.advance(60)
        return str(made["FunctionArn"])

    def invoke(self, name: str = "diarist", **event: Any) -> None:
        """As an event, once no earlier invocation is under way any more."""

        def accepted() -> bool:
            try:
                self.functions.invoke(
                    FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode()
                )
            except ClientError as error:
                assert error.response["Error"]["Code"] == "TooManyRequestsException"
                return False
            return True

        until(accepted)

    def told(self, id: str) -> dict[str, Any]:
        """What it wrote under this id, once it has."""
        return dict(until(lambda: self.entry(id)))

    def entry(self, id: str) -> dict[str, Any]:
        answer = self.sim.client("dynamodb").get_item(
            TableName="diary", Key={"id": {"S": id}}, ConsistentRead=True
        )
        return dict(json.loads(answer["Item"]["told"]["S"])) if "Item" in answer else {}

    def schedule(self, *, permitted: bool = True, state: str = "ENABLED") -> None:
        events = self.sim.client("events")
        rule = events.put_rule(Name="minute", ScheduleExpression="rate(1 minute)", State=state)["RuleArn"]
        if permitted:
            self.functions.add_permission(
                FunctionName="diarist",
                StatementId="minute",
                Action="lambda:InvokeFunction",
                Principal="events.amazonaws.com",
                SourceArn=rule,
            )
        events.put_targets(Rule="minute", Targets=[{"Id": "one", "Arn": self.arn}])

    def counted(self, metric: str, name: str = "diarist", namespace: str = "AWS/Lambda") -> float:
        """The sum of a metric so far."""
        dimension = {"AWS/Lambda": "FunctionName", "AWS/Events": "RuleName"}[namespace]
        points = self.sim.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": dimension, "Value": name}],
            StartTime=datetime.fromtimestamp(self.sim.clock.now() - 86_400, UTC),
            EndTime=datetime.fromtimestamp(self.sim.clock.now() + 60, UTC),
            Period=86_400,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in points["Datapoints"]))


def make_table(sim: Sim, name: str, region: str) -> None:
    sim.client("dynamodb", region).create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    sim.advance(60)


def name_it(sim: Sim, name: str, balancer: str, balancers_zone: str) -> None:
    """A record of the only zone that leads to a load balancer."""
    dns53 = sim.client("route53")
    alias = {"DNSName": balancer, "HostedZoneId": balancers_zone, "EvaluateTargetHealth": False}
    record = {"Name": name, "Type": "A", "AliasTarget": alias}
    dns53.change_resource_record_sets(
        HostedZoneId=dns53.list_hosted_zones()["HostedZones"][0]["Id"],
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
    )


@pytest.fixture
def diarist(sim: Sim) -> Diarist:
    return Diarist(sim)


def test_a_schedule_invokes_the_deployed_code_as_lambda_would(diarist: Diarist, simulator: Path) -> None:
    diarist.schedule()
    diarist.sim.advance(60)
    told = diarist.told("scheduled")
    assert (told["name"], told["region"], told["greeting"]) == ("diarist", REGION, "hello")
    assert told["source"] == "aws.events"
    assert abs(told["now"] - diarist.sim.clock.now()) < 60
    assert 800_000 < told["left"] <= 900_000
    assert diarist.sim.calls(operation="PutItem", caller="function-diarist")
    until(lambda: diarist.counted("Invocations") == 1)
    assert diarist.counted("Errors") == 0
    log = (simulator / "sim" / "functions" / f"{REGION}-diarist.log").read_text(encoding="utf-8")
    assert "printed 1" in log


def test_a_sandbox_stays_warm_until_the_code_changes(diarist: Diarist) -> None:
    for number, expected in enumerate((1, 2)):
        diarist.invoke(id=f"call {number}")
        assert diarist.told(f"call {number}")["count"] == expected
    diarist.functions.update_function_code(FunctionName="diarist", ZipFile=package(DIARY + "# changed\n"))
    diarist.sim.advance(60)
    diarist.invoke(id="changed")
    assert diarist.told("changed")["count"] == 1


def test_a_sandbox_is_given_up_after_so_many_invocations_if_that_is_wished(
    diarist: Diarist, simulator: Path
) -> None:
    status = client.status(simulator)
    client.request(status, "POST", "functions", {"cold_every": 2})
    for number, expected in enumerate((1, 2, 1)):
        diarist.invoke(id=f"call {number}")
        assert diarist.told(f"call {number}")["count"] == expected
    for wish in ({"cold_every": 0}, {"cold_every": "often"}, {"colder": 1}):
        with pytest.raises(client.Rejected, match="cold_every"):
            client.request(status, "POST", "functions", wish)


def test_sleep_follows_simulated_time_and_what_comes_meanwhile_is_throttled(diarist: Diarist) -> None:
    diarist.invoke(id="long", sleep=600)
    began = diarist.told("long")["now"]
    diarist.schedule()
    with pytest.raises(ClientError) as caught:
        diarist.functions.invoke(FunctionName="diarist", InvocationType="Event")
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    diarist.sim.advance(60)
    assert diarist.counted("Throttles") == 2
    assert diarist.entry("long slept") == {}
    diarist.sim.advance(600)
    assert diarist.told("long slept")["now"] >= began + 600


@pytest.mark.parametrize("way", ["raise", "exit"])
def test_a_failed_invocation_is_counted_and_the_next_one_runs(diarist: Diarist, way: str) -> None:
    diarist.invoke(id="bad", **{way: True})
    until(lambda: diarist.counted("Errors") == 1)
    diarist.invoke(id="good")
    diarist.told("good")
    until(lambda: diarist.counted("Invocations") == 2)
    assert diarist.counted("Errors") == 1


def test_code_that_cannot_be_loaded_is_an_error_of_every_invocation(diarist: Diarist) -> None:
    diarist.deploy("broken", "import nothing_of_this_name")
    for number in (1, 2):
        diarist.invoke("broken")
        until(lambda number=number: diarist.counted("Errors", "broken") == number)


def test_only_an_enabled_rule_that_the_function_admits_invokes_it(diarist: Diarist) -> None:
    diarist.schedule(permitted=False)
    diarist.sim.advance(60)
    assert diarist.counted("FailedInvocations", "minute", "AWS/Events") == 1
    diarist.sim.client("events").disable_rule(Name="minute")
    diarist.sim.advance(600)
    assert diarist.counted("FailedInvocations", "minute", "AWS/Events") == 1
    diarist.invoke(id="after")
    diarist.told("after")
    assert diarist.entry("scheduled") == {}


def test_nothing_is_invoked_in_a_region_that_is_out(diarist: Diarist) -> None:
    diarist.schedule()
    client.begin_outage(diarist.sim.status(), REGION)
    diarist.sim.advance(600)
    client.end_outage(diarist.sim.status(), REGION)
    assert diarist.entry("scheduled") == {}
    diarist.sim.advance(60)
    assert diarist.told("scheduled")["count"] == 1


def test_a_function_at_work_ends_with_its_region(diarist: Diarist) -> None:
    diarist.invoke(id="before", sleep=300)
    diarist.told("before")
    client.begin_outage(diarist.sim.status(), REGION)
    sandboxes = diarist.sim.status().access_log.parent / "functions"
    until(lambda: not any(each.is_dir() for each in sandboxes.iterdir()))
    diarist.sim.advance(600)
    client.end_outage(diarist.sim.status(), REGION)
    diarist.invoke(id="after")
    assert diarist.told("after")["count"] == 1, "a new process"
    assert diarist.entry("before slept") == {}


def test_the_health_monitor_watches_a_load_balancer_by_its_name(sim: Sim) -> None:
    """The package that drctl deploys: over DNS and TLS to the application, and to its table."""
    app = App(sim)
    app.elbv2.modify_target_group(TargetGroupArn=app.targets, HealthCheckPath="/health")
    app.create()
    certificate = issued_certificate(sim, "drctl.test", "*.drctl.test")
    app.listen(443, Protocol="HTTPS", Certificates=[{"CertificateArn": certificate}])
    balancer = app.elbv2.describe_load_balancers()["LoadBalancers"][0]
    name_it(sim, "app.drctl.test", balancer["DNSName"], balancer["CanonicalHostedZoneId"])
    sim.set_speed(0.01)
    sim.advance(300)
    make_table(sim, "shop-breaker", "us-west-2")
    content, _ = function_zip.build(function_zip.source("health_monitor"))
    functions = sim.client("lambda", "us-west-2")
    functions.create_function(
        FunctionName="monitor",
        Runtime="python3.13",
        Handler="handler.lambda_handler",
        Role=make_role(sim, "monitor", "lambda.amazonaws.com"),
        Code={"ZipFile": content},
        Timeout=60,
        Environment={
            "Variables": {
                "DRCTL_ENVIRONMENT": "shop",
                "ROLE": "standby",
                "PRIMARY_REGION": REGION,
                "STANDBY_REGION": "us-west-2",
                "ENDPOINT_URL": "https://app.drctl.test/health",
                "TABLE": "shop-breaker",
                "TABLES": "shop-breaker",
                "THRESHOLD": "1",
                "PROBE_GAP_S": "0",
            }
        },
    )
    sim.advance(60)

    def breaker(version: int) -> dict[str, Any]:
        """The item once it has been written so often; an invocation writes it at least twice."""
        answer = sim.client("dynamodb", "us-west-2").get_item(
            TableName="shop-breaker", Key={"id": {"S": "shop"}}, ConsistentRead=True
        )
        item = answer.get("Item", {"version": {"N": "0"}})
        return dict(item) if int(item["version"]["N"]) >= version else {}

    functions.invoke(FunctionName="monitor", InvocationType="Event")
    assert until(lambda: breaker(2))["state"]["S"] == "CLOSED"
    sim.advance(60)
    published = sim.client("cloudwatch").list_metrics(Namespace="AWS/ApplicationELB")["Metrics"]
    assert "HTTPCode_Target_2XX_Count" in {metric["MetricName"] for metric in published}
    client.begin_outage(sim.status(), REGION)

    def opened() -> bool:
        try:
            functions.invoke(FunctionName="monitor", InvocationType="Event")
        except functions.exceptions.TooManyRequestsException:
            return False
        return True

    until(opened)
    assert until(lambda: breaker(4))["state"]["S"] == "OPEN"
    assert sim.calls(operation="PutMetricData", region="us-west-2", caller="function-monitor")
