"""What CloudWatch Logs refuses and moto accepts."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from moto.kms.models import kms_backends

from drctl.sim.call import Call, Refused
from drctl.sim.lifecycle.iam import principals, statements
from drctl.sim.registry import rule
from drctl.sim.world import World

RETENTIONS = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731} | {
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653)
}
NEEDED = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptTo")


@rule(
    "logs",
    "PutRetentionPolicy",
    source="PutRetentionPolicy API reference: InvalidParameterException, the possible values of retentionInDays",
)
def retention_is_one_of_the_offered(call: Call, world: World) -> None:
    if call.params["retentionInDays"] not in RETENTIONS:
        raise Refused(
            "InvalidParameterException",
            f"1 validation error detected: Value '{call.params['retentionInDays']}' at 'retentionInDays' failed to "
            f"satisfy constraint: Member must satisfy enum value set: {sorted(RETENTIONS)}",
        )


@rule(
    "logs",
    "CreateLogGroup",
    "AssociateKmsKey",
    source="CreateLogGroup API reference: InvalidParameterException when the key is missing or disabled; "
    'AccessDeniedException "The specified KMS key does not exist or is not allowed to be used with Arn" by its policy',
)
def key_is_usable_by_logs(call: Call, world: World) -> None:
    key_arn = call.params.get("kmsKeyId")
    if not key_arn:
        return
    parts = key_arn.split(":")
    local = len(parts) == 6 and parts[3:5] == [call.region, call.account] and parts[5].startswith("key/")
    key = kms_backends[call.account][call.region].keys.get(parts[5].removeprefix("key/")) if local else None
    if key is None or key.key_state != "Enabled":
        raise Refused("InvalidParameterException", "The specified KMS Key Id could not be found.")
    group = f"arn:aws:logs:{call.region}:{call.account}:log-group:{call.params.get('logGroupName', '')}"
    service = f"logs.{call.region}.amazonaws.com"
    if not all(admits(json.loads(key.policy), service, action, group) for action in NEEDED):
        raise Refused(
            "AccessDeniedException",
            f"The specified KMS key does not exist or is not allowed to be used with Arn '{group}'",
        )


def admits(policy: dict[str, Any], service: str, action: str, group: str) -> bool:
    """Whether a key policy lets CloudWatch Logs do ``action`` for this log group."""
    return any(
        statement.get("Effect") == "Allow"
        and {service, "*"} & set(principals(statement, "Service"))
        and any(fnmatchcase(action.lower(), pattern.lower()) for pattern in listed(statement.get("Action")))
        and context_admits(statement.get("Condition", {}), group)
        for statement in statements(policy)
    )


def context_admits(condition: dict[str, Any], group: str) -> bool:
    """User guide, "Encrypt log data": the condition on kms:EncryptionContext:aws:logs:arn, by its Arn operators."""
    for operator, wanted in condition.items():
        for name, patterns in wanted.items():
            if name.lower() == "kms:encryptioncontext:aws:logs:arn" and operator.startswith(
                ("Arn", "String")
            ):
                exact = operator == "StringEquals"
                if not any(group == one if exact else fnmatchcase(group, one) for one in listed(patterns)):
                    return False
    return True


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
