"""The CloudFront distribution in front of both regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from drctl.aws import distribution_config as config
from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Phase, Repeat, Resource, Typical, differences, resource
from drctl.resources.certificate import Certificate
from drctl.resources.load_balancer import LoadBalancer
from drctl.resources.origin_access_control import OriginAccessControl
from drctl.resources.s3_bucket import S3Bucket

if TYPE_CHECKING:
    from mypy_boto3_cloudfront.type_defs import (
        CacheBehaviorTypeDef,
        DistributionConfigTypeDef,
        DistributionTypeDef,
        OriginTypeDef,
    )

    from drctl.aws.clients import Aws

PriceClass = Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"]


@dataclass(frozen=True)
class DistributionOutputs:
    distribution_id: str
    arn: str
    domain_name: str


@resource
class Distribution(Resource[DistributionOutputs]):
    """Reads go to the primary, and to the standby when it fails; ``/api/*`` takes all methods and goes where DNS says
    (CloudFront fails over reads only); ``/assets/*`` is read from the buckets.

    primary_host, standby_host, failover_host: names the load balancers have certificates for; None: without a domain,
    CloudFront speaks to the load balancers themselves, over HTTP, and writes go to the primary only
    aliases: names under which it is reached, covered by ``certificate``
    assets: the primary's and the standby's bucket
    web_acl_arn: a web ACL of scope CLOUDFRONT
    """

    kind: ClassVar[str] = "distribution"
    repeat: ClassVar[Repeat] = Repeat.TOKEN
    lets_go: ClassVar[frozenset[str]] = frozenset({"load-balancer"})
    typical: ClassVar[Typical] = Typical(ready=200, gone=280)

    comment: str
    aliases: tuple[str, ...]
    certificate: Certificate | None
    primary: LoadBalancer
    standby: LoadBalancer
    primary_host: str | None
    standby_host: str | None
    failover_host: str | None
    assets: tuple[S3Bucket, S3Bucket] | None
    oac: OriginAccessControl
    log_bucket: S3Bucket
    price_class: PriceClass
    web_acl_arn: str | None = None

    def read(self, aws: Aws, given: Given) -> Observed[DistributionOutputs] | None:
        found = self._find(aws, given)
        if found is None:
            return None
        actual, outputs = found["DistributionConfig"], _outputs(found)
        drift = differences(config.flat(actual), config.flat(self._settings(given)))
        if found["Status"] == "Deployed":
            return Observed(outputs, drift=drift)
        phase = Phase.PENDING if actual["Enabled"] else Phase.LEAVING
        return Observed(outputs, phase, drift, "CloudFront to tell all of its edge locations")

    def create(self, aws: Aws, given: Given) -> DistributionOutputs:
        made = aws.cloudfront().create_distribution_with_tags(
            DistributionConfigWithTags={
                "DistributionConfig": {"CallerReference": f"drctl-{given.token}", **self._settings(given)},
                "Tags": {"Items": tags.as_list(given.tags(self))},
            }
        )
        return _outputs(made["Distribution"])

    def update(self, aws: Aws, given: Given, observed: Observed[DistributionOutputs]) -> None:
        cloudfront, distribution_id = aws.cloudfront(), observed.outputs.distribution_id
        held = cloudfront.get_distribution_config(Id=distribution_id)
        wanted: DistributionConfigTypeDef = {**held["DistributionConfig"], **self._settings(given)}
        cloudfront.update_distribution(Id=distribution_id, IfMatch=held["ETag"], DistributionConfig=wanted)

    def delete(self, aws: Aws, outputs: DistributionOutputs) -> None:
        """First disabled; asked again once that is deployed, deleted."""
        cloudfront, distribution_id = aws.cloudfront(), outputs.distribution_id
        held = cloudfront.get_distribution_config(Id=distribution_id)
        if held["DistributionConfig"]["Enabled"]:
            disabled: DistributionConfigTypeDef = {**held["DistributionConfig"], "Enabled": False}
            cloudfront.update_distribution(
                Id=distribution_id, IfMatch=held["ETag"], DistributionConfig=disabled
            )
        else:
            cloudfront.delete_distribution(Id=distribution_id, IfMatch=held["ETag"])

    def _find(self, aws: Aws, given: Given) -> DistributionTypeDef | None:
        """A list shows neither tags nor caller references: tags are asked for, one distribution after the other."""
        cloudfront, recorded = aws.cloudfront(), given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                found = cloudfront.get_distribution(Id=recorded.distribution_id)["Distribution"]
                given.claim(self, self._tags(aws, found["ARN"]))
                return found
        for page in cloudfront.get_paginator("list_distributions").paginate():
            for listed in page["DistributionList"].get("Items", []):
                with tolerating_absence():
                    other = listed["Id"] in given.others
                    if not other and given.is_ours(self, self._tags(aws, listed["ARN"])):
                        return cloudfront.get_distribution(Id=listed["Id"])["Distribution"]
        return None

    def _tags(self, aws: Aws, arn: str) -> dict[str, str]:
        return tags.as_dict(aws.cloudfront().list_tags_for_resource(Resource=arn)["Tags"].get("Items", []))

    def _settings(self, given: Given) -> DistributionConfigTypeDef:
        """All but the caller reference, which is for life."""
        origins, behaviours = self._origins(given), self._behaviours()
        groups = [config.group("application", "primary", "standby")]
        if self.assets is not None:
            groups.append(config.group("assets", "assets-primary", "assets-standby"))
        settings: dict[str, object] = {
            "Comment": self.comment,
            "Enabled": True,
            "Aliases": config.names(self.aliases),
            "DefaultRootObject": "",
            "Origins": {"Quantity": len(origins), "Items": origins},
            "OriginGroups": {"Quantity": len(groups), "Items": groups},
            "DefaultCacheBehavior": config.behaviour("application", config.READING),
            "CacheBehaviors": {"Quantity": len(behaviours), "Items": behaviours},
            "CustomErrorResponses": {"Quantity": 0},
            "Logging": {
                "Enabled": True,
                "IncludeCookies": False,
                "Bucket": f"{given[self.log_bucket].bucket}.s3.amazonaws.com",
                "Prefix": "cloudfront/",
            },
            "PriceClass": self.price_class,
            "ViewerCertificate": config.viewer_certificate(
                given[self.certificate].arn if self.certificate else None
            ),
            "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
            "WebACLId": self.web_acl_arn or "",
            "HttpVersion": "http2and3",
            "IsIPV6Enabled": True,
        }
        return settings  # type: ignore[return-value]

    def _origins(self, given: Given) -> list[OriginTypeDef]:
        origins = []
        for origin, balancer, host in (
            ("primary", self.primary, self.primary_host),
            ("standby", self.standby, self.standby_host),
        ):
            origins.append(config.server(origin, host or given[balancer].dns_name, https=host is not None))
        if self.failover_host is not None:
            origins.append(config.server("failover", self.failover_host, https=True))
        for origin, bucket in zip(("assets-primary", "assets-standby"), self.assets or (), strict=False):
            origins.append(config.bucket(origin, given[bucket].domain_name, given[self.oac].oac_id))
        return origins

    def _behaviours(self) -> list[CacheBehaviorTypeDef]:
        writes_to = "primary" if self.failover_host is None else "failover"
        behaviours = [config.at("/api/*", config.behaviour(writes_to, config.ALL))]
        if self.assets is not None:
            behaviours.append(config.at("/assets/*", config.behaviour("assets", config.READING, cached=True)))
        return behaviours


def _outputs(distribution: DistributionTypeDef) -> DistributionOutputs:
    return DistributionOutputs(distribution["Id"], distribution["ARN"], distribution["DomainName"])
