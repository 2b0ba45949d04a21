"""The monitor's AWS clients: all of its own region, and none patient.

An invocation has 60 s, starts its second probe after 30, and must survive every dependency hanging at once.
One call costs at most two tries of 2 s to connect or 3 s to read, and at most 1 s between them: 7 s in
practice. Three such calls in a row (checks, breaker, metrics) fit each half. Two tries rather than one,
because a sandbox that was frozen for a minute finds its kept connections closed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_s3 import S3Client

AWS_FAILURES = (BotoCoreError, ClientError, ResponseParserError)
"""All that a call may raise: no answer, a refusal, and an answer that is not one (a proxy's error page)."""

_QUICK = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
_ONCE = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1})


class Clients:
    """Made before any thread starts: creating clients from one session is not thread-safe, using them is.
    https://docs.aws.amazon.com/boto3/latest/guide/clients.html#multithreading-or-multiprocessing-with-clients
    """

    def __init__(self, region: str) -> None:
        session = boto3.Session(region_name=region)
        self.cloudwatch: CloudWatchClient = session.client("cloudwatch", config=_QUICK)
        self.dynamodb: DynamoDBClient = session.client("dynamodb", config=_QUICK)
        self.ecs: ECSClient = session.client("ecs", config=_QUICK)
        self.rds: RDSClient = session.client("rds", config=_QUICK)
        self.rds_once: RDSClient = session.client("rds", config=_ONCE)
        """For what must not be sent twice."""
        self.s3: S3Client = session.client("s3", config=_QUICK)


@cache
def in_region(region: str) -> Clients:
    """The clients of a region, kept while the sandbox is warm."""
    return Clients(region)
