"""An inline policy: what a role may do, said in terms of the resources themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from drctl.aws.errors import tolerating_absence
from drctl.aws.policy_document import canonical
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.iam_role import IamRole
from drctl.resources.output_of import Text, resolve

if TYPE_CHECKING:
    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class Condition:
    """``Condition("StringEquals", "aws:SourceAccount", ("123456789012",))``; the values are alternatives."""

    operator: str
    key: str
    values: tuple[Text, ...]


@dataclass(frozen=True)
class Statement:
    """These actions are allowed on these resources (ARNs), if all the conditions hold."""

    actions: tuple[str, ...]
    resources: tuple[Text, ...]
    conditions: tuple[Condition, ...] = ()

    def document(self, given: Given) -> dict[str, Any]:
        """The statement in IAM's JSON."""
        document: dict[str, Any] = {
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": [resolve(each, given) for each in self.resources],
        }
        conditions: dict[str, dict[str, list[str]]] = {}
        for each in self.conditions:
            values = [resolve(value, given) for value in each.values]
            conditions.setdefault(each.operator, {})[each.key] = values
        if conditions:
            document["Condition"] = conditions
        return document


@dataclass(frozen=True)
class IamRolePolicyOutputs:
    policy_id: str


@resource
class IamRolePolicy(Resource[IamRolePolicyOutputs]):
    """It carries no tags: it is ours because its role is."""

    kind: ClassVar[str] = "iam-role-policy"
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})

    role: IamRole
    aws_name: str
    statements: tuple[Statement, ...]

    def read(self, aws: Aws, given: Given) -> Observed[IamRolePolicyOutputs] | None:
        recorded, wanted = given.recorded(self), f"{given[self.role].role_name}|{self.aws_name}"
        for policy_id in dict.fromkeys((recorded.policy_id, wanted) if recorded else (wanted,)):
            role_name, _, name = policy_id.partition("|")
            with tolerating_absence():
                found = aws.iam().get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"]
                drift = differences(
                    {"name": policy_id, "statements": canonical(found)},
                    {"name": wanted, "statements": canonical(self._document(given))},
                )
                return Observed(IamRolePolicyOutputs(policy_id), drift=drift)
        return None

    def create(self, aws: Aws, given: Given) -> IamRolePolicyOutputs:
        self._put(aws, given)
        return IamRolePolicyOutputs(f"{given[self.role].role_name}|{self.aws_name}")

    def update(self, aws: Aws, given: Given, observed: Observed[IamRolePolicyOutputs]) -> None:
        self._put(aws, given)

    def delete(self, aws: Aws, outputs: IamRolePolicyOutputs) -> None:
        role_name, _, name = outputs.policy_id.partition("|")
        aws.iam().delete_role_policy(RoleName=role_name, PolicyName=name)

    def _put(self, aws: Aws, given: Given) -> None:
        aws.iam().put_role_policy(
            RoleName=given[self.role].role_name,
            PolicyName=self.aws_name,
            PolicyDocument=json.dumps(self._document(given)),
        )

    def _document(self, given: Given) -> dict[str, Any]:
        statements = [statement.document(given) for statement in self.statements]
        return {"Version": "2012-10-17", "Statement": statements}
