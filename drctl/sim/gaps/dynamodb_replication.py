"""What is written to a replica of a global table reaches the others a moment later; the last writer wins."""

from __future__ import annotations

import json
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.lifecycle.dynamodb import find_table, other_regions, status, table_name
from drctl.sim.motion import replication
from drctl.sim.registry import after, event
from drctl.sim.world import World

WRITTEN = "dynamodb-written"
"""Section: (account, region, table, key) -> when the version that this replica holds was written, anywhere."""

Item = dict[str, Any]


@after("dynamodb", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
def replicate(call: Call, world: World, answer: Answer) -> None:
    for name, item in written(call):
        for region in other_regions(world, call.account, call.region, name):
            ship(world, call.account, name, call.region, region, item)


def written(call: Call) -> list[tuple[str, Item]]:
    """Table and item, or key, of everything the call wrote."""
    wanted = call.params
    if call.operation == "BatchWriteItem":
        return [
            (
                table_name(name),
                request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"],
            )
            for name, requests in wanted["RequestItems"].items()
            for request in requests
        ]
    if call.operation == "TransactWriteItems":
        actions = [
            action
            for item in wanted["TransactItems"]
            for verb, action in item.items()
            if verb != "ConditionCheck"
        ]
    else:
        actions = [wanted]
    return [(table_name(a["TableName"]), a["Item"] if "Item" in a else a["Key"]) for a in actions]


def ship(world: World, account: str, name: str, source: str, target: str, item: Item) -> None:
    """Send the present state of an item, which is None once deleted."""
    table = find_table(account, source, name)
    if table is None:
        return
    key = {attribute: item[attribute] for attribute in table.table_key_attrs}
    world.section(WRITTEN)[account, source, name, json.dumps(key, sort_keys=True, default=repr)] = world.now
    current = table.get_item(*typed(table, key))
    replication.send(
        world,
        link(account, name, source, target),
        "dynamodb-item-arrives",
        account=account,
        name=name,
        region=target,
        key=key,
        item=current.to_json()["Attributes"] if current is not None else None,
        written=world.now,
    )


def link(account: str, name: str, source: str, target: str) -> replication.Link:
    """From a table in one region to its replica in another."""
    return replication.Link("table", source, target, (account, name))


def typed(table: Any, key: Item) -> tuple[DynamoType, DynamoType | None]:
    range_key = DynamoType(key[table.range_key_attr]) if table.range_key_attr else None
    return DynamoType(key[table.hash_key_attr]), range_key


@event("dynamodb-item-arrives")
def item_arrives(world: World, moto: Moto, data: dict[str, Any]) -> None:
    account, region, name = data["account"], data["region"], data["name"]
    table = find_table(account, region, name)
    if table is None:
        return
    place = (account, region, name, json.dumps(data["key"], sort_keys=True, default=repr))
    if world.section(WRITTEN).get(place, 0.0) > data["written"]:
        return
    world.section(WRITTEN)[place] = data["written"]
    if data["item"] is None:
        table.delete_item(*typed(table, data["key"]))
    else:
        table.put_item(data["item"], overwrite=True)


def backfill(world: World, account: str, name: str, source: str, target: str) -> None:
    """Copy what a new replica lacks."""
    origin, table = find_table(account, source, name), find_table(account, target, name)
    if origin is None or table is None or status(world, table.table_arn) == "DELETING":
        return
    for item in origin.all_items():
        attributes = item.to_json()["Attributes"]
        if table.get_item(*typed(table, attributes)) is None:
            table.put_item(attributes, overwrite=True)
