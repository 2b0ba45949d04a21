"""What is looked at, one function a check, and how the checks of one probe run side by side.

A check answers with a Finding or raises; both ways of failing count the same. The request path is the only
check that decides (see handler.py).
"""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswerError
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_s3 import S3Client

DEADLINE_S = 8
"""Seconds a check may take in all. Sockets have timeouts of their own, which bound neither the look-up of a
name nor a server that sends a byte now and then."""

_SOCKET_TIMEOUT_S = 5


@dataclass(frozen=True)
class Finding:
    healthy: bool
    detail: str


_DIRECT = urllib.request.OpenerDirector()
"""Opens addresses and nothing more: no proxy, and above all no redirect, which may lead to the other region,
whose health says nothing about this one. Any status is an answer."""
_DIRECT.add_handler(urllib.request.HTTPHandler())
_DIRECT.add_handler(urllib.request.HTTPSHandler())


def request_path(url: str) -> Finding:
    """The way a user takes: name, connection, certificate, load balancer, task. Healthy is 2xx."""
    request = urllib.request.Request(  # noqa: S310 - _DIRECT opens http and https only
        url, headers={"User-Agent": "drctl-health-monitor", "Cache-Control": "no-cache"}
    )
    with _DIRECT.open(request, timeout=_SOCKET_TIMEOUT_S) as response:
        return Finding(200 <= response.status < 300, f"HTTP {response.status}")


def ecs_services(ecs: ECSClient, cluster: str, services: tuple[str, ...]) -> Finding:
    """Every service active and running what it should. A standby scaled to none desires none: healthy."""
    answer = ecs.describe_services(cluster=cluster, services=list(services))
    wrong = [f"{failure.get('arn', cluster)} {failure.get('reason', '')}" for failure in answer["failures"]]
    wrong += [
        f"{service['serviceName']} {service['status']} {service['runningCount']}/{service['desiredCount']}"
        for service in answer["services"]
        if service["status"] != "ACTIVE" or service["runningCount"] < service["desiredCount"]
    ]
    return _all_well(wrong)


def database_cluster(rds: RDSClient, cluster: str) -> Finding:
    (found,) = rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"]
    return Finding(found["Status"] == "available", found["Status"])


def tables(dynamodb: DynamoDBClient, names: tuple[str, ...]) -> Finding:
    """A table that is UPDATING (a replica is being added, say) serves reads and writes all the while.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
    """
    statuses = {name: dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] for name in names}
    serving = ("ACTIVE", "UPDATING")
    return _all_well([f"{name} {status}" for name, status in statuses.items() if status not in serving])


def buckets(s3: S3Client, names: tuple[str, ...]) -> Finding:
    for name in names:
        s3.head_bucket(Bucket=name)
    return _all_well([])


def _all_well(wrong: list[str]) -> Finding:
    return Finding(not wrong, ", ".join(wrong) or "ok")


class Probe:
    """The checks of one probe, all started at once. Threads of their own that nothing waits for at exit:
    a check that hangs must hold up neither the others nor the invocation."""

    def __init__(self, checks: Mapping[str, Callable[[], Finding]]) -> None:
        self._deadline = time.monotonic() + DEADLINE_S
        self._answers: dict[str, Future[Finding]] = {name: Future() for name in checks}
        for name, check in checks.items():
            threading.Thread(target=_answer, args=(check, self._answers[name]), daemon=True).start()

    def finding(self, name: str) -> Finding:
        """Wait for a check, until the deadline that all of this probe's share."""
        try:
            return self._answers[name].result(timeout=max(0.0, self._deadline - time.monotonic()))
        except NoAnswerError:
            return Finding(False, f"no answer within {DEADLINE_S} s")

    def findings(self) -> dict[str, Finding]:
        return {name: self.finding(name) for name in self._answers}


def _answer(check: Callable[[], Finding], answer: Future[Finding]) -> None:
    try:
        answer.set_result(check())
    except Exception as error:
        # Whatever a check raises is its answer: that it failed.
        answer.set_result(Finding(False, f"{type(error).__name__}: {error}"))
