"""A target-tracking policy: keep a metric of a service near a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.scalable_target import ScalableTarget

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling.type_defs import (
        ScalingPolicyTypeDef,
        TargetTrackingScalingPolicyConfigurationUnionTypeDef,
    )

    from drctl.aws.clients import Aws


Metric = Literal["ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization"]


@dataclass(frozen=True)
class ScalingPolicyOutputs:
    arn: str
    policy_name: str
    resource_id: str


@resource
class ScalingPolicy(Resource[ScalingPolicyOutputs]):
    """It carries no tags: it is ours because its target is. ``target_value``: percent."""

    kind: ClassVar[str] = "scaling-policy"
    fixed: ClassVar[frozenset[str]] = frozenset({"name", "target"})

    target: ScalableTarget
    aws_name: str
    metric: Metric
    target_value: int

    def read(self, aws: Aws, given: Given) -> Observed[ScalingPolicyOutputs] | None:
        policy = self._find(aws, given)
        if policy is None:
            return None
        tracking = policy.get("TargetTrackingScalingPolicyConfiguration", {})
        actual = {
            "name": policy["PolicyName"],
            "target": policy["ResourceId"],
            "metric": tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType"),
            "target_value": tracking.get("TargetValue"),
        }
        desired = {
            "name": self.aws_name,
            "target": given[self.target].resource_id,
            "metric": self.metric,
            "target_value": float(self.target_value),
        }
        outputs = ScalingPolicyOutputs(policy["PolicyARN"], policy["PolicyName"], policy["ResourceId"])
        return Observed(outputs, drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> ScalingPolicyOutputs:
        return self._put(aws, given)

    def update(self, aws: Aws, given: Given, observed: Observed[ScalingPolicyOutputs]) -> None:
        self._put(aws, given)

    def delete(self, aws: Aws, outputs: ScalingPolicyOutputs) -> None:
        """The alarms that AWS made for it go with it."""
        aws.application_autoscaling(self.region).delete_scaling_policy(
            PolicyName=outputs.policy_name,
            ServiceNamespace="ecs",
            ResourceId=outputs.resource_id,
            ScalableDimension="ecs:service:DesiredCount",
        )

    def _put(self, aws: Aws, given: Given) -> ScalingPolicyOutputs:
        tracking: TargetTrackingScalingPolicyConfigurationUnionTypeDef = {
            "PredefinedMetricSpecification": {"PredefinedMetricType": self.metric},
            "TargetValue": float(self.target_value),
        }
        resource_id = given[self.target].resource_id
        made = aws.application_autoscaling(self.region).put_scaling_policy(
            PolicyName=self.aws_name,
            ServiceNamespace="ecs",
            ResourceId=resource_id,
            ScalableDimension="ecs:service:DesiredCount",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=tracking,
        )
        return ScalingPolicyOutputs(made["PolicyARN"], self.aws_name, resource_id)

    def _find(self, aws: Aws, given: Given) -> ScalingPolicyTypeDef | None:
        recorded = given.recorded(self)
        places = [(recorded.resource_id, recorded.policy_name)] if recorded else []
        for resource_id, name in dict.fromkeys([*places, (given[self.target].resource_id, self.aws_name)]):
            for policy in aws.application_autoscaling(self.region).describe_scaling_policies(
                ServiceNamespace="ecs", ResourceId=resource_id, PolicyNames=[name]
            )["ScalingPolicies"]:
                return policy
        return None
