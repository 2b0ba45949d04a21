"""Somebody who is told by mail, once they have confirmed that they want to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Resource, StaysBehind, differences, resource
from drctl.resources.sns_topic import SnsTopic

if TYPE_CHECKING:
    from drctl.aws.clients import Aws


UNCONFIRMED = "PendingConfirmation"
"""What SNS lists in the place of the ARN until somebody has confirmed (API reference, "Subscription")."""


@dataclass(frozen=True)
class SnsSubscriptionOutputs:
    """arn: UNCONFIRMED where it was found again before it was confirmed: SNS told its ARN to who subscribed."""

    arn: str


@resource
class SnsSubscription(Resource[SnsSubscriptionOutputs]):
    """Ready whether confirmed or not: when a person reads their mail is not for ``up`` to wait for.

    An unconfirmed one is forgotten by SNS after 48 hours (developer guide, "Deleting an Amazon SNS subscription and
    topic"); the next ``up`` then asks again.
    """

    kind: ClassVar[str] = "sns-subscription"
    fixed: ClassVar[frozenset[str]] = frozenset({"topic", "email"})

    topic: SnsTopic
    email: str

    def read(self, aws: Aws, given: Given) -> Observed[SnsSubscriptionOutputs] | None:
        sns, recorded = aws.sns(self.region), given.recorded(self)
        topic = given[self.topic].arn
        if recorded is not None and recorded.arn != UNCONFIRMED:
            with tolerating_absence():
                held = sns.get_subscription_attributes(SubscriptionArn=recorded.arn)["Attributes"]
                drift = differences(
                    {"topic": held["TopicArn"], "email": held["Endpoint"]},
                    {"topic": topic, "email": self.email},
                )
                return Observed(recorded, drift=drift)
        with tolerating_absence():
            for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
                for each in page["Subscriptions"]:
                    arn = each["SubscriptionArn"]
                    there = arn == UNCONFIRMED or arn.startswith("arn:")  # else it says "Deleted"
                    if there and (each["Protocol"], each["Endpoint"]) == ("email", self.email):
                        return Observed(SnsSubscriptionOutputs(arn))
        return None

    def create(self, aws: Aws, given: Given) -> SnsSubscriptionOutputs:
        arn = aws.sns(self.region).subscribe(
            TopicArn=given[self.topic].arn, Protocol="email", Endpoint=self.email, ReturnSubscriptionArn=True
        )["SubscriptionArn"]
        return SnsSubscriptionOutputs(arn)

    def delete(self, aws: Aws, outputs: SnsSubscriptionOutputs) -> None:
        if self._is_unconfirmed(aws, outputs):
            raise StaysBehind(
                "SNS removes an unconfirmed subscription by itself, with its topic or after 48 hours"
            )
        aws.sns(self.region).unsubscribe(SubscriptionArn=outputs.arn)

    def _is_unconfirmed(self, aws: Aws, outputs: SnsSubscriptionOutputs) -> bool:
        if outputs.arn == UNCONFIRMED:
            return True
        held = aws.sns(self.region).get_subscription_attributes(SubscriptionArn=outputs.arn)["Attributes"]
        return held.get("PendingConfirmation") == "true"
