"""Names: fresh from the zone's name servers, or kept for their TTL and not a moment longer."""

from __future__ import annotations

from collections.abc import Iterator

import dns.rcode
import dns.resolver
import pytest

from drctl.probe.dns import DnsAnswer, NotTheirs, Resolver
from drctl.probe.outside import Outside, Unreachable
from tests.probe.world import LOCALHOST, HandClock, Names, name_server

NAME = "app.example.org"
PATIENCE = 20.0


@pytest.fixture
def names() -> Names:
    return Names(records={NAME: (["192.0.2.1", "192.0.2.2"], 60)})


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def resolver(names: Names, clock: HandClock) -> Iterator[Resolver]:
    with name_server(names) as server:
        yield Resolver(Outside(server), (), clock)


def test_asking_is_never_answered_from_memory(resolver: Resolver, names: Names) -> None:
    assert resolver.ask(NAME, PATIENCE) == DnsAnswer(("192.0.2.1", "192.0.2.2"), 60.0)
    names.records[NAME] = ["192.0.2.9"], 30
    assert resolver.ask(NAME, PATIENCE) == DnsAnswer(("192.0.2.9",), 30.0)


def test_an_answer_is_kept_for_its_ttl_in_the_environments_time(
    resolver: Resolver, names: Names, clock: HandClock
) -> None:
    assert resolver.addresses(NAME, PATIENCE) == ("192.0.2.1", "192.0.2.2")
    names.records[NAME] = ["192.0.2.9"], 60
    clock.time += 59.5
    assert resolver.addresses(NAME, PATIENCE) == ("192.0.2.1", "192.0.2.2")
    assert names.asked == [NAME]
    clock.time += 0.5
    assert resolver.addresses(NAME, PATIENCE) == ("192.0.2.9",)


def test_no_failure_is_kept(resolver: Resolver, names: Names) -> None:
    names.rcode = dns.rcode.SERVFAIL
    with pytest.raises(Unreachable, match="SERVFAIL"):
        resolver.addresses(NAME, PATIENCE)
    names.rcode = dns.rcode.NOERROR
    assert resolver.addresses(NAME, PATIENCE)


def test_a_ttl_of_0_is_not_kept(resolver: Resolver, names: Names) -> None:
    names.records[NAME] = ["192.0.2.1"], 0
    resolver.addresses(NAME, PATIENCE)
    resolver.addresses(NAME, PATIENCE)
    assert names.asked == [NAME, NAME]


def test_a_chain_lasts_as_long_as_its_shortest_link(resolver: Resolver, names: Names) -> None:
    names.aliases["www.example.org"] = NAME
    assert resolver.ask("www.example.org", PATIENCE) == DnsAnswer(("192.0.2.1", "192.0.2.2"), 60.0)


def test_a_lost_datagram_is_asked_again(resolver: Resolver, names: Names) -> None:
    names.lose = 1
    assert resolver.ask(NAME, 4.0).addresses
    assert names.asked == [NAME, NAME]


def test_an_answer_too_long_for_a_datagram_comes_over_tcp(resolver: Resolver, names: Names) -> None:
    names.truncate = True
    assert resolver.ask(NAME, PATIENCE).addresses == ("192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("other.example.org", "no such name"), ("empty.example.org", "no address"), ("other.net", "REFUSED")],
)
def test_why_there_is_no_address(resolver: Resolver, names: Names, name: str, reason: str) -> None:
    names.records["empty.example.org"] = [], 60
    with pytest.raises(Unreachable, match=reason):
        resolver.ask(name, PATIENCE)


def test_a_name_of_another_zone_is_told_apart(resolver: Resolver) -> None:
    with pytest.raises(NotTheirs):
        resolver.ask("other.net", PATIENCE)


def test_nobody_there(names: Names, clock: HandClock) -> None:
    with name_server(names) as server:
        names.lose = 1000
        with pytest.raises(Unreachable, match="do not answer"):
            Resolver(Outside(server), (), clock).ask(NAME, 0.2)
    with pytest.raises(Unreachable, match="no name server is known"):
        Resolver(Outside(), (), clock).ask(NAME, 0.2)


@pytest.fixture
def machine() -> Iterator[Names]:
    """What the resolver that this machine is set up with knows."""
    known = Names(zone="", records={"ns.example.net": ([LOCALHOST], 3600), "other.net": (["192.0.2.7"], 60)})
    before = dns.resolver.default_resolver
    with name_server(known) as (address, port):
        dns.resolver.default_resolver = dns.resolver.Resolver(configure=False)
        dns.resolver.default_resolver.nameservers, dns.resolver.default_resolver.port = [address], port
        yield known
        dns.resolver.default_resolver = before


def test_the_zones_own_name_servers_are_found_and_asked_and_the_machine_for_the_rest(
    names: Names, machine: Names, clock: HandClock
) -> None:
    with name_server(names) as (_, port):
        resolver = Resolver(Outside(ports={53: port}), ("ns.example.net",), clock)
        assert resolver.ask(NAME, PATIENCE).addresses == ("192.0.2.1", "192.0.2.2")
        assert resolver.addresses(NAME, PATIENCE) == ("192.0.2.1", "192.0.2.2")
        assert resolver.addresses("other.net", PATIENCE) == ("192.0.2.7",)
        with pytest.raises(Unreachable, match="no such name"):
            resolver.addresses("nobody.net", PATIENCE)
    assert machine.asked == ["ns.example.net", "other.net", "nobody.net"]
    assert names.asked == [NAME, NAME, "other.net", "nobody.net"]


def test_without_a_zone_the_machine_is_asked(machine: Names, clock: HandClock) -> None:
    resolver = Resolver(Outside(), (), clock)
    assert resolver.addresses("other.net", PATIENCE) == ("192.0.2.7",)
    assert resolver.addresses("other.net", PATIENCE) == ("192.0.2.7",)
    assert machine.asked == ["other.net"]
