"""Reading what somebody may have edited: a value is taken when it is of the kind it should be, else it was not said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def number(value: object) -> float | None:
    """A finite number; a time, seconds, milliseconds, a count."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def count(value: object) -> int:
    """A number of things; 0 when it was not said."""
    return int(number(value) or 0)


def truth(value: object) -> bool | None:
    """Yes, no, or not said."""
    return value if isinstance(value, bool) else None


def text(value: object) -> str:
    """A word; numbers are taken as they are written."""
    return "" if value is None or isinstance(value, list | dict) else str(value)


def mapping(value: object) -> Mapping[str, Any]:
    """Named values."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> Sequence[Any]:
    """A list."""
    return value if isinstance(value, list) else ()


def rows(value: object, width: int) -> list[Sequence[Any]]:
    """The rows that are as wide as they should be and begin with a time."""
    return [
        row
        for row in items(value)
        if isinstance(row, list) and len(row) == width and number(row[0]) is not None
    ]
