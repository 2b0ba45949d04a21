"""The bounds within which a service is scaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.engine.resource import Difference, Given, Observed, Resource, differences, resource
from drctl.resources.ecs_service import EcsService

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling.type_defs import ScalableTargetTypeDef

    from drctl.aws.clients import Aws

BOUNDS = "drctl:bounds"
"""The tag that remembers the bounds that the settings wanted when they were last set by them."""


@dataclass(frozen=True)
class ScalableTargetOutputs:
    resource_id: str


@resource
class ScalableTarget(Resource[ScalableTargetOutputs]):
    """A failover raises the bounds of the region that takes over, and the next ``up`` leaves them: only bounds that
    admit less than the settings want, or settings that changed, are drift.

    min_tasks, max_tasks: the number of tasks that autoscaling chooses from
    """

    kind: ClassVar[str] = "scalable-target"
    fixed: ClassVar[frozenset[str]] = frozenset({"service"})

    service: EcsService
    min_tasks: int
    max_tasks: int

    def read(self, aws: Aws, given: Given) -> Observed[ScalableTargetOutputs] | None:
        target = self._find(aws, given)
        if target is None:
            return None
        marks = aws.application_autoscaling(self.region).list_tags_for_resource(
            ResourceARN=target["ScalableTargetARN"]
        )["Tags"]
        given.claim(self, marks)
        drift = differences(
            {"service": target["ResourceId"], "bounds": marks.get(BOUNDS)},
            {"service": self._resource_id(given), "bounds": self._bounds},
        )
        if target["MinCapacity"] < self.min_tasks:
            drift["min_tasks"] = Difference(target["MinCapacity"], self.min_tasks)
        if target["MaxCapacity"] < self.max_tasks:
            drift["max_tasks"] = Difference(target["MaxCapacity"], self.max_tasks)
        return Observed(ScalableTargetOutputs(target["ResourceId"]), drift=drift)

    def create(self, aws: Aws, given: Given) -> ScalableTargetOutputs:
        resource_id = self._resource_id(given)
        aws.application_autoscaling(self.region).register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=resource_id,
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=self.min_tasks,
            MaxCapacity=self.max_tasks,
            Tags={**given.tags(self), BOUNDS: self._bounds},
        )
        return ScalableTargetOutputs(resource_id)

    def update(self, aws: Aws, given: Given, observed: Observed[ScalableTargetOutputs]) -> None:
        """The bounds first, their memory second: a crash between them repeats both."""
        autoscaling = aws.application_autoscaling(self.region)
        registered = autoscaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=observed.outputs.resource_id,
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=self.min_tasks,
            MaxCapacity=self.max_tasks,
        )
        autoscaling.tag_resource(ResourceARN=registered["ScalableTargetARN"], Tags={BOUNDS: self._bounds})

    def delete(self, aws: Aws, outputs: ScalableTargetOutputs) -> None:
        aws.application_autoscaling(self.region).deregister_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=outputs.resource_id,
            ScalableDimension="ecs:service:DesiredCount",
        )

    @property
    def _bounds(self) -> str:
        return f"{self.min_tasks}-{self.max_tasks}"

    def _resource_id(self, given: Given) -> str:
        service = given[self.service]
        return f"service/{service.cluster_name}/{service.service_name}"

    def _find(self, aws: Aws, given: Given) -> ScalableTargetTypeDef | None:
        recorded, wanted = given.recorded(self), self._resource_id(given)
        for resource_id in dict.fromkeys((recorded.resource_id, wanted) if recorded else (wanted,)):
            for target in aws.application_autoscaling(self.region).describe_scalable_targets(
                ServiceNamespace="ecs",
                ResourceIds=[resource_id],
                ScalableDimension="ecs:service:DesiredCount",
            )["ScalableTargets"]:
                return target
        return None
