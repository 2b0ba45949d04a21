"""GetResources also for the tagged things that moto's tagging API leaves out, though it knows their tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.elbv2.models import elbv2_backends

from drctl.sim.call import Answer, Call
from drctl.sim.gaps import autoscaling
from drctl.sim.registry import after
from drctl.sim.world import World


@after("resourcegroupstaggingapi", "GetResources")
def complete(call: Call, world: World, answer: Answer) -> None:
    """On the last page ("GetResources", Resource Groups Tagging API reference, lists the supported services)."""
    if answer.get("PaginationToken"):
        return
    found = answer["ResourceTagMappingList"]
    known = {each["ResourceARN"] for each in found}
    for arn, tags in _left_out(call, world):
        if arn not in known and _wanted(call.params, tags):
            found.append({"ResourceARN": arn, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]})


def _left_out(call: Call, world: World) -> Iterator[tuple[str, dict[str, str]]]:
    """ARN and tags."""
    elbv2 = elbv2_backends[call.account][call.region]
    for balancer in elbv2.load_balancers.values():
        for listener in balancer.listeners.values():
            for arn in (listener.arn, *(rule.arn for rule in listener.rules.values())):
                yield arn, elbv2.tagging_service.get_tag_dict_for_resource(arn)
    for arn, tags in world.section(autoscaling.TAGS).items():
        if arn.split(":")[3:5] == [call.region, call.account]:
            yield arn, tags


def _wanted(params: dict[str, Any], tags: dict[str, str]) -> bool:
    """Whether all filters hold: the key is there, with one of the values if any are given."""
    return not params.get("ResourceTypeFilters") and all(
        each["Key"] in tags and (not each.get("Values") or tags[each["Key"]] in each["Values"])
        for each in params.get("TagFilters", [])
    )
