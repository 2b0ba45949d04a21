"""What the kinds of Route 53 share: caller references that say whose a thing is, tags, and records by name.

Route 53 tags nothing in the call that makes it. A thing whose tags a crash has prevented is known by its caller
reference, which AWS shows for as long as the thing exists.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast

from drctl.aws import tags
from drctl.engine.resource import Drift, Given, Resource, differences

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from mypy_boto3_route53.literals import RRTypeType, TagResourceTypeType
    from mypy_boto3_route53.type_defs import ChangeTypeDef, ResourceRecordSetTypeDef

    from drctl.aws.clients import Aws

    AnyResource = Resource[DataclassInstance]

CHANGES_AT_ONCE = 100
"""Changes sent in one batch; Route 53 takes up to 1000 records (developer guide, "Quotas")."""


def caller_reference(given: Given, resource: AnyResource) -> str:
    """The reference of the open intent's create; at most 64 characters, which is what health checks take."""
    return f"{_mark(given, resource)}{given.token}"


def is_ours(given: Given, resource: AnyResource, reference: str) -> bool:
    """Whether a thing with this reference was made for this address of this environment."""
    return reference.startswith(_mark(given, resource))


def _mark(given: Given, resource: AnyResource) -> str:
    digest = hashlib.sha256(f"{given.environment} {resource.address}".encode()).hexdigest()
    return f"drctl-{digest[:20]}-"


def tag_drift(aws: Aws, given: Given, resource: AnyResource, type: TagResourceTypeType, id: str) -> Drift:
    """Our tags that the hosted zone or health check lacks, as a drift ``tags``."""
    held = tags.as_dict(
        aws.route53().list_tags_for_resource(ResourceType=type, ResourceId=id)["ResourceTagSet"]["Tags"]
    )
    wanted = given.tags(resource)
    return differences({"tags": {key: held.get(key) for key in wanted}}, {"tags": wanted})


def tag(aws: Aws, given: Given, resource: AnyResource, type: TagResourceTypeType, id: str) -> None:
    """Give it our tags."""
    aws.route53().change_tags_for_resource(
        ResourceType=type, ResourceId=id, AddTags=tags.as_list(given.tags(resource))
    )


def absolute(name: str) -> str:
    """A name as Route 53 shows it: in lower case, ``*`` as its octal escape, with a final dot."""
    return name.lower().rstrip(".").replace("*", "\\052") + "."


def records_at(aws: Aws, zone_id: str, name: str, type: RRTypeType) -> list[ResourceRecordSetTypeDef]:
    """The record sets of this name and type; several only with set identifiers."""
    found = aws.route53().list_resource_record_sets(
        HostedZoneId=zone_id, StartRecordName=absolute(name), StartRecordType=type
    )["ResourceRecordSets"]
    return [
        cast("ResourceRecordSetTypeDef", each)
        for each in found
        if each["Name"] == absolute(name) and each["Type"] == type
    ]


def change_records(aws: Aws, zone_id: str, changes: list[ChangeTypeDef]) -> None:
    """Send the changes; nobody waits until every name server knows."""
    for start in range(0, len(changes), CHANGES_AT_ONCE):
        batch = changes[start : start + CHANGES_AT_ONCE]
        aws.route53().change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": batch})
