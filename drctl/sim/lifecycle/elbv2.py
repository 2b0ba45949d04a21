"""Load balancers over time: provisioning, the interfaces they leave behind, and the health of their targets."""

from __future__ import annotations

from typing import Any

from moto.elbv2.models import elbv2_backends

from drctl.sim.call import Answer, Call
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.registry import after
from drctl.sim.world import World

PROVISIONING = "load-balancer"
"""The kind of a load balancer's transition in World; its id is the ARN."""

TARGETS = "elbv2.targets"
"""World's section of target group ARN -> address -> {port, healthy_at, drained_at}, times in simulated seconds.

``drained_at`` is None while the target is registered."""


@after("elbv2", "CreateLoadBalancer", "DescribeLoadBalancers")
def provisioning_takes_time(call: Call, world: World, answer: Answer) -> None:
    for balancer in answer["LoadBalancers"]:
        status = world.status(PROVISIONING, balancer["LoadBalancerArn"])
        balancer["State"] = {"Code": status or "active"}


@after("elbv2", "CreateListener", "ModifyListener", "DescribeListeners")
def listeners_show_what_applies(call: Call, world: World, answer: Answer) -> None:
    for listener in answer["Listeners"]:
        if listener["Protocol"] == "HTTP":
            listener.pop("SslPolicy", None)
        fill_in(listener["DefaultActions"])


@after("elbv2", "CreateRule", "ModifyRule", "DescribeRules")
def rules_show_what_applies(call: Call, world: World, answer: Answer) -> None:
    for listed in answer["Rules"]:
        fill_in(listed["Actions"])


def fill_in(actions: list[dict[str, Any]]) -> None:
    """What AWS adds to an action: ELBv2 API reference, ForwardActionConfig and RedirectActionConfig."""
    for action in actions:
        if action["Type"] == "forward" and "TargetGroupArn" in action:
            action["ForwardConfig"] = {
                "TargetGroups": [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}],
                "TargetGroupStickinessConfig": {"Enabled": False},
                **(action.get("ForwardConfig") or {}),
            }
        if action["Type"] == "redirect":
            action["RedirectConfig"] = {
                "Protocol": "#{protocol}",
                "Port": "#{port}",
                "Host": "#{host}",
                "Path": "/#{path}",
                "Query": "#{query}",
                **action["RedirectConfig"],
            }


@after("elbv2", "DeleteLoadBalancer", "DeleteListener", "ModifyListener", "DeleteRule", "ModifyRule")
def users_are_counted_again(call: Call, world: World, answer: Answer) -> None:
    """moto only ever adds to a target group's load balancers."""
    backend = elbv2_backends[call.account][call.region]
    for group in backend.target_groups.values():
        group.load_balancer_arns = sorted(balancers_of(backend, group.arn))


@after("elbv2", "DeleteTargetGroup")
def targets_go_with_their_group(call: Call, world: World, answer: Answer) -> None:
    world.section(TARGETS).pop(call.params["TargetGroupArn"], None)


def balancers_of(backend: Any, target_group: str) -> set[str]:
    """The load balancers with a listener or rule that forwards to the target group."""
    return {
        balancer.arn
        for balancer in backend.load_balancers.values()
        for listener in balancer.listeners.values()
        for listed in listener.rules.values()
        for action in listed.actions
        if target_group in backend._get_target_group_arns_from(action_data=action.data)
    }


def register(world: World, account: str, region: str, target_group: str, address: str, port: int) -> None:
    """Put a target into the group: ``initial`` until its load balancer is active and found it healthy."""
    backend = elbv2_backends[account][region]
    group = backend.target_groups[target_group]
    group.register([{"Id": address, "Port": port}])
    ready = max(
        [world.now]
        + [
            world.transitions[PROVISIONING, balancer].until
            for balancer in balancers_of(backend, target_group)
            if world.status(PROVISIONING, balancer) is not None
        ]
    )
    world.section(TARGETS).setdefault(target_group, {})[address] = {
        "port": port,
        "healthy_at": ready + DURATIONS["target-registration"].ready,
        "drained_at": None,
    }


def deregister(world: World, account: str, region: str, target_group: str, address: str) -> float:
    """Take a target out and return the seconds for which it is draining."""
    group = elbv2_backends[account][region].target_groups.get(target_group)
    known = world.section(TARGETS).get(target_group, {}).get(address)
    if group is None or known is None or known["drained_at"] is not None:
        return 0.0
    group.targets.pop(address, None)
    seconds = drain_seconds(group)
    known["drained_at"] = world.now + seconds
    return seconds


def drain_seconds(group: Any) -> float:
    """Application Load Balancer user guide, "Deregistration delay": how long a target stays ``draining``."""
    return float(group.attributes["deregistration_delay.timeout_seconds"])


def health(world: World, account: str, region: str, target_group: str) -> list[dict[str, Any]]:
    """The targets of a group as DescribeTargetHealth shows them."""
    used = bool(balancers_of(elbv2_backends[account][region], target_group))
    shown = []
    for address, known in world.section(TARGETS).get(target_group, {}).items():
        state = target_state(world, known, used)
        if state is not None:
            shown.append(
                {
                    "Target": {"Id": address, "Port": known["port"]},
                    "HealthCheckPort": str(known["port"]),
                    "TargetHealth": state,
                }
            )
    return shown


def target_state(world: World, known: dict[str, Any], used: bool) -> dict[str, str] | None:
    """Application Load Balancer user guide, "Target health status"; None once a target has drained."""
    if known["drained_at"] is not None:
        if known["drained_at"] <= world.now:
            return None
        return {
            "State": "draining",
            "Reason": "Target.DeregistrationInProgress",
            "Description": "Target deregistration is in progress",
        }
    if not used:
        return {
            "State": "unused",
            "Reason": "Target.NotInUse",
            "Description": "Target group is not configured to receive traffic from the load balancer",
        }
    if known["healthy_at"] > world.now:
        return {
            "State": "initial",
            "Reason": "Elb.RegistrationInProgress",
            "Description": "Target registration is in progress",
        }
    return {"State": "healthy"}
