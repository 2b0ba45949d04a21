"""The topic on which a region says that something is wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.aws.policy_document import canonical
from drctl.engine.resource import Given, Observed, Resource, differences, resource
from drctl.resources.kms_key import KmsKey

if TYPE_CHECKING:
    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class SnsTopicOutputs:
    arn: str


@resource
class SnsTopic(Resource[SnsTopicOutputs]):
    """Encrypted under ``key``, whose policy must let CloudWatch use it, or alarms fall silent (SNS developer guide,
    "Enable compatibility between event sources from AWS services and encrypted topics")."""

    kind: ClassVar[str] = "sns-topic"
    named: ClassVar[bool] = True
    fixed: ClassVar[frozenset[str]] = frozenset({"arn"})

    aws_name: str
    key: KmsKey

    def read(self, aws: Aws, given: Given) -> Observed[SnsTopicOutputs] | None:
        sns, recorded = aws.sns(self.region), given.recorded(self)
        wanted = self._arn(given)
        for arn in dict.fromkeys((recorded.arn, wanted) if recorded else (wanted,)):
            with tolerating_absence():
                held = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
                given.claim(self, tags.as_dict(sns.list_tags_for_resource(ResourceArn=arn)["Tags"]))
                actual = {
                    "arn": arn,
                    "key": held.get("KmsMasterKeyId"),
                    "policy": canonical(held.get("Policy", "{}")),
                }
                desired = {
                    "arn": wanted,
                    "key": given[self.key].arn,
                    "policy": canonical(self._policy(given)),
                }
                return Observed(SnsTopicOutputs(arn), drift=differences(actual, desired))
        return None

    def create(self, aws: Aws, given: Given) -> SnsTopicOutputs:
        arn = aws.sns(self.region).create_topic(
            Name=self.aws_name,
            Attributes={"KmsMasterKeyId": given[self.key].arn},
            Tags=tags.as_list(given.tags(self)),
        )["TopicArn"]
        return SnsTopicOutputs(arn)

    def update(self, aws: Aws, given: Given, observed: Observed[SnsTopicOutputs]) -> None:
        wanted = {
            "key": ("KmsMasterKeyId", given[self.key].arn),
            "policy": ("Policy", json.dumps(self._policy(given))),
        }
        for field in observed.drift:
            name, value = wanted[field]
            aws.sns(self.region).set_topic_attributes(
                TopicArn=observed.outputs.arn, AttributeName=name, AttributeValue=value
            )

    def delete(self, aws: Aws, outputs: SnsTopicOutputs) -> None:
        """Its subscriptions go with it."""
        aws.sns(self.region).delete_topic(TopicArn=outputs.arn)

    def _arn(self, given: Given) -> str:
        return f"arn:{given.partition}:sns:{self.region}:{given.account}:{self.aws_name}"

    def _policy(self, given: Given) -> dict[str, object]:
        """This account's alarms and rules may publish, and nobody from outside.

        Who in the account may do what is for IAM to say: the owner's identities need no statement here.
        """
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "AlarmsAndRules",
                    "Effect": "Allow",
                    "Principal": {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]},
                    "Action": "sns:Publish",
                    "Resource": self._arn(given),
                    "Condition": {"StringEquals": {"aws:SourceAccount": given.account}},
                }
            ],
        }
