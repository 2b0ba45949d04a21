"""An EventBridge rule that fires on a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Resource, differences, resource

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import DescribeRuleResponseTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class EventRuleOutputs:
    rule_name: str
    arn: str


@resource
class EventRule(Resource[EventRuleOutputs]):
    """``schedule``: ``rate(1 minute)``, the shortest there is, or ``cron(...)``."""

    kind: ClassVar[str] = "event-rule"
    named: ClassVar[bool] = True
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})

    aws_name: str
    schedule: str

    def read(self, aws: Aws, given: Given) -> Observed[EventRuleOutputs] | None:
        rule = self._find(aws, given)
        if rule is None:
            return None
        held = aws.events(self.region).list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]
        given.claim(self, tags.as_dict(held))
        drift = differences(
            {"name": rule["Name"], "schedule": rule.get("ScheduleExpression"), "state": rule["State"]},
            {"name": self.aws_name, "schedule": self.schedule, "state": "ENABLED"},
        )
        return Observed(EventRuleOutputs(rule["Name"], rule["Arn"]), drift=drift)

    def create(self, aws: Aws, given: Given) -> EventRuleOutputs:
        arn = aws.events(self.region).put_rule(
            Name=self.aws_name,
            ScheduleExpression=self.schedule,
            State="ENABLED",
            Description=f"drctl environment {given.environment}",
            Tags=tags.as_list(given.tags(self)),
        )["RuleArn"]
        return EventRuleOutputs(self.aws_name, arn)

    def update(self, aws: Aws, given: Given, observed: Observed[EventRuleOutputs]) -> None:
        """Said in full: what PutRule is not told becomes null (API reference)."""
        aws.events(self.region).put_rule(
            Name=observed.outputs.rule_name,
            ScheduleExpression=self.schedule,
            State="ENABLED",
            Description=f"drctl environment {given.environment}",
        )

    def delete(self, aws: Aws, outputs: EventRuleOutputs) -> None:
        aws.events(self.region).delete_rule(Name=outputs.rule_name)

    def _find(self, aws: Aws, given: Given) -> DescribeRuleResponseTypeDef | None:
        recorded = given.recorded(self)
        for name in dict.fromkeys((recorded.rule_name, self.aws_name) if recorded else (self.aws_name,)):
            with tolerating_absence():
                return aws.events(self.region).describe_rule(Name=name)
        return None
