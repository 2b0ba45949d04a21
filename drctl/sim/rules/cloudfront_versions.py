"""In which state and version CloudFront lets a thing be changed or deleted."""

from __future__ import annotations

from typing import Any

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.cloudfront import KIND, distribution_of, distributions, requested_config
from drctl.sim.gaps.cloudfront_access_controls import access_control_of, access_controls
from drctl.sim.registry import rule
from drctl.sim.world import World


def require_version(call: Call, held: dict[str, Any]) -> None:
    if not call.params.get("IfMatch"):
        raise Refused(
            "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource."
        )
    if call.params["IfMatch"] != held["etag"]:
        raise Refused(
            "PreconditionFailed",
            "The request failed because it didn't meet the preconditions in one or more request-header fields.",
            412,
        )


@rule(
    "cloudfront",
    "UpdateDistribution",
    "DeleteDistribution",
    source="UpdateDistribution API reference: InvalidIfMatchVersion, PreconditionFailed",
)
def distribution_is_the_version_read(call: Call, world: World) -> None:
    require_version(call, distribution_of(call, world))


@rule(
    "cloudfront",
    "UpdateOriginAccessControl",
    "DeleteOriginAccessControl",
    source="DeleteOriginAccessControl API reference: InvalidIfMatchVersion, PreconditionFailed",
)
def access_control_is_the_version_read(call: Call, world: World) -> None:
    require_version(call, access_control_of(call, world))


@rule(
    "cloudfront",
    "UpdateDistribution",
    source="IllegalUpdate; UpdateDistribution API reference: CallerReference cannot be changed",
)
def caller_reference_is_for_life(call: Call, world: World) -> None:
    before = distribution_of(call, world)["config"]["CallerReference"]
    if requested_config(call)["CallerReference"] != before:
        raise Refused("IllegalUpdate", "The update contains modifications that are not allowed.")


@rule(
    "cloudfront",
    "DeleteDistribution",
    source='DistributionNotDisabled "The distribution you are trying to delete has not been disabled."',
)
def only_a_disabled_and_deployed_distribution_goes(call: Call, world: World) -> None:
    held = distribution_of(call, world)
    if held["config"]["Enabled"] or world.status(KIND, call.params["Id"]) is not None:
        raise Refused(
            "DistributionNotDisabled",
            "The distribution you are trying to delete has not been disabled.",
            409,
        )


@rule(
    "cloudfront",
    "CreateOriginAccessControl",
    "UpdateOriginAccessControl",
    source="OriginAccessControlAlreadyExists",
)
def access_control_name_is_unique(call: Call, world: World) -> None:
    name = call.params["OriginAccessControlConfig"]["Name"]
    for (account, key), held in access_controls(world).items():
        if account == call.account and key != call.params.get("Id") and held["config"]["Name"] == name:
            raise Refused(
                "OriginAccessControlAlreadyExists",
                "An origin access control with the specified parameters already exists.",
                409,
            )


@rule("cloudfront", "DeleteOriginAccessControl", source="OriginAccessControlInUse")
def access_control_in_use_stays(call: Call, world: World) -> None:
    wanted = access_control_of(call, world) and call.params["Id"]
    for (account, _), held in distributions(world).items():
        used = {origin["OriginAccessControlId"] for origin in held["config"]["Origins"]["Items"]}
        if account == call.account and wanted in used:
            raise Refused(
                "OriginAccessControlInUse",
                "Cannot delete the origin access control because it's in use by one or more distributions.",
                409,
            )


UPDATE_NEEDS = (
    *("Aliases", "DefaultRootObject", "CacheBehaviors", "CustomErrorResponses", "Logging", "PriceClass"),
    *("ViewerCertificate", "Restrictions", "WebACLId", "HttpVersion"),
)
BEHAVIOUR_NEEDS = {
    "AllowedMethods": "Allowed methods",
    "SmoothStreaming": "Smooth streaming",
    "Compress": "Compress",
    "LambdaFunctionAssociations": "Lambda function associations",
    "FieldLevelEncryptionId": "Field level encryption id",
}


@rule(
    "cloudfront",
    "UpdateDistribution",
    source='Developer guide, "Required API fields for creating and updating distributions"; IllegalUpdate '
    '"OriginReadTimeout is required for updates."; InvalidArgument "The parameter ... is required."',
)
def an_update_repeats_everything(call: Call, world: World) -> None:
    """An update replaces the whole configuration: it must hold what a create may leave out."""
    config = requested_config(call)
    for name in UPDATE_NEEDS:
        if name not in config:
            raise Refused("IllegalUpdate", f"{name} is required for updates.")
    for origin in config["Origins"]["Items"]:
        for name in ("OriginPath", "CustomHeaders"):
            if name not in origin:
                raise Refused("IllegalUpdate", f"{name} is required for updates.")
        for name in ("OriginSslProtocols", "OriginReadTimeout", "OriginKeepaliveTimeout"):
            if name not in origin.get("CustomOriginConfig", {name: None}):
                raise Refused("IllegalUpdate", f"{name} is required for updates.")
    for behaviour in [config["DefaultCacheBehavior"], *config["CacheBehaviors"].get("Items", [])]:
        for name, words in BEHAVIOUR_NEEDS.items():
            if name not in behaviour:
                raise Refused("InvalidArgument", f"The parameter {words} is required.")
