"""EventBridge's scheduled rules, looked at once a minute: those with a rate invoke the functions they target.

Source: EventBridge user guide, "Creating a rule that runs on a schedule". ``cron`` expressions never fire here.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from moto.awslambda.utils import get_backend
from moto.events.models import events_backends

from drctl.sim.call import Moto
from drctl.sim.gaps.cloudwatch_metrics import record
from drctl.sim.motion import invocations, outage
from drctl.sim.motion.pulse import pulse
from drctl.sim.rules.events import RATE
from drctl.sim.world import World

LOOKED_AT = 60.0
"""Simulated seconds between two looks at the schedules: the shortest rate."""

SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0}

NEXT = "events.next"
"""World's section: rule ARN -> (schedule, when it is due next)."""


@pulse("events-schedules", LOOKED_AT)
def fire_rules(world: World, moto: Moto) -> None:
    """Invoke the targets of every rule that is due, in regions that are not out."""
    seen = set()
    for account, region, _ in events_backends.iter_backends():
        for bus in events_backends[account][region].event_buses.values():
            for rule in bus.rules.values():
                seen.add(rule.arn)
                if is_due(world, rule) and rule.state == "ENABLED" and not outage.is_out(world, region):
                    fire(world, (account, region), rule)
    for gone in world.section(NEXT).keys() - seen:
        del world.section(NEXT)[gone]


def is_due(world: World, rule: Any) -> bool:
    """Whether a rule's moment has come; then the next one is a period from now.

    A rule that is new was made since the last look: a rate counts from when its rule is made.
    """
    rate = RATE.match(rule.scheduled_expression or "")
    if rate is None:
        return False
    period = int(rate[1]) * SECONDS[rate[2].removesuffix("s")]
    schedule, due = world.section(NEXT).get(rule.arn, (None, 0.0))
    if schedule != rule.scheduled_expression:
        due = world.now + period - LOOKED_AT
    is_now = due <= world.now
    world.section(NEXT)[rule.arn] = (rule.scheduled_expression, world.now + period if is_now else due)
    return is_now


def fire(world: World, where: tuple[str, str], rule: Any) -> None:
    """Invoke a rule's functions; a target that is none, or does not allow it, is a failed invocation."""
    for target in rule.targets:
        key = invocations.key_of(target["Arn"])
        allowed = key is not None and permits(key, rule.arn)
        metric = "Invocations" if allowed else "FailedInvocations"
        record(world, where, "AWS/Events", metric, {"RuleName": rule.name}, 1.0)
        if key is not None and allowed:
            given = target.get("Input")
            invocations.ask(world, key, json.loads(given) if given else occurrence(world, rule))


def permits(key: invocations.Key, rule_arn: str) -> bool:
    """Whether the function's own policy lets EventBridge invoke it for this rule."""
    account, region, name = key
    for function in get_backend(account, region)._lambdas.latest():
        if function.function_name == name:
            return any(admits(statement, rule_arn) for statement in function.policy.statements)
    return False


def admits(statement: dict[str, Any], rule_arn: str) -> bool:
    """Whether a statement, as AddPermission makes them, allows the rule; its source account is not looked at."""
    principal = statement.get("Principal", {})
    service = principal.get("Service") if isinstance(principal, dict) else principal
    sources = [
        wanted["AWS:SourceArn"]
        for wanted in statement.get("Condition", {}).values()
        if "AWS:SourceArn" in wanted
    ]
    return (
        statement.get("Effect") == "Allow"
        and service in ("events.amazonaws.com", "*")
        and statement.get("Action") in ("lambda:InvokeFunction", "lambda:*", "*")
        and all(fnmatchcase(rule_arn, source) for source in sources)
    )


def occurrence(world: World, rule: Any) -> dict[str, Any]:
    """The event of a schedule: user guide, "Scheduled events"."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": rule.account_id,
        "time": datetime.fromtimestamp(world.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": rule.region_name,
        "resources": [rule.arn],
        "detail": {},
    }
