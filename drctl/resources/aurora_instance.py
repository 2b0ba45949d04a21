"""An instance of an Aurora cluster: what computes; the storage is the cluster's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Phase, Resource, Typical, differences, resource
from drctl.resources.aurora_cluster import AuroraCluster
from drctl.resources.global_cluster import ENGINE
from drctl.resources.iam_role import IamRole
from drctl.resources.kms_key import KmsKey

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBInstanceTypeDef

    from drctl.aws.clients import Aws

MONITORING_INTERVAL = 60
"""Seconds between two readings of enhanced monitoring."""

INSIGHTS_DAYS = 7
"""How long Performance Insights keeps its data without a charge."""

PHASES = {
    "available": Phase.READY,
    "deleting": Phase.LEAVING,
    "failed": Phase.FAILED,
    "inaccessible-encryption-credentials": Phase.FAILED,
    "incompatible-network": Phase.FAILED,
    "incompatible-option-group": Phase.FAILED,
    "incompatible-parameters": Phase.FAILED,
    "incompatible-restore": Phase.FAILED,
    "insufficient-capacity": Phase.FAILED,
    "restore-error": Phase.FAILED,
}
"""Aurora user guide, "Viewing DB instance status"; every other status passes."""


@dataclass(frozen=True)
class AuroraInstanceOutputs:
    instance_id: str
    arn: str


@resource
class AuroraInstance(Resource[AuroraInstanceOutputs]):
    """Whether it writes or reads is Aurora's business. ``key`` encrypts what Performance Insights keeps."""

    kind: ClassVar[str] = "aurora-instance"
    fixed: ClassVar[frozenset[str]] = frozenset({"name", "cluster"})
    lets_go: ClassVar[frozenset[str]] = frozenset({"aurora-cluster"})
    typical: ClassVar[Typical] = Typical(ready=385, gone=420)
    secondary: ClassVar[Typical] = Typical(ready=450, gone=420)

    aws_name: str
    cluster: AuroraCluster
    instance_class: str
    monitoring_role: IamRole
    key: KmsKey

    @property
    def usual(self) -> Typical:
        return self.typical if self.cluster.after is None else self.secondary

    def read(self, aws: Aws, given: Given) -> Observed[AuroraInstanceOutputs] | None:
        instance = self._find(aws, given)
        if instance is None:
            return None
        given.claim(self, tags.as_dict(instance.get("TagList", [])))
        outputs = AuroraInstanceOutputs(instance["DBInstanceIdentifier"], instance["DBInstanceArn"])
        status = instance["DBInstanceStatus"]
        phase = PHASES.get(status, Phase.PENDING)
        if phase is not Phase.READY:
            return Observed(outputs, phase, reason=f"the instance is {status}")
        changing = instance.get("PendingModifiedValues", {}).get("DBInstanceClass")
        insights = instance.get("PerformanceInsightsEnabled", False)
        actual = {
            "name": outputs.instance_id,
            "cluster": instance["DBClusterIdentifier"],
            "instance_class": changing or instance["DBInstanceClass"],
            "monitoring": [instance.get("MonitoringInterval"), instance.get("MonitoringRoleArn")],
            "performance_insights": instance.get("PerformanceInsightsKMSKeyId") if insights else None,
            "public": instance["PubliclyAccessible"],
        }
        desired = {
            "name": self.aws_name.lower(),
            "cluster": given[self.cluster].cluster_id,
            "instance_class": self.instance_class,
            "monitoring": [MONITORING_INTERVAL, given[self.monitoring_role].arn],
            "performance_insights": given[self.key].arn,
            "public": False,
        }
        drift = differences(actual, desired)
        if changing and not drift:
            return Observed(outputs, Phase.PENDING, reason=f"the instance becomes a {changing}")
        return Observed(outputs, drift=drift)

    def create(self, aws: Aws, given: Given) -> AuroraInstanceOutputs:
        instance = aws.rds(self.region).create_db_instance(
            DBInstanceIdentifier=self.aws_name,
            DBClusterIdentifier=given[self.cluster].cluster_id,
            Engine=ENGINE,
            DBInstanceClass=self.instance_class,
            PubliclyAccessible=False,
            Tags=tags.as_list(given.tags(self)),
            **self._monitoring(given),
            **self._performance_insights(given),
        )["DBInstance"]
        return AuroraInstanceOutputs(instance["DBInstanceIdentifier"], instance["DBInstanceArn"])

    def update(self, aws: Aws, given: Given, observed: Observed[AuroraInstanceOutputs]) -> None:
        changes: dict[str, Any] = {}
        if "instance_class" in observed.drift:
            changes["DBInstanceClass"] = self.instance_class
        if "public" in observed.drift:
            changes["PubliclyAccessible"] = False
        if "monitoring" in observed.drift:
            changes.update(self._monitoring(given))
        if "performance_insights" in observed.drift:
            changes.update(self._performance_insights(given))
        aws.rds(self.region).modify_db_instance(
            DBInstanceIdentifier=observed.outputs.instance_id, ApplyImmediately=True, **changes
        )

    def delete(self, aws: Aws, outputs: AuroraInstanceOutputs) -> None:
        """The last instance of the cluster that writes is refused, as "in use", until the other clusters are detached;
        that is their business and their cluster's, never this one's: fewer instances must not break up a database."""
        aws.rds(self.region).delete_db_instance(
            DBInstanceIdentifier=outputs.instance_id, SkipFinalSnapshot=True
        )

    def _monitoring(self, given: Given) -> dict[str, Any]:
        return {
            "MonitoringInterval": MONITORING_INTERVAL,
            "MonitoringRoleArn": given[self.monitoring_role].arn,
        }

    def _performance_insights(self, given: Given) -> dict[str, Any]:
        return {
            "EnablePerformanceInsights": True,
            "PerformanceInsightsKMSKeyId": given[self.key].arn,
            "PerformanceInsightsRetentionPeriod": INSIGHTS_DAYS,
        }

    def _find(self, aws: Aws, given: Given) -> DBInstanceTypeDef | None:
        rds, recorded = aws.rds(self.region), given.recorded(self)
        for name in dict.fromkeys((recorded.instance_id, self.aws_name) if recorded else (self.aws_name,)):
            with tolerating_absence():
                return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return None
