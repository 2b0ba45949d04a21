"""What a query for a name is answered: hosted zones with their failover, and the names of AWS's own.

One authority stands for all there are: the name servers of each public zone, of elb.amazonaws.com and of
cloudfront.net. CNAMEs and aliases are followed as far as they stay within the simulated AWS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from moto.elbv2.models import elbv2_backends

from drctl.sim.gaps.cloudfront import distributions
from drctl.sim.gaps.route53 import zones
from drctl.sim.gaps.route53_health_checks import healthy
from drctl.sim.gaps.route53_records import Records, absolute
from drctl.sim.lifecycle.elbv2 import PROVISIONING, balancers_of, health
from drctl.sim.motion import addresses as loopback
from drctl.sim.motion import outage
from drctl.sim.world import World

ALIAS_TTL = 60
"""Of an alias to a load balancer or a distribution (developer guide, "Values that are common for alias records")."""

LONGEST_CHAIN = 8
"""So many CNAMEs, or aliases of aliases, are followed."""

SILENCE_NOTICED = 30
"""Simulated seconds after a region is out until Route 53 takes its load balancers for unhealthy: nobody there says
so, they have to be missed. A guess: as long as a fast health check takes, three times 10 s."""

BALANCERS = ".elb.amazonaws.com."
EDGE = ".cloudfront.net."


class Record(NamedTuple):
    """A line of an answer. ``name`` has its final dot; ``ttl``: simulated seconds; ``value`` as Route 53 writes it."""

    name: str
    type: str
    ttl: int
    value: str


@dataclass(frozen=True)
class Answer:
    """``rcode`` in RFC 1035's and dig's words; ``soa``: of the zone that has nothing more to say (RFC 2308)."""

    rcode: str
    records: tuple[Record, ...] = ()
    soa: Record | None = None


@dataclass(frozen=True)
class Zone:
    """A public hosted zone as its name servers have it."""

    account: str
    id: str
    apex: str
    records: Records


def answer(world: World, name: str, type: str) -> Answer:
    """The answer to a query. ``type`` as in ``AAAA``. REFUSED: no zone here holds the name."""
    chain: list[Record] = []
    wanted = absolute(name)
    for _ in range(LONGEST_CHAIN):
        found = _from_one_zone(world, wanted, type)
        if found.rcode == "REFUSED" and chain:
            return Answer("NOERROR", tuple(chain))
        chain += found.records
        if type == "CNAME" or not found.records or found.records[-1].type != "CNAME":
            return Answer(found.rcode, tuple(chain), found.soa)
        wanted = absolute(found.records[-1].value)
    return Answer("SERVFAIL")


def addresses(world: World, name: str) -> list[str]:
    """The IPv4 addresses that a name stands for now; none when it does not resolve."""
    return [record.value for record in answer(world, name, "A").records if record.type == "A"]


def _from_one_zone(world: World, name: str, type: str) -> Answer:
    if name.endswith((BALANCERS, EDGE)):
        return _from_aws(world, name, type)
    zone = _zone_of(world, name)
    if zone is None:
        return Answer("REFUSED")
    held = _held_name(zone, name)
    if held is not None:
        for kind in (type, "CNAME"):
            values = _values(world, zone, (held, kind))
            if values:
                return Answer("NOERROR", tuple(Record(_shown(name), kind, *value) for value in values))
    soa = zone.records[zone.apex, "SOA", ""]
    end = Record(zone.apex, "SOA", int(soa["TTL"]), soa["ResourceRecords"][0]["Value"])
    return Answer("NXDOMAIN" if held is None else "NOERROR", (), end)


def _shown(name: str) -> str:
    return name.replace("\\052", "*")


def _from_aws(world: World, name: str, type: str) -> Answer:
    """Load balancers and distributions are where no IPv6 address leads: loopback has but one."""
    apex = EDGE[1:] if name.endswith(EDGE) else ".".join(name.split(".")[-5:])
    authority = "ns-1119.awsdns-11.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 60"
    end = Record(apex, "SOA", ALIAS_TTL, authority)
    address = _address(world, name)
    if address is None:
        return Answer("NXDOMAIN", (), end)
    if type != "A":
        return Answer("NOERROR", (), end)
    return Answer("NOERROR", (Record(name, "A", ALIAS_TTL, address),))


def _address(world: World, name: str) -> str | None:
    """Of a load balancer or a distribution by its own name."""
    if name.endswith(EDGE):
        keys = (key for (_, key), held in distributions(world).items() if f"{held['domain']}." == name)
        return next((loopback.of_distribution(world, key) for key in keys), None)
    found = _balancer(name)
    return None if found is None else loopback.of_balancer(world, found[2].arn)


def _balancer(name: str) -> tuple[str, str, Any] | None:
    """Account, region and moto's load balancer."""
    wanted = name.rstrip(".").removeprefix("dualstack.")
    for account, regions in elbv2_backends.items():
        for region, backend in regions.items():
            for balancer in backend.load_balancers.values():
                if balancer.dns_name.lower() == wanted:
                    return account, region, balancer
    return None


def _zone_of(world: World, name: str) -> Zone | None:
    """The zone with the longest name that the queried one ends with.

    Of several zones of one name, a registrar delegates to one. Here it is the newest that has the name.
    """
    found = [
        Zone(account, zone_id, held["zone"]["Name"], held["served"])
        for (account, zone_id), held in zones(world).items()
        if not held["vpcs"] and f".{name}".endswith(f".{held['zone']['Name']}")
    ]
    found.sort(key=lambda zone: (len(zone.apex), _held_name(zone, name) is not None))
    return found[-1] if found else None


def _held_name(zone: Zone, name: str) -> str | None:
    """The name itself, or the wildcard that stands in for it (RFC 4592); None: the zone has no such name."""
    names = {held for held, _, _ in zone.records}
    closest = name
    while not any(f".{held}".endswith(f".{closest}") for held in names):
        closest = closest.partition(".")[2]
    if closest == name:
        return name
    wildcard = absolute(f"*.{closest}")
    return wildcard if wildcard in names else None


def _values(
    world: World, zone: Zone, key: tuple[str, str], left: int = LONGEST_CHAIN
) -> list[tuple[int, str]]:
    """TTL and value of each record of a name and type; none when there are none, or an alias leads nowhere."""
    group = _group(zone, key)
    if not group or not left:
        return []
    record = next((each for each in group if _is_healthy(world, zone, each, LONGEST_CHAIN)), group[0])
    alias = record.get("AliasTarget")
    if alias is None:
        return [(int(record["TTL"]), each["Value"]) for each in record["ResourceRecords"]]
    if alias["HostedZoneId"] == zone.id:
        return _values(world, zone, (alias["DNSName"], key[1]), left - 1)
    address = _address(world, alias["DNSName"]) if key[1] == "A" else None
    return [] if address is None else [(ALIAS_TTL, address)]


def _group(zone: Zone, key: tuple[str, str]) -> list[dict[str, Any]]:
    """The records of a name and type in the order of preference.

    The first healthy one answers, and when none is healthy the first one: PRIMARY (developer guide, "How Amazon
    Route 53 chooses records when health checking is configured").
    """
    group = [zone.records[each] for each in sorted(zone.records) if each[:2] == key]
    return sorted(group, key=lambda record: record.get("Failover") == "SECONDARY")


def _is_healthy(world: World, zone: Zone, record: dict[str, Any], left: int) -> bool:
    """Both what the record's health check says and, if it is to be evaluated, what its alias leads to."""
    check = record.get("HealthCheckId")
    if check and not healthy(world, zone.account, check):
        return False
    alias = record.get("AliasTarget")
    if alias is None or not alias["EvaluateTargetHealth"] or not left:
        return True
    if alias["HostedZoneId"] == zone.id:
        group = _group(zone, (alias["DNSName"], record["Type"]))
        return any(_is_healthy(world, zone, each, left - 1) for each in group)
    if not alias["DNSName"].endswith(BALANCERS):
        return True
    found = _balancer(alias["DNSName"])
    return found is not None and _serves(world, *found)


def _serves(world: World, account: str, region: str, balancer: Any) -> bool:
    """AliasTarget API reference, EvaluateTargetHealth: "every target group that contains targets must contain at least
    one healthy target"; one without any "is considered unhealthy", so one group at least has to have some."""
    silent_since = outage.outages(world).get(region)
    if silent_since is not None and world.now >= silent_since + SILENCE_NOTICED:
        return False
    if world.status(PROVISIONING, balancer.arn) is not None:
        return False
    backend = elbv2_backends[account][region]
    groups = [arn for arn in backend.target_groups if balancer.arn in balancers_of(backend, arn)]
    states = [_states(world, account, region, arn) for arn in groups]
    used = [each for each in states if each]
    return all("healthy" in each for each in used) and (bool(used) or not groups)


def _states(world: World, account: str, region: str, target_group: str) -> set[str]:
    """Of the registered targets: those that drain are no longer."""
    shown = health(world, account, region, target_group)
    return {target["TargetHealth"]["State"] for target in shown} - {"draining"}
