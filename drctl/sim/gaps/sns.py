"""Topics whose creation is compared with what exists, and e-mail subscriptions that wait for a person."""

from __future__ import annotations

from typing import Any

from moto.sns.models import sns_backends

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.registry import after, gap
from drctl.sim.world import World

BY_HAND = ("email", "email-json")
"""Protocols whose subscriptions a person confirms; nobody does in the simulator."""


def pending(world: World) -> dict[str, str]:
    """Subscription ARN -> topic ARN, for those not confirmed."""
    return world.section("sns.pending")


def given_attributes(world: World) -> dict[str, dict[str, str]]:
    """Topic ARN -> the attributes that were set on it, as they were written."""
    return world.section("sns.attributes")


@after("sns", "CreateTopic")
def keep_attributes(call: Call, world: World, answer: Answer) -> None:
    given_attributes(world).setdefault(answer["TopicArn"], dict(call.params.get("Attributes", {})))


@after("sns", "SetTopicAttributes")
def keep_attribute(call: Call, world: World, answer: Answer) -> None:
    held = given_attributes(world).setdefault(call.params["TopicArn"], {})
    held[call.params["AttributeName"]] = call.params.get("AttributeValue", "")


@gap("sns", "Subscribe")
def subscribe(call: Call, world: World, moto: Moto) -> Answer:
    """Subscribe API reference: without confirmation the answer is "pending confirmation", not an ARN."""
    answer = moto(call)
    if call.params["Protocol"] not in BY_HAND:
        return answer
    pending(world)[answer["SubscriptionArn"]] = call.params["TopicArn"]
    sns_backends[call.account][call.region].subscriptions[answer["SubscriptionArn"]].attributes[
        "PendingConfirmation"
    ] = True
    if call.params.get("ReturnSubscriptionArn"):
        return answer
    return {"SubscriptionArn": "pending confirmation"}


@after("sns", "ListSubscriptions", "ListSubscriptionsByTopic")
def hide_pending(call: Call, world: World, answer: Answer) -> None:
    for subscription in answer.get("Subscriptions", []):
        if subscription["SubscriptionArn"] in pending(world):
            subscription["SubscriptionArn"] = "PendingConfirmation"


@after("sns", "GetTopicAttributes")
def show_attributes(call: Call, world: World, answer: Answer) -> None:
    arn = call.params["TopicArn"]
    attributes: dict[str, Any] = answer["Attributes"]
    kept = given_attributes(world).get(arn, {})
    attributes |= {name: value for name, value in kept.items() if value and name != "Policy"}
    mine = sns_backends[call.account][call.region].subscriptions.values()
    waiting = sum(topic == arn for topic in pending(world).values())
    attributes["SubscriptionsPending"] = str(waiting)
    attributes["SubscriptionsConfirmed"] = str(sum(one.topic_arn == arn for one in mine) - waiting)


@after("sns", "DeleteTopic")
def forget(call: Call, world: World, answer: Answer) -> None:
    arn = call.params["TopicArn"]
    given_attributes(world).pop(arn, None)
    for subscription in [one for one, topic in pending(world).items() if topic == arn]:
        del pending(world)[subscription]
