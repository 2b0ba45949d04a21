"""The function that an EventBridge rule invokes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws.errors import raise_failed_entries, tolerating_absence
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.event_rule import EventRule
from drctl.resources.lambda_function import LambdaFunction

if TYPE_CHECKING:
    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class EventTargetOutputs:
    target_id: str
    rule_name: str


@resource
class EventTarget(Resource[EventTargetOutputs]):
    """Its id is its name, unique within the rule: it is ours because the rule is."""

    kind: ClassVar[str] = "event-target"
    fixed: ClassVar[frozenset[str]] = frozenset({"rule"})

    rule: EventRule
    function: LambdaFunction

    def read(self, aws: Aws, given: Given) -> Observed[EventTargetOutputs] | None:
        recorded = given.recorded(self)
        rule_name = recorded.rule_name if recorded else given[self.rule].rule_name
        with tolerating_absence():
            for page in (
                aws.events(self.region).get_paginator("list_targets_by_rule").paginate(Rule=rule_name)
            ):
                for target in page["Targets"]:
                    if target["Id"] == self.name:
                        drift = differences(
                            {"rule": rule_name, "function": target["Arn"]},
                            {"rule": given[self.rule].rule_name, "function": given[self.function].arn},
                        )
                        return Observed(EventTargetOutputs(self.name, rule_name), drift=drift)
        return None

    def create(self, aws: Aws, given: Given) -> EventTargetOutputs:
        self._put(aws, given)
        return EventTargetOutputs(self.name, given[self.rule].rule_name)

    def update(self, aws: Aws, given: Given, observed: Observed[EventTargetOutputs]) -> None:
        self._put(aws, given)

    def delete(self, aws: Aws, outputs: EventTargetOutputs) -> None:
        answer = aws.events(self.region).remove_targets(Rule=outputs.rule_name, Ids=[outputs.target_id])
        raise_failed_entries(answer["FailedEntries"], "RemoveTargets")

    def _put(self, aws: Aws, given: Given) -> None:
        answer = aws.events(self.region).put_targets(
            Rule=given[self.rule].rule_name, Targets=[{"Id": self.name, "Arn": given[self.function].arn}]
        )
        raise_failed_entries(answer["FailedEntries"], "PutTargets")
