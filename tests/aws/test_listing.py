"""Looks answered by lists: the same answers as AWS gives to each, in fewer calls; what no list holds is asked for."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from drctl.aws.clients import ApiCall, Aws
from drctl.commands.context import Access, Context, identify
from drctl.commands.records import rebuilt
from tests.conftest import Sim
from tests.environment import ENVIRONMENT, Built, P

LEAST_SAVED = 0.35
"""Of the calls of a look at everything."""


def door(endpoint: str, calls: list[ApiCall]) -> Aws:
    return Aws(boto3.Session("simulated", "simulated"), endpoint).witnessed(calls.append)


@pytest.mark.xdist_group(ENVIRONMENT)
def test_every_resource_reads_the_same_from_lists_in_far_fewer_calls(built: Built) -> None:
    context = Context(built.config, built.state, "plan", lambda _: None, Access(speed=1.0))
    ledger = context.reading("demo")
    seen: dict[str, dict[str, Any]] = {}
    calls: dict[str, list[ApiCall]] = {"plain": [], "listed": []}
    for way, made in calls.items():
        aws = door(built.sim.endpoint, made)
        run = context.run(
            aws.listed("demo") if way == "listed" else aws, identify(aws, P, ledger, None), ledger, "demo"
        )
        seen[way] = {
            address: resource.read(run.aws, run.given(resource))
            for address, resource in rebuilt(ledger).items()
        }
    assert seen["listed"] == seen["plain"]
    assert len(calls["listed"]) < (1 - LEAST_SAVED) * len(calls["plain"])


def names(aws: Aws, *wanted: str) -> list[str]:
    found = aws.cloudwatch(P).describe_alarms(
        AlarmNames=list(wanted), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    return [alarm["AlarmName"] for alarm in found["MetricAlarms"]]


def an_alarm(sim: Sim, name: str) -> None:
    sim.client("cloudwatch", P).put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )


def test_one_list_answers_many_looks_and_what_it_lacks_is_asked_for(sim: Sim) -> None:
    for name in ("demo-a", "demo-b", "other"):
        an_alarm(sim, name)
    calls: list[ApiCall] = []
    aws = door(sim.endpoint, calls).listed("demo")
    assert [names(aws, "demo-a"), names(aws, "demo-b"), names(aws, "demo-a")] == [
        ["demo-a"],
        ["demo-b"],
        ["demo-a"],
    ]
    assert len(calls) == 1
    assert names(aws, "other") == ["other"]
    an_alarm(sim, "demo-c")
    assert names(aws, "demo-c") == ["demo-c"], "younger than the list"
    assert names(aws, "demo-d") == []
    assert len(calls) == 4


def test_what_a_list_answers_is_the_askers_own(sim: Sim) -> None:
    an_alarm(sim, "demo-a")
    aws = door(sim.endpoint, []).listed("demo")
    for _ in range(2):
        (alarm,) = aws.cloudwatch(P).describe_alarms(
            AlarmNames=["demo-a"], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )["MetricAlarms"]
        assert alarm.pop("Dimensions") == []


def test_where_a_list_is_refused_every_look_is_a_call_of_its_own(sim: Sim) -> None:
    an_alarm(sim, "demo-a")
    sim.fault(
        "error", service="cloudwatch", operation="DescribeAlarms", times=1, status=403, code="AccessDenied"
    )
    calls: list[ApiCall] = []
    aws = door(sim.endpoint, calls).listed("demo")
    assert names(aws, "demo-a") == ["demo-a"]
    assert names(aws, "demo-a") == ["demo-a"]
    assert [call.status for call in calls] == [403, 200, 200]


def test_another_kind_of_look_is_none_that_a_list_answers(sim: Sim) -> None:
    an_alarm(sim, "demo-a")
    aws = door(sim.endpoint, []).listed("demo")
    assert names(aws, "demo-a") == ["demo-a"]
    by_prefix = aws.cloudwatch(P).describe_alarms(AlarmNamePrefix="demo", MaxRecords=1)
    assert by_prefix["ResponseMetadata"]["HTTPHeaders"], "AWS itself has answered"
