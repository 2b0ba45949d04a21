"""What Application Auto Scaling refuses and moto accepts."""

from __future__ import annotations

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.autoscaling import backend, target
from drctl.sim.lifecycle.ecs_service import services
from drctl.sim.registry import rule
from drctl.sim.world import World

SERVICE = "application-autoscaling"


@rule(
    SERVICE,
    "RegisterScalableTarget",
    source='"ECS service doesn\'t exist: service/..." (ValidationException)',
)
def scaled_service_is_active(call: Call, world: World) -> None:
    resource = call.params["ResourceId"]
    if call.params["ServiceNamespace"] == "ecs" and not any(
        resource == f"service/{service['cluster']}/{service['name']}"
        for service in services(world).values()
        if (service["account"], service["region"]) == (call.account, call.region)
        and service["status"] == "ACTIVE"
    ):
        raise Refused("ValidationException", f"ECS service doesn't exist: {resource}")


@rule(
    SERVICE,
    "RegisterScalableTarget",
    source="Application Auto Scaling API reference, RegisterScalableTarget: MinCapacity and MaxCapacity are required "
    "when registering, and the maximum cannot be below the minimum",
)
def capacity_has_both_bounds(call: Call, world: World) -> None:
    known = target(call)
    low = call.params.get("MinCapacity", known.min_capacity if known is not None else None)
    high = call.params.get("MaxCapacity", known.max_capacity if known is not None else None)
    if low is None or high is None:
        raise Refused(
            "ValidationException", "MinCapacity and MaxCapacity are required to register a scalable target."
        )
    if low > high:
        raise Refused("ValidationException", "Maximum capacity cannot be less than minimum capacity.")


@rule(
    SERVICE,
    "DeregisterScalableTarget",
    "PutScalingPolicy",
    source='"No scalable target ... for service namespace: ..., resource ID: ..., scalable dimension: ..." '
    "(ObjectNotFoundException)",
)
def scalable_target_is_registered(call: Call, world: World) -> None:
    if target(call) is None:
        verb = "found" if call.operation == "DeregisterScalableTarget" else "registered"
        raise missing(f"scalable target {verb}", call)


@rule(SERVICE, "DeleteScalingPolicy", source='"No scaling policy found for ..." (ObjectNotFoundException)')
def scaling_policy_exists(call: Call, world: World) -> None:
    names = [
        call.params[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension", "PolicyName")
    ]
    if "\t".join(names) not in backend(call).policies:
        raise missing("scaling policy found", call)


def missing(what: str, call: Call) -> Refused:
    return Refused(
        "ObjectNotFoundException",
        f"No {what} for service namespace: {call.params['ServiceNamespace']}, resource ID: "
        f"{call.params['ResourceId']}, scalable dimension: {call.params['ScalableDimension']}",
    )
