"""Which customer keys other services can use at this moment."""

from __future__ import annotations

from typing import Any

from moto.kms.models import kms_backends


def find_key(account: str, region: str, key_id: str) -> Any | None:
    """moto's key for an id, an ARN or an alias as seen from ``region``; None when that region has none such."""
    if key_id.startswith("arn:"):
        parts = key_id.split(":", 5)
        if parts[3] != region:
            return None
        account, key_id = parts[4], parts[5].removeprefix("key/")
    backend = kms_backends[account][region]
    if key_id.startswith("alias/"):
        if not backend.alias_exists(key_id):
            return None
        key_id = str(backend.get_key_id_from_alias(key_id))
    return backend.keys.get(key_id)


def usable_key(account: str, region: str, key_id: str) -> str | None:
    """The ARN of a key that exists in ``region`` and is enabled, else None."""
    if key_id.removeprefix("arn:aws:kms:").split(":")[-1].startswith("alias/aws/"):
        return key_id
    key = find_key(account, region, key_id)
    return key.arn if key is not None and key.key_state == "Enabled" else None
