"""Names, as the zone's own name servers tell them now, and as a client's resolver remembers them. IPv4 only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.resolver
from dns.rdtypes.IN.A import A

from drctl.engine.clock import Clock
from drctl.probe.outside import Outside, Unreachable

DNS_PORT = 53
TRIES = 2
"""At least so many questions before nobody is there: a datagram may be lost."""


@dataclass(frozen=True)
class DnsAnswer:
    """The addresses of a name, at least one, and for how many of the environment's seconds they may be kept."""

    addresses: tuple[str, ...]
    ttl_s: float


class NotTheirs(Unreachable):
    """A name server does not serve the zone of that name (Route 53's answer REFUSED)."""


class Resolver:
    """A client's resolver: it keeps an answer for its TTL and not a moment longer, and keeps no failure.

    Names of the zone are asked of its own name servers, as a resolver without any cache of others before it would;
    other names of the machine's resolver. Several threads may use one: two that miss at once ask twice.
    """

    def __init__(self, outside: Outside, name_servers: Sequence[str], clock: Clock) -> None:
        """``name_servers``: host names of the zone's name servers; empty without a zone."""
        self._outside = outside
        self._name_servers = tuple(name_servers)
        self._clock = clock
        self._kept: dict[str, tuple[tuple[str, ...], float]] = {}

    def ask(self, name: str, timeout: float) -> DnsAnswer:
        """What the zone's own name servers say now, never a kept answer. ``timeout``: real seconds, for all tries.

        Raises Unreachable: none of them answers, or there is no such name or no address.
        """
        question = dns.message.make_query(dns.name.from_text(name), "A")
        question.flags &= ~dns.flags.RD
        servers = list(self._servers(timeout))
        tries = servers * (TRIES if len(servers) == 1 else 1)
        trouble = Unreachable("no name server is known")
        for address, port in tries:
            try:
                answer, _ = dns.query.udp_with_fallback(question, address, timeout / len(tries), port)
                return _addresses(answer)
            except NotTheirs:
                raise
            except Unreachable as error:
                trouble = error
            except dns.exception.Timeout:
                trouble = Unreachable("name servers do not answer")
            except (dns.exception.DNSException, OSError) as error:
                trouble = Unreachable(f"name server: {type(error).__name__}")
        raise trouble

    def addresses(self, name: str, timeout: float) -> tuple[str, ...]:
        """The kept answer while its TTL lasts, else a fresh one. ``timeout``: real seconds. Raises Unreachable."""
        addresses, until = self._kept.get(name, ((), 0.0))
        if self._clock.now() < until:
            return addresses
        answer = self._look_up(name, timeout)
        self._kept[name] = answer.addresses, self._clock.now() + answer.ttl_s
        return answer.addresses

    def _look_up(self, name: str, timeout: float) -> DnsAnswer:
        if self._outside.name_server is not None:
            return self.ask(name, timeout)
        if self._name_servers and name not in self._name_servers:
            try:
                return self.ask(name, timeout)
            except NotTheirs:
                pass
        return _machine_says(name, timeout)

    def _servers(self, timeout: float) -> Iterator[tuple[str, int]]:
        if self._outside.name_server is not None:
            yield self._outside.name_server
            return
        for name in self._name_servers:
            # One name server whose own name nobody tells is no reason not to ask the others.
            with suppress(Unreachable):
                for address in self.addresses(name, timeout / len(self._name_servers)):
                    yield address, self._outside.port(DNS_PORT)


def _addresses(answer: dns.message.Message) -> DnsAnswer:
    """What a name server's message says. Raises Unreachable, NotTheirs among it."""
    if answer.rcode() == dns.rcode.REFUSED:
        raise NotTheirs("REFUSED")
    if answer.rcode() == dns.rcode.NXDOMAIN:
        raise Unreachable("no such name")
    if answer.rcode() != dns.rcode.NOERROR or not isinstance(answer, dns.message.QueryMessage):
        raise Unreachable(dns.rcode.to_text(answer.rcode()))
    chain = answer.resolve_chaining()
    found = tuple(record.address for record in chain.answer or () if isinstance(record, A))
    if not found:
        raise Unreachable("no address")
    return DnsAnswer(found, float(chain.minimum_ttl))


def _machine_says(name: str, timeout: float) -> DnsAnswer:
    """The answer of the resolver this machine is set up with; the TTL is what is left of it there."""
    try:
        answer = dns.resolver.resolve(dns.name.from_text(name), "A", lifetime=timeout)
    except dns.resolver.NXDOMAIN:
        raise Unreachable("no such name") from None
    except dns.exception.Timeout:
        raise Unreachable("the resolver does not answer") from None
    except (dns.exception.DNSException, OSError) as error:
        raise Unreachable(f"resolver: {type(error).__name__}") from error
    return _addresses(answer.response)
