"""Which service, operation and region a request is for, read as AWS reads it: from signature and shape."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from moto.core.model import OperationModel
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import ServiceOperationRouter
from werkzeug.exceptions import HTTPException

from drctl.sim import models

CREDENTIAL = re.compile(r"Credential=([^/\s,]+)/\d{8}/([^/\s,]+)/([^/\s,]+)/aws4_request")

SERVICE_OF_SIGNING_NAME = {
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
    "email": "ses",
    "tagging": "resourcegroupstaggingapi",
    "states": "stepfunctions",
}
"""Only where the name in a signature is not the name of the service in botocore."""

GLOBAL_SERVICES = frozenset({"iam", "route53", "cloudfront"})
"""Their control planes live in us-east-1, whatever region the client signed for."""


class Unidentified(Exception):
    """No operation of any service known to botocore answers to this request."""


@dataclass(frozen=True)
class Target:
    """What a request is for, and what is needed to read it and to answer it."""

    service: str
    operation: OperationModel
    protocol: str
    region: str
    access_key: str
    uri_params: dict[str, Any]

    @property
    def name(self) -> str:
        """The operation's name in the model, e.g. ``CreateVpc``."""
        return str(self.operation.name)


_routers: dict[str, ServiceOperationRouter] = {}


def identify(request: Request) -> Target:
    """Raises Unidentified, with a sentence that says what was missing."""
    access_key, region, signing_name = _credential(request)
    service = _service(request, signing_name)
    router = _routers.get(service)
    if router is None:
        try:
            router = _routers[service] = ServiceOperationRouter(models.service_model(service))
        except models.UnknownService as error:
            raise Unidentified(f"no service signs as {signing_name}") from error
    try:
        operation, uri_params = router.match(request)
        protocol = determine_request_protocol(models.service_model(service), request.content_type)
    except (HTTPException, NotImplementedError) as error:
        raise Unidentified(f"{service} has no operation for {request.method} {request.path}") from error
    if service in GLOBAL_SERVICES:
        region = "us-east-1"
    return Target(service, operation, protocol, region, access_key, uri_params)


def _credential(request: Request) -> tuple[str, str, str]:
    """Access key, region and signing name out of the credential scope, in the header or in a presigned URL."""
    found = CREDENTIAL.search(request.headers.get("Authorization", ""))
    if found is None and "X-Amz-Credential" in request.args:
        found = CREDENTIAL.search("Credential=" + unquote(request.args["X-Amz-Credential"]))
    if found is not None:
        return found[1], found[2], found[3]
    # What may be called without a signature: STS with a web identity, and public objects.
    if request.form.get("Action", "").startswith("AssumeRoleWith"):
        return "", "us-east-1", "sts"
    return "", "us-east-1", "s3"


def _service(request: Request, signing_name: str) -> str:
    if signing_name == "dynamodb" and request.headers.get("X-Amz-Target", "").startswith("DynamoDBStreams"):
        return "dynamodbstreams"
    if signing_name == "elasticloadbalancing" and request.values.get("Version") == "2012-06-01":
        return "elb"
    if signing_name == "s3" and request.path.startswith("/v20180820/"):
        return "s3control"
    return SERVICE_OF_SIGNING_NAME.get(signing_name, signing_name)
