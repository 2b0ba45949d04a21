"""A listener rule: requests for one path go elsewhere than the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.listener import Listener, says
from drctl.resources.target_group import TargetGroup

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import ActionTypeDef, RuleConditionTypeDef, RuleTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class ListenerRuleOutputs:
    arn: str


@resource
class ListenerRule(Resource[ListenerRuleOutputs]):
    """``priority`` is unique in a listener, the lowest is tried first; ``path`` is a pattern, ``/api/*``.

    A rule of this environment that holds the priority for another address is taken over: its service was renamed, and
    a listener cannot have both at once.
    """

    kind: ClassVar[str] = "listener-rule"
    fixed: ClassVar[frozenset[str]] = frozenset({"priority"})

    listener: Listener
    priority: int
    path: str
    target_group: TargetGroup

    def read(self, aws: Aws, given: Given) -> Observed[ListenerRuleOutputs] | None:
        rule = self._find(aws, given)
        if rule is None:
            return None
        arn, recorded = rule["RuleArn"], given.recorded(self)
        described = aws.elbv2(self.region).describe_tags(ResourceArns=[arn])["TagDescriptions"]
        marks = tags.as_dict(described[0]["Tags"])
        taken_over = recorded is None and marks.get("drctl:environment") == given.environment
        if not taken_over:
            given.claim(self, marks)
        actual = {
            "address": marks["drctl:address"],
            "priority": rule["Priority"],
            "path": [
                pattern
                for condition in rule["Conditions"]
                for pattern in condition.get("PathPatternConfig", {}).get("Values", [])
            ],
            "action": says(rule["Actions"]),
        }
        desired = {
            "address": self.address,
            "priority": str(self.priority),
            "path": [self.path],
            "action": says(self._actions(given)),
        }
        return Observed(ListenerRuleOutputs(arn), drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> ListenerRuleOutputs:
        made = aws.elbv2(self.region).create_rule(
            ListenerArn=given[self.listener].arn,
            Priority=self.priority,
            Conditions=self._conditions(),
            Actions=self._actions(given),
            Tags=tags.as_list(given.tags(self)),
        )
        return ListenerRuleOutputs(made["Rules"][0]["RuleArn"])

    def update(self, aws: Aws, given: Given, observed: Observed[ListenerRuleOutputs]) -> None:
        elbv2, arn = aws.elbv2(self.region), observed.outputs.arn
        if "address" in observed.drift:
            elbv2.add_tags(ResourceArns=[arn], Tags=tags.as_list(given.tags(self)))
        if observed.drift.keys() - {"address"}:
            elbv2.modify_rule(RuleArn=arn, Conditions=self._conditions(), Actions=self._actions(given))

    def delete(self, aws: Aws, outputs: ListenerRuleOutputs) -> None:
        aws.elbv2(self.region).delete_rule(RuleArn=outputs.arn)

    def _conditions(self) -> list[RuleConditionTypeDef]:
        return [{"Field": "path-pattern", "PathPatternConfig": {"Values": [self.path]}}]

    def _actions(self, given: Given) -> list[ActionTypeDef]:
        return [{"Type": "forward", "TargetGroupArn": given[self.target_group].arn}]

    def _find(self, aws: Aws, given: Given) -> RuleTypeDef | None:
        elbv2, recorded = aws.elbv2(self.region), given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                return elbv2.describe_rules(RuleArns=[recorded.arn])["Rules"][0]
        with tolerating_absence():
            rules = elbv2.describe_rules(ListenerArn=given[self.listener].arn)["Rules"]
            return next((each for each in rules if each["Priority"] == str(self.priority)), None)
        return None
