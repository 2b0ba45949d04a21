"""Finding an EC2 thing again: by the id we recorded, else by the tags it was born with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Resource, identity

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from mypy_boto3_ec2.type_defs import FilterTypeDef

Found = TypeVar("Found", bound=Mapping[str, Any])


def find(
    resource: Resource[DataclassInstance],
    given: Given,
    id_field: str,
    by_id: Callable[[str], Sequence[Found]],
    by_filters: Callable[[Sequence[FilterTypeDef]], Sequence[Found]],
) -> Found | None:
    """The thing as EC2 describes it, or None. Raises NotOurs when the recorded id lost our tags.

    id_field: where a description holds the id (``SubnetId``); by_id, by_filters: the two ways of describing.
    Of several that carry our tags, those known to be another's (``given.others``) do not count.
    """
    recorded = given.recorded(resource)
    if recorded is not None:
        with tolerating_absence():
            for found in by_id(identity(recorded)):
                given.claim(resource, tags.as_dict(found.get("Tags", [])))
                return found
    for each in by_filters(tags.filters(given.tags(resource))):
        ours = given.is_ours(resource, tags.as_dict(each.get("Tags", [])))
        if ours and each[id_field] not in given.others:
            return each
    return None
