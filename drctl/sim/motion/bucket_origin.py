"""A bucket as an origin of the edge: objects, for distributions that the bucket's policy lets read them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from moto.s3.models import FakeKey, s3_backends

from drctl.sim.motion import outage
from drctl.sim.motion.http import Request, Response
from drctl.sim.world import World

DENIED = Response(403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>")
"""Also for a key that is not there, because a distribution may not list (S3 API reference, GetObject)."""

ABSENT = Response(404, {"Content-Type": "application/xml"}, b"<Error><Code>NoSuchBucket</Code></Error>")


def answer(
    world: World, distribution: dict[str, Any], origin: dict[str, Any], request: Request
) -> Response | None:
    """What S3 answers the edge; None: the bucket's region is out.

    distribution, origin: as ``gaps.cloudfront.distributions`` holds them
    """
    account = distribution["arn"].split(":")[4]
    name = origin["DomainName"].partition(".s3.")[0].partition(".s3-")[0]
    bucket = s3_backends[account]["aws"].buckets.get(name)
    if bucket is None:
        return ABSENT
    if outage.is_out(world, bucket.region_name):
        return None
    if not origin.get("OriginAccessControlId") or not _may_read(bucket, distribution["arn"]):
        return DENIED
    key = unquote((origin.get("OriginPath", "") + request.route).lstrip("/"))
    held = bucket.keys.get(key)
    if not isinstance(held, FakeKey):  # a delete marker is none
        return DENIED
    kind = str(held.metadata.get("Content-Type") or "binary/octet-stream")
    return Response(200, {"Content-Type": kind, "ETag": str(held.etag)}, held.value)


def _may_read(bucket: Any, distribution: str) -> bool:
    """CloudFront developer guide, "Restrict access to an Amazon S3 origin": the service, and for which distribution."""
    statements = json.loads(bucket.policy)["Statement"] if bucket.policy else []
    return any(
        statement["Effect"] == "Allow"
        and "cloudfront.amazonaws.com" in json.dumps(statement["Principal"])
        and any(action in ("s3:GetObject", "s3:*") for action in _listed(statement["Action"]))
        and _only_for(statement) in (distribution, None)
        for statement in statements
    )


def _only_for(statement: dict[str, Any]) -> str | None:
    for condition in statement.get("Condition", {}).values():
        for key, value in condition.items():
            if key.lower() == "aws:sourcearn":
                return str(value)
    return None


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
