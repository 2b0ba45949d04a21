"""What Lambda refuses and moto accepts."""

from __future__ import annotations

from moto.awslambda.utils import get_backend

from drctl.sim.call import Call, Refused
from drctl.sim.lifecycle.awslambda import CREATING, UPDATING, function_arn
from drctl.sim.lifecycle.iam import role_usable
from drctl.sim.registry import rule
from drctl.sim.world import World

CONCURRENCY = 1000
"""The default account quota of concurrent executions; a hundred must stay unreserved."""

RESERVED = {"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"} | {
    *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
    *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
    *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
}
"""Developer guide, "Defined runtime environment variables": the reserved ones."""


@rule(
    "lambda",
    "CreateFunction",
    "UpdateFunctionConfiguration",
    source='InvalidParameterValueException "The role defined for the function cannot be assumed by Lambda."',
)
def role_can_be_assumed(call: Call, world: World) -> None:
    role = call.params.get("Role")
    if role and not role_usable(world, call.account, role, "lambda.amazonaws.com"):
        raise invalid("The role defined for the function cannot be assumed by Lambda.")


@rule(
    "lambda",
    "CreateFunction",
    "UpdateFunctionConfiguration",
    source="CreateFunction API reference: Timeout 1 to 900, MemorySize 128 to 10240",
)
def timeout_and_memory_within_bounds(call: Call, world: World) -> None:
    for name, low, high in (("Timeout", 1, 900), ("MemorySize", 128, 10_240)):
        value = int(call.params.get(name, low))
        if not low <= value <= high:
            bound = f"less than or equal to {high}" if value > high else f"greater than or equal to {low}"
            member = name[0].lower() + name[1:]
            raise Refused(
                "ValidationException",
                f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member "
                f"must have value {bound}",
            )


@rule(
    "lambda",
    "CreateFunction",
    "UpdateFunctionConfiguration",
    source='InvalidParameterValueException "... reserved keys that are currently not supported for modification."',
)
def environment_has_no_reserved_keys(call: Call, world: World) -> None:
    taken = sorted(RESERVED & set(call.params.get("Environment", {}).get("Variables", {})))
    if taken:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used "
            f"in this request: {', '.join(taken)}"
        )


@rule(
    "lambda",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "PublishVersion",
    source='ResourceConflictException "The operation cannot be performed at this time."; developer guide, '
    '"Lambda function states"',
)
def one_change_at_a_time(call: Call, world: World) -> None:
    arn = function_arn(call)
    if world.status(CREATING, arn):
        raise conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending"
        )
    if world.status(UPDATING, arn):
        raise conflict(
            f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
        )


@rule(
    "lambda",
    "AddPermission",
    source='ResourceConflictException "The statement id (...) provided already exists."',
)
def statement_id_is_new(call: Call, world: World) -> None:
    arn = function_arn(call)
    functions = get_backend(call.account, call.region)._lambdas.latest()
    statements = [
        one for function in functions if function.function_arn == arn for one in function.policy.statements
    ]
    if any(statement.get("Sid") == call.params["StatementId"] for statement in statements):
        raise conflict(
            f"The statement id ({call.params['StatementId']}) provided already exists. Please provide a new "
            "statement id, or remove the existing statement."
        )


@rule(
    "lambda",
    "PutFunctionConcurrency",
    source="InvalidParameterValueException \"Specified ReservedConcurrentExecutions for function decreases account's "
    'UnreservedConcurrentExecution below its minimum value of [100]."',
)
def some_concurrency_stays_unreserved(call: Call, world: World) -> None:
    arn = function_arn(call)
    others = sum(
        int(function.reserved_concurrency or 0)
        for function in get_backend(call.account, call.region)._lambdas.latest()
        if function.function_arn != arn
    )
    if others + int(call.params["ReservedConcurrentExecutions"]) > CONCURRENCY - 100:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of [100]."
        )


def invalid(message: str) -> Refused:
    return Refused("InvalidParameterValueException", message)


def conflict(message: str) -> Refused:
    return Refused("ResourceConflictException", message, 409)
