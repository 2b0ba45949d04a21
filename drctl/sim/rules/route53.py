"""What Route 53 refuses in a change of records.

Route 53 judges the outcome of a batch, not its steps: two UPSERTs of one batch may swap PRIMARY and SECONDARY.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from typing import Any

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.route53 import RecordKey, zone_of
from drctl.sim.gaps.route53_records import Records, outcome
from drctl.sim.registry import rule
from drctl.sim.world import World

TYPES = {"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP"}
TYPES |= {"SVCB", "TLSA", "TXT"}
ROUTINGS = ("Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer", "CidrRoutingConfig")
CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
"""The hosted zone every alias to a distribution names (AliasTarget API reference)."""


@rule(
    "route53",
    "ChangeResourceRecordSets",
    source="ChangeResourceRecordSets API reference: InvalidInput, NoSuchHealthCheck; developer guide, Supported DNS "
    "record types; Invalid Resource Record: 'FATAL problem: ...'",
)
def each_change_is_well_formed(call: Call, world: World) -> None:
    for change in call.params["ChangeBatch"]["Changes"]:
        require_valid_change(call, world, change)


@rule(
    "route53",
    "ChangeResourceRecordSets",
    source='InvalidChangeBatch "Tried to delete resource record set ... but the values provided do not match the '
    'current values", "... but it already exists", "... but it was not found"',
)
def every_change_finds_what_it_expects(call: Call, world: World) -> None:
    held = zone_of(call, world, call.params["HostedZoneId"])
    _, _, problems = outcome(held, call.params["ChangeBatch"]["Changes"])
    refuse(problems)


@rule(
    "route53",
    "ChangeResourceRecordSets",
    source='InvalidChangeBatch "... cannot be created as other RRSets exist with the same name and type"; developer '
    'guide, "Values specific for failover records": one primary and one secondary of a name and type',
)
def the_zone_stays_consistent(call: Call, world: World) -> None:
    held = zone_of(call, world, call.params["HostedZoneId"])
    records, written, _ = outcome(held, call.params["ChangeBatch"]["Changes"])
    refuse(conflicts(records, written, held["zone"]["Name"]))
    refuse(missing_alias_targets(records, written, held["zone"]["Name"]))


def refuse(problems: list[str]) -> None:
    if problems:
        raise Refused("InvalidChangeBatch", f"[{', '.join(problems)}]")


def require_valid_change(call: Call, world: World, change: dict[str, Any]) -> None:
    """Refuse a change that is wrong by itself, whatever the zone holds."""
    record = change["ResourceRecordSet"]
    if change["Action"] not in ("CREATE", "UPSERT", "DELETE"):
        raise Refused("InvalidInput", f"Invalid action: {change['Action']}")
    if record["Type"] not in TYPES:
        raise Refused("InvalidInput", f"Invalid resource record type: {record['Type']}")
    where = (
        f"in Change with [Action={change['Action']}, Name={record['Name']}, Type={record['Type']}, "
        f"SetIdentifier={record.get('SetIdentifier', 'null')}]"
    )
    plain = "TTL" in record and bool(record.get("ResourceRecords"))
    if plain == ("AliasTarget" in record):
        count = "more than one" if plain else "none"
        raise Refused(
            "InvalidInput",
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId], but found {count} {where}",
        )
    routings = [name for name in ROUTINGS if record.get(name) is not None]
    if routings and not record.get("SetIdentifier"):
        raise Refused("InvalidInput", f"Invalid request: Missing field 'SetIdentifier' {where}")
    if len(routings) != 1 and record.get("SetIdentifier"):
        count = "more than one" if routings else "none"
        raise Refused(
            "InvalidInput",
            f"Invalid request: Expected exactly one of [{', '.join(ROUTINGS)}], but found {count} {where}",
        )
    if change["Action"] == "DELETE":
        return
    check = record.get("HealthCheckId")
    if check and (call.account, check) not in world.section("route53.health_checks"):
        raise Refused("NoSuchHealthCheck", f"No health check exists with the specified ID {check}.", 404)
    for value in record.get("ResourceRecords", []):
        require_valid_value(record["Type"], value["Value"])
    target = record.get("AliasTarget", {})
    if target.get("HostedZoneId") == CLOUDFRONT_ZONE and target.get("EvaluateTargetHealth"):
        # AliasTarget API reference: "You can't set EvaluateTargetHealth to true when the alias target is a
        # CloudFront distribution."
        refuse(
            [
                f"EvaluateTargetHealth cannot be true for the alias target {target['DNSName']} in {CLOUDFRONT_ZONE}"
            ]
        )


def require_valid_value(type: str, value: str) -> None:
    """Texts seen from Route 53: "Invalid Resource Record: 'FATAL problem: ...'"."""
    problem = None
    if type == "A" and not is_address(value, 4):
        problem = "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
    elif type == "AAAA" and not is_address(value, 6):
        problem = "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
    elif type in ("TXT", "SPF") and not (len(value) > 1 and value.startswith('"') and value.endswith('"')):
        problem = "InvalidCharacterString (Value should be enclosed in quotation marks)"
    elif type == "CNAME" and (not value or " " in value):
        problem = "DomainLabelEmpty (Domain label is empty)"
    if problem:
        message = f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"
        refuse([message])


def is_address(value: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(value).version == version
    except ValueError:
        return False


def conflicts(records: Records, written: set[RecordKey], zone: str) -> list[str]:
    """What is wrong with the zone as it would become, in Route 53's words, for the names that were written."""
    problems = []
    by_set = defaultdict(list)
    by_name = defaultdict(set)
    for key in records:
        by_set[key[:2]].append(key)
        by_name[key[0]].add(key[1])
    for name, kind in sorted({key[:2] for key in written if key in records}):
        keys = sorted(by_set[name, kind])
        if kind == "CNAME" and name == zone:
            problems.append(
                f"RRSet of kind CNAME with DNS name {name} is not permitted at apex in zone {zone}"
            )
        elif "CNAME" in by_name[name] and len(by_name[name]) > 1:
            other = "CNAME" if kind != "CNAME" else sorted(by_name[name] - {"CNAME"})[0]
            problems.append(
                f"RRSet of kind {kind} with DNS name {name} is not permitted because a conflicting RRSet of kind "
                f"{other} with the same DNS name already exists in zone {zone}"
            )
        kinds = {routing(records[key]) for key in keys}
        if "" in kinds and len(kinds) > 1:
            problems.append(
                f"RRSet with DNS name {name}, kind {kind} cannot be created as other RRSets exist with the same "
                "name and kind."
            )
        elif len(kinds) > 1:
            problems.append(
                f"RRSet with DNS name {name}, kind {kind}, SetIdentifier {keys[-1][2]} cannot be created because "
                f"a non {routing(records[keys[-1]]).lower()} rrset exists with the same name and kind."
            )
        problems += duplicated_failovers(records, keys)
    return problems


def duplicated_failovers(records: Records, keys: list[RecordKey]) -> list[str]:
    """Developer guide: "you can create only one failover primary and one secondary record" of a name and type."""
    seen: dict[str, RecordKey] = {}
    problems = []
    for key in keys:
        role = records[key].get("Failover")
        if role in seen:
            problems.append(
                f"RRSet with DNS name {key[0]}, type {key[1]}, SetIdentifier {key[2]}, and Failover {role} cannot "
                f"be created because a {role} rrset exists with the same name and type: {seen[role][2]}"
            )
        elif role:
            seen[role] = key
    return problems


def missing_alias_targets(records: Records, written: set[RecordKey], zone: str) -> list[str]:
    """ "Tried to create an alias that targets ..., but that target was not found", for aliases inside the zone."""
    names = {key[:2] for key in records}
    problems = []
    for key in sorted(written & records.keys()):
        target = records[key].get("AliasTarget")
        if target is None:
            continue
        name = target["DNSName"]
        if (name == zone or name.endswith(f".{zone}")) and (name, key[1]) not in names:
            problems.append(
                f"Tried to create an alias that targets {name}, type {key[1]} in zone {target['HostedZoneId']}, "
                "but that target was not found"
            )
        elif target["HostedZoneId"] == CLOUDFRONT_ZONE and not name.endswith(".cloudfront.net."):
            problems.append(
                f"Tried to create an alias that targets {name}, type {key[1]} in zone {CLOUDFRONT_ZONE}, but the "
                "alias target name does not lie within the target zone"
            )
    return problems


def routing(record: dict[str, Any]) -> str:
    """The routing policy of a record; "" for simple."""
    return next((name for name in ROUTINGS if record.get(name) is not None), "")
