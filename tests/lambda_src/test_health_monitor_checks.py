"""What the monitor looks at, and that nothing it looks at, or needs, can stop it or mislead it."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sandbox import CLOSED_PORT, ONE_PROBE, PRIMARY, STANDBY, Environment
from workload import CREDENTIALS, DATABASE, cluster_and_tasks, network, service

OWN_REGION = {
    "CLUSTER": "shop",
    "SERVICES": "web",
    "DB_CLUSTER": "shop-standby",
    "TABLES": "sessions",
    "BUCKETS": "shop-assets-standby",
}


@pytest.fixture
def subnets(environment: Environment) -> list[str]:
    return network(environment.sim, STANDBY)


@pytest.fixture
def watched(environment: Environment, subnets: list[str]) -> Environment:
    """An environment whose standby has everything there is to look at, all well."""
    sim = environment.sim
    sim.client("rds", STANDBY).create_db_cluster(
        DBClusterIdentifier="shop-standby", **DATABASE, **CREDENTIALS
    )
    cluster_and_tasks(sim, STANDBY)
    service(sim, STANDBY, "web", subnets, desired=1)
    sim.client("dynamodb", STANDBY).create_table(
        TableName="sessions",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "sessionId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "sessionId", "AttributeType": "S"}],
    )
    sim.client("s3", STANDBY).create_bucket(
        Bucket="shop-assets-standby", CreateBucketConfiguration={"LocationConstraint": STANDBY}
    )
    sim.advance(1800)
    environment.standby.variables.update(OWN_REGION)
    return environment


def unhealthy(probe: dict[str, dict[str, dict[str, object]]]) -> set[str]:
    return {check for check, finding in probe["checks"].items() if not finding["healthy"]}


def test_all_well(watched: Environment) -> None:
    first, second = watched.standby.invoke()
    for probe in (first, second):
        assert probe["errors"] == []
        assert list(probe["checks"]) == [
            "RequestPath",
            "EcsServices",
            "DatabaseCluster",
            "Tables",
            "Buckets",
        ]
        assert unhealthy(probe) == set()
    for region in (PRIMARY, STANDBY):
        assert set(watched.metric("ServiceHealth", Region=region)) == {1.0}
    assert set(watched.metric("ServiceHealth", Region=STANDBY, Check="DatabaseCluster")) == {1.0}
    assert set(watched.metric("BreakerState", Region=STANDBY)) == {0.0}
    assert set(watched.metric("Heartbeat", Region=STANDBY)) == {1.0}


def test_a_dependency_that_is_down_is_reported_and_stops_nothing_else(watched: Environment) -> None:
    for down, broken in {
        "ECS": {"EcsServices"},
        "RDS": {"DatabaseCluster"},
        "S3": {"Buckets"},
        "DYNAMODB": {"Tables"},
        "CLOUDWATCH": set(),
    }.items():
        (probe,) = watched.standby.invoke(ONE_PROBE, **{f"AWS_ENDPOINT_URL_{down}": CLOSED_PORT})
        assert unhealthy(probe) == broken
        assert (probe["breaker"] is None) == (down == "DYNAMODB")
        assert bool(probe["errors"]) == (down in ("DYNAMODB", "CLOUDWATCH"))


def test_what_is_missing_is_unhealthy(watched: Environment) -> None:
    for variable, names, broken in (
        ("SERVICES", "web,missing", "EcsServices"),
        ("CLUSTER", "missing", "EcsServices"),
        ("DB_CLUSTER", "missing", "DatabaseCluster"),
        ("TABLES", "sessions,missing", "Tables"),
        ("BUCKETS", "shop-assets-standby,shop-assets-missing", "Buckets"),
    ):
        (probe,) = watched.standby.invoke(ONE_PROBE, **{variable: names})
        assert unhealthy(probe) == {broken}
    assert set(watched.metric("ServiceHealth", Region=STANDBY)) == {0.0}
    assert set(watched.metric("ServiceHealth", Region=PRIMARY)) == {1.0}


def test_what_answers_and_is_not_ready_is_unhealthy(watched: Environment, subnets: list[str]) -> None:
    """Neither raises: fewer tasks than desired, a database that is being made."""
    watched.sim.set_speed(1)
    service(watched.sim, STANDBY, "starting", subnets, desired=1)
    watched.sim.client("rds", STANDBY).create_db_cluster(DBClusterIdentifier="new", **DATABASE, **CREDENTIALS)
    (probe,) = watched.standby.invoke(ONE_PROBE, SERVICES="web,starting", DB_CLUSTER="new")
    assert probe["checks"]["EcsServices"] == {"healthy": False, "detail": "starting ACTIVE 0/1"}
    assert probe["checks"]["DatabaseCluster"] == {"healthy": False, "detail": "creating"}


def test_a_sick_standby_is_no_evidence_about_the_primary(environment: Environment) -> None:
    """Every check of its own region fails, invocation after invocation; the primary answers."""
    environment.standby.variables.update(OWN_REGION)
    for _ in range(2):
        for probe in environment.standby.invoke():
            assert unhealthy(probe) == {"EcsServices", "DatabaseCluster", "Tables", "Buckets"}
    assert (environment.breaker()["state"], environment.breaker()["failures"]) == ("CLOSED", 0)


def test_the_standby_calls_no_aws_of_the_primary_region(watched: Environment) -> None:
    before = len(watched.sim.access_log())
    watched.application.status = 503
    watched.standby.invoke()
    watched.standby.invoke()
    assert {call["region"] for call in watched.sim.access_log()[before:]} == {STANDBY}


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (204, True), (404, False), (500, False)])
def test_the_request_path_is_healthy_when_it_answers_2xx(
    environment: Environment, status: int, healthy: bool
) -> None:
    environment.application.status = status
    (probe,) = environment.standby.invoke(ONE_PROBE)
    assert probe["checks"]["RequestPath"] == {"healthy": healthy, "detail": f"HTTP {status}"}


def test_a_redirect_is_not_followed(environment: Environment) -> None:
    """It may lead to the other region, which would make the lost one look healthy."""
    environment.application.status = 302
    environment.application.headers = {"Location": environment.sim.endpoint + "/_sim/status"}
    (probe,) = environment.standby.invoke(ONE_PROBE)
    assert unhealthy(probe) == {"RequestPath"}


def test_a_certificate_must_be_trusted(environment: Environment, tmp_path: Path) -> None:
    certificate = _self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = environment.application.server
    server.socket = context.wrap_socket(server.socket, server_side=True)
    secure = {"ENDPOINT_URL": environment.application.url.replace("http:", "https:")}

    (probe,) = environment.standby.invoke(ONE_PROBE, **secure)
    assert "CERTIFICATE_VERIFY_FAILED" in probe["checks"]["RequestPath"]["detail"]
    (probe,) = environment.standby.invoke(ONE_PROBE, **secure, SSL_CERT_FILE=str(certificate))
    assert probe["checks"]["RequestPath"]["healthy"] is True


@pytest.fixture
def silent() -> Iterator[str]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_with_everything_hanging_a_probe_still_ends(environment: Environment, silent: str) -> None:
    """And a second one, for which no time would be left, is not begun."""
    environment.standby.variables.update(OWN_REGION)
    started = time.monotonic()
    (probe,) = environment.standby.invoke(ONE_PROBE, AWS_ENDPOINT_URL=silent, ENDPOINT_URL=silent)
    assert time.monotonic() - started < 2 * ONE_PROBE  # a busy machine is slow, too
    assert unhealthy(probe) == set(probe["checks"])
    assert probe["breaker"] is None


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
