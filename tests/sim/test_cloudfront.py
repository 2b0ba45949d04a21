"""CloudFront: origin groups, versions, states, certificates and access controls."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sim.test_acm import issued_certificate

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
READS = ["GET", "HEAD", "OPTIONS"]
ALL = [*READS, "PUT", "POST", "PATCH", "DELETE"]


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def listed(*items: Any) -> dict[str, Any]:
    return {"Quantity": len(items), "Items": list(items)}


def origin(name: str) -> dict[str, Any]:
    custom = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}
    return {"Id": name, "DomainName": f"{name}.drctl.test", "CustomOriginConfig": custom}


def bucket_origin(name: str, control: str) -> dict[str, Any]:
    domain = f"{name}.s3.us-east-1.amazonaws.com"
    s3 = {"S3OriginConfig": {"OriginAccessIdentity": ""}, "OriginAccessControlId": control}
    return {"Id": name, "DomainName": domain, **s3}


def behaviour(target: str, methods: list[str], **more: Any) -> dict[str, Any]:
    return {
        "TargetOriginId": target,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {**listed(*methods), "CachedMethods": listed("GET", "HEAD")},
        "CachePolicyId": CACHING_DISABLED,
        "OriginRequestPolicyId": ALL_VIEWER,
        **more,
    }


def config(**more: Any) -> dict[str, Any]:
    group = {
        "Id": "reads",
        "FailoverCriteria": {"StatusCodes": listed(500, 502, 503, 504)},
        "Members": listed({"OriginId": "p"}, {"OriginId": "s"}),
    }
    return {
        "CallerReference": "one",
        "Comment": "drctl",
        "Enabled": True,
        "Origins": listed(origin("p"), origin("s"), origin("writes")),
        "OriginGroups": listed(group),
        "DefaultCacheBehavior": behaviour("reads", READS),
        "CacheBehaviors": listed(behaviour("writes", ALL, PathPattern="/api/*")),
        **more,
    }


@pytest.fixture
def edge(sim: Any) -> Any:
    sim.set_speed(1)
    return sim.client("cloudfront")


def create(edge: Any, wanted: dict[str, Any]) -> Any:
    tags = {"Items": [{"Key": "drctl:environment", "Value": "x"}]}
    return edge.create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": wanted, "Tags": tags}
    )


def test_a_distribution_keeps_its_origin_group_and_takes_its_time(sim: Any, edge: Any) -> None:
    made = create(edge, config())
    name = made["Distribution"]["Id"]
    shown = edge.get_distribution(Id=name)["Distribution"]
    assert shown["Status"] == "InProgress"
    assert shown["DistributionConfig"]["DefaultCacheBehavior"]["TargetOriginId"] == "reads"
    members = shown["DistributionConfig"]["OriginGroups"]["Items"][0]["Members"]["Items"]
    assert [member["OriginId"] for member in members] == ["p", "s"]
    assert edge.list_tags_for_resource(Resource=shown["ARN"])["Tags"]["Items"] == [
        {"Key": "drctl:environment", "Value": "x"}
    ]
    sim.advance(400)
    summary = edge.list_distributions()["DistributionList"]["Items"][0]
    assert (summary["Id"], summary["Status"], summary["Comment"]) == (name, "Deployed", "drctl")


def test_only_the_version_that_was_read_can_be_changed_or_deleted(sim: Any, edge: Any) -> None:
    made = create(edge, config())
    name, first = made["Distribution"]["Id"], made["ETag"]
    full = edge.get_distribution_config(Id=name)["DistributionConfig"]
    changed = edge.update_distribution(Id=name, IfMatch=first, DistributionConfig={**full, "Comment": "new"})
    assert changed["ETag"] != first
    assert changed["Distribution"]["Status"] == "InProgress"
    with pytest.raises(ClientError) as caught:
        edge.update_distribution(Id=name, IfMatch=first, DistributionConfig=full)
    assert code(caught) == "PreconditionFailed"
    with pytest.raises(ClientError) as caught:
        edge.update_distribution(Id=name, DistributionConfig=full)
    assert code(caught) == "InvalidIfMatchVersion"
    with pytest.raises(ClientError) as caught:
        edge.update_distribution(
            Id=name, IfMatch=changed["ETag"], DistributionConfig={**full, "CallerReference": "other"}
        )
    assert code(caught) == "IllegalUpdate"


@pytest.mark.parametrize(
    ("refused", "path"),
    [
        ("IllegalUpdate", ("Aliases",)),
        ("IllegalUpdate", ("DefaultRootObject",)),
        ("IllegalUpdate", ("Origins", "Items", 0, "CustomOriginConfig", "OriginReadTimeout")),
        ("InvalidArgument", ("DefaultCacheBehavior", "FieldLevelEncryptionId")),
    ],
)
def test_an_update_repeats_what_a_create_may_leave_out(
    edge: Any, refused: str, path: tuple[Any, ...]
) -> None:
    made = create(edge, config())
    full = edge.get_distribution_config(Id=made["Distribution"]["Id"])["DistributionConfig"]
    holder = full
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    with pytest.raises(ClientError) as caught:
        edge.update_distribution(Id=made["Distribution"]["Id"], IfMatch=made["ETag"], DistributionConfig=full)
    assert code(caught) == refused


def test_a_distribution_goes_when_disabled_and_deployed(sim: Any, edge: Any) -> None:
    made = create(edge, config())
    name, tag = made["Distribution"]["Id"], made["ETag"]
    with pytest.raises(ClientError) as caught:
        edge.delete_distribution(Id=name, IfMatch=tag)
    assert code(caught) == "DistributionNotDisabled"
    full = edge.get_distribution_config(Id=name)["DistributionConfig"]
    tag = edge.update_distribution(Id=name, IfMatch=tag, DistributionConfig={**full, "Enabled": False})[
        "ETag"
    ]
    with pytest.raises(ClientError) as caught:
        edge.delete_distribution(Id=name, IfMatch=tag)
    assert code(caught) == "DistributionNotDisabled"
    sim.advance(500)
    edge.delete_distribution(Id=name, IfMatch=tag)
    with pytest.raises(ClientError) as caught:
        edge.get_distribution(Id=name)
    assert code(caught) == "NoSuchDistribution"


@pytest.mark.parametrize(
    ("refused", "changes"),
    [
        ("NoSuchOrigin", {"DefaultCacheBehavior": behaviour("nowhere", READS)}),
        ("NoSuchOrigin", {"Origins": listed(origin("p"), origin("writes"))}),
        ("InvalidArgument", {"Comment": "c" * 129}),
        ("InvalidArgument", {"DefaultCacheBehavior": behaviour("reads", ALL)}),
        ("InvalidArgument", {"DefaultCacheBehavior": behaviour("p", ["GET", "HEAD", "POST"])}),
        ("NoSuchCachePolicy", {"DefaultCacheBehavior": behaviour("p", READS, CachePolicyId="none")}),
        (
            "NoSuchOriginRequestPolicy",
            {"DefaultCacheBehavior": behaviour("p", READS, OriginRequestPolicyId="no")},
        ),
        (
            "NoSuchResponseHeadersPolicy",
            {"DefaultCacheBehavior": behaviour("p", READS, ResponseHeadersPolicyId="no")},
        ),
        ("InconsistentQuantities", {"Aliases": {"Quantity": 2, "Items": ["www.drctl.test"]}}),
        ("InvalidViewerCertificate", {"Aliases": listed("www.drctl.test")}),
        (
            "InvalidViewerCertificate",
            {
                "ViewerCertificate": {
                    "ACMCertificateArn": "arn:aws:acm:us-west-2:123456789012:certificate/none"
                }
            },
        ),
        (
            "InvalidOriginAccessControl",
            {"Origins": listed(*map(origin, "ps"), bucket_origin("writes", "none"))},
        ),
        ("InvalidOrigin", {"Origins": listed(*map(origin, "ps"), {"Id": "writes", "DomainName": "a.test"})}),
        (
            "InvalidArgument",
            {
                "Logging": {
                    "Enabled": True,
                    "Bucket": "none.s3.amazonaws.com",
                    "Prefix": "",
                    "IncludeCookies": False,
                }
            },
        ),
    ],
)
def test_settings_that_cloudfront_refuses(edge: Any, refused: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        create(edge, config(**changes))
    assert code(caught) == refused
    assert edge.list_distributions()["DistributionList"]["Quantity"] == 0


def test_a_caller_reference_is_used_once(edge: Any) -> None:
    create(edge, config())
    with pytest.raises(ClientError) as caught:
        create(edge, config())
    assert code(caught) == "DistributionAlreadyExists"


def test_an_alias_needs_an_issued_certificate_that_covers_it_and_belongs_to_one(sim: Any, edge: Any) -> None:
    arn = issued_certificate(sim, "drctl.test", "*.drctl.test")
    certificate = {
        "ACMCertificateArn": arn,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    named = {"Aliases": listed("www.drctl.test"), "ViewerCertificate": certificate}
    create(edge, config(**named))
    with pytest.raises(ClientError) as caught:
        create(edge, config(**named, CallerReference="two"))
    assert code(caught) == "CNAMEAlreadyExists"
    with pytest.raises(ClientError) as caught:
        create(edge, config(**{**named, "Aliases": listed("www.other.test")}, CallerReference="three"))
    assert code(caught) == "InvalidViewerCertificate"
    with pytest.raises(ClientError) as caught:
        sim.client("acm").delete_certificate(CertificateArn=arn)
    assert code(caught) == "ResourceInUseException"


def test_log_buckets_must_take_acls(sim: Any, edge: Any) -> None:
    s3 = sim.client("s3")
    s3.create_bucket(Bucket="edge-logs")
    logging = {"Enabled": True, "Bucket": "edge-logs.s3.amazonaws.com", "Prefix": "", "IncludeCookies": False}
    with pytest.raises(ClientError) as caught:
        create(edge, config(Logging=logging))
    assert code(caught) == "InvalidArgument"
    s3.put_bucket_ownership_controls(
        Bucket="edge-logs", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    create(edge, config(Logging=logging))


def test_access_controls_have_unique_names_and_stay_while_used(sim: Any, edge: Any) -> None:
    wanted = {
        "Name": "assets",
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3",
    }
    made = edge.create_origin_access_control(OriginAccessControlConfig=wanted)
    control, tag = made["OriginAccessControl"]["Id"], made["ETag"]
    with pytest.raises(ClientError) as caught:
        edge.create_origin_access_control(OriginAccessControlConfig=copy.deepcopy(wanted))
    assert code(caught) == "OriginAccessControlAlreadyExists"
    origins = listed(*map(origin, ("p", "s", "writes")), bucket_origin("assets", control))
    distribution = create(edge, config(Origins=origins))
    kept = edge.get_distribution_config(Id=distribution["Distribution"]["Id"])["DistributionConfig"]
    assert kept["Origins"]["Items"][3]["OriginAccessControlId"] == control
    with pytest.raises(ClientError) as caught:
        edge.delete_origin_access_control(Id=control, IfMatch=tag)
    assert code(caught) == "OriginAccessControlInUse"
    kept["Origins"] = listed(*kept["Origins"]["Items"][:3])
    edge.update_distribution(
        Id=distribution["Distribution"]["Id"], IfMatch=distribution["ETag"], DistributionConfig=kept
    )
    with pytest.raises(ClientError) as caught:
        edge.delete_origin_access_control(Id=control, IfMatch="E0000000000000")
    assert code(caught) == "PreconditionFailed"
    edge.delete_origin_access_control(Id=control, IfMatch=tag)
    assert edge.list_origin_access_controls()["OriginAccessControlList"]["Quantity"] == 0
