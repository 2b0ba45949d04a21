"""That a rule of EventBridge may invoke a function: one statement of the function's own policy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws.errors import tolerating_absence
from drctl.aws.policy_document import canonical
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.event_rule import EventRule
from drctl.resources.lambda_function import LambdaFunction

if TYPE_CHECKING:
    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class LambdaPermissionOutputs:
    statement_id: str
    function_name: str


@resource
class LambdaPermission(Resource[LambdaPermissionOutputs]):
    """Its statement's id is its name. AWS cannot change a statement: it is taken away and said anew."""

    kind: ClassVar[str] = "lambda-permission"

    function: LambdaFunction
    rule: EventRule

    def read(self, aws: Aws, given: Given) -> Observed[LambdaPermissionOutputs] | None:
        recorded = given.recorded(self)
        function_name = recorded.function_name if recorded else given[self.function].function_name
        with tolerating_absence():
            policy = json.loads(aws.lambda_(self.region).get_policy(FunctionName=function_name)["Policy"])
            for statement in policy["Statement"]:
                if statement["Sid"] == self.name:
                    drift = differences(
                        {"function": function_name, "statement": canonical(statement)},
                        {
                            "function": given[self.function].function_name,
                            "statement": canonical(self._statement(given)),
                        },
                    )
                    return Observed(LambdaPermissionOutputs(self.name, function_name), drift=drift)
        return None

    def create(self, aws: Aws, given: Given) -> LambdaPermissionOutputs:
        function_name = given[self.function].function_name
        aws.lambda_(self.region).add_permission(
            FunctionName=function_name,
            StatementId=self.name,
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=given[self.rule].arn,
        )
        return LambdaPermissionOutputs(self.name, function_name)

    def delete(self, aws: Aws, outputs: LambdaPermissionOutputs) -> None:
        aws.lambda_(self.region).remove_permission(
            FunctionName=outputs.function_name, StatementId=outputs.statement_id
        )

    def _statement(self, given: Given) -> dict[str, object]:
        """What Lambda makes of the call."""
        return {
            "Sid": self.name,
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": given[self.function].arn,
            "Condition": {"ArnLike": {"AWS:SourceArn": given[self.rule].arn}},
        }
