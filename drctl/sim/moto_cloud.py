"""moto, called in process: requests are forwarded to it byte for byte, or made for it out of a Call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache, lru_cache
from io import BytesIO
from typing import Any

import moto.core.responses as moto_responses
import moto.core.utils as moto_time
from botocore import handlers
from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.serialize import create_serializer
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model import OperationModel
from moto.core.model_instances import reset_model_data
from moto.core.request import Request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from drctl.sim import models
from drctl.sim.call import Answer, Call
from drctl.sim.wire import Reply, read_answer

SERVICES = (
    *("ec2", "rds", "elbv2", "ecs", "application-autoscaling", "dynamodb", "s3", "kms", "secretsmanager"),
    *("iam", "sts", "route53", "cloudfront", "acm", "lambda", "events", "logs", "cloudwatch", "sns"),
    "service-quotas",
)
"""What drctl uses, and what is therefore loaded before it is asked for."""

_APP_MODULES = {"lambda": "awslambda"}

_S3_DELETABLE = frozenset(
    {
        *("cors", "encryption", "lifecycle", "ownershipControls", "policy", "publicAccessBlock"),
        *("replication", "tagging", "website"),
    }
)
_S3_WRITABLE = _S3_DELETABLE | {
    *("accelerate", "acl", "inventory", "legal-hold", "logging", "notification", "object-lock"),
    *("retention", "versioning"),
}
_S3_SUBRESOURCES = {
    "GET": _S3_WRITABLE | {"attributes", "list-type", "location", "policyStatus", "uploads", "versions"},
    "PUT": _S3_WRITABLE,
    "DELETE": _S3_DELETABLE,
    "POST": frozenset({"delete", "restore", "select", "select-type", "uploads"}),
}
"""What moto reads after the ``?``. Any other it does not see, and takes PUT ?metrics for CreateBucket and
DELETE ?metrics for DeleteBucket (moto.s3.responses)."""

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class NotInMoto(Exception):
    """moto does not implement the operation, and no gap of ours does."""


def follow(now: Callable[[], float]) -> None:
    """Let moto date what it makes by this clock (seconds since the epoch).

    Modules of moto take ``utcnow`` by name when they are imported: call this before any service is.
    """
    moto_time.utcnow = lambda: datetime.fromtimestamp(now(), UTC).replace(tzinfo=None)


class MotoCrashed(Exception):
    """moto answered with a failure of its own, which is none of AWS's."""


class MotoCloud:
    """All of moto's backends. Not atomic by itself: whoever calls holds the simulator's lock."""

    def __init__(self) -> None:
        # A function runs in no container here: invoking is the world's business.
        default_user_config["lambda"] = {"use_docker": False}
        # Hundreds of machine images in each region, which nobody asks for and every snapshot would have to hold.
        os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
        # moto lists the methods of a service's class at every request: a third of the time of one to EC2.
        moto_responses.method_names_from_class = cache(  # type: ignore[attr-defined]
            moto_responses.method_names_from_class  # type: ignore[attr-defined]
        )
        self._dispatcher = DomainDispatcherApplication(create_backend_app)
        self._apps: dict[str, WsgiApp] = {}

    def preload(self, service: str) -> None:
        """Import a service's modules and build its routes, which otherwise its first request would pay for."""
        models.service_model(service)
        if service not in self._apps:
            name = _APP_MODULES.get(service, service.replace("-", ""))
            self._apps[service] = create_backend_app(name)  # type: ignore[arg-type]

    def forward(self, operation: OperationModel, environ: dict[str, Any], body: bytes) -> Reply:
        """moto's answer to this very request. Raises NotInMoto, MotoCrashed, or what moto crashed with."""
        service = operation.service_model.service_name
        if service == "s3":
            _refuse_unseen_subresource(operation)
        environ = {
            **environ,
            "wsgi.input": BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
        }
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ.pop("wsgi.input_terminated", None)
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            started[:] = [int(status.split(" ", 1)[0]), headers]

        try:
            chunks = self._app(service, environ)(environ, start_response)
            content = b"".join(chunks)
        except NotImplementedError as error:
            raise NotInMoto(str(error)) from error
        status, headers = started
        reply = Reply(status, [(str(name), str(value)) for name, value in headers], content)
        if _is_no_route(reply, environ["REQUEST_METHOD"]):
            raise NotInMoto(f"moto has no route for {environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        if status >= 500:
            raise MotoCrashed(f"{status} {content[:200].decode(errors='replace')}")
        return reply

    def call(self, call: Call) -> Answer:
        """Run a call as if boto3 had sent it; this is the ``Moto`` that gaps, afters and events are given.

        Raises Refused with moto's code and message, NotInMoto, and botocore's ParamValidationError.
        """
        operation = models.operation_model(call.service, call.operation)
        protocol = str(operation.service_model.resolved_protocol)
        params = dict(call.params)
        if call.service == "route53":
            handlers.fix_route53_ids(params, operation)
        request_dict = _botocore_serializer(protocol).serialize_to_request(params, operation)
        prepare_request_dict(request_dict, endpoint_url="http://127.0.0.1", context={})
        prepared = create_request_object(request_dict).prepare()
        scope = f"{call.region}/{models.signing_name(call.service)}"
        prepared.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential=simulator/20260101/{scope}/aws4_request, "
            "SignedHeaders=host, Signature=0"
        )
        prepared.headers["x-moto-account-id"] = call.account
        request = Request.from_primitives(prepared.method, prepared.url, prepared.headers, prepared.body)
        body = request.get_data()
        return read_answer(operation, protocol, self.forward(operation, request.environ, body))

    def account_of(self, access_key: str) -> str:
        """The account whose IAM or STS made the key; moto's default account for any other."""
        from moto.iam.models import get_account_id_from

        return get_account_id_from(access_key)

    def reset(self) -> None:
        """Forget everything."""
        BackendDict.reset()
        reset_model_data()

    def _app(self, service: str, environ: dict[str, Any]) -> WsgiApp:
        app = self._apps.get(service)
        if app is None:
            try:
                app = self._dispatcher.get_application(environ)
            except (AttributeError, KeyError, ImportError, RuntimeError) as error:
                raise NotInMoto(f"moto has no service {service}") from error
            self._apps[service] = app
        return app


def _refuse_unseen_subresource(operation: OperationModel) -> None:
    trait = operation.http_trait
    unseen = set(trait.query_args) - _S3_SUBRESOURCES.get(trait.method, frozenset())
    if unseen:
        raise NotInMoto(f"moto does not read {trait.method} ?{', '.join(sorted(unseen))}")


def _is_no_route(reply: Reply, method: str) -> bool:
    """AWS answers no request with a page of HTML, nor with an empty 404 unless to HEAD."""
    if reply.status not in (404, 405, 500):
        return False
    if not reply.body:
        return method != "HEAD"
    return reply.body[:15].lower().startswith((b"<!doctype html", b"<html"))


@lru_cache(maxsize=16)
def _botocore_serializer(protocol: str) -> Any:
    return create_serializer(protocol, include_validation=True)
