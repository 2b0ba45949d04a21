"""What goes wrong on the way to AWS, over real HTTP: what the client sees, and whether AWS acted."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.retries.standard import RetryContext, ThrottledRetryableChecker

from drctl.sim import client
from drctl.sim.faults import DECISIVE, KINDS, Fault
from tests.conftest import IDLE_STOP, Sim
from tests.environment import Desk
from tests.sim.network import Network, code
from tests.sim.test_iam import LAMBDA, package, trust

AGES = 3600.0
"""Seconds that do not pass by themselves in a test."""
PATIENCE = 60.0
"""Real seconds after which something that should happen at once did not."""


def topics(sim: Sim) -> list[str]:
    """Names of the topics there are: what CreateTopic did is seen at once."""
    listed = sim.client("sns").list_topics()["Topics"]
    return [topic["TopicArn"].rpartition(":")[2] for topic in listed]


def create(sim: Sim, **config: Any) -> None:
    sim.client("sns", **config).create_topic(Name="made")


def eventually(wanted: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


@contextmanager
def under_way(act: Callable[[], Any]) -> Iterator[list[Exception | None]]:
    """Something that is done meanwhile; afterwards the list holds how it ended."""
    ended: list[Exception | None] = []

    def run() -> None:
        try:
            act()
        except Exception as error:
            ended.append(error)
        else:
            ended.append(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield ended
    thread.join(PATIENCE)
    assert ended, "it did not end"


def struck(sim: Sim) -> bool:
    return any(fault["hit"] for fault in sim.faults())


@pytest.mark.parametrize(
    ("kind", "fields", "error", "acted", "logged", "status"),
    [
        ("error", {}, ClientError, False, "InternalFailure", 500),
        ("error", {"code": "Oops", "status": 502}, ClientError, False, "Oops", 502),
        ("error", {"acts": True}, ClientError, True, "InternalFailure", 500),
        ("throttle", {}, ClientError, False, "Throttling", 400),
        ("lost", {}, ConnectionClosedError, True, "ResponseLost", 200),
        ("hang", {"seconds": AGES}, ReadTimeoutError, False, "NoAnswer", 0),
        ("hang", {"seconds": AGES, "acts": True}, ReadTimeoutError, True, "NoAnswer", 200),
        ("hang", {"seconds": 0.01}, ConnectionClosedError, False, "NoAnswer", 0),
        ("reset", {}, ConnectionClosedError, False, "ConnectionReset", 0),
        ("reset", {"acts": True}, ConnectionClosedError, True, "ConnectionReset", 200),
        ("down", {}, ConnectionClosedError, False, "ServiceDown", 0),
    ],
)
def test_what_the_client_sees_and_whether_aws_acted(
    sim: Sim, kind: str, fields: dict[str, Any], error: type[Exception], acted: bool, logged: str, status: int
) -> None:
    sim.fault(kind, service="sns", operation="CreateTopic", **fields)
    with pytest.raises(error) as seen:
        create(sim, read_timeout=1 if error is ReadTimeoutError else 60)
    if isinstance(seen.value, ClientError):
        assert seen.value.response["Error"]["Code"] == logged
        assert seen.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    # One that gave up waiting may have done so before its call was even looked at.
    eventually(lambda: sim.calls(operation="CreateTopic") != [])
    assert topics(sim) == ["made"] * acted
    (entry,) = sim.calls(operation="CreateTopic")
    assert (entry["code"], entry["status"]) == (logged, status)
    assert (entry["acted"], entry["mutating"], entry["faults"]) == (acted, True, [kind])

    sim.heal()
    create(sim)
    assert topics(sim) == ["made"]
    entry = sim.calls(operation="CreateTopic")[-1]
    assert (entry["code"], entry["acted"], entry["faults"]) == (None, True, [])


def test_what_aws_refused_it_has_not_done_whatever_was_told(sim: Sim) -> None:
    sim.fault("error", service="ec2", operation="DescribeVpcs", acts=True)
    with pytest.raises(ClientError, match="InternalFailure"):
        sim.client("ec2").describe_vpcs(VpcIds=["vpc-00000000000000000"])
    assert sim.calls(operation="DescribeVpcs")[-1]["acted"] is False
    sim.heal()
    with pytest.raises(ClientError, match=r"InvalidVpcID\.NotFound"):
        sim.client("ec2").describe_vpcs(VpcIds=["vpc-00000000000000000"])
    assert sim.calls(operation="DescribeVpcs")[-1]["acted"] is False


@pytest.mark.parametrize("kind", ["reset", "down"])
def test_a_reset_is_one_on_the_wire_and_a_closed_connection_is_none(sim: Sim, kind: str) -> None:
    sim.fault(kind)
    host, port = sim.endpoint.removeprefix("http://").split(":")
    body = "Action=CreateTopic&Name=made&Version=2010-03-31"
    head = (
        f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=simulated/20260101/us-east-1/sns/aws4_request\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall((head + body).encode())
        if kind == "reset":
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        else:
            assert connection.recv(1) == b""


READ_AN_ITEM = {"TableName": "t", "Key": {"id": {"S": "1"}}}
THROTTLES = [
    # service, operation, arguments, code, HTTP status
    ("acm", "list_certificates", {}, "ThrottlingException", 400),
    (
        "application-autoscaling",
        "describe_scalable_targets",
        {"ServiceNamespace": "ecs"},
        "ThrottlingException",
        400,
    ),
    ("cloudfront", "list_distributions", {}, "Throttling", 400),
    ("cloudwatch", "list_metrics", {}, "Throttling", 400),
    ("dynamodb", "create_table", {}, "ThrottlingException", 400),
    ("dynamodb", "get_item", READ_AN_ITEM, "ProvisionedThroughputExceededException", 400),
    ("ec2", "describe_vpcs", {}, "RequestLimitExceeded", 503),
    ("ecs", "list_clusters", {}, "ThrottlingException", 400),
    ("elbv2", "describe_load_balancers", {}, "Throttling", 400),
    ("events", "list_rules", {}, "ThrottlingException", 400),
    ("iam", "list_roles", {}, "Throttling", 400),
    ("kms", "list_keys", {}, "ThrottlingException", 400),
    ("lambda", "list_functions", {}, "TooManyRequestsException", 429),
    ("logs", "describe_log_groups", {}, "ThrottlingException", 400),
    ("rds", "describe_db_clusters", {}, "Throttling", 400),
    ("route53", "list_hosted_zones", {}, "Throttling", 400),
    ("s3", "list_buckets", {}, "SlowDown", 503),
    ("secretsmanager", "list_secrets", {}, "ThrottlingException", 400),
    ("service-quotas", "list_services", {}, "TooManyRequestsException", 400),
    ("sns", "list_topics", {}, "Throttling", 400),
    ("sts", "get_caller_identity", {}, "Throttling", 400),
]


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code", "status"),
    THROTTLES,
    ids=[f"{t[0]}-{t[1]}" for t in THROTTLES],
)
def test_each_service_throttles_in_its_own_words_and_the_sdk_knows_them(
    sim: Sim, service: str, operation: str, arguments: dict[str, Any], code: str, status: int
) -> None:
    sim.fault("throttle")
    made = sim.client(service, parameter_validation=False)
    with pytest.raises(ClientError) as refused:
        getattr(made, operation)(**arguments)
    response = refused.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert response["Error"]["Message"]
    assert ThrottledRetryableChecker().is_retryable(RetryContext(attempt_number=1, parsed_response=response))


def test_the_sdk_tries_a_throttled_call_again(sim: Sim) -> None:
    sim.fault("throttle", service="sns", operation="CreateTopic", times=1)
    create(sim, retries={"mode": "standard", "total_max_attempts": 2})
    assert [call["code"] for call in sim.calls(operation="CreateTopic")] == ["Throttling", None]


CHILD = """
import boto3
boto3.client("sns", region_name="us-east-1").create_topic(Name="made")
"""


def test_the_delayed_request_of_a_killed_client_is_executed_when_it_arrives(sim: Sim) -> None:
    sim.set_speed(1)
    sim.fault("latency", operation="CreateTopic", seconds=AGES)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD], env={**os.environ, **client.environment(sim.status())}
    )
    eventually(lambda: struck(sim))
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    sim.heal()  # what is under way arrives all the same
    assert topics(sim) == [], "others are answered meanwhile"
    assert sim.calls(operation="CreateTopic") == []
    sim.advance(AGES)
    eventually(lambda: topics(sim) == ["made"])
    eventually(lambda: sim.calls(operation="CreateTopic") != [])
    (entry,) = sim.calls(operation="CreateTopic")
    assert (entry["acted"], entry["code"], entry["faults"]) == (True, None, ["latency"])


def test_a_slow_call_is_answered_and_may_still_fail(sim: Sim) -> None:
    before = sim.status().now
    sim.fault("lost", operation="CreateTopic")
    sim.fault("latency", seconds=60)
    with pytest.raises(ConnectionClosedError):
        create(sim)
    sim.heal()
    sim.fault("latency", service="sns", seconds=60)
    create(sim)
    lost, made = sim.calls(operation="CreateTopic")
    assert (lost["code"], lost["faults"]) == ("ResponseLost", ["latency", "lost"])
    assert (made["code"], made["faults"]) == (None, ["latency"])
    assert made["time"] - 60 >= lost["time"] >= before + 60


@pytest.mark.parametrize("kind", [None, "error", "lost", "down"])
def test_what_is_on_its_way_does_not_reach_another_aws_than_it_was_sent_to(
    sim: Sim, simulator: Path, kind: str | None
) -> None:
    sim.set_speed(1)
    sim.fault("latency", operation="CreateTopic", seconds=AGES)
    if kind is not None:
        sim.fault(kind, operation="CreateTopic")
    with under_way(lambda: create(sim)) as ended:
        eventually(lambda: struck(sim))
        client.reset(simulator)
    assert isinstance(ended[0], ConnectionClosedError), "without waiting for its time"
    assert topics(sim) == []
    assert sim.calls(operation="CreateTopic") == []


def test_what_is_on_its_way_is_lost_when_its_region_goes_out_meanwhile(sim: Sim) -> None:
    sim.set_speed(1)
    sim.fault("latency", operation="CreateTopic", seconds=AGES)
    sim.fault("error", operation="CreateTopic")
    with under_way(lambda: create(sim)) as ended:
        eventually(lambda: struck(sim))
        client.begin_outage(sim.status(), "us-east-1")
        sim.advance(AGES)
    assert isinstance(ended[0], ConnectionClosedError)
    (entry,) = sim.calls(operation="CreateTopic")
    assert (entry["code"], entry["acted"], entry["faults"]) == ("RegionOut", False, ["latency"])
    assert [fault["hit"] for fault in sim.faults()] == [1, 0], "what did not happen is not counted"
    client.heal(sim.status())
    assert topics(sim) == []


def test_a_call_that_hangs_holds_up_no_other_and_ends_with_its_fault(sim: Sim) -> None:
    sim.fault("hang", operation="CreateTopic", seconds=AGES)
    with under_way(lambda: create(sim, read_timeout=PATIENCE)) as ended:
        eventually(lambda: struck(sim))
        assert topics(sim) == []
        sim.client("s3").create_bucket(Bucket="meanwhile")
        assert not ended
        sim.heal()
    assert isinstance(ended[0], ConnectionClosedError)
    assert topics(sim) == []


def test_a_service_is_down_in_one_region_until_it_is_back(sim: Sim) -> None:
    fault = sim.fault("down", service="sn*", region="us-east-1")
    for _ in range(2):
        with pytest.raises(ConnectionClosedError):
            create(sim)
    sim.client("sns", "us-west-2").list_topics()
    sim.client("sqs").list_queues()
    client.request(sim.status(), "DELETE", f"faults/{fault['id']}")
    create(sim)
    assert sim.faults() == []


def test_global_control_planes_are_down_with_us_east_1(sim: Sim) -> None:
    sim.fault("down", region="us-east-1")
    for service, operation in (
        ("iam", "list_roles"),
        ("route53", "list_hosted_zones"),
        ("cloudfront", "list_distributions"),
    ):
        with pytest.raises(ConnectionClosedError):
            getattr(sim.client(service, "us-west-2"), operation)()


def test_one_caller_is_hit_and_no_other(sim: Sim) -> None:
    sim.fault("down", caller="some*")
    somebody = boto3.client("sns", "us-east-1", endpoint_url=sim.endpoint, **key("somebody"))
    with pytest.raises(ConnectionClosedError):
        somebody.list_topics()
    create(sim)
    assert topics(sim) == ["made"]


def key(name: str) -> dict[str, Any]:
    """Somebody's own, for clients that do not try again."""
    once = Config(retries={"mode": "standard", "total_max_attempts": 1}, proxies={})
    return {"aws_access_key_id": name, "aws_secret_access_key": name, "config": once}


@pytest.mark.parametrize("kind", DECISIVE)
def test_the_same_seed_hits_the_same_calls(kind: str) -> None:
    def hits(seed: int) -> list[bool]:
        seconds = {"seconds": 1} if kind == "hang" else {}
        fault = Fault(kind, operation="Create*", probability=0.5, seed=seed, skip=3, times=6, **seconds)
        for _ in range(20):
            assert not fault.strikes("sns", "ListTopics", "us-east-1")
        return [fault.strikes("sns", "CreateTopic", "us-east-1") for _ in range(20)]

    first = hits(7)
    assert first == hits(7) != hits(8)
    assert not any(first[:3])
    assert sum(first) == 6


def test_hits_are_the_same_again_over_the_api(sim: Sim) -> None:
    def outcomes() -> list[bool]:
        sim.heal()
        sim.fault("error", operation="ListTopics", probability=0.4, seed=11)
        sim.fault("reset", operation="ListTopics", probability=0.4, seed=12)
        since = len(sim.access_log())
        for _ in range(20):
            try:
                topics(sim)
            except (ClientError, ConnectionClosedError):
                continue
        return [call["code"] for call in sim.access_log()[since:]]

    first = outcomes()
    assert first == outcomes()
    assert set(first) == {None, "InternalFailure", "ConnectionReset"}


def test_delays_are_drawn_between_nothing_and_their_seconds() -> None:
    def draws(seed: int) -> list[float]:
        fault = Fault("unseen", seconds=60, seed=seed)
        return [fault.draw() for _ in range(50)]

    assert draws(1) == draws(1) != draws(2)
    assert 0 <= min(draws(1)) < 10
    assert 50 < max(draws(1)) <= 60


def make_function(sim: Sim, role: str) -> None:
    sim.client("lambda").create_function(
        FunctionName="f",
        Runtime="python3.12",
        Handler="handler.handler",
        Role=role,
        Code={"ZipFile": package()},
    )


def test_a_role_is_unknown_to_services_and_to_iam_itself_for_as_long_as_the_fault_says(sim: Sim) -> None:
    sim.set_speed(1)
    sim.fault("iam-delay", seconds=AGES, seed=3)
    iam = sim.client("iam")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=LAMBDA)["Role"]["Arn"]
    sim.heal()
    sim.advance(120)  # by far longer than the usual delay
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        make_function(sim, role)
    with pytest.raises(ClientError) as unknown:
        iam.get_role(RoleName="r")
    assert code(unknown) == "NoSuchEntity"
    assert iam.list_roles()["Roles"] == []
    with pytest.raises(ClientError) as there:
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=LAMBDA)
    assert code(there) == "EntityAlreadyExists"
    with pytest.raises(ClientError) as principal:
        iam.create_role(RoleName="s", AssumeRolePolicyDocument=trust({"AWS": role}))
    assert code(principal) == "MalformedPolicyDocument"
    sim.advance(AGES)
    assert iam.get_role(RoleName="r")["Role"]["Arn"] == role
    assert [each["RoleName"] for each in iam.list_roles()["Roles"]] == ["r"]
    make_function(sim, role)


def test_a_delay_may_also_be_shorter_than_the_usual_one(sim: Sim) -> None:
    sim.set_speed(0.001)
    sim.fault("iam-delay", seconds=0)
    role = sim.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=LAMBDA)["Role"]["Arn"]
    sim.client("iam").get_role(RoleName="r")
    make_function(sim, role)
    assert [fault["hit"] for fault in sim.faults()] == [1], "reads do not count"


def test_services_go_by_the_trust_policy_of_before_while_a_change_of_it_is_delayed(sim: Sim) -> None:
    sim.set_speed(1)
    iam = sim.client("iam")
    ecs = trust({"Service": "ecs-tasks.amazonaws.com"})
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=ecs)["Role"]["Arn"]
    sim.advance(60)
    sim.fault("iam-delay", operation="UpdateAssumeRolePolicy", seconds=AGES, seed=3)
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=LAMBDA)
    sim.advance(120)
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        make_function(sim, role)
    sim.advance(AGES)
    make_function(sim, role)
    sim.heal()
    sim.client("lambda").delete_function(FunctionName="f")
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=ecs)
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        make_function(sim, role)


UNSEEN = [
    # create, its arguments, where the id stands; describe, how it is asked for an id, what it lists, its error
    (
        "create_subnet",
        lambda n: {"VpcId": n.vpc, "CidrBlock": "10.0.9.0/24"},
        lambda a: a["Subnet"]["SubnetId"],
        ("describe_subnets", "SubnetIds", "Subnets", "InvalidSubnetID.NotFound"),
    ),
    (
        "create_network_acl",
        lambda n: {"VpcId": n.vpc},
        lambda a: a["NetworkAcl"]["NetworkAclId"],
        ("describe_network_acls", "NetworkAclIds", "NetworkAcls", "InvalidNetworkAclID.NotFound"),
    ),
    (
        "create_nat_gateway",
        lambda n: {"SubnetId": n.public[0], "AllocationId": n.address()},
        lambda a: a["NatGateway"]["NatGatewayId"],
        ("describe_nat_gateways", "NatGatewayIds", "NatGateways", "NatGatewayNotFound"),
    ),
    (
        "create_vpc_endpoint",
        lambda n: {"VpcId": n.vpc, "ServiceName": "com.amazonaws.us-east-1.s3", "VpcEndpointType": "Gateway"},
        lambda a: a["VpcEndpoint"]["VpcEndpointId"],
        ("describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints", "InvalidVpcEndpointId.NotFound"),
    ),
    (
        "create_vpc_peering_connection",
        lambda n: {
            "VpcId": n.vpc,
            "PeerVpcId": Network(n.sim, "us-west-2", 1).vpc,
            "PeerRegion": "us-west-2",
        },
        lambda a: a["VpcPeeringConnection"]["VpcPeeringConnectionId"],
        (
            "describe_vpc_peering_connections",
            "VpcPeeringConnectionIds",
            "VpcPeeringConnections",
            "InvalidVpcPeeringConnectionID.NotFound",
        ),
    ),
    (
        "create_flow_logs",
        lambda n: {
            "ResourceType": "VPC",
            "ResourceIds": [n.vpc],
            "TrafficType": "ALL",
            "LogDestinationType": "s3",
            "LogDestination": "arn:aws:s3:::flows",
        },
        lambda a: a["FlowLogIds"][0],
        ("describe_flow_logs", "FlowLogIds", "FlowLogs", "InvalidFlowLogId.NotFound"),
    ),
]


@pytest.mark.parametrize(("make", "wish", "made", "read"), UNSEEN, ids=[case[0] for case in UNSEEN])
def test_a_new_id_is_out_of_sight_for_as_long_as_the_fault_says(
    sim: Sim,
    make: str,
    wish: Callable[[Network], dict[str, Any]],
    made: Callable[[Any], str],
    read: tuple[str, str, str, str],
) -> None:
    describe, named, listed, error = read
    network = Network(sim)
    sim.client("s3").create_bucket(Bucket="flows")
    arguments = wish(network)
    ask = getattr(network.ec2, describe)
    before = len(ask()[listed])
    operation = network.ec2.meta.method_to_api_mapping[make]
    sim.fault("unseen", operation=operation, region="us-east-1", seconds=AGES, seed=3)
    identifier = made(getattr(network.ec2, make)(**arguments))
    sim.heal()
    sim.advance(120)  # by far longer than the usual moment
    with pytest.raises(ClientError) as unknown:
        ask(**{named: [identifier]})
    assert code(unknown) == error
    assert len(ask()[listed]) == before
    sim.advance(AGES)
    assert len(ask(**{named: [identifier]})[listed]) == 1


WRONG = [
    ({"kind": "gremlin"}, "kind must be one of error, .*, not 'gremlin'"),
    ({"kind": "error", "colour": "red"}, "a fault has no colour"),
    ({"kind": "latency"}, "latency needs seconds"),
    ({"kind": "latency", "seconds": -1}, "seconds must be 0 or more, not -1"),
    ({"kind": "hang", "seconds": "long"}, "seconds must be 0 or more, not 'long'"),
    ({"kind": "hang", "seconds": float("inf")}, "seconds must be"),
    ({"kind": "hang", "seconds": 1, "acts": 1}, "acts must be true or false"),
    ({"kind": "lost", "acts": True}, "lost has no acts"),
    ({"kind": "down", "seconds": 1}, "down has no seconds"),
    ({"kind": "throttle", "code": "SlowDown"}, "throttle has no code"),
    ({"kind": "reset", "status": 500}, "reset has no status"),
    ({"kind": "error", "status": 200}, "status must be a whole number from 300 to 599, not 200"),
    ({"kind": "error", "code": ""}, "code must be a code"),
    ({"kind": "error", "message": 7}, "message must be a text"),
    ({"kind": "error", "probability": 1.1}, "probability must be from 0 to 1, not 1.1"),
    ({"kind": "error", "times": 0}, "times must be 1 or more, not 0"),
    ({"kind": "error", "skip": -1}, "skip must be 0 or more, not -1"),
    ({"kind": "error", "seed": 0.5}, "seed must be a whole number"),
    ({"kind": "error", "service": ""}, "service must be a pattern"),
    ({"kind": "iam-delay", "seconds": 1, "service": "s3"}, "service must be iam for iam-delay"),
    ({"kind": "iam-delay", "seconds": 1, "region": "eu-*"}, "region must be us-east-1 for iam-delay"),
    ({"kind": "unseen", "seconds": 1, "service": "rds"}, "service must be ec2 for unseen"),
]


@pytest.mark.parametrize(("wish", "said"), WRONG, ids=[json.dumps(wish) for wish, _ in WRONG])
def test_a_fault_that_makes_no_sense_is_refused_by_the_name_of_the_field(
    sim: Sim, wish: dict[str, Any], said: str
) -> None:
    with pytest.raises(client.Rejected, match=said):
        client.add_fault(sim.status(), wish)
    assert sim.faults() == []


def test_every_kind_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert f"| `{kind}` |" in page


def test_faults_on_the_command_line(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    client.start(desk.state, 600, idle_stop=IDLE_STOP)
    try:
        put = desk.run(
            *("--output", "json", "sim", "fault", "hang", "--service", "sns", "--operation", "Create*"),
            *("--region", "us-east-1", "--seconds", "2.5", "--acts", "--probability", "0.5"),
            *("--times", "3", "--skip", "1", "--seed", "9"),
        )
        assert put.code == 0, put.err
        wanted = {
            "id": "1",
            "kind": "hang",
            "service": "sns",
            "operation": "Create*",
            "region": "us-east-1",
            "caller": "*",
            **dict.fromkeys(("code", "message", "status")),
            "acts": True,
            "seconds": 2.5,
            "probability": 0.5,
            "times": 3,
            "skip": 1,
            "seed": 9,
            "seen": 0,
            "hit": 0,
        }
        assert put.json["fault"] == wanted
        second = desk.run(
            *("sim", "fault", "error", "--code", "AccessDenied", "--status", "403", "--message", "no")
        )
        assert second.code == 0, second.err
        assert "fault 2: error AccessDenied 403" in second.out
        assert desk.run("--output", "json", "sim", "status").json["faults"][0] == wanted

        with pytest.raises(ClientError, match="AccessDenied"):
            Sim(client.status(desk.state)).client("sts").get_caller_identity()
        shown = desk.run("sim", "status").out
        assert "fault 1: hang 2.5 real s after acting on sns, Create*, us-east-1" in shown
        assert "probability 0.5 (seed 9), times 3, skip 1, seen 0, hit 0" in shown
        assert "any service, any operation, any region, seen 1, hit 1" in shown

        for arguments, said in (
            (["gremlin"], "kind must be one of error, throttle"),
            (["latency", "--seconds", "-1"], "seconds must be 0 or more, not -1"),
            (["error", "--probability", "often"], "--probability"),
        ):
            refused = desk.run("sim", "fault", *arguments)
            assert refused.code == 5, arguments
            assert said in refused.err

        assert desk.run("sim", "outage", "us-west-2").code == 0
        healed = desk.run("--output", "json", "sim", "heal", "us-west-2").json
        assert (healed["outages"], len(healed["faults"])) == ({}, 2), "a region alone"
        assert desk.run("sim", "outage", "us-west-2").code == 0
        healed = desk.run("--output", "json", "sim", "heal").json
        assert (healed["outages"], healed["faults"]) == ({}, [])

        assert desk.run("sim", "fault", "down").code == 0
        client.stop(desk.state)
        assert client.start(desk.state, 600, idle_stop=IDLE_STOP).faults == [], "faults are not saved"
    finally:
        client.stop(desk.state)
    assert desk.run("sim", "fault", "down").code == 1, "none is running"
