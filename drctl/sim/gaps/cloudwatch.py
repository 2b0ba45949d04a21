"""Alarms: metric alarms live in moto (its autoscaling makes some), with the state AWS would give them.

``alarms_of(account, region)`` is what evaluates; ``set_state`` is how a state changes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.gaps.alarm_rule import alarm_names, holds
from drctl.sim.registry import after, gap
from drctl.sim.world import World

UNCHECKED = "Unchecked: Initial alarm creation"


def alarms_of(account: str, region: str) -> dict[str, Any]:
    """moto's alarms by name; those with a ``rule`` are composite."""
    found: dict[str, Any] = cloudwatch_backends[account][region].alarms
    return found


def set_state(account: str, region: str, name: str, state: str, reason: str, data: str = "{}") -> None:
    """Change what an alarm says, keeping its history; composite alarms that look at it follow."""
    alarms_of(account, region)[name].update_state(reason, data, state)
    follow(account, region, name, frozenset())


def follow(account: str, region: str, name: str, passed: frozenset[str]) -> None:
    """Let composite alarms take the state that follows from this alarm's; rules that form a circle end."""
    alarms = alarms_of(account, region)
    for other in list(alarms.values()):
        if not other.rule or name not in alarm_names(other.rule) or other.name in passed:
            continue
        state = composite_state(account, region, other.rule)
        if state != other.state_value:
            reason = f"{alarms[name].alarm_arn} transitioned to {alarms[name].state_value}"
            other.update_state(reason, "{}", state)
            follow(account, region, other.name, passed | {name})


def composite_state(account: str, region: str, rule: str) -> str:
    alarms = alarms_of(account, region)
    true = holds(rule, lambda name: alarms[name].state_value if name in alarms else "INSUFFICIENT_DATA")
    return "ALARM" if true else "OK"


@gap("cloudwatch", "PutMetricAlarm")
def put_metric_alarm(call: Call, world: World, moto: Moto) -> Answer:
    """PutMetricAlarm API reference: a new alarm is INSUFFICIENT_DATA, an updated one keeps its state and tags."""
    name = call.params["AlarmName"]
    before = alarms_of(call.account, call.region).get(name)
    params = dict(call.params)
    if before is not None:
        params.pop("Tags", None)
    answer = moto(replace(call, params=params))
    carry_state(before, alarms_of(call.account, call.region)[name])
    return answer


def carry_state(before: Any, alarm: Any) -> None:
    alarm.state_value = "INSUFFICIENT_DATA"
    alarm.state_reason = UNCHECKED
    if before is not None:
        alarm.state_value = before.state_value
        alarm.state_reason = before.state_reason
        alarm.state_reason_data = before.state_reason_data
        alarm.state_updated_timestamp = before.state_updated_timestamp
        alarm.history = before.history


@gap("cloudwatch", "PutCompositeAlarm")
def put_composite_alarm(call: Call, world: World, moto: Moto) -> Answer:
    params = call.params
    backend = cloudwatch_backends[call.account][call.region]
    before = backend.alarms.get(params["AlarmName"])
    # moto's type hints describe metric alarms; its own composite alarms pass None for what they lack.
    absent: Any = None
    alarm = backend.put_metric_alarm(
        name=params["AlarmName"],
        namespace=absent,
        metric_name=absent,
        comparison_operator=absent,
        evaluation_periods=absent,
        period=absent,
        threshold=absent,
        statistic=absent,
        description=params.get("AlarmDescription", absent),
        dimensions=[],
        alarm_actions=params.get("AlarmActions", []),
        ok_actions=params.get("OKActions", []),
        insufficient_data_actions=params.get("InsufficientDataActions", []),
        actions_enabled=params.get("ActionsEnabled", True),
        rule=params["AlarmRule"],
        tags=None if before is not None else params.get("Tags"),
    )
    carry_state(before, alarm)
    state = composite_state(call.account, call.region, params["AlarmRule"])
    if state != alarm.state_value:
        set_state(
            call.account,
            call.region,
            alarm.name,
            state,
            f"{alarm.alarm_arn} was created and its alarm rule evaluates to {state}",
        )
    suppression = {name: params[name] for name in SUPPRESSION if name in params}
    world.section("cloudwatch.suppression")[alarm.alarm_arn] = suppression
    return {}


SUPPRESSION = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


@after("cloudwatch", "SetAlarmState")
def composites_follow(call: Call, world: World, answer: Answer) -> None:
    follow(call.account, call.region, call.params["AlarmName"], frozenset())


@after("cloudwatch", "DescribeAlarms")
def describe_as_asked(call: Call, world: World, answer: Answer) -> None:
    """DescribeAlarms API reference: only metric alarms unless AlarmTypes says otherwise; 50 at a time.

    moto looks at one filter only.
    """
    types = call.params.get("AlarmTypes", ["MetricAlarm"])
    metric = answer.get("MetricAlarms", []) if "MetricAlarm" in types else []
    composite = answer.get("CompositeAlarms", []) if "CompositeAlarm" in types else []
    for alarm in composite:
        alarm |= world.section("cloudwatch.suppression").get(alarm["AlarmArn"], {})
    start = int(call.params.get("NextToken", 0))
    size = int(call.params.get("MaxRecords", 50))
    wanted = call.params.get("StateValue")
    prefix = call.params.get("AlarmNamePrefix", "")
    ordered = sorted(
        (
            alarm
            for alarm in [*metric, *composite]
            if wanted in (None, alarm["StateValue"]) and alarm["AlarmName"].startswith(prefix)
        ),
        key=lambda alarm: str(alarm["AlarmName"]),
    )
    page = [alarm["AlarmName"] for alarm in ordered[start : start + size]]
    answer["MetricAlarms"] = [alarm for alarm in metric if alarm["AlarmName"] in page]
    answer["CompositeAlarms"] = [alarm for alarm in composite if alarm["AlarmName"] in page]
    if len(ordered) > start + size:
        answer["NextToken"] = str(start + size)


@gap("cloudwatch", "DeleteAlarms")
def delete_alarms(call: Call, world: World, moto: Moto) -> Answer:
    """moto keeps the tags for the next alarm of the name."""
    backend = cloudwatch_backends[call.account][call.region]
    for name in call.params["AlarmNames"]:
        arn = backend.alarms[name].alarm_arn
        backend.tagger.delete_all_tags_for_resource(arn)
        world.section("cloudwatch.suppression").pop(arn, None)
    return moto(call)
