"""Credentials that end in the middle of a run: renewed by who can, else a stop that is said once and can be gone on
from. What AWS does not allow them is another matter, and stays with the resource that met it."""

from __future__ import annotations

import shlex
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError, UnauthorizedSSOTokenError

from drctl.aws.errors import classify
from drctl.engine.trouble import Meaning
from tests.census import came
from tests.environment import TIMEOUT, Installation, P, Ran, S
from tests.shape import SHAPE, shape
from tests.strangers import bystanders

GONE = "the AWS credentials are no longer valid"

WORDS = "The security token included in the request is expired"
JSON = (
    *("acm", "application-autoscaling", "cloudwatch", "dynamodb", "ecs", "events", "kms", "lambda", "logs"),
    *("resourcegroupstaggingapi", "secretsmanager"),
)
QUERY = ("cloudfront", "elbv2", "iam", "rds", "route53", "sns", "sts")
EXPIRED: list[dict[str, Any]] = [
    *({"service": each, "code": "ExpiredTokenException", "status": 400, "message": WORDS} for each in JSON),
    *({"service": each, "code": "ExpiredToken", "status": 403, "message": WORDS} for each in QUERY),
    {"service": "ec2", "code": "RequestExpired", "status": 400, "message": "Request has expired."},
    {"service": "s3", "code": "ExpiredToken", "status": 400, "message": "The provided token has expired."},
]
"""How each service says it (its API reference, "Common errors"; EC2's and S3's lists of error codes)."""

QUICK = ("--target", f"{P}/security-group-rule/*", "--target", f"{S}/log-group/*")
"""What takes AWS no time: these runs are on the wall's clock."""

ASKED = 110
"""How often a provider is asked in the first half of such an `up`: once a call."""


@pytest.mark.xdist_group("fresh")
def test_expired_credentials_end_a_run_that_the_next_one_goes_on_from(fresh: Installation) -> None:
    with bystanders(fresh):
        before = fresh.census()
        up = fresh.start("--sim", "--output", "json", "up", "--yes")
        _wait(fresh, up, mutations=80)
        for fault in EXPIRED:
            fresh.sim.fault("error", **fault)
        ran = _end(up)

        _says_once(ran, "xpired")
        records = {record["address"]: record for record in fresh.ok("state", "list").json["records"]}
        assert records.keys() >= ran.done.keys()
        assert not [a for a, record in records.items() if record["intent"] and a in ran.done]
        again = fresh.on_sim("up", "--yes")
        _says_once(again, "xpired")

        fresh.sim.heal()
        fresh.up()
        assert fresh.changes() == {}
        assert shape(before, fresh.census()) == SHAPE, "something is there twice, or missing"
        assert all(record["intent"] is None for record in fresh.ok("state", "list").json["records"])


@pytest.mark.xdist_group("fresh")
def test_a_provider_is_asked_again_while_it_can_and_a_failing_one_is_told_once(
    fresh: Installation, tmp_path: Path
) -> None:
    """Its credentials last ten minutes, which the SDK takes for a reason to ask for new ones."""
    before = fresh.census()
    provider = _Provider(tmp_path, fresh)
    provider.end_after(ASKED)
    failed = provider.run(fresh, "up", "--yes", *QUICK)

    _says_once(failed, "the session is over")
    assert failed.done

    provider.renew()
    assert provider.run(fresh, "up", "--yes", *QUICK).code == 0
    assert provider.run(fresh, "plan", *QUICK).json["changes"] == []
    made = came(before, fresh.census())
    records = fresh.ok("state", "list").json["records"]
    for kind in ("vpc", "kms-key", "log-group", "iam-role", "iam-role-policy"):
        recorded = [record["address"] for record in records if record["kind"] == kind]
        assert len(made.get(kind, ())) == len(recorded), f"one {kind} for each of {recorded}"
    assert all(record["intent"] is None for record in records)


@pytest.mark.xdist_group("fresh")
def test_what_is_not_allowed_concerns_the_resource_that_needs_it(fresh: Installation) -> None:
    denied = {"service": "logs", "operation": "CreateLogGroup", "region": S, "status": 400}
    fresh.sim.fault("error", code="AccessDeniedException", message="not authorized", **denied)

    ran = fresh.on_sim("up", "--yes", *QUICK)

    fresh.sim.heal()
    addresses = {error["address"] for error in ran.json["errors"]}
    assert ran.code == 1
    assert len(addresses) == len(ran.json["errors"]) > 1
    assert all(address.startswith(f"{S}/log-group/") for address in addresses)
    assert any(f"{P}/security-group-rule/" in address for address in ran.done)


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "RequestExpired", "Message": "Request has expired."}}, "DescribeVpcs"),
        ClientError({"Error": {"Code": "ExpiredToken", "Message": "expired"}}, "ListBuckets"),
        CredentialRetrievalError(provider="custom-process", error_msg="no"),
        UnauthorizedSSOTokenError(),
        RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired."),
    ],
    ids=str,
)
def test_credentials_that_are_none_concern_everything(error: Exception) -> None:
    trouble = classify(error)
    assert (trouble.meaning, trouble.everywhere) == (Meaning.FATAL, GONE)
    assert "renew the credentials" in trouble.remedy


def _says_once(ran: Ran, why: str) -> None:
    assert ran.code == 1, ran.err
    (error,) = ran.json["errors"]
    assert error["summary"] == GONE
    assert why in error["cause"]
    assert "renew the credentials" in error["remedy"]
    assert "run the same command again" in error["remedy"]


def _wait(place: Installation, child: subprocess.Popen[str], mutations: int) -> None:
    """Until so many mutating calls have arrived."""
    deadline = time.monotonic() + TIMEOUT
    while len(place.mutations(0)) < mutations:
        assert child.poll() is None, "it had ended before the credentials did"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _end(child: subprocess.Popen[str]) -> Ran:
    out, err = child.communicate(timeout=TIMEOUT)
    return Ran(child.returncode, out, err)


class _Provider:
    """A program that hands out credentials, as `credential_process` of an AWS configuration calls it."""

    def __init__(self, folder: Path, place: Installation) -> None:
        self._most = folder / "most"
        self.renew()
        program = folder / "provider"
        log, most = shlex.quote(str(folder / "asked")), shlex.quote(str(self._most))
        expiration = datetime.now(UTC) + timedelta(minutes=10)
        program.write_text(
            f"""#!/bin/sh
echo asked >> {log}
if [ $(wc -l < {log}) -gt $(cat {most}) ]; then echo "the session is over" >&2; exit 1; fi
printf '{{"Version": 1, "AccessKeyId": "simulated", "SecretAccessKey": "simulated", "SessionToken": "token", '
printf '"Expiration": "{expiration:%Y-%m-%dT%H:%M:%SZ}"}}'
""",
            encoding="utf-8",
        )
        program.chmod(0o700)
        config = folder / "config"
        config.write_text(f"[profile renewed]\ncredential_process = {program}\n", encoding="utf-8")
        theirs = place.sim.environment()
        self.environment = {
            **{name: value for name, value in theirs.items() if "KEY" not in name and "TOKEN" not in name},
            "AWS_CONFIG_FILE": str(config),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
            "AWS_PROFILE": "renewed",
        }

    def end_after(self, times: int) -> None:
        """Have none to give from then on."""
        self._most.write_text(str(times), encoding="utf-8")

    def renew(self) -> None:
        """Have some to give again."""
        self.end_after(1_000_000)

    def run(self, place: Installation, *arguments: str) -> Ran:
        """drctl, on AWS as boto3 finds it."""
        return place.run("--output", "json", *arguments, environment=self.environment)
