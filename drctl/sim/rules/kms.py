"""What KMS refuses: keys that are going away, windows and periods out of range, policies that lock everybody out."""

from __future__ import annotations

import json
from typing import Any

from moto.kms.utils import _deserialize_ciphertext_blob

from drctl.sim.call import Call, Refused
from drctl.sim.lifecycle.iam import principals, statements
from drctl.sim.lifecycle.kms import find_key
from drctl.sim.registry import rule
from drctl.sim.rules.iam import ROOT, SERVICE, identity_exists
from drctl.sim.world import World

WINDOW = range(7, 31)


@rule(
    "kms",
    "CreateKey",
    "PutKeyPolicy",
    source='MalformedPolicyDocumentException "The new key policy will not allow you to update the key policy in the '
    'future."; "Policy contains a statement with one or more invalid principals." (CreateKey API reference, Policy)',
)
def policy_keeps_the_key_manageable(call: Call, world: World) -> None:
    text = call.params.get("Policy")
    if text is None:
        return
    try:
        document = json.loads(text)
    except ValueError:
        raise malformed("Policy is not valid JSON") from None
    if not isinstance(document, dict) or not statements(document):
        raise malformed("Policy has no statement")
    for statement in statements(document):
        if not {"Effect", "Principal", "Action", "Resource"} <= set(statement):
            raise malformed("A statement needs Effect, Principal, Action and Resource")
        if not all(principal_exists(call, world, statement, kind) for kind in ("AWS", "Service")):
            raise malformed("Policy contains a statement with one or more invalid principals.")
    locked_out = not any(lets_root_manage(call.account, statement) for statement in statements(document))
    if locked_out and not call.params.get("BypassPolicyLockoutSafetyCheck"):
        raise malformed("The new key policy will not allow you to update the key policy in the future.")


def principal_exists(call: Call, world: World, statement: dict[str, Any], kind: str) -> bool:
    names = principals(statement, kind)
    if kind == "Service":
        return all(name == "*" or SERVICE.match(name) for name in names)
    return all(name == "*" or ROOT.match(name) or identity_exists(call, world, name) for name in names)


def lets_root_manage(account: str, statement: dict[str, Any]) -> bool:
    actions = statement["Action"]
    named = [actions] if isinstance(actions, str) else actions
    return (
        statement["Effect"] == "Allow"
        and bool({account, f"arn:aws:iam::{account}:root", "*"} & set(principals(statement, "AWS")))
        and bool({"kms:*", "*", "kms:Put*", "kms:PutKeyPolicy"} & set(named))
    )


@rule(
    "kms",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "CreateGrant",
    "EnableKeyRotation",
    "RotateKeyOnDemand",
    source='"Key states of AWS KMS keys": DisabledException "... is disabled.", KMSInvalidStateException "... is '
    'pending deletion."',
)
def only_an_enabled_key_works(call: Call, world: World) -> None:
    require_enabled(require_key(call, call.params["KeyId"]))


@rule("kms", "Decrypt", "ReEncrypt", source='"Key states of AWS KMS keys": Decrypt, ReEncrypt')
def only_an_enabled_key_decrypts(call: Call, world: World) -> None:
    if destination := call.params.get("DestinationKeyId"):
        require_enabled(require_key(call, destination))
    try:
        source = _deserialize_ciphertext_blob(call.params["CiphertextBlob"]).key_id
    except Exception:
        raise Refused("InvalidCiphertextException", "") from None
    key = find_key(call.account, call.region, source)
    if key is not None:
        require_enabled(key)


@rule(
    "kms",
    "CreateAlias",
    "UpdateAlias",
    "TagResource",
    "UntagResource",
    "EnableKey",
    "DisableKey",
    "DisableKeyRotation",
    "UpdateKeyDescription",
    "ScheduleKeyDeletion",
    source='"Key states of AWS KMS keys": KMSInvalidStateException "... is pending deletion."',
)
def pending_key_is_left_alone(call: Call, world: World) -> None:
    key = require_key(call, call.params.get("KeyId") or call.params["TargetKeyId"])
    if key.key_state == "PendingDeletion":
        raise Refused("KMSInvalidStateException", f"{key.arn} is pending deletion.")


@rule("kms", "CancelKeyDeletion", source='KMSInvalidStateException "... is not pending deletion."')
def only_a_pending_deletion_is_cancelled(call: Call, world: World) -> None:
    key = require_key(call, call.params["KeyId"])
    if key.key_state != "PendingDeletion":
        raise Refused("KMSInvalidStateException", f"{key.arn} is not pending deletion.")


@rule(
    "kms",
    "CreateAlias",
    "DeleteAlias",
    source='NotAuthorizedException; CreateAlias: "cannot begin with alias/aws/"',
)
def aliases_of_aws_are_reserved(call: Call, world: World) -> None:
    if call.params["AliasName"].startswith("alias/aws/"):
        raise Refused("NotAuthorizedException", "")


@rule(
    "kms",
    "ScheduleKeyDeletion",
    source="ScheduleKeyDeletion API reference: PendingWindowInDays between 7 and 30",
)
def deletion_window_in_range(call: Call, world: World) -> None:
    require_in(call, "PendingWindowInDays", WINDOW)


def require_in(call: Call, parameter: str, allowed: range) -> None:
    value = call.params.get(parameter)
    if value is not None and int(value) not in allowed:
        member = parameter[0].lower() + parameter[1:]
        bound = (
            f"greater than or equal to {allowed.start}"
            if int(value) < allowed.start
            else f"less than or equal to {allowed.stop - 1}"
        )
        raise Refused(
            "ValidationException",
            f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must "
            f"have value {bound}",
        )


def require_key(call: Call, key_id: str) -> Any:
    key = find_key(call.account, call.region, key_id)
    if key is None:
        arn = (
            key_id if key_id.startswith("arn:") else f"arn:aws:kms:{call.region}:{call.account}:key/{key_id}"
        )
        raise Refused("NotFoundException", f"Key '{arn}' does not exist")
    return key


def require_enabled(key: Any) -> None:
    if key.key_state == "PendingDeletion":
        raise Refused("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if key.key_state == "Disabled":
        raise Refused("DisabledException", f"{key.arn} is disabled.")


def malformed(message: str) -> Refused:
    return Refused("MalformedPolicyDocumentException", message)
