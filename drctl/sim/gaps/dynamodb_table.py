"""Tables that take time, and their replicas in other regions: moto ignores ReplicaUpdates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.gaps.dynamodb_replication import backfill
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.lifecycle.dynamodb import (
    BACKUPS,
    GROUPS,
    TABLE,
    TTL,
    customer_key,
    find_table,
    group,
    other_regions,
    status,
    table_arn,
    table_name,
)
from drctl.sim.lifecycle.kms import usable_key
from drctl.sim.registry import after, event, gap
from drctl.sim.world import World

BACKUPS_AFTER = 5.0
"""Simulated seconds after a table is ACTIVE until its continuous backups can be changed. A guess."""
TTL_CHANGING = 30.0
"""Simulated seconds a change of the time to live takes; AWS says up to an hour."""
CHANGING = 5.0
"""Simulated seconds a table shows UPDATING for a change that moves no data. A guess."""


@gap("dynamodb", "CreateTable")
def create_table(call: Call, world: World, moto: Moto) -> Answer:
    wanted = dict(call.params)
    encryption = dict(wanted.get("SSESpecification", {}))
    if key := encryption.get("KMSMasterKeyId"):
        encryption["KMSMasterKeyId"] = usable_key(call.account, call.region, key) or key
        wanted["SSESpecification"] = encryption
    answer = moto(replace(call, params=wanted))
    begin(world, answer["TableDescription"]["TableArn"], DURATIONS["table"].ready)
    return answer


def begin(world: World, arn: str, seconds: float) -> None:
    world.begin(TABLE, arn, "CREATING", seconds)
    world.begin(BACKUPS, arn, "ENABLING", seconds + BACKUPS_AFTER)


@gap("dynamodb", "UpdateTable")
def update_table(call: Call, world: World, moto: Moto) -> Answer:
    """Settings of the table go to moto, but for encryption, which it forgets; replicas are ours."""
    wanted = dict(call.params)
    name = table_name(wanted["TableName"])
    changes = wanted.pop("ReplicaUpdates", [])
    encryption = wanted.pop("SSESpecification", None)
    answer = moto(replace(call, params=wanted))
    arn = answer["TableDescription"]["TableArn"]
    if wanted.get("StreamSpecification", {}).get("StreamEnabled") is False:
        forget_stream(call)
    if encryption is not None:
        encrypt(call, encryption)
    for region in other_regions(world, call.account, call.region, name):
        if mode := wanted.get("BillingMode"):
            find_table(call.account, region, name).billing_mode = mode  # type: ignore[union-attr]
    if set(wanted) - {"TableName", "DeletionProtectionEnabled"} or encryption is not None:
        world.begin(TABLE, arn, "UPDATING", CHANGING)
    for change in changes:
        seconds = CHANGING
        if "Create" in change:
            add_replica(call, world, moto, change["Create"])
            seconds = DURATIONS["table-replica"].ready
        elif "Delete" in change:
            remove_replica(call, world, name, change["Delete"]["RegionName"])
            seconds = DURATIONS["table-replica"].gone
        world.begin(TABLE, arn, "UPDATING", seconds)
    described = replace(call, operation="DescribeTable", params={"TableName": name})
    return {"TableDescription": moto(described)["Table"]}


def forget_stream(call: Call) -> None:
    """A stream that was disabled can be enabled again; moto would refuse it for ever."""
    table = find_table(call.account, call.region, call.params["TableName"])
    assert table is not None
    table.stream_specification = None
    table.latest_stream_label = None


def encrypt(call: Call, specification: dict[str, Any]) -> None:
    table = find_table(call.account, call.region, call.params["TableName"])
    assert table is not None
    if not specification.get("Enabled"):
        table.sse_specification = None
        return
    key = specification.get("KMSMasterKeyId", "alias/aws/dynamodb")
    table.sse_specification = {
        "Enabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": usable_key(call.account, call.region, key) or key,
    }


def add_replica(call: Call, world: World, moto: Moto, wanted: dict[str, Any]) -> None:
    """The replica is a table of its own in its region: schema, stream and indexes follow the source; tags, deletion
    protection and point-in-time recovery do not ("How DynamoDB global tables work", settings)."""
    name = table_name(call.params["TableName"])
    region = wanted["RegionName"]
    source = moto(replace(call, operation="DescribeTable", params={"TableName": name}))["Table"]
    table: dict[str, Any] = {
        "TableName": name,
        "AttributeDefinitions": source["AttributeDefinitions"],
        "KeySchema": source["KeySchema"],
        "BillingMode": source.get("BillingModeSummary", {}).get("BillingMode", "PAY_PER_REQUEST"),
        "StreamSpecification": source["StreamSpecification"],
    }
    if table["BillingMode"] == "PROVISIONED":
        capacity = ("ReadCapacityUnits", "WriteCapacityUnits")
        table["ProvisionedThroughput"] = {unit: source["ProvisionedThroughput"][unit] for unit in capacity}
    for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if source.get(member):
            kept = ("IndexName", "KeySchema", "Projection")
            table[member] = [{k: index[k] for k in kept} for index in source[member]]
    entry: dict[str, Any] = {}
    if key := wanted.get("KMSMasterKeyId"):
        entry["KMSMasterKeyId"] = usable_key(call.account, region, key) or key
        table["SSESpecification"] = {"Enabled": True, "SSEType": "KMS", **entry}
    moto(replace(call, operation="CreateTable", region=region, params=table))
    members = world.section(GROUPS).setdefault((call.account, name), {"replicas": {}, "sources": {}})
    own = customer_key(find_table(call.account, call.region, name))
    members["replicas"].setdefault(call.region, {"KMSMasterKeyId": own} if own else {})
    members["replicas"][region] = entry
    members["sources"][call.region] = world.now
    seconds = DURATIONS["table-replica"].ready
    begin(world, table_arn(call.account, region, name), seconds)
    world.later(
        seconds, "dynamodb-replica-ready", account=call.account, name=name, source=call.region, target=region
    )


@event("dynamodb-replica-ready")
def replica_ready(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """What was written before the replica was added is there when it becomes ACTIVE."""
    if data["target"] in group(world, data["account"], data["name"])["replicas"]:
        backfill(world, data["account"], data["name"], data["source"], data["target"])


def remove_replica(call: Call, world: World, name: str, region: str) -> None:
    seconds = DURATIONS["table-replica"].gone
    world.begin(TABLE, table_arn(call.account, region, name), "DELETING", seconds)
    world.later(seconds, "dynamodb-table-gone", account=call.account, region=region, name=name)


@gap("dynamodb", "DeleteTable")
def delete_table(call: Call, world: World, moto: Moto) -> Answer:
    name = table_name(call.params["TableName"])
    answer = moto(replace(call, operation="DescribeTable", params={"TableName": name}))["Table"]
    replicated = bool(other_regions(world, call.account, call.region, name))
    seconds = DURATIONS["table-replica" if replicated else "table"].gone
    world.begin(TABLE, answer["TableArn"], "DELETING", seconds)
    world.later(seconds, "dynamodb-table-gone", account=call.account, region=call.region, name=name)
    return {"TableDescription": answer}


@event("dynamodb-table-gone")
def table_gone(world: World, moto: Moto, data: dict[str, Any]) -> None:
    account, region, name = data["account"], data["region"], data["name"]
    dynamodb_backends[account][region].tables.pop(name, None)
    members = group(world, account, name)
    members["replicas"].pop(region, None)
    members["sources"].pop(region, None)
    if len(members["replicas"]) < 2:
        members["replicas"].clear()


@after("dynamodb", "CreateTable", "UpdateTable", "DeleteTable")
def dress_description(call: Call, world: World, answer: Answer) -> None:
    dress(call, world, answer["TableDescription"])


@after("dynamodb", "DescribeTable")
def dress_table(call: Call, world: World, answer: Answer) -> None:
    dress(call, world, answer["Table"])


def dress(call: Call, world: World, shown: dict[str, Any]) -> None:
    """Each side lists the replicas in the *other* regions ("Tutorial: Creating a global table")."""
    name = shown["TableName"]
    shown["TableStatus"] = status(world, shown["TableArn"])
    others = other_regions(world, call.account, call.region, name)
    if not others:
        return
    shown["GlobalTableVersion"] = "2019.11.21"
    replicas = group(world, call.account, name)["replicas"]
    shown["Replicas"] = [
        {
            "RegionName": region,
            "ReplicaStatus": replica_status(world, table_arn(call.account, region, name)),
            "ReplicaArn": table_arn(call.account, region, name),
            **replicas[region],
        }
        for region in others
    ]


def replica_status(world: World, arn: str) -> str:
    """A replica is ACTIVE for the others while only its own settings change."""
    shown = status(world, arn)
    return "ACTIVE" if shown == "UPDATING" else shown


@after("dynamodb", "UpdateTimeToLive")
def time_to_live_changes(call: Call, world: World, answer: Answer) -> None:
    """Replicas share the time to live."""
    name = table_name(call.params["TableName"])
    table = find_table(call.account, call.region, name)
    assert table is not None
    for region in [call.region, *other_regions(world, call.account, call.region, name)]:
        other = find_table(call.account, region, name)
        if other is not None:
            other.ttl = dict(table.ttl)
        word = "ENABLING" if call.params["TimeToLiveSpecification"]["Enabled"] else "DISABLING"
        world.begin(TTL, table_arn(call.account, region, name), word, TTL_CHANGING)


@after("dynamodb", "DescribeTimeToLive")
def time_to_live_shown(call: Call, world: World, answer: Answer) -> None:
    arn = table_arn(call.account, call.region, table_name(call.params["TableName"]))
    passing = world.status(TTL, arn)
    if passing is not None:
        answer["TimeToLiveDescription"]["TimeToLiveStatus"] = passing
