"""What CloudFront refuses in the settings of a distribution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.acm.models import acm_backends
from moto.s3.models import s3_backends

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.cloudfront import distributions, requested_config
from drctl.sim.gaps.cloudfront_access_controls import (
    CACHE_POLICIES,
    ORIGIN_REQUEST_POLICIES,
    RESPONSE_HEADERS_POLICIES,
    access_controls,
)
from drctl.sim.registry import rule
from drctl.sim.world import World

CREATING = ("CreateDistribution", "CreateDistributionWithTags")
SETTING = (*CREATING, "UpdateDistribution")
WRITING = {"POST", "PUT", "PATCH", "DELETE"}
METHODS = ({"GET", "HEAD"}, {"GET", "HEAD", "OPTIONS"}, {"GET", "HEAD", "OPTIONS"} | WRITING)
FAILOVER_CODES = {400, 403, 404, 416, 429, 500, 502, 503, 504}
CERTIFICATE_HELP = (
    "For more details, see: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html"
)


def behaviours(config: dict[str, Any]) -> list[dict[str, Any]]:
    return [config["DefaultCacheBehavior"], *config.get("CacheBehaviors", {}).get("Items", [])]


def group_ids(config: dict[str, Any]) -> set[str]:
    return {group["Id"] for group in config.get("OriginGroups", {}).get("Items", [])}


def invalid(message: str) -> Refused:
    return Refused("InvalidArgument", message)


@rule(
    "cloudfront",
    *SETTING,
    source='InconsistentQuantities "The value of Quantity and the size of Items don\'t match."',
)
def quantities_count_the_items(call: Call, world: World) -> None:
    for part in lists_in(requested_config(call)):
        if part["Quantity"] != len(part.get("Items") or []):
            raise Refused(
                "InconsistentQuantities", "The value of Quantity and the size of Items don't match."
            )


def lists_in(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if "Quantity" in part:
            yield part
        for value in part.values():
            yield from lists_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from lists_in(value)


@rule(
    "cloudfront",
    *CREATING,
    source="DistributionAlreadyExists; DistributionConfig API reference, CallerReference",
)
def caller_reference_is_new(call: Call, world: World) -> None:
    reference = requested_config(call)["CallerReference"]
    for (account, key), held in distributions(world).items():
        if account == call.account and held["config"]["CallerReference"] == reference:
            raise Refused(
                "DistributionAlreadyExists",
                "The caller reference that you are using to create a distribution is associated with another "
                f"distribution. Already exists: {key}",
                409,
            )


@rule(
    "cloudfront",
    *SETTING,
    source='InvalidArgument "The parameter Comment is too big."; DistributionConfig API reference: 128 characters',
)
def comment_is_short(call: Call, world: World) -> None:
    if len(requested_config(call)["Comment"]) > 128:
        raise invalid("The parameter Comment is too big.")


@rule(
    "cloudfront", *SETTING, source='NoSuchOrigin "One or more of your origins or origin groups do not exist."'
)
def targets_exist(call: Call, world: World) -> None:
    config = requested_config(call)
    origins = {origin["Id"] for origin in config["Origins"].get("Items", [])}
    wanted = {behaviour["TargetOriginId"] for behaviour in behaviours(config)}
    groups = config.get("OriginGroups", {}).get("Items", [])
    members = {member["OriginId"] for group in groups for member in group["Members"]["Items"]}
    if not origins or not members <= origins or not wanted <= origins | group_ids(config):
        raise Refused("NoSuchOrigin", "One or more of your origins or origin groups do not exist.", 404)


@rule(
    "cloudfront",
    *SETTING,
    source='InvalidArgument "The parameter AllowedMethods cannot include POST, PUT, PATCH, or DELETE for a cached '
    'behavior associated with an origin group."; AllowedMethods and OriginGroup API references',
)
def methods_and_groups_fit(call: Call, world: World) -> None:
    config = requested_config(call)
    for behaviour in behaviours(config):
        methods = set(behaviour.get("AllowedMethods", {}).get("Items", ["GET", "HEAD"]))
        if methods not in METHODS:
            raise invalid("The parameter AllowedMethods is not one of the allowed combinations of methods.")
        if behaviour["TargetOriginId"] in group_ids(config) and methods & WRITING:
            raise invalid(
                "The parameter AllowedMethods cannot include POST, PUT, PATCH, or DELETE for a cached behavior "
                "associated with an origin group."
            )
    for group in config.get("OriginGroups", {}).get("Items", []):
        if len(group["Members"]["Items"]) != 2:
            raise invalid("The parameter Members of an origin group must list exactly two origins.")
        codes = set(group["FailoverCriteria"]["StatusCodes"].get("Items", []))
        if not codes or not codes <= FAILOVER_CODES:
            raise invalid("The parameter StatusCodes of an origin group contains an unsupported status code.")


@rule(
    "cloudfront",
    *SETTING,
    source='NoSuchCachePolicy, NoSuchOriginRequestPolicy, NoSuchResponseHeadersPolicy; InvalidArgument "The parameter '
    'ForwardedValues cannot be used when a cache policy is associated to the cache behavior."',
)
def policies_exist(call: Call, world: World) -> None:
    for behaviour in behaviours(requested_config(call)):
        cache = behaviour.get("CachePolicyId")
        if not cache and "ForwardedValues" not in behaviour:
            raise invalid("The parameter ForwardedValues is required.")
        if cache and "ForwardedValues" in behaviour:
            raise invalid(
                "The parameter ForwardedValues cannot be used when a cache policy is associated to the cache "
                "behavior."
            )
        if cache and cache not in CACHE_POLICIES:
            raise Refused("NoSuchCachePolicy", "The specified cache policy does not exist.", 404)
        forward = behaviour.get("OriginRequestPolicyId")
        if forward and forward not in ORIGIN_REQUEST_POLICIES:
            raise Refused(
                "NoSuchOriginRequestPolicy", "The specified origin request policy does not exist.", 404
            )
        headers = behaviour.get("ResponseHeadersPolicyId")
        if headers and headers not in RESPONSE_HEADERS_POLICIES:
            raise Refused(
                "NoSuchResponseHeadersPolicy", "The specified response headers policy does not exist.", 404
            )


@rule(
    "cloudfront",
    *SETTING,
    source='InvalidOriginAccessControl, IllegalOriginAccessConfiguration; InvalidArgument "The parameter Origin '
    'DomainName does not refer to a valid S3 bucket."',
)
def origins_are_reachable_as_said(call: Call, world: World) -> None:
    for origin in requested_config(call)["Origins"]["Items"]:
        if ("S3OriginConfig" in origin) == ("CustomOriginConfig" in origin):
            raise Refused("InvalidOrigin", "An origin must be either an S3 origin or a custom origin.")
        if "S3OriginConfig" in origin and not s3_domain(origin["DomainName"]):
            raise invalid("The parameter Origin DomainName does not refer to a valid S3 bucket.")
        control = origin.get("OriginAccessControlId")
        if control and (call.account, control) not in access_controls(world):
            raise Refused("InvalidOriginAccessControl", "The origin access control is not valid.")
        if control and origin.get("S3OriginConfig", {}).get("OriginAccessIdentity"):
            raise Refused(
                "IllegalOriginAccessConfiguration",
                "An origin cannot contain both an origin access control (OAC) and an origin access identity (OAI).",
            )


def s3_domain(name: str) -> bool:
    return name.endswith(".amazonaws.com") and ".s3." in name


@rule(
    "cloudfront",
    *SETTING,
    source='CNAMEAlreadyExists "One or more of the CNAMEs you provided are already associated with a different '
    'resource."',
)
def aliases_are_free(call: Call, world: World) -> None:
    wanted = set(requested_config(call).get("Aliases", {}).get("Items", []))
    for (_, key), held in distributions(world).items():
        taken = set(held["config"]["Aliases"].get("Items", []))
        if key != call.params.get("Id") and wanted & taken:
            raise Refused(
                "CNAMEAlreadyExists",
                "One or more of the CNAMEs you provided are already associated with a different resource.",
                409,
            )


@rule(
    "cloudfront",
    *SETTING,
    source="InvalidViewerCertificate \"The specified SSL certificate doesn't exist, isn't in us-east-1 region, "
    'isn\'t valid, or doesn\'t include a valid certificate chain."; "To add an alternate domain name (CNAME) ..."',
)
def certificate_covers_the_aliases(call: Call, world: World) -> None:
    config = requested_config(call)
    aliases = config.get("Aliases", {}).get("Items", [])
    arn = config.get("ViewerCertificate", {}).get("ACMCertificateArn")
    if not arn:
        if aliases:
            raise Refused(
                "InvalidViewerCertificate",
                "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted "
                f"certificate that validates your authorization to use the domain name. {CERTIFICATE_HELP}",
            )
        return
    certificate = acm_backends[call.account]["us-east-1"]._certificates.get(arn)
    if certificate is None or certificate.status != "ISSUED":
        raise Refused(
            "InvalidViewerCertificate",
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't "
            "include a valid certificate chain.",
        )
    names = {certificate.common_name, *certificate.sans}
    if not all(alias in names or "*." + alias.partition(".")[2] in names for alias in aliases):
        raise Refused(
            "InvalidViewerCertificate",
            "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) "
            f"that you're trying to add. {CERTIFICATE_HELP}",
        )


@rule(
    "cloudfront",
    *SETTING,
    source='InvalidArgument "The S3 bucket that you specified for CloudFront logs does not enable ACL access"',
)
def log_bucket_takes_acls(call: Call, world: World) -> None:
    logging = requested_config(call).get("Logging", {})
    if not logging.get("Enabled"):
        return
    name = logging["Bucket"].removesuffix(".s3.amazonaws.com")
    bucket = s3_backends[call.account]["aws"].buckets.get(name)
    if bucket is None or name == logging["Bucket"]:
        raise invalid("The parameter Logging Bucket does not refer to a valid S3 bucket.")
    controls = str(bucket.ownership_rule or "BucketOwnerEnforced")
    if "BucketOwnerEnforced" in controls:
        raise invalid(
            f"The S3 bucket that you specified for CloudFront logs does not enable ACL access: {logging['Bucket']}"
        )
