"""An ECS task definition: what one Fargate task runs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypedDict

from botocore.exceptions import ClientError

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Repeat, Resource, differences, resource
from drctl.resources.iam_role import IamRole
from drctl.resources.log_group import LogGroup
from drctl.resources.output_of import Text, resolve
from drctl.resources.secret import Secret, arn_in

if TYPE_CHECKING:
    from mypy_boto3_ecs.literals import CompatibilityType, NetworkModeType
    from mypy_boto3_ecs.type_defs import (
        ContainerDefinitionUnionTypeDef,
        DescribeTaskDefinitionResponseTypeDef,
    )

    from drctl.aws.clients import Aws

CONTENT = "drctl:content"
"""The tag that holds a digest of what a revision says, so that the same content is found again."""


class Content(TypedDict):
    """What a revision says, in the API's own parameters."""

    family: str
    requiresCompatibilities: list[CompatibilityType]
    networkMode: NetworkModeType
    cpu: str
    memory: str
    executionRoleArn: str
    taskRoleArn: str
    containerDefinitions: list[ContainerDefinitionUnionTypeDef]


@dataclass(frozen=True)
class TaskDefinitionOutputs:
    arn: str


@resource
class TaskDefinition(Resource[TaskDefinitionOutputs]):
    """A revision cannot be changed: other content is another revision, and the old one goes once nothing runs it.

    cpu, memory: of the task; units (1024 are one vCPU) and MiB
    environment: variables of the container; secret: the one injected as DB_SECRET
    """

    kind: ClassVar[str] = "task-definition"
    repeat: ClassVar[Repeat] = Repeat.NEVER

    family: str
    cpu: int
    memory: int
    image: str
    port: int
    log_group: LogGroup
    execution_role: IamRole
    task_role: IamRole
    environment: tuple[tuple[str, Text], ...]
    secret: Secret | None
    container: str = "app"

    def read(self, aws: Aws, given: Given) -> Observed[TaskDefinitionOutputs] | None:
        """One that somebody deregistered is drift: it cannot be activated again."""
        found = self._find(aws, given)
        if found is None:
            return None
        definition = found["taskDefinition"]
        drift = differences(
            {"content": tags.as_dict(found.get("tags", [])).get(CONTENT), "status": definition["status"]},
            {"content": _digest(self._content(given)), "status": "ACTIVE"},
        )
        return Observed(TaskDefinitionOutputs(definition["taskDefinitionArn"]), drift=drift)

    def create(self, aws: Aws, given: Given) -> TaskDefinitionOutputs:
        content = self._content(given)
        definition = aws.ecs(self.region).register_task_definition(
            tags=tags.as_lower_list({**given.tags(self), CONTENT: _digest(content)}), **content
        )["taskDefinition"]
        return TaskDefinitionOutputs(definition["taskDefinitionArn"])

    def delete(self, aws: Aws, outputs: TaskDefinitionOutputs) -> None:
        """AWS deletes only what is INACTIVE, and tells what it did not delete in the answer."""
        ecs = aws.ecs(self.region)
        definition = ecs.describe_task_definition(taskDefinition=outputs.arn)["taskDefinition"]
        if definition["status"] == "ACTIVE":
            ecs.deregister_task_definition(taskDefinition=outputs.arn)
        for failure in ecs.delete_task_definitions(taskDefinitions=[outputs.arn]).get("failures", []):
            message = f"{failure.get('reason')} {failure.get('detail', '')}".rstrip()
            raise ClientError(
                {"Error": {"Code": "ClientException", "Message": message}}, "DeleteTaskDefinitions"
            )

    def _content(self, given: Given) -> Content:
        container: ContainerDefinitionUnionTypeDef = {
            "name": self.container,
            "image": self.image,
            "essential": True,
            "portMappings": [{"containerPort": self.port, "protocol": "tcp"}],
            "environment": [{"name": name, "value": resolve(text, given)} for name, text in self.environment],
            "secrets": [{"name": "DB_SECRET", "valueFrom": arn_in(self.region, given[self.secret].arn)}]
            if self.secret
            else [],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": given[self.log_group].log_group_name,
                    "awslogs-region": self.region,
                    "awslogs-stream-prefix": self.family,
                },
            },
        }
        return {
            "family": self.family,
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": str(self.cpu),
            "memory": str(self.memory),
            "executionRoleArn": given[self.execution_role].arn,
            "taskRoleArn": given[self.task_role].arn,
            "containerDefinitions": [container],
        }

    def _find(self, aws: Aws, given: Given) -> DescribeTaskDefinitionResponseTypeDef | None:
        """The recorded revision, else the newest active one of the family that is ours."""
        recorded = given.recorded(self)
        if recorded is not None:
            return self._described(aws, given, recorded.arn)
        pages = aws.ecs(self.region).get_paginator("list_task_definitions")
        for page in pages.paginate(familyPrefix=self.family, status="ACTIVE", sort="DESC"):
            for arn in page["taskDefinitionArns"]:
                found = None if arn in given.others else self._described(aws, given, arn)
                if found is not None:
                    return found
        return None

    def _described(self, aws: Aws, given: Given, arn: str) -> DescribeTaskDefinitionResponseTypeDef | None:
        """None when it is gone, on its way out, or not ours."""
        with tolerating_absence():
            found = aws.ecs(self.region).describe_task_definition(taskDefinition=arn, include=["TAGS"])
            ours = given.is_ours(self, tags.as_dict(found.get("tags", [])))
            if ours and found["taskDefinition"]["status"] != "DELETE_IN_PROGRESS":
                return found
        return None


def _digest(content: Content) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
