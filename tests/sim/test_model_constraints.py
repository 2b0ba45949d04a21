"""What AWS refuses by its service models, which botocore sends and moto takes."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sim.test_iam import LAMBDA

FUNCTION = {"Role": "arn:aws:iam::123456789012:role/r", "Handler": "h.h", "Code": {"ZipFile": b""}}


@pytest.mark.parametrize(
    ("service", "method", "given", "code", "constraint"),
    [
        (
            "iam",
            "create_role",
            {"RoleName": "r" * 65, "AssumeRolePolicyDocument": LAMBDA},
            "ValidationError",
            "64",
        ),
        (
            "iam",
            "create_role",
            {"RoleName": "a b", "AssumeRolePolicyDocument": LAMBDA},
            "ValidationError",
            "pattern",
        ),
        (
            "lambda",
            "create_function",
            {"FunctionName": "f", "Runtime": "python2.6", **FUNCTION},
            "ValidationException",
            "enum value set",
        ),
        (
            "events",
            "put_rule",
            {"Name": "r" * 65, "ScheduleExpression": "rate(1 minute)"},
            "ValidationException",
            "64",
        ),
        ("logs", "create_log_group", {"logGroupName": "a b"}, "InvalidParameterException", "pattern"),
        (
            "cloudwatch",
            "put_composite_alarm",
            {"AlarmName": "a" * 256, "AlarmRule": "TRUE"},
            "ValidationError",
            "255",
        ),
        (
            "route53",
            "create_hosted_zone",
            {"Name": "a.test", "CallerReference": "r" * 129},
            "InvalidInput",
            "128",
        ),
    ],
)
def test_a_request_that_breaks_the_model_is_refused(
    sim: Any, service: str, method: str, given: dict[str, Any], code: str, constraint: str
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(sim.client(service), method)(**given)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    assert "1 validation error detected" in error["Message"]
    assert constraint in error["Message"]
