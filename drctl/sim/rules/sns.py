"""What SNS refuses and moto accepts."""

from __future__ import annotations

import json

from moto.sns.models import sns_backends

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.sns import given_attributes, pending
from drctl.sim.registry import rule
from drctl.sim.world import World


@rule(
    "sns",
    "CreateTopic",
    source='InvalidParameter "Invalid parameter: Attributes Reason: Topic already exists with different '
    'attributes", "... Tags Reason: Topic already exists with different tags"',
)
def existing_topic_is_the_same(call: Call, world: World) -> None:
    arn = f"arn:aws:sns:{call.region}:{call.account}:{call.params['Name']}"
    topic = sns_backends[call.account][call.region].topics.get(arn)
    if topic is None:
        return
    held = given_attributes(world).get(arn, {})
    if any(held.get(name) != value for name, value in call.params.get("Attributes", {}).items()):
        raise invalid("Attributes Reason: Topic already exists with different attributes")
    wanted = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags", [])}
    if wanted and wanted != topic._tags:
        raise invalid("Tags Reason: Topic already exists with different tags")


@rule(
    "sns",
    "CreateTopic",
    "SetTopicAttributes",
    source='InvalidParameter "Invalid parameter: Policy Error: null"',
)
def policy_is_a_policy(call: Call, world: World) -> None:
    attributes = call.params.get("Attributes", {})
    if call.params.get("AttributeName") == "Policy":
        attributes = {"Policy": call.params.get("AttributeValue", "")}
    text = attributes.get("Policy")
    if text is None:
        return
    try:
        good = isinstance(json.loads(text), dict) and bool(json.loads(text).get("Statement"))
    except ValueError:
        good = False
    if not good:
        raise invalid("Policy Error: null")


@rule(
    "sns",
    "Unsubscribe",
    source='InvalidParameter "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1", '
    '"... Cannot unsubscribe a subscription that is pending confirmation"; developer guide, "Deleting a subscription"',
)
def pending_subscription_cannot_be_removed(call: Call, world: World) -> None:
    if call.params["SubscriptionArn"].count(":") < 5:
        raise invalid("SubscriptionArn Reason: An ARN must have at least 6 elements, not 1")
    if call.params["SubscriptionArn"] in pending(world):
        raise invalid(
            "SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending confirmation"
        )


def invalid(message: str) -> Refused:
    return Refused("InvalidParameter", f"Invalid parameter: {message}")
