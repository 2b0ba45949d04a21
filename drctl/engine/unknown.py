"""Outputs that will be known only after ``up``.

A plan gives the followers of a resource that is about to be made such placeholders. Compared with what AWS shows,
a placeholder is drift, which is true; sent to AWS it would be nonsense, so the clients refuse it, which tells the
plan that the follower cannot exist yet.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    O = TypeVar("O", bound=DataclassInstance)  # noqa: E741

MARK = "(known after up)"


def unknown_outputs(outputs_type: type[O], address: str) -> O:
    """Outputs whose every field is a placeholder that names where it will come from."""
    return outputs_type(**{field.name: f"{address}.{field.name} {MARK}" for field in fields(outputs_type)})


def mentions_unknown(value: Any) -> bool:
    """Whether a placeholder stands anywhere in these request parameters."""
    if isinstance(value, str):
        return MARK in value
    if isinstance(value, dict):
        return any(mentions_unknown(each) for each in value.values())
    if isinstance(value, (list, tuple)):
        return any(mentions_unknown(each) for each in value)
    return False
