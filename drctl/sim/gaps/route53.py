"""Hosted zones, tags and changes of Route 53, kept in the world instead of moto.

moto makes a second zone for a repeated caller reference, deletes records of every name that share a set
identifier, and is always INSYNC. What others may read:

- ``zones(world)``: every zone with its records, for the DNS server
- ``submit(world)``: a change on its way to the name servers
"""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime
from typing import Any

from moto.moto_api._internal import mock_random

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.moto_cloud import NotInMoto
from drctl.sim.registry import gap
from drctl.sim.world import World

RecordKey = tuple[str, str, str]
"""Name with its final dot, type, set identifier ("" for a simple record)."""

DOMAIN = re.compile(r"^(?=.{1,255}$)([a-z0-9_*](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+$")
RESERVED = re.compile(r"(^|\.)example\.(com|net|org)\.$")
CHANGES_KEPT = 1000


def zones(world: World) -> dict[tuple[str, str], dict[str, Any]]:
    """(account, zone id) -> ``zone`` (the HostedZone), ``name_servers``, ``vpcs`` of a private one, ``records``
    {RecordKey: record} and ``served``, the same as the name servers have them: a change reaches them later."""
    return world.section("route53.zones")


def zone_of(call: Call, world: World, id: str) -> dict[str, Any]:
    """The zone by its id, with or without the ``/hostedzone/`` that Route 53 puts before it."""
    found = zones(world).get((call.account, id.rsplit("/", 1)[-1]))
    if found is None:
        raise Refused("NoSuchHostedZone", f"No hosted zone found with ID: {id.rsplit('/', 1)[-1]}", 404)
    return dict(found)


def submit(world: World) -> Answer:
    """A new change, PENDING until every name server has it: the ChangeInfo of an answer."""
    changes = world.section("route53.changes")
    while len(changes) >= CHANGES_KEPT:
        del changes[next(iter(changes))]
    change_id = f"/change/C{identifier(20)}"
    changes[change_id] = world.now
    return change_info(world, change_id)


def change_info(world: World, id: str) -> Answer:
    submitted = world.section("route53.changes")[id]
    done = world.now >= submitted + DURATIONS["dns-change"].ready
    return {"Id": id, "Status": "INSYNC" if done else "PENDING", "SubmittedAt": moment(submitted)}


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def identifier(length: int) -> str:
    return "".join(mock_random.choices(string.ascii_uppercase + string.digits, k=length))


@gap("route53", "CreateHostedZone")
def create_hosted_zone(call: Call, world: World, moto: Moto) -> Answer:
    name = call.params["Name"].lower().rstrip(".") + "."
    if not DOMAIN.match(name):
        raise Refused("InvalidDomainName", f"{call.params['Name']} is not a valid domain name")
    if RESERVED.search(name):
        raise Refused("InvalidDomainName", f"{name.rstrip('.')} is reserved by AWS!")
    references = world.section("route53.zone_references")
    reference = (call.account, call.params["CallerReference"])
    if reference in references:
        raise Refused(
            "HostedZoneAlreadyExists",
            f"A hosted zone has already been created with the specified caller reference: {reference[1]}",
            409,
        )
    zone_id = f"Z{identifier(20)}"
    references[reference] = zone_id
    private = "VPC" in call.params
    config = {"PrivateZone": private}
    comment = call.params.get("HostedZoneConfig", {}).get("Comment")
    if comment:
        config["Comment"] = comment
    servers = name_servers()
    records = {
        (name, "NS", ""): record(name, "NS", 172_800, [f"{server}." for server in servers]),
        (name, "SOA", ""): record(name, "SOA", 900, [start_of_authority(servers[0])]),
    }
    zones(world)[call.account, zone_id] = {
        "zone": {
            "Id": f"/hostedzone/{zone_id}",
            "Name": name,
            "CallerReference": reference[1],
            "Config": config,
        },
        "name_servers": servers,
        "vpcs": [call.params["VPC"]] if private else [],
        "records": records,
        "served": dict(records),
    }
    return {
        **described(world, call.account, zone_id),
        "ChangeInfo": submit(world),
        "Location": location(zone_id),
    }


def name_servers() -> list[str]:
    numbers = [mock_random.randrange(256) for _ in range(4)]
    return [
        f"ns-{number + 512 * index}.awsdns-{number % 64:02d}.{top}"
        for index, (number, top) in enumerate(zip(numbers, ("com", "net", "org", "co.uk"), strict=True))
    ]


def start_of_authority(server: str) -> str:
    return f"{server}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"


def record(name: str, type: str, ttl: int, values: list[str]) -> dict[str, Any]:
    return {"Name": name, "Type": type, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}


def location(id: str) -> str:
    return f"https://route53.amazonaws.com/2013-04-01/hostedzone/{id}"


def described(world: World, account: str, id: str) -> Answer:
    held = zones(world)[account, id]
    answer: Answer = {"HostedZone": summary(held)}
    if held["vpcs"]:
        answer["VPCs"] = held["vpcs"]
    else:
        answer["DelegationSet"] = {"NameServers": held["name_servers"]}
    return answer


def summary(held: dict[str, Any]) -> Answer:
    return {**held["zone"], "ResourceRecordSetCount": len(held["records"])}


@gap("route53", "GetHostedZone")
def get_hosted_zone(call: Call, world: World, moto: Moto) -> Answer:
    zone_of(call, world, call.params["Id"])
    return described(world, call.account, call.params["Id"].rsplit("/", 1)[-1])


@gap("route53", "UpdateHostedZoneComment")
def update_hosted_zone_comment(call: Call, world: World, moto: Moto) -> Answer:
    held = zone_of(call, world, call.params["Id"])
    held["zone"]["Config"]["Comment"] = call.params.get("Comment", "")
    return {"HostedZone": summary(held)}


@gap("route53", "DeleteHostedZone")
def delete_hosted_zone(call: Call, world: World, moto: Moto) -> Answer:
    held = zone_of(call, world, call.params["Id"])
    apex = held["zone"]["Name"]
    if any(key not in ((apex, "NS", ""), (apex, "SOA", "")) for key in held["records"]):
        raise Refused(
            "HostedZoneNotEmpty",
            "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
        )
    zone_id = call.params["Id"].rsplit("/", 1)[-1]
    del zones(world)[call.account, zone_id]
    tags(world).pop((call.account, "hostedzone", zone_id), None)
    return {"ChangeInfo": submit(world)}


@gap("route53", "ListHostedZones")
def list_hosted_zones(call: Call, world: World, moto: Moto) -> Answer:
    mine = [summary(held) for (account, _), held in sorted(zones(world).items()) if account == call.account]
    ids = [zone["Id"].rsplit("/", 1)[-1] for zone in mine]
    return page(call, "HostedZones", mine, ids)


def page(call: Call, member: str, items: list[Answer], ids: list[str]) -> Answer:
    """Marker paging as Route 53 does it: NextMarker is the id of the first item of the next page."""
    size = int(call.params.get("MaxItems", 100))
    marker = call.params.get("Marker")
    start = ids.index(marker) if marker in ids else 0
    answer: Answer = {
        member: items[start : start + size],
        "Marker": marker or "",
        "MaxItems": str(size),
        "IsTruncated": start + size < len(items),
    }
    if answer["IsTruncated"]:
        answer["NextMarker"] = ids[start + size]
    return answer


@gap("route53", "ListHostedZonesByName")
def list_hosted_zones_by_name(call: Call, world: World, moto: Moto) -> Answer:
    size = int(call.params.get("MaxItems", 100))
    first = (
        labels(call.params.get("DNSName", "").lower().rstrip(".") + ".") if "DNSName" in call.params else []
    )
    mine = [held for (account, _), held in zones(world).items() if account == call.account]
    ordered = sorted(mine, key=lambda held: (labels(held["zone"]["Name"]), held["zone"]["Id"]))
    wanted = [summary(held) for held in ordered if labels(held["zone"]["Name"]) >= first]
    answer: Answer = {
        "HostedZones": wanted[:size],
        "IsTruncated": len(wanted) > size,
        "MaxItems": str(size),
    }
    if "DNSName" in call.params:
        answer["DNSName"] = call.params["DNSName"]
    if len(wanted) > size:
        answer |= {
            "NextDNSName": wanted[size]["Name"],
            "NextHostedZoneId": wanted[size]["Id"].rsplit("/", 1)[-1],
        }
    return answer


def labels(name: str) -> list[str]:
    """Route 53 sorts names with their labels reversed: com.example.www."""
    return list(reversed(name.rstrip(".").split(".")))


@gap(
    "route53",
    *("AssociateVPCWithHostedZone", "DisassociateVPCFromHostedZone", "ListHostedZonesByVPC", "GetDNSSEC"),
    *("CreateQueryLoggingConfig", "CreateReusableDelegationSet", "CreateVPCAssociationAuthorization"),
)
def unknown_to_moto(call: Call, world: World, moto: Moto) -> Answer:
    """moto would say that the zone does not exist, because it is not moto's."""
    raise NotInMoto("hosted zones of the simulator are not moto's")


@gap("route53", "GetHostedZoneCount")
def get_hosted_zone_count(call: Call, world: World, moto: Moto) -> Answer:
    return {"HostedZoneCount": sum(account == call.account for account, _ in zones(world))}


@gap("route53", "GetChange")
def get_change(call: Call, world: World, moto: Moto) -> Answer:
    change_id = f"/change/{call.params['Id'].rsplit('/', 1)[-1]}"
    if change_id not in world.section("route53.changes"):
        raise Refused("NoSuchChange", "A change with the specified change ID does not exist.", 404)
    return {"ChangeInfo": change_info(world, change_id)}


def tags(world: World) -> dict[tuple[str, str, str], dict[str, str]]:
    """(account, ``hostedzone`` or ``healthcheck``, id) -> its tags."""
    return world.section("route53.tags")


def tagged(call: Call, world: World, type: str, id: str) -> dict[str, str]:
    """The tags of a resource that must exist."""
    if type == "hostedzone":
        zone_of(call, world, id)
    elif (call.account, id) not in world.section("route53.health_checks"):
        raise Refused("NoSuchHealthCheck", f"No health check exists with the specified ID {id}.", 404)
    return tags(world).setdefault((call.account, type, id), {})


@gap("route53", "ChangeTagsForResource")
def change_tags(call: Call, world: World, moto: Moto) -> Answer:
    held = tagged(call, world, call.params["ResourceType"], call.params["ResourceId"])
    for key in call.params.get("RemoveTagKeys", []):
        held.pop(key, None)
    held.update({tag["Key"]: tag.get("Value", "") for tag in call.params.get("AddTags", [])})
    return {}


def tag_set(call: Call, world: World, type: str, id: str) -> Answer:
    held = tagged(call, world, type, id)
    items = [{"Key": key, "Value": value} for key, value in held.items()]
    return {"ResourceType": type, "ResourceId": id, "Tags": items}


@gap("route53", "ListTagsForResource")
def list_tags(call: Call, world: World, moto: Moto) -> Answer:
    return {"ResourceTagSet": tag_set(call, world, call.params["ResourceType"], call.params["ResourceId"])}


@gap("route53", "ListTagsForResources")
def list_tags_of_many(call: Call, world: World, moto: Moto) -> Answer:
    kind = call.params["ResourceType"]
    return {"ResourceTagSets": [tag_set(call, world, kind, each) for each in call.params["ResourceIds"]]}
