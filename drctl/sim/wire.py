"""Between bytes on the wire and the dictionaries a caller of boto3 writes and reads, for every protocol."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from uuid import uuid4
from xml.etree import ElementTree

from botocore import handlers
from botocore.awsrequest import HeadersDict
from botocore.model import Shape
from botocore.parsers import ResponseParser, create_parser
from botocore.utils import parse_timestamp
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS, UNDEFINED, RequestParser
from moto.core.request import Request
from moto.core.serialize import ResponseSerializer, SerializationContext, get_serializer_class

from drctl.sim.call import Answer, Refused
from drctl.sim.identify import Target


@dataclass(frozen=True)
class Reply:
    """An HTTP response, complete."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def read_params(target: Target, request: Request) -> dict[str, Any]:
    """The parameters as the caller of boto3 wrote them; what was not sent is not there.

    Raises Refused when the request is malformed.
    """
    parser = _request_parser(target.operation, target.protocol)
    try:
        params: dict[str, Any] = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data,
                "url_path": request.path,
                "url_params": target.uri_params,
            }
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise Refused("SerializationException", f"{target.name} cannot be read: {error}") from error
    shape = target.operation.input_shape
    if shape is not None and target.protocol.startswith("rest"):
        _drop_unsent(params, shape)
    if target.service == "s3" and "Metadata" in params:
        # User metadata are headers, which lose their case on the way: S3 stores them in lower case.
        params["Metadata"] = {key.lower(): value for key, value in params["Metadata"].items()}
    return params


def read_answer(operation: OperationModel, protocol: str, reply: Reply) -> Answer:
    """The answer as boto3 returns it, without ResponseMetadata. Raises Refused when it is an error."""
    shape = operation.output_shape
    response = {"headers": HeadersDict(reply.headers), "status_code": reply.status, "body": reply.body}
    answer: Answer = _response_parser(protocol).parse(response, shape)  # type: ignore[arg-type] # None is fine
    answer.pop("ResponseMetadata", None)
    if reply.status >= 300:
        error = answer.pop("Error", {})
        known = {key: value for key, value in answer.items() if key not in ("message", "Message")}
        raise Refused(str(error.get("Code", reply.status)), error.get("Message", ""), reply.status, known)
    decode = _DECODERS.get((operation.service_model.service_name, str(operation.name)))
    if decode is not None:
        decode(answer, reply)
    elif operation.service_model.service_name == "iam" and shape is not None:
        handlers.json_decode_policies(answer, operation)
    return answer


def write_answer(target: Target, answer: Answer) -> Reply:
    """Raises whatever moto's serializer raises on an answer that does not fit the model."""
    name = target.name
    if target.service == "iam" and target.operation.output_shape is not None:
        answer = _quote_policies(answer, target.operation.output_shape)
    elif target.service == "s3" and name in _S3_URL_ENCODED and answer.get("EncodingType") == "url":
        answer = _url_encode(answer, *_S3_URL_ENCODED[name])
    return _reply(_serializer(target.operation, target.protocol).serialize(answer), None)


def write_error(target: Target, refused: Refused) -> Reply:
    """The error in the shape of the service's protocol, under the status that AWS gives it."""
    serializer = _serializer(target.operation, target.protocol)
    # 400 is Refused's default; where the model knows better (a 404, a 412) the model decides.
    status = None if refused.status == 400 else refused.status
    return _reply(serializer.serialize(_WireError(refused)), status)


class _WireError(Exception):
    """What moto's serializers take for an error: attributes named as the members of the error's shape."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message)
        self.code = refused.code
        self.message = refused.message
        for name, value in refused.members.items():
            setattr(self, name, value)


def _reply(serialized: Any, status: int | None) -> Reply:
    body = serialized["body"]
    request_id = str(uuid4())
    headers = [(name, str(value)) for name, value in serialized["headers"].items()]
    headers.append(("x-amzn-RequestId", request_id))
    return Reply(
        status or int(serialized["status_code"]), headers, body.encode() if isinstance(body, str) else body
    )


@lru_cache(maxsize=4096)
def _request_parser(operation: OperationModel, protocol: str) -> RequestParser:
    return PROTOCOL_PARSERS[protocol](operation, timestamp_parser=_aware_timestamp)


@lru_cache(maxsize=16)
def _response_parser(protocol: str) -> ResponseParser:
    return create_parser(protocol)


def _serializer(operation: OperationModel, protocol: str) -> ResponseSerializer:
    # Not shared: a serializer that raised keeps the path it was on.
    kind = get_serializer_class(operation.service_model.service_name, protocol)
    return kind(operation, SerializationContext(str(uuid4())))


def _aware_timestamp(value: Any) -> datetime:
    return parse_timestamp(value).astimezone(UTC)


def _drop_unsent(params: dict[str, Any], shape: Any) -> None:
    """moto's REST parsers leave an empty list, map or None for what a URL or a header did not say."""
    for name in [name for name, value in params.items() if value in (None, [], {}) or value is UNDEFINED]:
        if params[name] is UNDEFINED or "location" in shape.members[name].serialization:
            del params[name]


def _quote_policies(value: Any, shape: Shape) -> Any:
    """IAM sends policy documents as URL-encoded JSON, and botocore shows them as dictionaries."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = shape.members  # type: ignore[attr-defined]
        return {
            key: _quote_policies(item, members[key]) if key in members else item
            for key, item in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_quote_policies(item, shape.member) for item in value]  # type: ignore[attr-defined]
    if shape.name == "policyDocumentType" and isinstance(value, dict):
        return quote(json.dumps(value), safe="")
    return value


# Answers to a list request with EncodingType=url, which botocore always asks for: which members are
# encoded. "EncodingType" in the Amazon S3 API reference, as read by botocore.handlers.
_S3_URL_ENCODED: dict[str, tuple[tuple[str, ...], tuple[tuple[str, str], ...]]] = {
    "ListObjects": (
        ("Delimiter", "Marker", "NextMarker"),
        (("Contents", "Key"), ("CommonPrefixes", "Prefix")),
    ),
    "ListObjectsV2": (
        ("Delimiter", "Prefix", "StartAfter"),
        (("Contents", "Key"), ("CommonPrefixes", "Prefix")),
    ),
    "ListObjectVersions": (
        ("KeyMarker", "NextKeyMarker", "Prefix", "Delimiter"),
        (("Versions", "Key"), ("DeleteMarkers", "Key"), ("CommonPrefixes", "Prefix")),
    ),
}


def _url_encode(answer: Answer, top: tuple[str, ...], nested: tuple[tuple[str, str], ...]) -> Answer:
    encoded = dict(answer)
    for key in top:
        if isinstance(encoded.get(key), str):
            encoded[key] = quote(encoded[key], safe="/")
    for group, key in nested:
        if group in encoded:
            encoded[group] = [
                {**member, key: quote(member[key], safe="/")} if key in member else member
                for member in encoded[group]
            ]
    return encoded


def _s3_list_decoder(decode: Callable[..., None]) -> Callable[[Answer, Reply], None]:
    def decode_keys(answer: Answer, _: Reply) -> None:
        decode(answer, {"encoding_type_auto_set": True})

    return decode_keys


def _bucket_location(answer: Answer, reply: Reply) -> None:
    answer["LocationConstraint"] = ElementTree.fromstring(reply.body).text  # noqa: S314 - moto's own answer


_DECODERS: dict[tuple[str, str], Callable[[Answer, Reply], None]] = {
    ("s3", "ListObjects"): _s3_list_decoder(handlers.decode_list_object),
    ("s3", "ListObjectsV2"): _s3_list_decoder(handlers.decode_list_object_v2),
    ("s3", "ListObjectVersions"): _s3_list_decoder(handlers.decode_list_object_versions),
    ("s3", "GetBucketLocation"): _bucket_location,
}
