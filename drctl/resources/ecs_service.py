"""An ECS service on Fargate, behind a load balancer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import STATE, Given, Observed, Phase, Resource, Typical, differences, resource
from drctl.resources.ecs_cluster import EcsCluster
from drctl.resources.listener import Listener
from drctl.resources.listener_rule import ListenerRule
from drctl.resources.security_group import SecurityGroup
from drctl.resources.subnet import Subnet
from drctl.resources.target_group import TargetGroup
from drctl.resources.task_definition import TaskDefinition

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import (
        DeploymentConfigurationUnionTypeDef,
        LoadBalancerTypeDef,
        NetworkConfigurationUnionTypeDef,
        ServiceTypeDef,
    )

    from drctl.aws.clients import Aws

TASKS = "drctl:tasks"
"""The tag that remembers how many tasks the settings wanted when the count was last set by them."""

GRACE_S = 60
"""Seconds in which a starting task's failed health checks do not count."""


class Shape(TypedDict):
    """What create and update say alike, in the API's own parameters."""

    taskDefinition: str
    loadBalancers: list[LoadBalancerTypeDef]
    networkConfiguration: NetworkConfigurationUnionTypeDef
    deploymentConfiguration: DeploymentConfigurationUnionTypeDef
    healthCheckGracePeriodSeconds: int


@dataclass(frozen=True)
class EcsServiceOutputs:
    arn: str
    service_name: str
    cluster_name: str


@resource
class EcsService(Resource[EcsServiceOutputs]):
    """How many tasks run belongs to autoscaling and to a failover: another number than ``tasks`` is no drift. What
    is drift is another setting than the one the service's tag remembers; only then is the count set.

    listener: whose forwarding to the target group AWS wants to exist first
    execution_needs: what the first task needs to start, lest the circuit breaker gives up: the policies of its
        roles, the routes and rules by which it reaches its image
    """

    kind: ClassVar[str] = "ecs-service"
    fixed: ClassVar[frozenset[str]] = frozenset({"name", "target_group"})
    mended_in_place: ClassVar[bool] = True
    typical: ClassVar[Typical] = Typical(ready=130, gone=60)

    aws_name: str
    cluster: EcsCluster
    task_definition: TaskDefinition
    tasks: int
    subnets: tuple[Subnet, ...]
    security_group: SecurityGroup
    target_group: TargetGroup
    listener: Listener | ListenerRule
    port: int
    container: str
    execution_needs: tuple[Resource[Any], ...]

    def read(self, aws: Aws, given: Given) -> Observed[EcsServiceOutputs] | None:
        service = self._find(aws, given)
        if service is None:
            return None
        marks = tags.as_dict(service.get("tags", []))
        given.claim(self, marks)
        cluster_name = service["clusterArn"].rpartition("/")[2]
        outputs = EcsServiceOutputs(service["serviceArn"], service["serviceName"], cluster_name)
        if service["status"] == "DRAINING":
            return Observed(outputs, Phase.LEAVING, reason="its tasks stop")
        network = service["networkConfiguration"]["awsvpcConfiguration"]
        breaker = service["deploymentConfiguration"].get("deploymentCircuitBreaker", {})
        actual = {
            "name": service["serviceName"],
            "target_group": next((each.get("targetGroupArn") for each in service["loadBalancers"]), None),
            "port": next((each.get("containerPort") for each in service["loadBalancers"]), None),
            "task_definition": service["taskDefinition"],
            "subnets": sorted(network["subnets"]),
            "security_groups": sorted(network.get("securityGroups", [])),
            "circuit_breaker": bool(breaker.get("enable") and breaker.get("rollback")),
            "grace_s": service.get("healthCheckGracePeriodSeconds"),
            "tasks": marks.get(TASKS),
        }
        desired = {
            "name": self.aws_name,
            "target_group": given[self.target_group].arn,
            "port": self.port,
            "task_definition": given[self.task_definition].arn,
            "subnets": sorted(given[subnet].subnet_id for subnet in self.subnets),
            "security_groups": [given[self.security_group].security_group_id],
            "circuit_breaker": True,
            "grace_s": GRACE_S,
            "tasks": str(self.tasks),
        }
        phase, reason = _phase(service, given[self.task_definition].arn)
        return Observed(outputs, phase, differences(actual, desired), reason)

    def create(self, aws: Aws, given: Given) -> EcsServiceOutputs:
        cluster_name = given[self.cluster].cluster_name
        service = aws.ecs(self.region).create_service(
            cluster=cluster_name,
            serviceName=self.aws_name,
            desiredCount=self.tasks,
            launchType="FARGATE",
            propagateTags="SERVICE",
            enableECSManagedTags=True,
            tags=tags.as_lower_list({**given.tags(self), TASKS: str(self.tasks)}),
            clientToken=given.token,
            **self._shape(given),
        )["service"]
        return EcsServiceOutputs(service["serviceArn"], service["serviceName"], cluster_name)

    def update(self, aws: Aws, given: Given, observed: Observed[EcsServiceOutputs]) -> None:
        """The count first, its memory second: a crash between them repeats both. A deployment that failed is tried
        again while what it was rolled back to goes on serving."""
        ecs, outputs = aws.ecs(self.region), observed.outputs
        if observed.drift.keys() - {"tasks"}:
            ecs.update_service(
                cluster=outputs.cluster_name,
                service=outputs.arn,
                forceNewDeployment=STATE in observed.drift,
                **self._shape(given),
            )
        if "tasks" in observed.drift:
            ecs.update_service(cluster=outputs.cluster_name, service=outputs.arn, desiredCount=self.tasks)
            ecs.tag_resource(resourceArn=outputs.arn, tags=[{"key": TASKS, "value": str(self.tasks)}])

    def delete(self, aws: Aws, outputs: EcsServiceOutputs) -> None:
        """``force`` takes the count to zero by itself (ECS API reference, DeleteService)."""
        aws.ecs(self.region).delete_service(cluster=outputs.cluster_name, service=outputs.arn, force=True)

    def _shape(self, given: Given) -> Shape:
        return {
            "taskDefinition": given[self.task_definition].arn,
            "loadBalancers": [
                {
                    "targetGroupArn": given[self.target_group].arn,
                    "containerName": self.container,
                    "containerPort": self.port,
                }
            ],
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": [given[subnet].subnet_id for subnet in self.subnets],
                    "securityGroups": [given[self.security_group].security_group_id],
                    "assignPublicIp": "DISABLED",
                }
            },
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
                "maximumPercent": 200,
                "minimumHealthyPercent": 100,
            },
            "healthCheckGracePeriodSeconds": GRACE_S,
        }

    def _find(self, aws: Aws, given: Given) -> ServiceTypeDef | None:
        """A deleted one is shown as INACTIVE for a while, and its name is free."""
        recorded = given.recorded(self)
        places = [(recorded.cluster_name, recorded.service_name)] if recorded else []
        for cluster, name in dict.fromkeys([*places, (given[self.cluster].cluster_name, self.aws_name)]):
            with tolerating_absence():
                described = aws.ecs(self.region).describe_services(
                    cluster=cluster, services=[name], include=["TAGS"]
                )
                for service in described["services"]:
                    if service["status"] != "INACTIVE":
                        return service
        return None


def _phase(service: ServiceTypeDef, wanted: str) -> tuple[Phase, str]:
    """READY once the newest deployment is complete and everything desired runs; FAILED when the circuit breaker
    gave up on what we want."""
    ours = [each for each in service["deployments"] if each["taskDefinition"] == wanted]
    newest = max(ours, key=lambda each: each["createdAt"], default=None)
    if newest is not None and newest.get("rolloutState") == "FAILED":
        return Phase.FAILED, newest.get("rolloutStateReason", "the deployment failed")
    complete = all(
        deployment.get("rolloutState") == "COMPLETED"
        for deployment in service["deployments"]
        if deployment["status"] == "PRIMARY"
    )
    running, desired = service["runningCount"], service["desiredCount"]
    if complete and running == desired:
        return Phase.READY, ""
    return Phase.PENDING, f"{running} of {desired} tasks run"
