"""Describe filters where moto has none: EC2 user guide, "List and filter your resources"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from drctl.sim.call import Refused


def matches(
    shown: dict[str, Any],
    filters: list[dict[str, Any]],
    values: Mapping[str, Callable[[dict[str, Any]], str]],
) -> bool:
    """Whether a resource as boto3 shows it passes every filter; ``*`` and ``?`` are wildcards.

    Raises Refused (InvalidParameterValue) for a filter that the operation does not have.
    """
    tags = {tag["Key"]: tag["Value"] for tag in shown.get("Tags", [])}
    for wish in filters:
        name = wish["Name"]
        if name.startswith("tag:"):
            found = [tags[name[4:]]] if name[4:] in tags else []
        elif name == "tag-key":
            found = list(tags)
        elif name in values:
            found = [values[name](shown)]
        else:
            raise Refused("InvalidParameterValue", f"The filter '{name}' is invalid")
        patterns = [pattern.replace("[", "[[]") for pattern in wish.get("Values", [])]
        if not any(fnmatchcase(value, pattern) for value in found for pattern in patterns):
            return False
    return True
