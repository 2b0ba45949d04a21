"""``--output json``: exactly one document on stdout. Its schema is docs/json.md; SCHEMA is its version."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from drctl.errors import Diagnostic

SCHEMA = 1


def document(
    command: str,
    environment: str,
    duration_s: float,
    result: Mapping[str, Any],
    errors: Iterable[Diagnostic] = (),
) -> dict[str, Any]:
    """Every result has these five; a failure has ``errors``, and whatever the command could say beside them."""
    failures = [asdict(each) for each in errors]
    head: dict[str, Any] = {
        "schema": SCHEMA,
        "command": command,
        "environment": environment,
        "ok": not failures,
        "duration_s": round(duration_s, 3),
    }
    return {**head, **result, **({"errors": failures} if failures else {})}


def write(what: Mapping[str, Any]) -> None:
    """Print the document."""
    json.dump(what, sys.stdout, indent=2, default=str)
    sys.stdout.write("\n")
    sys.stdout.flush()
