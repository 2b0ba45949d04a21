"""Settings about where the environment stands and how clients reach it: regions, networks, domain, edge."""

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from drctl.settings.section import Refusal, Section, refuse_all
from drctl.settings.values import Cidr, DomainName, Region, pattern, refused

ZoneId = Annotated[str, pattern("Z[A-Z0-9]{1,31}", "the id of a hosted zone, such as Z0123456789ABC")]
WebAclArn = Annotated[
    str,
    pattern(
        "arn:aws:wafv2:us-east-1:[0-9]{12}:global/webacl/[A-Za-z0-9_-]{1,128}/[0-9a-f-]{36}",
        "the ARN of a WAFv2 web ACL of scope CLOUDFRONT: arn:aws:wafv2:us-east-1:ACCOUNT:global/webacl/NAME/ID",
    ),
]


class Regions(Section):
    """The two regions. The standby takes over when the primary is lost."""

    primary: Region = Field(default="us-east-1", description="serves and writes in normal times")
    standby: Region = Field(default="us-west-2", description="takes over; another region than the primary")

    @field_validator("standby")
    @classmethod
    def _is_another(cls, standby: str, info: ValidationInfo) -> str:
        if standby == info.data.get("primary"):
            raise refused(f"{standby} is the primary region too", "another region than regions.primary")
        return standby


class PrimaryNetwork(Section):
    """The primary region's VPC: two zones, each with a public, a private and an isolated subnet."""

    cidr: Cidr = Field(default="10.0.0.0/16", description="its private IPv4 range, /16 to /20")


class StandbyNetwork(Section):
    """The standby region's VPC. The two are peered, so their ranges must not overlap."""

    cidr: Cidr = Field(default="10.1.0.0/16", description="its private IPv4 range, /16 to /20")


class Network(Section):
    """The networks of both regions."""

    nat_gateways: Literal["none", "one", "per-zone"] = Field(
        default="per-zone",
        description='the private subnets\' ways out, in each region: "none", "one" or "per-zone"; with "none", tasks '
        "can pull no image until you add endpoints for the registry yourself",
    )
    primary: PrimaryNetwork = PrimaryNetwork()
    standby: StandbyNetwork = StandbyNetwork()

    @field_validator("standby")
    @classmethod
    def _does_not_overlap(cls, standby: StandbyNetwork, info: ValidationInfo) -> StandbyNetwork:
        # Networks that overlap cannot be peered (Amazon VPC Peering Guide, "VPC peering limitations").
        primary = info.data.get("primary")
        if primary is not None and IPv4Network(primary.cidr).overlaps(IPv4Network(standby.cidr)):
            cause = f"{standby.cidr} overlaps network.primary.cidr, {primary.cidr}"
            refuse_all([Refusal(("cidr",), cause, "a range that shares no address with the primary's")])
        return standby


class Domain(Section):
    """DNS and certificates. Without this table drctl builds a trial: HTTP only, and no DNS failover."""

    name: DomainName = Field(description="the domain that clients use: one that you own and can delegate")
    zone_id: ZoneId | None = Field(
        default=None,
        description="an existing public hosted zone to use, which is then never deleted; else one is created",
        examples=["Z0123456789ABC"],
    )


class Edge(Section):
    """CloudFront, in front of both regions."""

    price_class: Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"] = Field(
        default="PriceClass_100",
        description="where CloudFront answers: North America and Europe (100), most of the world (200), everywhere",
    )
    web_acl_arn: WebAclArn | None = Field(
        default=None,
        description="an existing web ACL (WAFv2) to filter requests with",
        examples=["arn:aws:wafv2:us-east-1:123456789012:global/webacl/NAME/ID"],
    )
