"""The simulator's process: it starts once, keeps what it holds, and goes when nobody needs it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from drctl.sim import client
from tests.conftest import TEST_SPEED, Sim

SESSION = boto3.Session("simulated", "simulated")


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    client.stop(tmp_path)


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def aws(status: client.Status, service: Any, region: str = "us-east-1") -> Any:
    return SESSION.client(service, region_name=region, endpoint_url=status.endpoint)


def test_one_server_for_one_state_directory(state_dir: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: client.start(state_dir, 100), range(4)))
    assert len({status.pid for status in statuses}) == 1
    known = json.loads((state_dir / "sim" / "server.json").read_text())
    assert (known["pid"], known["endpoint"]) == (statuses[0].pid, statuses[0].endpoint)

    assert client.stop(state_dir)
    assert client.find(state_dir) is None
    assert not client.stop(state_dir)


def test_what_was_built_and_what_is_due_survive_a_restart(state_dir: Path) -> None:
    first = client.start(state_dir, 50)
    before = _build(first)
    client.request(first, "POST", "advance", {"seconds": 5000})
    time_before = client.status(state_dir).now
    client.stop(state_dir)

    second = client.start(state_dir, 50)
    assert second.pid != first.pid
    assert second.now >= time_before
    assert _read(second) == before
    # And what comes back is alive, not a picture.
    vpc_id = aws(second, "ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    aws(second, "ec2").create_tags(Resources=[vpc_id], Tags=[{"Key": "a", "Value": "b"}])
    _cross_region_peering(second, vpc_id)
    s3 = aws(second, "s3")
    versions = s3.list_object_versions(Bucket="restored")["Versions"]
    bodies = [
        s3.get_object(Bucket="restored", Key="key", VersionId=found["VersionId"])["Body"]
        for found in versions
    ]
    assert {body.read() for body in bodies} == {b"first", b"second"}
    s3.put_object(Bucket="restored", Key="more", Body=b"x")
    assert client.status(state_dir).internal_errors == 0


def _build(status: client.Status) -> dict[str, Any]:
    aws(status, "ec2", "us-west-2").create_vpc(CidrBlock="10.1.0.0/16")
    aws(status, "kms").create_key(MultiRegion=True)
    table = {
        "TableName": "sessions",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    aws(status, "dynamodb").create_table(**table)
    client.request(status, "POST", "advance", {"seconds": 60})
    aws(status, "dynamodb").put_item(TableName="sessions", Item={"id": {"S": "1"}, "b": {"B": b"\0"}})
    aws(status, "s3").create_bucket(Bucket="restored")
    s3 = aws(status, "s3")
    s3.put_bucket_versioning(Bucket="restored", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="restored", Key="key", Body=b"first")
    s3.put_object(Bucket="restored", Key="key", Body=b"second")
    s3.delete_object(Bucket="restored", Key="key")
    aws(status, "acm").request_certificate(DomainName="app.test", ValidationMethod="DNS")
    aws(status, "secretsmanager").create_secret(Name="secret", SecretString="hidden")
    aws(status, "sns").create_topic(Name="topic")
    aws(status, "route53").create_hosted_zone(Name="app.test", CallerReference="1")
    aws(status, "logs").create_log_group(logGroupName="/a/b")
    aws(status, "events").put_rule(Name="rule", ScheduleExpression="rate(1 minute)")
    aws(status, "cloudwatch").put_dashboard(DashboardName="d", DashboardBody='{"widgets": []}')
    return _read(status)


def _read(status: client.Status) -> dict[str, Any]:
    reads: list[tuple[str, str, str, dict[str, Any]]] = [
        ("ec2", "us-west-2", "describe_vpcs", {}),
        ("ec2", "us-west-2", "describe_security_groups", {}),
        ("kms", "us-east-1", "list_keys", {}),
        ("dynamodb", "us-east-1", "scan", {"TableName": "sessions"}),
        ("s3", "us-east-1", "list_object_versions", {"Bucket": "restored"}),
        ("acm", "us-east-1", "list_certificates", {"Includes": {}}),
        ("secretsmanager", "us-east-1", "get_secret_value", {"SecretId": "secret"}),
        ("sns", "us-east-1", "list_topics", {}),
        ("route53", "us-east-1", "list_hosted_zones", {}),
        ("logs", "us-east-1", "describe_log_groups", {}),
        ("events", "us-east-1", "list_rules", {}),
        ("cloudwatch", "us-east-1", "get_dashboard", {"DashboardName": "d"}),
    ]
    found = {}
    for service, region, operation, arguments in reads:
        answer = getattr(aws(status, service, region), operation)(**arguments)
        del answer["ResponseMetadata"]
        found[f"{service} {operation}"] = answer
    # A certificate's state may move on its own.
    summaries = found["acm list_certificates"]["CertificateSummaryList"]
    found["acm list_certificates"] = [entry["CertificateArn"] for entry in summaries]
    return found


def _cross_region_peering(status: client.Status, vpc_id: str) -> None:
    (peer,) = [
        vpc["VpcId"]
        for vpc in aws(status, "ec2", "us-west-2").describe_vpcs()["Vpcs"]
        if vpc["CidrBlock"] == "10.1.0.0/16"
    ]
    aws(status, "ec2").create_vpc_peering_connection(VpcId=vpc_id, PeerVpcId=peer, PeerRegion="us-west-2")


def test_a_terminated_server_saves_first(state_dir: Path) -> None:
    status = client.start(state_dir)
    aws(status, "s3").create_bucket(Bucket="kept")
    os.kill(status.pid, signal.SIGTERM)
    wait_until(lambda: client.find(state_dir) is None)
    # It may still be saving; the next one waits for it.
    aws(client.start(state_dir), "s3").head_bucket(Bucket="kept")


def test_a_damaged_snapshot_is_an_error_and_not_an_empty_cloud(state_dir: Path) -> None:
    status = client.start(state_dir)
    aws(status, "s3").create_bucket(Bucket="kept")
    client.stop(state_dir)
    path = state_dir / "sim" / "snapshot"
    whole = path.read_bytes()

    for damaged in (whole[: len(whole) // 2], whole.replace(b"drctl-sim 1", b"drctl-sim 9")):
        path.write_bytes(damaged)
        with pytest.raises(client.SimulatorError, match=r"snapshot.*(damaged|was written as).*delete"):
            client.start(state_dir)

    path.write_bytes(whole)
    aws(client.start(state_dir), "s3").head_bucket(Bucket="kept")


def test_a_client_that_is_killed_in_the_middle_of_its_request_has_not_asked(sim: Sim) -> None:
    host, _, port = sim.endpoint.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as line:
        head = "POST / HTTP/1.1\r\nHost: dynamodb.us-east-1.amazonaws.com\r\nContent-Length: 100\r\n"
        line.sendall(f"{head}X-Amz-Target: DynamoDB_20120810.PutItem\r\n\r\n{{".encode())
        line.shutdown(socket.SHUT_WR)
        assert line.recv(1) == b""
    assert sim.access_log() == []


def test_it_leaves_by_itself_when_nobody_asks(state_dir: Path) -> None:
    client.start(state_dir, idle_stop=0.2)
    wait_until(lambda: not (state_dir / "sim" / "server.json").exists())


def test_a_dead_servers_leftovers_are_not_a_server(state_dir: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (state_dir / "sim").mkdir()
    (state_dir / "sim" / "server.json").write_text(
        json.dumps({"pid": gone.pid, "endpoint": "http://127.0.0.1:9", "started_at": 0, "speed": 1})
    )
    assert client.find(state_dir) is None
    with pytest.raises(client.SimulatorError, match="drctl sim start"):
        client.status(state_dir)
    assert client.start(state_dir).running


def test_speed_changes_without_a_jump(sim: Sim) -> None:
    began = time.monotonic()
    before = client.refresh(sim.status()).now
    sim.set_speed(1)
    after = client.refresh(sim.status()).now
    assert 0 <= after - before <= TEST_SPEED * (time.monotonic() - began)
    assert sim.clock.real(10) == 10


def test_slowed_down_for_a_while_it_is_sped_up_again_by_whoever_comes_next(sim: Sim) -> None:
    assert client.slow_down(sim.status(), 10).speed == 10
    assert client.slow_down(sim.status(), 20).speed == 10, "what is slower already stays"
    assert client.slow_down(sim.status(), 5).speed == 5
    assert client.speed_up(sim.status()).speed == TEST_SPEED
    assert client.speed_up(sim.status()).speed == TEST_SPEED
    client.slow_down(sim.status(), 10)
    sim.set_speed(7)
    assert client.speed_up(sim.status()).speed == 7, "what was asked for meanwhile stays"


def test_reset_empties_everything_but_time(sim: Sim, simulator: Path) -> None:
    sim.client("s3").create_bucket(Bucket="gone")
    sim.fault("error", service="none")
    before = sim.clock.now()
    client.reset(simulator)
    assert sim.access_log() == []
    assert sim.faults() == []
    assert sim.client("s3").list_buckets()["Buckets"] == []
    assert client.status(simulator).now >= before


def test_the_control_api_refuses_what_it_does_not_understand(simulator: Path) -> None:
    status = client.status(simulator)
    for method, path, body in (
        ("POST", "speed", {"speed": -1}),
        ("POST", "speed", {}),
        ("POST", "faults", {"kind": "gremlin"}),
        ("POST", "faults", {"kind": "error", "colour": "red"}),
        ("DELETE", "faults/99", None),
        ("GET", "nothing", None),
    ):
        with pytest.raises(client.SimulatorError):
            client.request(status, method, path, body)
    assert client.status(simulator).speed == status.speed


def test_the_clients_half_loads_no_aws_library() -> None:
    program = (
        "import sys, drctl.sim.client; print({'moto', 'boto3', 'botocore', 'werkzeug'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"
