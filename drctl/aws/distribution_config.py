"""CloudFront's settings of a distribution: how its parts are written down, and how two of them are compared.

UpdateDistribution demands more members than CreateDistribution and replaces the whole (developer guide, "Required
API fields for creating and updating distributions"), so every part is always written out in full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudfront.literals import MethodType
    from mypy_boto3_cloudfront.type_defs import (
        AliasesTypeDef,
        CacheBehaviorTypeDef,
        DefaultCacheBehaviorTypeDef,
        OriginGroupTypeDef,
        OriginTypeDef,
        ViewerCertificateTypeDef,
    )

CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
"""Developer guide, "Use managed cache policies"."""

ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
"""Developer guide, "Use managed origin request policies": all but Host, so that the origin's own certificate fits."""

READING: tuple[MethodType, ...] = ("GET", "HEAD", "OPTIONS")
"""All that an origin group's behaviour may allow: nothing else fails over (OriginGroup API reference)."""

ALL: tuple[MethodType, ...] = (*READING, "PUT", "POST", "PATCH", "DELETE")

FAILS_OVER_ON = (500, 502, 503, 504)
"""What an origin that is down, or a load balancer without tasks, answers; besides connections that fail."""


def server(id: str, domain_name: str, *, https: bool) -> OriginTypeDef:
    """A web server as an origin, spoken to over TLS 1.2 or, without a certificate, in clear."""
    return {
        **_origin(id, domain_name),
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only" if https else "http-only",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
            "OriginReadTimeout": 30,
            "OriginKeepaliveTimeout": 5,
        },
        "OriginAccessControlId": "",
    }


def bucket(id: str, domain_name: str, access_control_id: str) -> OriginTypeDef:
    """A private bucket as an origin, read through an origin access control."""
    return {
        **_origin(id, domain_name),
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": access_control_id,
    }


def _origin(id: str, domain_name: str) -> OriginTypeDef:
    return {
        "Id": id,
        "DomainName": domain_name,
        "OriginPath": "",
        "CustomHeaders": {"Quantity": 0},
        "ConnectionAttempts": 3,
        "ConnectionTimeout": 10,
        "OriginShield": {"Enabled": False},
    }


def group(id: str, primary: str, standby: str) -> OriginGroupTypeDef:
    """Two origins, the second asked when the first fails."""
    return {
        "Id": id,
        "FailoverCriteria": {"StatusCodes": {"Quantity": len(FAILS_OVER_ON), "Items": list(FAILS_OVER_ON)}},
        "Members": {"Quantity": 2, "Items": [{"OriginId": primary}, {"OriginId": standby}]},
    }


def behaviour(
    target: str, methods: Sequence[MethodType], *, cached: bool = False
) -> DefaultCacheBehaviorTypeDef:
    """What is done with requests for an origin or a group. Not ``cached``: passed on with all the viewer sent."""
    made: DefaultCacheBehaviorTypeDef = {
        "TargetOriginId": target,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {
            "Quantity": len(methods),
            "Items": list(methods),
            "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
        },
        "CachePolicyId": CACHING_OPTIMIZED if cached else CACHING_DISABLED,
        "Compress": True,
        "SmoothStreaming": False,
        "FieldLevelEncryptionId": "",
        "TrustedSigners": {"Enabled": False, "Quantity": 0},
        "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
        "LambdaFunctionAssociations": {"Quantity": 0},
        "FunctionAssociations": {"Quantity": 0},
    }
    if not cached:
        made["OriginRequestPolicyId"] = ALL_VIEWER_EXCEPT_HOST
    return made


def at(path: str, made: DefaultCacheBehaviorTypeDef) -> CacheBehaviorTypeDef:
    """A behaviour for the paths of a pattern."""
    return {"PathPattern": path, **made}


def names(aliases: Sequence[str]) -> AliasesTypeDef:
    """The names of its own that a distribution answers to."""
    return {"Quantity": len(aliases), "Items": list(aliases)} if aliases else {"Quantity": 0}


def viewer_certificate(arn: str | None) -> ViewerCertificateTypeDef:
    """A certificate of us-east-1, or CloudFront's own, which only fits names under cloudfront.net."""
    if arn is None:
        return {"CloudFrontDefaultCertificate": True}
    return {
        "CloudFrontDefaultCertificate": False,
        "ACMCertificateArn": arn,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }


def flat(config: Mapping[str, object]) -> dict[str, object]:
    """The settings by path, ``Origins.primary.DomainName``: members of lists by id or path pattern, since their order
    is CloudFront's affair; a list of plain values sorted."""
    found: dict[str, object] = {}
    for key, value in config.items():
        items = value.get("Items") if isinstance(value, Mapping) else None
        if isinstance(value, Mapping) and items and isinstance(items[0], Mapping):
            rest = {name: each for name, each in value.items() if name != "Items"}
            named = {_name(each, place): each for place, each in enumerate(items)}
            found |= {f"{key}.{path}": leaf for path, leaf in flat({**rest, **named}).items()}
        elif isinstance(value, Mapping):
            found |= {f"{key}.{path}": leaf for path, leaf in flat(value).items()}
        elif isinstance(value, (list, tuple)):
            found[key] = sorted(value)
        else:
            found[key] = value
    return found


def _name(item: Mapping[str, object], place: int) -> str:
    return str(item.get("Id") or item.get("PathPattern") or place)
