"""What DynamoDB refuses about tables and their replicas."""

from __future__ import annotations

from typing import Any

from moto.dynamodb.models import dynamodb_backends

from drctl.sim.call import Call, Refused
from drctl.sim.lifecycle.dynamodb import (
    BACKUPS,
    TTL,
    customer_key,
    find_table,
    group,
    other_regions,
    status,
    table_name,
)
from drctl.sim.lifecycle.kms import usable_key
from drctl.sim.registry import rule
from drctl.sim.world import World

DAY = 86_400.0
PASSING = {"CREATING": "created", "UPDATING": "updated", "DELETING": "deleted"}


def require_table(call: Call) -> Any:
    table = find_table(call.account, call.region, call.params["TableName"])
    if table is None:
        name = table_name(call.params["TableName"])
        raise Refused("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
    return table


@rule(
    "dynamodb",
    "UpdateTable",
    "DeleteTable",
    source='ResourceInUseException "Attempt to change a resource which is still in use: Table is being created: ..."',
)
def one_change_at_a_time(call: Call, world: World) -> None:
    table = require_table(call)
    passing = status(world, table.table_arn)
    if passing in PASSING:
        raise Refused(
            "ResourceInUseException",
            "Attempt to change a resource which is still in use: Table is being "
            f"{PASSING[passing]}: {table.name}",
        )


@rule(
    "dynamodb",
    "PutItem",
    "GetItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "Scan",
    source='ResourceNotFoundException "Requested resource not found": items of a table that is not ACTIVE; '
    '"Table status" in the developer guide',
)
def items_need_an_active_table(call: Call, world: World) -> None:
    require_active(call, world, call.params["TableName"])


@rule(
    "dynamodb",
    "BatchWriteItem",
    "BatchGetItem",
    "TransactWriteItems",
    "TransactGetItems",
    source='ResourceNotFoundException "Requested resource not found"',
)
def batches_need_active_tables(call: Call, world: World) -> None:
    names = set(call.params.get("RequestItems", {}))
    for item in call.params.get("TransactItems", []):
        names |= {action["TableName"] for action in item.values()}
    for name in names:
        require_active(call, world, name)


def require_active(call: Call, world: World, name: str) -> None:
    table = find_table(call.account, call.region, name)
    if table is None or status(world, table.table_arn) in ("CREATING", "DELETING"):
        raise Refused("ResourceNotFoundException", "Requested resource not found")


@rule(
    "dynamodb",
    "DeleteTable",
    source='ValidationException "Resource cannot be deleted as it is currently protected"',
)
def protected_table_stays(call: Call, world: World) -> None:
    if require_table(call).deletion_protection_enabled:
        raise invalid(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
            "protection first."
        )


@rule(
    "dynamodb",
    "DeleteTable",
    source='ValidationException "Replica cannot be deleted because it has acted as a source region for new replica(s) '
    'being added to the table in the last 24 hours."',
)
def recent_source_stays(call: Call, world: World) -> None:
    name = table_name(call.params["TableName"])
    if other_regions(world, call.account, call.region, name):
        require_no_recent_source(call, world, name, call.region)


def require_no_recent_source(call: Call, world: World, name: str, region: str) -> None:
    sourced = group(world, call.account, name)["sources"].get(region)
    if sourced is not None and call.now - sourced < DAY:
        raise invalid(
            "Replica cannot be deleted because it has acted as a source region for new replica(s) being added to the "
            "table in the last 24 hours."
        )


@rule(
    "dynamodb",
    "CreateTable",
    "UpdateTable",
    source="SSESpecification, KMSMasterKeyId in the CreateTable API reference: an enabled key of the region",
)
def table_key_is_usable(call: Call, world: World) -> None:
    require_key(call.account, call.region, call.params.get("SSESpecification", {}).get("KMSMasterKeyId"))


def require_key(account: str, region: str, key: str | None) -> None:
    if key is not None and usable_key(account, region, key) is None:
        raise invalid(
            f"One or more parameter values were invalid: KMS key {key} is not found, not enabled or not in {region}"
        )


@rule(
    "dynamodb",
    "UpdateTable",
    source='UpdateTable API reference: "You can only perform one of the following operations at once", and one replica '
    "change a request",
)
def one_replica_change_a_request(call: Call, world: World) -> None:
    changes = call.params.get("ReplicaUpdates")
    if changes is None:
        return
    if len(changes) != 1 or len(changes[0]) != 1:
        raise invalid(
            "One or more parameter values were invalid: Exactly one replica update is allowed per request"
        )
    others = set(call.params) - {"TableName", "ReplicaUpdates", "MultiRegionConsistency"}
    if others:
        raise invalid(
            "One or more parameter values were invalid: ReplicaUpdates cannot be combined with "
            + ", ".join(sorted(others))
        )
    if next(iter(changes[0].values()))["RegionName"] == call.region:
        raise invalid(
            "Cannot add, delete, or update the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or "
            "UpdateTable as required."
        )


@rule(
    "dynamodb",
    "UpdateTable",
    source='ValidationException "Table must have ... stream ... NEW_AND_OLD_IMAGES"; "... one or more replicas already '
    'existed as tables."; "KMSMasterKeyId must be specified for each replica." (developer guide, global tables)',
)
def new_replica_can_be_made(call: Call, world: World) -> None:
    wanted = next((c["Create"] for c in call.params.get("ReplicaUpdates", []) if "Create" in c), None)
    if wanted is None:
        return
    table = require_table(call)
    region, key = wanted["RegionName"], wanted.get("KMSMasterKeyId")
    try:
        taken = table.name in dynamodb_backends[call.account][region].tables
    except KeyError:
        raise invalid(
            f"One or more parameter values were invalid: Region {region} is not supported"
        ) from None
    if taken:
        raise invalid(
            f"Failed to create a the new replica of table with name: '{table.name}' because one or more replicas "
            "already existed as tables."
        )
    if (table.stream_specification or {}).get("StreamViewType") != "NEW_AND_OLD_IMAGES":
        raise invalid(
            "One or more parameter values were invalid: Table must have DynamoDB Streams enabled with StreamViewType "
            "NEW_AND_OLD_IMAGES to add a replica"
        )
    if (customer_key(table) is None) != (key is None):
        raise invalid(
            "One or more parameter values were invalid: KMSMasterKeyId must be specified for each replica."
        )
    require_key(call.account, region, key)


@rule(
    "dynamodb",
    "UpdateTable",
    source='ValidationException "Replica specified in the Replica Update or Replica Delete action of the request was '
    'not found."; "KMSMasterKeyId must be specified for each replica." for a change of key; the 24 hours of a source',
)
def known_replica_can_change(call: Call, world: World) -> None:
    for change in call.params.get("ReplicaUpdates", []):
        wanted = change.get("Update") or change.get("Delete")
        if wanted is None:
            continue
        name = table_name(call.params["TableName"])
        if wanted["RegionName"] not in other_regions(world, call.account, call.region, name):
            raise invalid(
                "Replica specified in the Replica Update or Replica Delete action of the request was not found."
            )
        if "Delete" in change:
            require_no_recent_source(call, world, name, wanted["RegionName"])
            replica = find_table(call.account, wanted["RegionName"], name)
            if replica is not None and replica.deletion_protection_enabled:
                raise invalid(
                    "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
                    "protection first."
                )
        elif "KMSMasterKeyId" in wanted:
            raise invalid(
                "One or more parameter values were invalid: KMSMasterKeyId must be specified for each replica."
            )


@rule(
    "dynamodb",
    "UpdateContinuousBackups",
    source='ContinuousBackupsUnavailableException "Backups are being enabled for the table: .... Please retry later"',
)
def backups_are_ready(call: Call, world: World) -> None:
    table = find_table(call.account, call.region, call.params["TableName"])
    if table is None:
        name = table_name(call.params["TableName"])
        raise Refused("TableNotFoundException", f"Table not found: {name}")
    if world.status(BACKUPS, table.table_arn) is not None:
        raise Refused(
            "ContinuousBackupsUnavailableException",
            f"Backups are being enabled for the table: {table.name}. Please retry later",
        )


@rule(
    "dynamodb",
    "UpdateTimeToLive",
    source='ValidationException "TimeToLive is already enabled"; "Time to live has been modified multiple times within '
    'a fixed interval"',
)
def time_to_live_really_changes(call: Call, world: World) -> None:
    table = require_table(call)
    require_active(call, world, table.name)
    if world.status(TTL, table.table_arn) is not None:
        raise invalid("Time to live has been modified multiple times within a fixed interval")
    enabled = table.ttl.get("TimeToLiveStatus") == "ENABLED"
    if enabled == bool(call.params["TimeToLiveSpecification"]["Enabled"]):
        raise invalid(f"TimeToLive is already {'enabled' if enabled else 'disabled'}")


def invalid(message: str) -> Refused:
    return Refused("ValidationException", message)
