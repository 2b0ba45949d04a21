"""The search for log groups by a part of their names, which moto ignores."""

from __future__ import annotations

from drctl.sim.call import Answer, Call
from drctl.sim.registry import after
from drctl.sim.world import World

FOUND_BY_PATTERN = ("arn", "creationTime", "logGroupName")


@after("logs", "DescribeLogGroups")
def find_by_pattern(call: Call, world: World, answer: Answer) -> None:
    """DescribeLogGroups API reference, logGroupNamePattern: a case-sensitive substring; no more than these members.

    How full a page then is AWS does not say; here it holds what matches among ``limit`` groups, perhaps none.
    """
    pattern = call.params.get("logGroupNamePattern")
    if pattern is not None:
        answer["logGroups"] = [
            {name: group[name] for name in FOUND_BY_PATTERN}
            for group in answer["logGroups"]
            if pattern in group["logGroupName"]
        ]
