"""Origin access controls of CloudFront and the managed policies that every account has."""

from __future__ import annotations

from typing import Any

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.gaps.cloudfront import identifier, listing, page_of
from drctl.sim.registry import gap
from drctl.sim.world import World

CACHE_POLICIES = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6": "Managed-CachingOptimized",
    "b2884449-e4de-46a7-ac36-70bc7f1ddd6d": "Managed-CachingOptimizedForUncompressedObjects",
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": "Managed-CachingDisabled",
    "83da9c7e-98b4-4e11-a168-04f0df8e2c65": "UseOriginCacheControlHeaders",
    "4cc15a8a-d715-48a4-82b8-cc0b614638fe": "UseOriginCacheControlHeaders-QueryStrings",
}
"""Developer guide, "Use managed cache policies"."""

ORIGIN_REQUEST_POLICIES = {
    "216adef6-5c7f-47e4-b989-5492eafa07d3": "Managed-AllViewer",
    "b689b0a8-53d0-40ab-baf2-68738e2966ac": "Managed-AllViewerExceptHostHeader",
    "33f36d7e-f396-46d9-90e0-52428a34d9dc": "Managed-AllViewerAndCloudFrontHeaders-2022-06",
    "59781a5b-3903-41f3-afcb-af62929ccde1": "Managed-CORS-CustomOrigin",
    "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf": "Managed-CORS-S3Origin",
    "acba4595-bd28-49b8-b9fe-13317c0390fa": "Managed-UserAgentRefererHeaders",
}
"""Developer guide, "Use managed origin request policies"."""

RESPONSE_HEADERS_POLICIES = {
    "67f7725c-6f97-4210-82d7-5512b31e9d03": "Managed-SecurityHeadersPolicy",
    "60669652-455b-4ae9-85a4-c4c02393f86c": "Managed-SimpleCORS",
    "5cc3b908-e619-4b99-88e5-2cf7f45965bd": "Managed-CORS-With-Preflight",
    "e61eb60c-9c35-4d20-a928-2b84e02af89c": "Managed-CORS-and-SecurityHeadersPolicy",
    "eaab4381-ed33-4a86-88ca-d9558dc6cd63": "Managed-CORS-with-preflight-and-SecurityHeadersPolicy",
}
"""Developer guide, "Use managed response headers policies"."""


def access_controls(world: World) -> dict[tuple[str, str], dict[str, Any]]:
    """(account, id) -> ``config`` (the OriginAccessControlConfig) and ``etag``."""
    return world.section("cloudfront.access_controls")


def access_control_of(call: Call, world: World) -> dict[str, Any]:
    found = access_controls(world).get((call.account, call.params["Id"]))
    if found is None:
        raise Refused("NoSuchOriginAccessControl", "The specified origin access control does not exist.", 404)
    return found


def described(key: str, held: dict[str, Any]) -> Answer:
    return {
        "OriginAccessControl": {"Id": key, "OriginAccessControlConfig": held["config"]},
        "ETag": held["etag"],
    }


@gap("cloudfront", "CreateOriginAccessControl")
def create_origin_access_control(call: Call, world: World, moto: Moto) -> Answer:
    key = identifier()
    config = {"Description": "", **call.params["OriginAccessControlConfig"]}
    access_controls(world)[call.account, key] = {"config": config, "etag": identifier()}
    location = f"https://cloudfront.amazonaws.com/2020-05-31/origin-access-control/{key}"
    return {**described(key, access_controls(world)[call.account, key]), "Location": location}


@gap("cloudfront", "GetOriginAccessControl")
def get_origin_access_control(call: Call, world: World, moto: Moto) -> Answer:
    return described(call.params["Id"], access_control_of(call, world))


@gap("cloudfront", "GetOriginAccessControlConfig")
def get_origin_access_control_config(call: Call, world: World, moto: Moto) -> Answer:
    held = access_control_of(call, world)
    return {"OriginAccessControlConfig": held["config"], "ETag": held["etag"]}


@gap("cloudfront", "UpdateOriginAccessControl")
def update_origin_access_control(call: Call, world: World, moto: Moto) -> Answer:
    held = access_control_of(call, world)
    held |= {"config": {"Description": "", **call.params["OriginAccessControlConfig"]}, "etag": identifier()}
    return described(call.params["Id"], held)


@gap("cloudfront", "DeleteOriginAccessControl")
def delete_origin_access_control(call: Call, world: World, moto: Moto) -> Answer:
    access_control_of(call, world)
    del access_controls(world)[call.account, call.params["Id"]]
    return {}


@gap("cloudfront", "ListOriginAccessControls")
def list_origin_access_controls(call: Call, world: World, moto: Moto) -> Answer:
    keys = sorted(key for account, key in access_controls(world) if account == call.account)
    page, more = page_of(call, keys)
    items = [{"Id": key, **access_controls(world)[call.account, key]["config"]} for key in page]
    return {"OriginAccessControlList": listing(call, items, page, more)}
