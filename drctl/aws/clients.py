"""Typed clients, made when first needed and shared by all threads.

boto3 clients are thread-safe, making them is not; one session shares one loader and one set of credentials
(44 clients: 0.47 s; with a session each 5.4 s). Two sets exist: ``Aws`` retries throttles and stumbles in the
SDK's standard mode, ``Aws.once`` sends every request exactly once and is what ``create`` is given.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config

from drctl.engine.resource import DependsOnUnknown
from drctl.engine.unknown import mentions_unknown

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from mypy_boto3_acm import ACMClient
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_route53 import Route53Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sts import STSClient

    from drctl.aws.listing import Listings
    from drctl.aws.reach import Reach

GLOBAL_REGION = "us-east-1"
"""Where IAM's, Route 53's and CloudFront's control planes live, and where CloudFront wants its certificate."""

GLOBAL_SERVICES = frozenset({"iam", "route53", "cloudfront"})
"""Services with one control plane for all regions."""

PATIENT = (5.0, 30.0)
"""Seconds to wait for a connection, and then for an answer."""

BRIEF = (3.0, 10.0)
"""The same for who only looks, and has others to ask when nobody answers."""

POOL = 32
"""Connections kept per client: at least as many as the walk has threads."""


@dataclass(frozen=True)
class Identity:
    """Who we are to AWS."""

    account: str
    arn: str
    partition: str


@dataclass(frozen=True)
class ApiCall:
    """A call that was made. ``status``: HTTP, 0 when nobody answered; ``seconds``: real ones, retries included;
    ``began``: on the clock of time.monotonic."""

    service: str
    operation: str
    region: str
    endpoint: str
    status: int
    seconds: float
    began: float


Witness = Callable[[ApiCall], None]


class OutOfBounds(Exception):
    """A call to another region, or to a control plane of us-east-1, by what may only call one region."""


class Aws:
    """The door to AWS: one method per service, each answering with a shared, typed client."""

    def __init__(
        self,
        session: boto3.Session,
        endpoint_url: str | None = None,
        attempts: int = 5,
        *,
        only: str | None = None,
        witness: Witness | None = None,
        timeouts: tuple[float, float] = PATIENT,
        listings: Listings | None = None,
        reach: Reach | None = None,
    ) -> None:
        """endpoint_url: None for wherever the session's own configuration points
        only: the one region that may be called; any other, and what is global, raises OutOfBounds
        witness: told of every call
        timeouts: seconds, see PATIENT
        listings: what answers looks without a call, see ``listed``
        reach: what keeps from asking where nobody answers, see ``giving_up``
        """
        self._session = session
        self._endpoint_url = endpoint_url
        self._only = only
        self._witness = witness
        self._timeouts = timeouts
        self._listings = listings
        self._reach = reach
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=timeouts[0],
            read_timeout=timeouts[1],
            max_pool_connections=POOL,
            tcp_keepalive=True,
            user_agent_extra="drctl",
        )
        self._attempts = attempts
        self._clients: dict[tuple[str, str], BaseClient] = {}
        self._lock = threading.Lock()

    @cached_property
    def once(self) -> Aws:
        """The same door, whose clients never send a request twice: an answer that was lost is the engine's affair."""
        return self if self._attempts == 1 else self._like(attempts=1)

    @cached_property
    def brief(self) -> Aws:
        """The same door for looks that may remain without an answer: a region that is out costs seconds."""
        return self._like(attempts=2, timeouts=BRIEF)

    def witnessed(self, witness: Witness, only: str | None = None) -> Aws:
        """The same door, each call told to ``witness``; with ``only``, open to that region's own endpoints alone."""
        return self._like(witness=witness, only=only)

    def listed(self, environment: str) -> Aws:
        """The same door, for looking at a whole environment: many looks are answered by one list."""
        from drctl.aws.listing import Listings

        return Listings(environment, lambda listings: self._like(listings=listings)).aws

    def giving_up(self, now: Callable[[], float]) -> Aws:
        """The same door, which ends asking where nothing answers: for a run, which has an end. ``now``: its clock."""
        from drctl.aws.reach import Reach

        return self._like(reach=Reach(now))

    def _like(self, **changes: Any) -> Aws:
        """Another door of the same session, different in nothing but this."""
        given = {
            "attempts": self._attempts,
            "only": self._only,
            "witness": self._witness,
            "timeouts": self._timeouts,
            "listings": self._listings,
            "reach": self._reach,
        }
        return Aws(self._session, self._endpoint_url, **{**given, **changes})

    def identity(self, region: str) -> Identity:
        """Account and caller, from the STS of ``region`` (the global one lives in us-east-1).

        Raises botocore's NoCredentialsError or ClientError.
        """
        answer = self.sts(region).get_caller_identity()
        return Identity(answer["Account"], answer["Arn"], answer["Arn"].split(":")[1])

    def acm(self, region: str) -> ACMClient:
        return cast("ACMClient", self.client("acm", region))

    def application_autoscaling(self, region: str) -> ApplicationAutoScalingClient:
        return cast("ApplicationAutoScalingClient", self.client("application-autoscaling", region))

    def cloudfront(self) -> CloudFrontClient:
        return cast("CloudFrontClient", self.client("cloudfront", GLOBAL_REGION))

    def cloudwatch(self, region: str) -> CloudWatchClient:
        return cast("CloudWatchClient", self.client("cloudwatch", region))

    def dynamodb(self, region: str) -> DynamoDBClient:
        return cast("DynamoDBClient", self.client("dynamodb", region))

    def ec2(self, region: str) -> EC2Client:
        return cast("EC2Client", self.client("ec2", region))

    def ecs(self, region: str) -> ECSClient:
        return cast("ECSClient", self.client("ecs", region))

    def elbv2(self, region: str) -> ElasticLoadBalancingv2Client:
        return cast("ElasticLoadBalancingv2Client", self.client("elbv2", region))

    def events(self, region: str) -> EventBridgeClient:
        return cast("EventBridgeClient", self.client("events", region))

    def iam(self) -> IAMClient:
        return cast("IAMClient", self.client("iam", GLOBAL_REGION))

    def kms(self, region: str) -> KMSClient:
        return cast("KMSClient", self.client("kms", region))

    def lambda_(self, region: str) -> LambdaClient:
        return cast("LambdaClient", self.client("lambda", region))

    def logs(self, region: str) -> CloudWatchLogsClient:
        return cast("CloudWatchLogsClient", self.client("logs", region))

    def rds(self, region: str) -> RDSClient:
        return cast("RDSClient", self.client("rds", region))

    def route53(self) -> Route53Client:
        return cast("Route53Client", self.client("route53", GLOBAL_REGION))

    def s3(self, region: str) -> S3Client:
        return cast("S3Client", self.client("s3", region))

    def secretsmanager(self, region: str) -> SecretsManagerClient:
        return cast("SecretsManagerClient", self.client("secretsmanager", region))

    def service_quotas(self, region: str) -> ServiceQuotasClient:
        return cast("ServiceQuotasClient", self.client("service-quotas", region))

    def sns(self, region: str) -> SNSClient:
        return cast("SNSClient", self.client("sns", region))

    def sts(self, region: str) -> STSClient:
        return cast("STSClient", self.client("sts", region))

    def tagging(self, region: str) -> ResourceGroupsTaggingAPIClient:
        return cast("ResourceGroupsTaggingAPIClient", self.client("resourcegroupstaggingapi", region))

    def client(self, service: str, region: str) -> BaseClient:
        """The client of a service by its name. Raises OutOfBounds."""
        if self._only is not None and (region != self._only or service in GLOBAL_SERVICES):
            raise OutOfBounds(f"{service} in {region}: only {self._only} may be called")
        key = service, region
        client = self._clients.get(key)
        if client is None:
            with self._lock:
                client = self._clients.get(key) or self._make(service, region)
                self._clients[key] = client
        return client

    def _make(self, service: str, region: str) -> BaseClient:
        make = cast("Any", self._session.client)
        client: BaseClient = make(
            service, region_name=region, endpoint_url=self._endpoint_url, config=self._config
        )
        client.meta.events.register("before-parameter-build.*.*", _refuse_unknown)
        if self._witness is not None:
            _watch(client, self._witness)
        if self._reach is not None:
            self._reach.watch(client, "global" if service in GLOBAL_SERVICES else region)
        if self._listings is not None:
            from drctl.aws.listing import consult

            consult(client, self._listings)
        return client


def _watch(client: BaseClient, witness: Witness) -> None:
    """Tell of every call of this client, answered or not."""

    def before(model: Any, context: dict[str, Any], params: dict[str, Any], **_: object) -> None:
        context["drctl.call"] = model, params["url"], time.monotonic()

    def tell(context: dict[str, Any], status: int) -> None:
        if "drctl.call" not in context:
            return  # answered without one
        model, url, began = context["drctl.call"]
        endpoint = "/".join(url.split("/", 3)[:3])
        service, region = model.service_model.service_name, client.meta.region_name
        witness(ApiCall(service, model.name, region, endpoint, status, time.monotonic() - began, began))

    def answered(http_response: Any, context: dict[str, Any], **_: object) -> None:
        tell(context, http_response.status_code)

    def unanswered(context: dict[str, Any], **_: object) -> None:
        tell(context, 0)

    events = client.meta.events
    events.register("before-call.*.*", before)
    events.register("after-call.*.*", answered)
    events.register("after-call-error.*.*", unanswered)


def _refuse_unknown(params: dict[str, Any], model: Any, **_: object) -> None:
    """A plan must not send an id that is known only after ``up``: see drctl/engine/unknown.py."""
    if mentions_unknown(params):
        raise DependsOnUnknown(f"{model.name} needs an id that does not exist yet")
