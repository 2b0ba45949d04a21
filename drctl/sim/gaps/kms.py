"""Rotation periods, and keys that really go once their window is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.kms.models import kms_backends

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.lifecycle.kms import find_key
from drctl.sim.registry import after, event, gap
from drctl.sim.world import World

ROTATION = "kms-rotation"
"""Section: key ARN -> ``days`` and ``since`` (simulated seconds)."""
DEFAULT_DAYS = 365
DAY = 86_400.0


@gap(
    "kms",
    "EnableKey",
    "DisableKey",
    "ScheduleKeyDeletion",
    "CancelKeyDeletion",
    "UpdateKeyDescription",
)
def by_any_name(call: Call, world: World, moto: Moto) -> Answer:
    """KeyId may be an ARN; moto crashes on one here."""
    key = find_key(call.account, call.region, call.params["KeyId"])
    assert key is not None, "the rules have looked"
    return moto(replace(call, params={**call.params, "KeyId": key.id}))


@after("kms", "EnableKeyRotation")
def remember_rotation(call: Call, world: World, answer: Answer) -> None:
    key = find_key(call.account, call.region, call.params["KeyId"])
    if key is not None:
        days = int(call.params.get("RotationPeriodInDays", DEFAULT_DAYS))
        world.section(ROTATION)[key.arn] = {"days": days, "since": world.now}


@after("kms", "GetKeyRotationStatus")
def show_rotation(call: Call, world: World, answer: Answer) -> None:
    key = find_key(call.account, call.region, call.params["KeyId"])
    if key is None:
        return
    answer["KeyId"] = key.arn
    if answer["KeyRotationEnabled"] and (rotation := world.section(ROTATION).get(key.arn)):
        since = datetime.fromtimestamp(rotation["since"], UTC)
        answer["RotationPeriodInDays"] = rotation["days"]
        answer["NextRotationDate"] = since + timedelta(days=rotation["days"])


@after("kms", "ScheduleKeyDeletion")
def schedule_deletion(call: Call, world: World, answer: Answer) -> None:
    key = find_key(call.account, call.region, call.params["KeyId"])
    if key is None:
        return
    days = int(call.params.get("PendingWindowInDays", 30))
    answer.update(KeyId=key.arn, KeyState="PendingDeletion", PendingWindowInDays=days)
    world.later(
        days * DAY,
        "kms-key-gone",
        account=call.account,
        region=call.region,
        id=key.id,
        date=key.deletion_date.isoformat(),
    )


@event("kms-key-gone")
def key_gone(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """A cancelled deletion, or a later one, leaves another date or none."""
    backend = kms_backends[data["account"]][data["region"]]
    key = backend.keys.get(data["id"])
    if key is not None and key.deletion_date is not None and key.deletion_date.isoformat() == data["date"]:
        backend.delete_key(key.id)


@after("kms", "DescribeKey")
def managed_by_aws(call: Call, world: World, answer: Answer) -> None:
    """The keys behind alias/aws/... belong to AWS; moto calls them the customer's."""
    shown = answer["KeyMetadata"]
    key = find_key(call.account, call.region, shown["Arn"])
    if key is not None and any(name.startswith("alias/aws/") for name in key.aliases):
        shown["KeyManager"] = "AWS"
