"""All that carries an environment's tag, asked of the tagging API: it finds what no settings name any more.

It knows most kinds, not all: IAM's roles, for one, it does not list (Resource Groups Tagging API reference,
"Supported services").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drctl.aws import tags

if TYPE_CHECKING:
    from mypy_boto3_resourcegroupstaggingapi.type_defs import TagFilterTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True, order=True)
class Tagged:
    """A thing, and the address that its tag says."""

    address: str
    arn: str

    @property
    def type(self) -> tuple[str, str]:
        """Service and AWS's noun: an address's snapshots and tasks carry its tags too, and are none of it."""
        return self.arn.split(":")[2], re.split("[:/]", self._resource)[0]

    @property
    def _resource(self) -> str:
        return self.arn.split(":", 5)[5].removesuffix(":*")

    def is_told_by(self, outputs: Iterable[str]) -> bool:
        """Whether one of these is its ARN, here or of its replica elsewhere, or the id or name at the ARN's end."""
        mine = self._resource
        theirs = (each.split(":", 5)[5] if each.startswith("arn:") else each for each in outputs)
        return any(mine == each or mine.endswith((f"/{each}", f":{each}")) for each in theirs if each)


def tagged(aws: Aws, region: str, environment: str) -> Iterator[Tagged]:
    """What the region has of an environment: whatever has both of our tags. Raises ClientError."""
    ours: list[TagFilterTypeDef] = [
        {"Key": "drctl:environment", "Values": [environment]},
        {"Key": "drctl:address"},
    ]
    for page in aws.tagging(region).get_paginator("get_resources").paginate(TagFilters=ours):
        for each in page["ResourceTagMappingList"]:
            yield Tagged(tags.as_dict(each["Tags"])["drctl:address"], each["ResourceARN"])


def strays(found: Iterable[Tagged], known: Mapping[str, Iterable[str]]) -> list[Tagged]:
    """What is at an address that is not known, or beside the thing that is known there: another of its type.

    known: the outputs by address.
    """
    listed = sorted(set(found))
    right = {each for each in listed if each.is_told_by(known.get(each.address, ()))}
    types = {(each.address, each.type) for each in right}
    return [
        each
        for each in listed
        if each not in right and (each.address not in known or (each.address, each.type) in types)
    ]
