"""What AWS refuses by its service models alone: lengths, patterns, enumerations, ranges.

botocore sends what breaks them (it checks only types, presence and minimum lengths) and moto takes most of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from drctl.sim import models
from drctl.sim.call import Call, Refused
from drctl.sim.registry import RULES, SOURCES
from drctl.sim.world import World

CODES = {
    "acm": "ValidationException",
    "cloudwatch": "ValidationError",
    "events": "ValidationException",
    "iam": "ValidationError",
    "lambda": "ValidationException",
    "logs": "InvalidParameterException",
    "route53": "InvalidInput",
    "sts": "ValidationError",
}
"""How each service calls a request that breaks its model."""

OPERATIONS = {
    "acm": ("RequestCertificate",),
    "cloudwatch": ("PutMetricAlarm", "PutCompositeAlarm", "PutMetricData", "SetAlarmState"),
    "events": ("PutRule", "PutTargets"),
    "iam": ("CreateRole", "PutRolePolicy", "TagRole", "UpdateRole"),
    "lambda": ("CreateFunction", "AddPermission", "UpdateFunctionConfiguration"),
    "logs": ("CreateLogGroup",),
    "route53": ("CreateHostedZone", "CreateHealthCheck", "ChangeResourceRecordSets", "ChangeTagsForResource"),
    "sts": ("AssumeRole",),
}


def within_the_model(call: Call, world: World) -> None:
    """Refuse with every violation at once, in the words all AWS services share."""
    shape = models.operation_model(call.service, call.operation).input_shape
    found = list(violations(shape, call.params, ""))
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
        raise Refused(CODES[call.service], f"{count}: {'; '.join(found)}")


for _service, _operations in OPERATIONS.items():
    for _operation in _operations:
        # A service looks at the form of a request before it looks at anything else.
        RULES[_service, _operation].insert(0, within_the_model)
SOURCES[f"{__name__}.{within_the_model.__name__}"] = (
    'The service models\' constraints: "1 validation error detected: Value ... failed to satisfy constraint"'
)


def violations(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in value.items():
            if name in shape.members and member is not None:
                yield from violations(shape.members[name], member, f"{path}.{name}" if path else name)
    elif shape.type_name == "list" and isinstance(value, list):
        for number, member in enumerate(value, start=1):
            yield from violations(shape.member, member, f"{path}.{number}.member")
    elif shape.type_name == "string" and isinstance(value, str):
        yield from (said(value, path, problem) for problem in problems_of_text(shape.metadata, value))
    elif shape.type_name in ("integer", "long") and isinstance(value, int):
        high = shape.metadata.get("max")
        if high is not None and value > high:
            yield said(value, path, f"Member must have value less than or equal to {high}")


def said(value: Any, path: str, problem: str) -> str:
    at = ".".join(part[0].lower() + part[1:] for part in path.split("."))
    return f"Value '{value}' at '{at}' failed to satisfy constraint: {problem}"


def problems_of_text(constraints: dict[str, Any], value: str) -> Iterator[str]:
    high = constraints.get("max")
    if high is not None and len(value) > high:
        yield f"Member must have length less than or equal to {high}"
    if constraints.get("enum") and value not in constraints["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(constraints['enum'])}]"
    pattern = compiled(constraints.get("pattern"))
    if pattern is not None and not pattern.fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {pattern.pattern}"


@lru_cache(maxsize=256)
def compiled(pattern: str | None) -> re.Pattern[str] | None:
    """None for what only Java's regular expressions know (Unicode classes)."""
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None
