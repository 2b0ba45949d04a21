"""A target group: the tasks behind a load balancer, and how their health is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypedDict

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.vpc import Vpc

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import MatcherTypeDef, TargetGroupTypeDef

    from drctl.aws.clients import Aws

DEREGISTRATION_DELAY = "deregistration_delay.timeout_seconds"
DEREGISTRATION_DELAY_S = "30"
"""Seconds a leaving task may finish its requests in; AWS's 300 would hold up every deployment."""


class HealthCheck(TypedDict):
    """How health is asked for, in the API's own parameters; seconds and numbers of answers."""

    HealthCheckPath: str
    HealthCheckIntervalSeconds: int
    HealthCheckTimeoutSeconds: int
    HealthyThresholdCount: int
    UnhealthyThresholdCount: int
    Matcher: MatcherTypeDef


@dataclass(frozen=True)
class TargetGroupOutputs:
    """``full_name`` is how CloudWatch's dimension TargetGroup names it: ``targetgroup/name/id``."""

    arn: str
    full_name: str


@resource
class TargetGroup(Resource[TargetGroupOutputs]):
    """Takes addresses (Fargate tasks have no instance) and speaks HTTP. Each target is registered with its own port;
    ``port`` is only what would be meant without, and AWS cannot change it: another one is no drift."""

    kind: ClassVar[str] = "target-group"
    fixed: ClassVar[frozenset[str]] = frozenset({"name", "vpc"})

    aws_name: str
    vpc: Vpc
    port: int
    health_path: str

    def read(self, aws: Aws, given: Given) -> Observed[TargetGroupOutputs] | None:
        group = self._find(aws, given)
        if group is None:
            return None
        elbv2, outputs = aws.elbv2(self.region), _outputs(group)
        described = elbv2.describe_tags(ResourceArns=[outputs.arn])["TagDescriptions"]
        given.claim(self, tags.as_dict(described[0]["Tags"]))
        attributes = elbv2.describe_target_group_attributes(TargetGroupArn=outputs.arn)["Attributes"]
        actual = {
            **group,
            **{attribute["Key"]: attribute["Value"] for attribute in attributes},
            "name": group["TargetGroupName"],
            "vpc": group.get("VpcId"),
        }
        desired = {
            "name": self.aws_name,
            "vpc": given[self.vpc].vpc_id,
            **self._health_check(),
            DEREGISTRATION_DELAY: DEREGISTRATION_DELAY_S,
        }
        return Observed(outputs, drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> TargetGroupOutputs:
        made = aws.elbv2(self.region).create_target_group(
            Name=self.aws_name,
            Protocol="HTTP",
            Port=self.port,
            VpcId=given[self.vpc].vpc_id,
            TargetType="ip",
            HealthCheckProtocol="HTTP",
            Tags=tags.as_list(given.tags(self)),
            **self._health_check(),
        )
        return _outputs(made["TargetGroups"][0])

    def update(self, aws: Aws, given: Given, observed: Observed[TargetGroupOutputs]) -> None:
        elbv2, arn = aws.elbv2(self.region), observed.outputs.arn
        if DEREGISTRATION_DELAY in observed.drift:
            elbv2.modify_target_group_attributes(
                TargetGroupArn=arn,
                Attributes=[{"Key": DEREGISTRATION_DELAY, "Value": DEREGISTRATION_DELAY_S}],
            )
        if observed.drift.keys() & self._health_check().keys():
            elbv2.modify_target_group(TargetGroupArn=arn, **self._health_check())

    def delete(self, aws: Aws, outputs: TargetGroupOutputs) -> None:
        aws.elbv2(self.region).delete_target_group(TargetGroupArn=outputs.arn)

    def _health_check(self) -> HealthCheck:
        """Unhealthy after 30 s, healthy after 20 s."""
        return {
            "HealthCheckPath": self.health_path,
            "HealthCheckIntervalSeconds": 10,
            "HealthCheckTimeoutSeconds": 5,
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 3,
            "Matcher": {"HttpCode": "200-299"},
        }

    def _find(self, aws: Aws, given: Given) -> TargetGroupTypeDef | None:
        elbv2, recorded = aws.elbv2(self.region), given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                return elbv2.describe_target_groups(TargetGroupArns=[recorded.arn])["TargetGroups"][0]
        with tolerating_absence():
            return elbv2.describe_target_groups(Names=[self.aws_name])["TargetGroups"][0]
        return None


def _outputs(group: TargetGroupTypeDef) -> TargetGroupOutputs:
    arn = group["TargetGroupArn"]
    return TargetGroupOutputs(arn, arn.rpartition(":")[2])
