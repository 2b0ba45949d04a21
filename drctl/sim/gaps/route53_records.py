"""Record sets of Route 53: change batches that are all or nothing, and listings in Route 53's order."""

from __future__ import annotations

import copy
from typing import Any

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.gaps.route53 import RecordKey, labels, submit, zone_of, zones
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.registry import event, gap
from drctl.sim.world import World

Records = dict[RecordKey, dict[str, Any]]


@gap("route53", "ChangeResourceRecordSets")
def change_resource_record_sets(call: Call, world: World, moto: Moto) -> Answer:
    held = zone_of(call, world, call.params["HostedZoneId"])
    records, written, _ = outcome(held, call.params["ChangeBatch"]["Changes"])
    zone = (call.account, call.params["HostedZoneId"].rsplit("/", 1)[-1])
    zones(world)[zone]["records"] = records
    changed = {key: records.get(key) for key in written}
    world.later(DURATIONS["dns-change"].ready, "route53.in-sync", zone=zone, changed=changed)
    info = submit(world)
    comment = call.params["ChangeBatch"].get("Comment")
    return {"ChangeInfo": {**info, "Comment": comment} if comment else info}


@event("route53.in-sync")
def reach_the_name_servers(world: World, moto: Moto, data: dict[str, Any]) -> None:
    """All of a batch at once, when its change becomes INSYNC; on AWS each server has it at a moment of its own."""
    held = zones(world).get(data["zone"])
    if held is None:
        return
    merged = held["served"] | data["changed"]
    held["served"] = {key: record for key, record in merged.items() if record is not None}


def outcome(held: dict[str, Any], changes: list[dict[str, Any]]) -> tuple[Records, set[RecordKey], list[str]]:
    """The zone's records as the batch would leave them, the keys it names, and what Route 53 objects to.

    The zone itself is untouched: a batch is applied as a whole or not at all.
    """
    records: Records = dict(held["records"])
    written: set[RecordKey] = set()
    problems: list[str] = []
    for change in changes:
        record = normal(change["ResourceRecordSet"])
        key = (record["Name"], record["Type"], record.get("SetIdentifier", ""))
        problem = apply(records, change["Action"], key, record, held["zone"]["Name"])
        if problem:
            problems.append(problem)
        written.add(key)
    return records, written, problems


def apply(records: Records, action: str, key: RecordKey, record: dict[str, Any], zone: str) -> str | None:
    """One change on the records; what is wrong with it in Route 53's words, or None."""
    subject = f"[name='{key[0]}', type='{key[1]}'" + (f", set identifier='{key[2]}']" if key[2] else "]")
    if key[0] != zone and not key[0].endswith(f".{zone}"):
        return f"RRSet with DNS name {key[0]} is not permitted in zone {zone}"
    if action == "CREATE" and key in records:
        return f"Tried to create resource record set {subject} but it already exists"
    if action != "DELETE":
        records[key] = record
        return None
    if key not in records:
        return f"Tried to delete resource record set {subject} but it was not found"
    if comparable(records[key]) != comparable(record):
        return (
            f"Tried to delete resource record set {subject} but the values provided do not match the "
            "current values"
        )
    if key[0] == zone and key[1] == "SOA":
        return "A HostedZone must contain exactly one SOA record."
    if key[0] == zone and key[1] == "NS":
        return "A HostedZone must contain at least one NS record for the zone itself."
    del records[key]
    return None


def normal(record: dict[str, Any]) -> dict[str, Any]:
    """As Route 53 keeps it: names in lower case with a final dot, ``*`` as its octal escape."""
    kept = copy.deepcopy(record)
    kept["Name"] = absolute(kept["Name"])
    if "AliasTarget" in kept:
        kept["AliasTarget"]["DNSName"] = absolute(kept["AliasTarget"]["DNSName"])
    return kept


def absolute(name: str) -> str:
    return name.lower().rstrip(".").replace("*", "\\052") + "."


def comparable(record: dict[str, Any]) -> dict[str, Any]:
    """The order of values says nothing; an absent member and its empty default are the same."""
    kept = {name: value for name, value in record.items() if value not in (None, [], "")}
    kept["ResourceRecords"] = sorted(value["Value"] for value in record.get("ResourceRecords", []))
    return kept


@gap("route53", "ListResourceRecordSets")
def list_resource_record_sets(call: Call, world: World, moto: Moto) -> Answer:
    held = zone_of(call, world, call.params["HostedZoneId"])
    if "StartRecordType" in call.params and "StartRecordName" not in call.params:
        raise Refused("InvalidInput", "The input is not valid")
    size = min(int(call.params.get("MaxItems", 300)), 300)
    ordered = sorted(held["records"], key=position)
    if "StartRecordName" in call.params:
        start = (
            absolute(call.params["StartRecordName"]),
            call.params.get("StartRecordType", ""),
            call.params.get("StartRecordIdentifier", ""),
        )
        ordered = [key for key in ordered if position(key) >= position(start)]
    answer: Answer = {
        "ResourceRecordSets": [copy.deepcopy(held["records"][key]) for key in ordered[:size]],
        "IsTruncated": len(ordered) > size,
        "MaxItems": str(size),
    }
    if len(ordered) > size:
        name, kind, identifier = ordered[size]
        answer |= {"NextRecordName": name, "NextRecordType": kind}
        if identifier:
            answer["NextRecordIdentifier"] = identifier
    return answer


def position(key: RecordKey) -> tuple[list[str], str, str]:
    return labels(key[0]), key[1], key[2]
