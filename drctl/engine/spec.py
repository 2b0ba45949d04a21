"""A resource's desired state as JSON, and back: the ledger keeps what each thing was built from.

``destroy`` needs neither today's settings nor today's topology: it rebuilds the resources from their records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from drctl.engine.resource import Resource

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from pydantic import TypeAdapter

    AnyResource = Resource[DataclassInstance]

REFERENCE = "$ref"


def fields_as_json(resource: AnyResource) -> dict[str, Any]:
    """The fields beyond name and region; a reference becomes ``{"$ref": address}``."""
    return {
        f.name: _as_json(getattr(resource, f.name))
        for f in fields(resource)
        if f.name not in ("name", "region")
    }


def _as_json(value: Any) -> Any:
    if isinstance(value, Resource):
        return {REFERENCE: value.address}
    if isinstance(value, (tuple, list)):
        return [_as_json(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _as_json(each) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _as_json(getattr(value, f.name)) for f in fields(value)}
    return value


def rebuild(
    cls: type[AnyResource],
    name: str,
    region: str,
    data: Mapping[str, Any],
    resolve: Callable[[str], AnyResource],
) -> AnyResource:
    """The resource a record was made from; ``resolve`` answers an address with the resource rebuilt before.

    Fields that the class no longer has are dropped. Raises pydantic's ValidationError when a field it now needs
    is missing from the record.
    """
    known = {f.name for f in fields(cls)}
    values = {key: _resolved(value, resolve) for key, value in data.items() if key in known}
    rebuilt: AnyResource = _adapter(cls).validate_python({"name": name, "region": region, **values})
    return rebuilt


@cache
def _adapter(cls: type[AnyResource]) -> TypeAdapter[AnyResource]:
    from pydantic import TypeAdapter

    return TypeAdapter(cls)


def _resolved(value: Any, resolve: Callable[[str], AnyResource]) -> Any:
    if isinstance(value, list):
        return tuple(_resolved(each, resolve) for each in value)
    if isinstance(value, dict):
        if set(value) == {REFERENCE}:
            return resolve(value[REFERENCE])
        return {key: _resolved(each, resolve) for key, each in value.items()}
    return value
