"""An IAM role: who may become it. What it may then do is the business of its inline policies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.aws.policy_document import canonical
from drctl.engine.resource import Given, Observed, Resource, Typical, differences, resource

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import RoleTypeDef

    from drctl.aws.clients import Aws

TELLS_ITS_ACCOUNT = frozenset(
    {"ecs-tasks.amazonaws.com", "monitoring.rds.amazonaws.com", "vpc-flow-logs.amazonaws.com"}
)
"""Services documented to send aws:SourceAccount when they assume a role (ECS developer guide "Task IAM role";
Aurora user guide "Preventing cross-service confused deputy problems"; VPC user guide "IAM role for publishing flow
logs"). Required of any other service, the condition would keep it out."""


@dataclass(frozen=True)
class ServiceTrust:
    """``service`` (``lambda.amazonaws.com``) may assume the role, on behalf of this account only."""

    service: str


@dataclass(frozen=True)
class AccountTrust:
    """Other accounts (ids of 12 digits) may assume the role if they know the external id.

    The external id is no secret (IAM user guide, "Access to AWS accounts owned by third parties").
    """

    accounts: tuple[str, ...]
    external_id: str


@dataclass(frozen=True)
class IamRoleOutputs:
    role_name: str
    arn: str


@resource
class IamRole(Resource[IamRoleOutputs]):
    """``max_session_s``: the longest session, seconds, 3600 to 43200."""

    kind: ClassVar[str] = "iam-role"
    named: ClassVar[bool] = True
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})
    typical: ClassVar[Typical] = Typical(ready=1, gone=1)

    aws_name: str
    trust: ServiceTrust | AccountTrust
    description: str
    max_session_s: int = 3600

    def read(self, aws: Aws, given: Given) -> Observed[IamRoleOutputs] | None:
        role = self._find(aws, given)
        if role is None:
            return None
        given.claim(self, tags.as_dict(role.get("Tags", [])))
        actual = {
            "name": role["RoleName"],
            "trust": canonical(role["AssumeRolePolicyDocument"]),
            "description": role.get("Description", ""),
            "max_session_s": role["MaxSessionDuration"],
        }
        desired = {
            "name": self.aws_name,
            "trust": canonical(self._document(given)),
            "description": self.description,
            "max_session_s": self.max_session_s,
        }
        return Observed(IamRoleOutputs(role["RoleName"], role["Arn"]), drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> IamRoleOutputs:
        role = aws.iam().create_role(
            RoleName=self.aws_name,
            AssumeRolePolicyDocument=json.dumps(self._document(given)),
            Description=self.description,
            MaxSessionDuration=self.max_session_s,
            Tags=tags.as_list(given.tags(self)),
        )["Role"]
        return IamRoleOutputs(role["RoleName"], role["Arn"])

    def update(self, aws: Aws, given: Given, observed: Observed[IamRoleOutputs]) -> None:
        iam, name = aws.iam(), observed.outputs.role_name
        if "trust" in observed.drift:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(self._document(given)))
        if observed.drift.keys() & {"description", "max_session_s"}:
            iam.update_role(
                RoleName=name, Description=self.description, MaxSessionDuration=self.max_session_s
            )

    def delete(self, aws: Aws, outputs: IamRoleOutputs) -> None:
        aws.iam().delete_role(RoleName=outputs.role_name)

    def _find(self, aws: Aws, given: Given) -> RoleTypeDef | None:
        recorded = given.recorded(self)
        for name in dict.fromkeys((recorded.role_name, self.aws_name) if recorded else (self.aws_name,)):
            with tolerating_absence():
                return aws.iam().get_role(RoleName=name)["Role"]
        return None

    def _document(self, given: Given) -> dict[str, Any]:
        statement: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRole"}
        if isinstance(self.trust, ServiceTrust):
            statement["Principal"] = {"Service": self.trust.service}
            if self.trust.service in TELLS_ITS_ACCOUNT:
                statement["Condition"] = {"StringEquals": {"aws:SourceAccount": given.account}}
        else:
            roots = [f"arn:{given.partition}:iam::{account}:root" for account in self.trust.accounts]
            statement["Principal"] = {"AWS": roots}
            statement["Condition"] = {"StringEquals": {"sts:ExternalId": self.trust.external_id}}
        return {"Version": "2012-10-17", "Statement": [statement]}
