"""Policy documents as they can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def canonical(document: object) -> str:
    """The same text for documents that mean the same.

    AWS hands policies back with lists in another order, and with a list of one as its only element (IAM JSON policy
    reference: "when an element has one value, the brackets are optional"). ``document`` is JSON text or what it holds.
    """
    return json.dumps(_plain(json.loads(document) if isinstance(document, str) else document), sort_keys=True)


def tls_only(bucket: str) -> dict[str, Any]:
    """The statement that lets nobody use a bucket (its ARN) but over TLS."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, f"{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        parts = sorted((_plain(each) for each in value), key=lambda part: json.dumps(part, sort_keys=True))
        return parts[0] if len(parts) == 1 else parts
    return value
