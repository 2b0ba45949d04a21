"""The shapes in which AWS's services want tags, from the plain dictionary that ``Given.tags`` makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from mypy_boto3_ec2.literals import ResourceTypeType
    from mypy_boto3_ec2.type_defs import FilterTypeDef, TagSpecificationTypeDef
    from mypy_boto3_ecs.type_defs import TagTypeDef as EcsTagTypeDef

Tag = TypeVar("Tag")

DRILL = "drctl:drill"
"""The tag of what a drill makes and removes again; its value is the drill's run."""


def as_list(tags: Mapping[str, str]) -> list[Tag]:
    """``[{"Key": ..., "Value": ...}]``: most services; each has a type of its own for it."""
    return cast("list[Tag]", [{"Key": key, "Value": value} for key, value in tags.items()])


def as_lower_list(tags: Mapping[str, str]) -> list[EcsTagTypeDef]:
    """``[{"key": ..., "value": ...}]``: ECS."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def as_dict(tags: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Either list shape back to a dictionary (KMS says TagKey and TagValue)."""
    result = {}
    for tag in tags:
        by_lower = {key.lower().removeprefix("tag"): str(value) for key, value in tag.items()}
        result[by_lower["key"]] = by_lower.get("value", "")
    return result


def specification(kind: ResourceTypeType, tags: Mapping[str, str]) -> Sequence[TagSpecificationTypeDef]:
    """EC2's TagSpecifications: tags in the very call that mints the id."""
    return [{"ResourceType": kind, "Tags": as_list(tags)}]


def filters(tags: Mapping[str, str]) -> Sequence[FilterTypeDef]:
    """EC2's filters for the things that carry our tags; the name and the operator's own tags do not tell whose."""
    return [
        {"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items() if key.startswith("drctl:")
    ]
