"""An internet-facing application load balancer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Phase, Resource, Typical, differences, resource
from drctl.resources.internet_gateway import InternetGateway
from drctl.resources.s3_bucket import S3Bucket
from drctl.resources.s3_bucket_policy import LOAD_BALANCER_LOGS_PREFIX, S3BucketPolicy
from drctl.resources.security_group import SecurityGroup
from drctl.resources.subnet import Subnet

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import LoadBalancerTypeDef

    from drctl.aws.clients import Aws

PHASES = {"active": Phase.READY, "active_impaired": Phase.READY, "failed": Phase.FAILED}


@dataclass(frozen=True)
class LoadBalancerOutputs:
    """``full_name`` is how CloudWatch's dimension LoadBalancer names it: ``app/name/id``."""

    arn: str
    dns_name: str
    canonical_zone_id: str
    full_name: str


@resource
class LoadBalancer(Resource[LoadBalancerOutputs]):
    """internet_gateway: which the VPC must have before AWS makes a balancer that faces the internet
    access_logs: the bucket that keeps its requests, below a prefix of its own
    access_logs_policy: of that bucket; it must allow that before AWS accepts the bucket
    """

    kind: ClassVar[str] = "load-balancer"
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})
    typical: ClassVar[Typical] = Typical(ready=152, gone=10)

    aws_name: str
    internet_gateway: InternetGateway
    subnets: tuple[Subnet, ...]
    security_groups: tuple[SecurityGroup, ...]
    access_logs: S3Bucket
    access_logs_policy: S3BucketPolicy

    def read(self, aws: Aws, given: Given) -> Observed[LoadBalancerOutputs] | None:
        """Attributes are shown as drift once it is active; while provisioning AWS may refuse to change them."""
        balancer = self._find(aws, given)
        if balancer is None:
            return None
        elbv2, outputs = aws.elbv2(self.region), _outputs(balancer)
        described = elbv2.describe_tags(ResourceArns=[outputs.arn])["TagDescriptions"]
        given.claim(self, tags.as_dict(described[0]["Tags"]))
        state = balancer["State"]
        phase = PHASES.get(state["Code"], Phase.PENDING)
        if phase is not Phase.READY:
            return Observed(outputs, phase, reason=state.get("Reason", ""))
        actual = {
            "name": balancer["LoadBalancerName"],
            "subnets": sorted(zone["SubnetId"] for zone in balancer["AvailabilityZones"]),
            "security_groups": sorted(balancer["SecurityGroups"]),
            **{
                attribute["Key"]: attribute["Value"]
                for attribute in elbv2.describe_load_balancer_attributes(LoadBalancerArn=outputs.arn)[
                    "Attributes"
                ]
            },
        }
        desired = {
            "name": self.aws_name,
            "subnets": sorted(self._subnet_ids(given)),
            "security_groups": sorted(self._group_ids(given)),
            **self._attributes(given),
        }
        return Observed(outputs, phase, differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> LoadBalancerOutputs:
        made = aws.elbv2(self.region).create_load_balancer(
            Name=self.aws_name,
            Type="application",
            Scheme="internet-facing",
            IpAddressType="ipv4",
            Subnets=self._subnet_ids(given),
            SecurityGroups=self._group_ids(given),
            Tags=tags.as_list(given.tags(self)),
        )
        return _outputs(made["LoadBalancers"][0])

    def update(self, aws: Aws, given: Given, observed: Observed[LoadBalancerOutputs]) -> None:
        elbv2, arn = aws.elbv2(self.region), observed.outputs.arn
        if "subnets" in observed.drift:
            elbv2.set_subnets(LoadBalancerArn=arn, Subnets=self._subnet_ids(given))
        if "security_groups" in observed.drift:
            elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=self._group_ids(given))
        attributes = self._attributes(given)
        if observed.drift.keys() & attributes.keys():
            elbv2.modify_load_balancer_attributes(
                LoadBalancerArn=arn,
                Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()],
            )

    def delete(self, aws: Aws, outputs: LoadBalancerOutputs) -> None:
        """Gone at once; its network interfaces keep subnets and groups busy for a while."""
        aws.elbv2(self.region).delete_load_balancer(LoadBalancerArn=outputs.arn)

    def _subnet_ids(self, given: Given) -> list[str]:
        return [given[subnet].subnet_id for subnet in self.subnets]

    def _group_ids(self, given: Given) -> list[str]:
        return [given[group].security_group_id for group in self.security_groups]

    def _attributes(self, given: Given) -> dict[str, str]:
        return {
            "routing.http.drop_invalid_header_fields.enabled": "true",
            "access_logs.s3.enabled": "true",
            "access_logs.s3.bucket": given[self.access_logs].bucket,
            "access_logs.s3.prefix": LOAD_BALANCER_LOGS_PREFIX,
        }

    def _find(self, aws: Aws, given: Given) -> LoadBalancerTypeDef | None:
        elbv2, recorded = aws.elbv2(self.region), given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                return elbv2.describe_load_balancers(LoadBalancerArns=[recorded.arn])["LoadBalancers"][0]
        with tolerating_absence():
            return elbv2.describe_load_balancers(Names=[self.aws_name])["LoadBalancers"][0]
        return None


def _outputs(balancer: LoadBalancerTypeDef) -> LoadBalancerOutputs:
    arn = balancer["LoadBalancerArn"]
    return LoadBalancerOutputs(
        arn, balancer["DNSName"], balancer["CanonicalHostedZoneId"], arn.partition(":loadbalancer/")[2]
    )
