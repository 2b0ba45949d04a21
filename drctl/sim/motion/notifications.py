"""What CloudWatch says to a topic when an alarm changes, and who hears it.

Subscribed queues get the message; an e-mail address, a URL or a function is only noted: nothing leaves the simulator.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from moto.moto_api._internal import mock_random
from moto.sns.models import sns_backends

from drctl.sim.world import World

DELIVERIES = "sns.deliveries"
"""World's section: topic ARN -> what was published to it by alarms, oldest first: time, alarm, state and subject."""

KEPT = 200
"""How many deliveries of a topic are remembered."""


def notify(world: World, arn: str, alarm: Any, before: str) -> None:
    """Tell a topic of the alarm's region that it changed; other actions, and topics that are gone, are left alone.

    before: the alarm's state before this one
    """
    _, _, service, region, account, _ = arn.split(":", 5)
    if service != "sns" or region != alarm.region_name or arn not in sns_backends[account][region].topics:
        return
    subject = f'{alarm.state_value}: "{alarm.name}" in {alarm.region_name}'
    said = {"time": world.now, "alarm": alarm.name, "state": alarm.state_value, "subject": subject}
    deliveries = world.section(DELIVERIES).setdefault(arn, [])
    deliveries.append(said)
    del deliveries[:-KEPT]
    text, number = json.dumps(message(world, account, alarm, before)), str(mock_random.uuid4())
    for subscription in sns_backends[account][region].subscriptions.values():
        if subscription.topic_arn == arn and subscription.protocol == "sqs":
            subscription.publish(text, number, subject=subject)


def message(world: World, account: str, alarm: Any, before: str) -> dict[str, Any]:
    """The JSON that CloudWatch publishes (user guide, "Notifying users on alarm changes")."""
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description or None,
        "AWSAccountId": account,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": datetime.fromtimestamp(world.now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Region": alarm.region_name,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
        "AlarmActions": list(alarm.alarm_actions),
        "OKActions": list(alarm.ok_actions),
        "InsufficientDataActions": list(alarm.insufficient_data_actions),
    }
