"""An ECS cluster, with Container Insights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.engine.resource import Given, Observed, Phase, Resource, Typical, differences, resource

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ClusterSettingTypeDef, ClusterTypeDef

    from drctl.aws.clients import Aws

PHASES = {"ACTIVE": Phase.READY, "FAILED": Phase.FAILED, "DEPROVISIONING": Phase.LEAVING}
INSIGHTS: ClusterSettingTypeDef = {"name": "containerInsights", "value": "enabled"}


@dataclass(frozen=True)
class EcsClusterOutputs:
    arn: str
    cluster_name: str


@resource
class EcsCluster(Resource[EcsClusterOutputs]):
    """Only a name for services to live under: Fargate brings the machines."""

    kind: ClassVar[str] = "ecs-cluster"
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})
    typical: ClassVar[Typical] = Typical(ready=2, gone=2)

    aws_name: str

    def read(self, aws: Aws, given: Given) -> Observed[EcsClusterOutputs] | None:
        cluster = self._find(aws, given)
        if cluster is None:
            return None
        given.claim(self, tags.as_dict(cluster.get("tags", [])))
        settings = {each["name"]: each["value"] for each in cluster.get("settings", [])}
        drift = differences(
            {"name": cluster["clusterName"], "containerInsights": settings.get("containerInsights")},
            {"name": self.aws_name, "containerInsights": INSIGHTS["value"]},
        )
        outputs = EcsClusterOutputs(cluster["clusterArn"], cluster["clusterName"])
        return Observed(outputs, PHASES.get(cluster["status"], Phase.PENDING), drift)

    def create(self, aws: Aws, given: Given) -> EcsClusterOutputs:
        cluster = aws.ecs(self.region).create_cluster(
            clusterName=self.aws_name, settings=[INSIGHTS], tags=tags.as_lower_list(given.tags(self))
        )["cluster"]
        return EcsClusterOutputs(cluster["clusterArn"], cluster["clusterName"])

    def update(self, aws: Aws, given: Given, observed: Observed[EcsClusterOutputs]) -> None:
        aws.ecs(self.region).update_cluster_settings(cluster=observed.outputs.arn, settings=[INSIGHTS])

    def delete(self, aws: Aws, outputs: EcsClusterOutputs) -> None:
        aws.ecs(self.region).delete_cluster(cluster=outputs.arn)

    def _find(self, aws: Aws, given: Given) -> ClusterTypeDef | None:
        """A deleted one is shown as INACTIVE for a while, and its name is free."""
        recorded = given.recorded(self)
        for name in dict.fromkeys((recorded.cluster_name, self.aws_name) if recorded else (self.aws_name,)):
            described = aws.ecs(self.region).describe_clusters(clusters=[name], include=["TAGS", "SETTINGS"])
            for cluster in described["clusters"]:
                if cluster["status"] != "INACTIVE":
                    return cluster
        return None
