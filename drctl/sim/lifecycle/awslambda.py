"""Lambda functions take time: Pending after a create, an update in progress after a change."""

from __future__ import annotations

from drctl.sim.call import Answer, Call
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.registry import after
from drctl.sim.world import World

CREATING = "lambda-function"
UPDATING = "lambda-update"
FORGOTTEN_BY_MOTO = ("LoggingConfig", "DeadLetterConfig")


def function_arn(call: Call) -> str:
    """The unqualified ARN of the function a call names, by name, partial ARN or ARN."""
    name = call.params["FunctionName"]
    if ":function:" in name:
        name = name.split(":function:")[1]
    return f"arn:aws:lambda:{call.region}:{call.account}:function:{name.split(':')[0]}"


@after("lambda", "CreateFunction")
def start(call: Call, world: World, answer: Answer) -> None:
    world.begin(CREATING, function_arn(call), "Pending", DURATIONS["lambda-function"].ready)
    keep_settings(call, world)
    show(world, answer)


@after("lambda", "UpdateFunctionCode", "UpdateFunctionConfiguration")
def change(call: Call, world: World, answer: Answer) -> None:
    world.begin(UPDATING, function_arn(call), "InProgress", DURATIONS["lambda-function"].ready)
    keep_settings(call, world)
    show(world, answer)


def keep_settings(call: Call, world: World) -> None:
    arn = function_arn(call)
    default = {"LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{arn.rsplit(':', 1)[-1]}"}}
    held = world.section("lambda.settings").setdefault(arn, default)
    for name in FORGOTTEN_BY_MOTO:
        if name in call.params:
            held[name] = default.get(name, {}) | call.params[name]


@after("lambda", "GetFunctionConfiguration")
def show_configuration(call: Call, world: World, answer: Answer) -> None:
    show(world, answer)


@after("lambda", "GetFunction")
def show_function(call: Call, world: World, answer: Answer) -> None:
    show(world, answer["Configuration"])


@after("lambda", "ListFunctions")
def show_list(call: Call, world: World, answer: Answer) -> None:
    """ListFunctions returns a subset: no State and no LastUpdateStatus (ListFunctions API reference)."""
    for configuration in answer.get("Functions", []):
        show(world, configuration)
        for name in ("State", "StateReason", "StateReasonCode", "LastUpdateStatus", "LastUpdateStatusReason"):
            configuration.pop(name, None)


def show(world: World, configuration: Answer) -> None:
    """Put the passing states and what moto forgets into a FunctionConfiguration."""
    arn = configuration["FunctionArn"]
    if arn.count(":") > 6:
        arn = arn.rsplit(":", 1)[0]
    configuration |= world.section("lambda.settings").get(arn, {})
    if world.status(CREATING, arn):
        configuration |= {
            "State": "Pending",
            "StateReason": "The function is being created.",
            "StateReasonCode": "Creating",
            "LastUpdateStatus": "InProgress",
            "LastUpdateStatusReason": "The function is being created.",
            "LastUpdateStatusReasonCode": "Creating",
        }
    elif world.status(UPDATING, arn):
        configuration |= {
            "LastUpdateStatus": "InProgress",
            "LastUpdateStatusReason": "The function is being created.",
            "LastUpdateStatusReasonCode": "Creating",
        }
    else:
        configuration["LastUpdateStatus"] = "Successful"


@after("lambda", "DeleteFunction")
def forget(call: Call, world: World, answer: Answer) -> None:
    arn = function_arn(call)
    world.section("lambda.settings").pop(arn, None)
    for kind in (CREATING, UPDATING):
        world.transitions.pop((kind, arn), None)
