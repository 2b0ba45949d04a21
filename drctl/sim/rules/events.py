"""What EventBridge refuses and moto accepts."""

from __future__ import annotations

import re

from moto.events.models import events_backends

from drctl.sim.call import Call, Refused
from drctl.sim.registry import rule
from drctl.sim.world import World

RATE = re.compile(r"^rate\((\d+) (minutes?|hours?|days?)\)$")
CRON = re.compile(r"^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$")
TARGETS = 5


@rule(
    "events",
    "PutRule",
    source='ValidationException "Parameter ScheduleExpression is not valid."; user guide, "Rate expressions": '
    'singular for 1, plural above; "Cron expressions": six fields, one of the two days is ?',
)
def schedule_is_grammatical(call: Call, world: World) -> None:
    expression = call.params.get("ScheduleExpression")
    if not expression:
        return
    rate, cron = RATE.match(expression), CRON.match(expression)
    good_rate = rate is not None and int(rate[1]) > 0 and (int(rate[1]) == 1) != rate[2].endswith("s")
    good_cron = cron is not None and (cron[3] == "?") != (cron[5] == "?")
    if not good_rate and not good_cron:
        raise Refused("ValidationException", "Parameter ScheduleExpression is not valid.")


@rule(
    "events",
    "PutTargets",
    source='LimitExceededException "The requested resource exceeds the maximum number allowed."; 5 a rule',
)
def five_targets_at_most(call: Call, world: World) -> None:
    bus = call.params.get("EventBusName", "default").rsplit("/", 1)[-1]
    found = events_backends[call.account][call.region].event_buses.get(bus)
    existing = found.rules.get(call.params["Rule"]) if found is not None else None
    ids = {target["Id"] for target in (existing.targets if existing is not None else [])}
    if len(ids | {target["Id"] for target in call.params["Targets"]}) > TARGETS:
        raise Refused("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
