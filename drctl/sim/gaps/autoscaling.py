"""Application Auto Scaling as moto lacks it: bounds that move the count, policies that go, tags."""

from __future__ import annotations

from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.lifecycle.ecs_service import remember_counts, scale, services
from drctl.sim.registry import after, gap
from drctl.sim.world import World

TAGS = "autoscaling.tags"
NOT_SUSPENDED = dict.fromkeys(
    ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), False
)
"""What a target has that nobody suspended (Application Auto Scaling API reference, SuspendedState)."""
LOW_FRACTION = 0.9
"""Target tracking scales in below 90 % of its target: Application Auto Scaling user guide, "How target tracking
works"."""


def backend(call: Call) -> Any:
    return applicationautoscaling_backends[call.account][call.region]


def target(call: Call) -> Any:
    """The registered scalable target that a request is about, or None."""
    return (
        backend(call).targets.get(call.params.get("ScalableDimension"), {}).get(call.params.get("ResourceId"))
    )


@gap("application-autoscaling", "RegisterScalableTarget")
def register_scalable_target(call: Call, world: World, moto: Moto) -> Answer:
    """Application Auto Scaling API reference: it changes the current capacity to a value inside of the range."""
    known = target(call)
    answer = moto(call)
    registered = target(call)
    if known is None:
        world.section(TAGS)[registered.arn] = dict(call.params.get("Tags", {}))
        registered.creation_time = world.now
    if known is None or "SuspendedState" in call.params:
        registered.suspended_state = {**NOT_SUSPENDED, **call.params.get("SuspendedState", {})}
    for service in services(world).values():
        path = f"service/{service['cluster']}/{service['name']}"
        here = (service["account"], service["region"]) == (call.account, call.region)
        if here and path == registered.resource_id and service["status"] == "ACTIVE":
            bounded = min(max(service["desiredCount"], registered.min_capacity), registered.max_capacity)
            if bounded != service["desiredCount"]:
                service["desiredCount"] = bounded
                scale(world, service)
                remember_counts(service)
    return answer


@gap("application-autoscaling", "DeregisterScalableTarget")
def deregister_scalable_target(call: Call, world: World, moto: Moto) -> Answer:
    """Application Auto Scaling API reference: deregistering deletes the target's policies and scheduled actions."""
    known = backend(call)
    resource, dimension = call.params["ResourceId"], call.params["ScalableDimension"]
    world.section(TAGS).pop(target(call).arn, None)
    for key, policy in list(known.policies.items()):
        if (policy.resource_id, policy.scalable_dimension) == (resource, dimension):
            policy.delete_alarms(call.account, call.region)
            del known.policies[key]
    known.scheduled_actions = [
        action
        for action in known.scheduled_actions
        if (action.resource_id, action.scalable_dimension) != (resource, dimension)
    ]
    return moto(call)


@gap("application-autoscaling", "PutScalingPolicy")
def put_scaling_policy(call: Call, world: World, moto: Moto) -> Answer:
    """A repeat updates the policy in place: its ARN stays and its alarms are replaced, not doubled."""
    known = backend(call)
    key = "\t".join(
        str(call.params[name])
        for name in ("ServiceNamespace", "ResourceId", "ScalableDimension", "PolicyName")
    )
    old = known.policies.get(key)
    if old is not None:
        old.delete_alarms(call.account, call.region)
    answer = moto(call)
    policy = known.policies[key]
    policy.creation_time = old.creation_time if old is not None else world.now
    if old is not None:
        policy.policy_arn = answer["PolicyARN"] = old.policy_arn
    goal = call.params.get("TargetTrackingScalingPolicyConfiguration", {}).get("TargetValue")
    alarms = cloudwatch_backends[call.account][call.region].alarms
    for shown in answer.get("Alarms", []):
        alarm = alarms.get(shown["AlarmName"])
        if alarm is not None and goal is not None:
            alarm.threshold = goal if "AlarmHigh" in alarm.name else goal * LOW_FRACTION
    return answer


def tagged(call: Call) -> str:
    """Raises Refused when no scalable target has the ARN."""
    arn = str(call.params["ResourceARN"])
    if not any(known.arn == arn for targets in backend(call).targets.values() for known in targets.values()):
        raise Refused("ResourceNotFoundException", f"No scalable target found for {arn}")
    return arn


@gap("application-autoscaling", "ListTagsForResource")
def list_tags(call: Call, world: World, moto: Moto) -> Answer:
    return {"Tags": dict(world.section(TAGS).get(tagged(call), {}))}


@gap("application-autoscaling", "TagResource")
def tag(call: Call, world: World, moto: Moto) -> Answer:
    world.section(TAGS).setdefault(tagged(call), {}).update(call.params["Tags"])
    return {}


@gap("application-autoscaling", "UntagResource")
def untag(call: Call, world: World, moto: Moto) -> Answer:
    held = world.section(TAGS).get(tagged(call), {})
    for key in call.params["TagKeys"]:
        held.pop(key, None)
    return {}


@after("application-autoscaling", "DescribeScalingPolicies")
def only_the_named_policies(call: Call, world: World, answer: Answer) -> None:
    """moto does not look at PolicyNames."""
    names = call.params.get("PolicyNames")
    if names:
        answer["ScalingPolicies"] = [
            each for each in answer["ScalingPolicies"] if each["PolicyName"] in names
        ]
