"""CloudFront distributions, kept in the world instead of moto.

moto knows no origin group as a target, drops access controls, never changes an ETag and is Deployed at once.
``distributions(world)`` is what an edge reads.
"""

from __future__ import annotations

import copy
import string
from datetime import UTC, datetime
from typing import Any

from moto.moto_api._internal import mock_random

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.moto_cloud import NotInMoto
from drctl.sim.registry import gap
from drctl.sim.world import World

KIND = "distribution"
"""The world's name for a distribution in transition."""

NONE_OF_THEM = {"Quantity": 0}
UNTRUSTED = {"Enabled": False, "Quantity": 0}
READING = {"Quantity": 2, "Items": ["HEAD", "GET"]}


def distributions(world: World) -> dict[tuple[str, str], dict[str, Any]]:
    """(account, id) -> ``arn``, ``domain``, ``config`` (the complete DistributionConfig), ``etag``, ``modified``
    (simulated seconds), ``tags``."""
    return world.section("cloudfront.distributions")


def distribution_of(call: Call, world: World) -> dict[str, Any]:
    found = distributions(world).get((call.account, call.params["Id"]))
    if found is None:
        raise Refused("NoSuchDistribution", "The specified distribution does not exist.", 404)
    return found


def requested_config(call: Call) -> dict[str, Any]:
    """The settings of a create or an update."""
    holder = call.params.get("DistributionConfigWithTags", call.params)
    return dict(holder["DistributionConfig"])


def identifier(length: int = 14) -> str:
    return "E" + "".join(mock_random.choices(string.ascii_uppercase + string.digits, k=length - 1))


def complete(config: dict[str, Any]) -> dict[str, Any]:
    """The settings with CloudFront's own defaults, as every later answer shows them."""
    full: dict[str, Any] = {
        "Aliases": NONE_OF_THEM,
        "DefaultRootObject": "",
        "OriginGroups": NONE_OF_THEM,
        "CacheBehaviors": NONE_OF_THEM,
        "CustomErrorResponses": NONE_OF_THEM,
        "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
        "PriceClass": "PriceClass_All",
        "ViewerCertificate": {
            "CloudFrontDefaultCertificate": True,
            "SSLSupportMethod": "vip",
            "MinimumProtocolVersion": "TLSv1",
            "CertificateSource": "cloudfront",
        },
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        "WebACLId": "",
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        "ContinuousDeploymentPolicyId": "",
        "Staging": False,
    }
    full = copy.deepcopy(full) | copy.deepcopy(config)
    full["Origins"]["Items"] = [complete_origin(origin) for origin in full["Origins"]["Items"]]
    full["DefaultCacheBehavior"] = complete_behaviour(full["DefaultCacheBehavior"])
    if full["CacheBehaviors"].get("Items"):
        full["CacheBehaviors"]["Items"] = [complete_behaviour(one) for one in full["CacheBehaviors"]["Items"]]
    certificate = full["ViewerCertificate"].get("ACMCertificateArn")
    if certificate:
        full["ViewerCertificate"] = {
            "CloudFrontDefaultCertificate": False,
            "MinimumProtocolVersion": "TLSv1",
            **full["ViewerCertificate"],
            "Certificate": certificate,
            "CertificateSource": "acm",
        }
    return full


def complete_origin(origin: dict[str, Any]) -> dict[str, Any]:
    full: dict[str, Any] = {
        "OriginPath": "",
        "CustomHeaders": dict(NONE_OF_THEM),
        "ConnectionAttempts": 3,
        "ConnectionTimeout": 10,
        "OriginShield": {"Enabled": False},
        "OriginAccessControlId": "",
        **origin,
    }
    if "CustomOriginConfig" in full:
        full["CustomOriginConfig"] = {
            "OriginSslProtocols": {"Quantity": 3, "Items": ["TLSv1", "TLSv1.1", "TLSv1.2"]},
            "OriginReadTimeout": 30,
            "OriginKeepaliveTimeout": 5,
            **full["CustomOriginConfig"],
        }
    return full


def complete_behaviour(behaviour: dict[str, Any]) -> dict[str, Any]:
    return {
        "TrustedSigners": dict(UNTRUSTED),
        "TrustedKeyGroups": dict(UNTRUSTED),
        "SmoothStreaming": False,
        "Compress": False,
        "LambdaFunctionAssociations": dict(NONE_OF_THEM),
        "FunctionAssociations": dict(NONE_OF_THEM),
        "FieldLevelEncryptionId": "",
        **behaviour,
        "AllowedMethods": {"CachedMethods": dict(READING), **READING, **behaviour.get("AllowedMethods", {})},
    }


@gap("cloudfront", "CreateDistribution", "CreateDistributionWithTags")
def create_distribution(call: Call, world: World, moto: Moto) -> Answer:
    key = identifier()
    tags = call.params.get("DistributionConfigWithTags", {}).get("Tags", {}).get("Items", [])
    distributions(world)[call.account, key] = {
        "arn": f"arn:aws:cloudfront::{call.account}:distribution/{key}",
        "domain": f"d{''.join(mock_random.choices(string.ascii_lowercase + string.digits, k=13))}.cloudfront.net",
        "config": complete(requested_config(call)),
        "etag": identifier(),
        "modified": world.now,
        "tags": {tag["Key"]: tag.get("Value", "") for tag in tags},
    }
    world.begin(KIND, key, "InProgress", DURATIONS["distribution"].ready)
    return {
        **described(call, world, key),
        "Location": f"https://cloudfront.amazonaws.com/2020-05-31/distribution/{key}",
    }


def described(call: Call, world: World, key: str) -> Answer:
    held = distributions(world)[call.account, key]
    return {
        "Distribution": {
            **facts(world, key, held),
            "InProgressInvalidationBatches": 0,
            "ActiveTrustedSigners": UNTRUSTED,
            "ActiveTrustedKeyGroups": UNTRUSTED,
            "DistributionConfig": held["config"],
        },
        "ETag": held["etag"],
    }


def facts(world: World, key: str, held: dict[str, Any]) -> Answer:
    return {
        "Id": key,
        "ARN": held["arn"],
        "Status": world.status(KIND, key) or "Deployed",
        "LastModifiedTime": datetime.fromtimestamp(held["modified"], tz=UTC),
        "DomainName": held["domain"],
    }


@gap("cloudfront", "GetDistribution")
def get_distribution(call: Call, world: World, moto: Moto) -> Answer:
    distribution_of(call, world)
    return described(call, world, call.params["Id"])


@gap("cloudfront", "GetDistributionConfig")
def get_distribution_config(call: Call, world: World, moto: Moto) -> Answer:
    held = distribution_of(call, world)
    return {"DistributionConfig": held["config"], "ETag": held["etag"]}


@gap("cloudfront", "UpdateDistribution")
def update_distribution(call: Call, world: World, moto: Moto) -> Answer:
    held = distribution_of(call, world)
    config = complete(requested_config(call))
    disabling = held["config"]["Enabled"] and not config["Enabled"]
    duration = DURATIONS["distribution"]
    held |= {"config": config, "etag": identifier(), "modified": world.now}
    world.begin(KIND, call.params["Id"], "InProgress", duration.gone if disabling else duration.ready)
    return described(call, world, call.params["Id"])


@gap("cloudfront", "DeleteDistribution")
def delete_distribution(call: Call, world: World, moto: Moto) -> Answer:
    distribution_of(call, world)
    del distributions(world)[call.account, call.params["Id"]]
    return {}


@gap("cloudfront", "ListDistributions")
def list_distributions(call: Call, world: World, moto: Moto) -> Answer:
    keys = sorted(key for account, key in distributions(world) if account == call.account)
    page, more = page_of(call, keys)
    items = []
    for key in page:
        held = distributions(world)[call.account, key]
        shown = {name: held["config"][name] for name in SUMMARISED}
        items.append({**facts(world, key, held), **shown, "ETag": held["etag"]})
    return {"DistributionList": listing(call, items, page, more)}


SUMMARISED = (
    *("Aliases", "Origins", "OriginGroups", "DefaultCacheBehavior", "CacheBehaviors", "CustomErrorResponses"),
    *("Comment", "PriceClass", "Enabled", "ViewerCertificate", "Restrictions", "WebACLId", "HttpVersion"),
    *("IsIPV6Enabled", "Staging"),
)
"""What a DistributionSummary has of the settings; the caller reference is not among it."""


def page_of(call: Call, keys: list[str]) -> tuple[list[str], bool]:
    """The ids after Marker, at most MaxItems, and whether more follow."""
    rest = [key for key in keys if key > call.params.get("Marker", "")]
    size = int(call.params.get("MaxItems", 100))
    return rest[:size], len(rest) > size


def listing(call: Call, items: list[Answer], page: list[str], more: bool) -> Answer:
    answer: Answer = {
        "Marker": call.params.get("Marker", ""),
        "MaxItems": int(call.params.get("MaxItems", 100)),
        "IsTruncated": more,
        "Quantity": len(items),
    }
    if items:
        answer["Items"] = items
    if more:
        answer["NextMarker"] = page[-1]
    return answer


@gap("cloudfront", "CreateInvalidation", "GetInvalidation", "ListInvalidations")
def unknown_to_moto(call: Call, world: World, moto: Moto) -> Answer:
    """moto would say that the distribution does not exist, because it is not moto's."""
    raise NotInMoto("distributions of the simulator are not moto's")


def tags_of(call: Call, world: World) -> dict[str, str]:
    for held in distributions(world).values():
        if held["arn"] == call.params["Resource"]:
            tags: dict[str, str] = held["tags"]
            return tags
    raise Refused("NoSuchResource", f"Resource not found: {call.params['Resource']}", 404)


@gap("cloudfront", "ListTagsForResource")
def list_tags(call: Call, world: World, moto: Moto) -> Answer:
    items = [{"Key": key, "Value": value} for key, value in tags_of(call, world).items()]
    return {"Tags": {"Items": items}}


@gap("cloudfront", "TagResource")
def tag_resource(call: Call, world: World, moto: Moto) -> Answer:
    tags_of(call, world).update({tag["Key"]: tag.get("Value", "") for tag in call.params["Tags"]["Items"]})
    return {}


@gap("cloudfront", "UntagResource")
def untag_resource(call: Call, world: World, moto: Moto) -> Answer:
    for key in call.params["TagKeys"].get("Items", []):
        tags_of(call, world).pop(key, None)
    return {}
