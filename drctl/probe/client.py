"""A client of the application, somewhere outside AWS: the looks of the probes that go by name and over HTTPS."""

from __future__ import annotations

from collections.abc import Mapping

from drctl.engine.clock import Clock
from drctl.probe.dns import Resolver
from drctl.probe.http import Reply, fetch
from drctl.probe.outside import Outside, Unreachable, real_timeout
from drctl.probe.sample import Finding


class Client:
    """Its resolver, its patience, and what it knows about which address is in which region."""

    def __init__(
        self,
        outside: Outside,
        resolver: Resolver,
        clock: Clock,
        timeout_s: float,
        balancers: Mapping[str, str],
    ) -> None:
        """timeout_s: of the environment's time, see real_timeout
        balancers: region -> the DNS name of its load balancer
        """
        self._outside = outside
        self._resolver = resolver
        self._clock = clock
        self._timeout_s = timeout_s
        self._balancers = dict(balancers)
        self._region_of: dict[str, str] = {}

    def dns(self, name: str) -> Finding:
        """The probe ``dns``: what the zone's name servers say about a name. Raises Unreachable."""
        answer = self._resolver.ask(name, self._timeout)
        return Finding(True, self._region(answer.addresses[0]), " ".join(answer.addresses))

    def read(self, url: str) -> Finding:
        """The probes ``read-``. Raises Unreachable."""
        return self._found(self.fetch("GET", url))

    def write(self, url: str, body: bytes, sequence: int) -> Finding:
        """The probes ``write-``. Raises Unreachable, and then nobody knows whether it was written."""
        return self._found(self.fetch("PUT", url, body), sequence)

    def fetch(self, method: str, url: str, body: bytes | None = None) -> Reply:
        """One request with this client's patience. Raises Unreachable."""
        return fetch(self._outside, self._resolver, url, method, body, self._timeout)

    @property
    def _timeout(self) -> float:
        return real_timeout(self._clock, self._timeout_s)

    def _found(self, reply: Reply, sequence: int | None = None) -> Finding:
        who = reply.region or self._region(reply.address)
        return Finding(reply.served, who, str(reply.status), sequence)

    def _region(self, address: str) -> str:
        """The region whose load balancer has this address, or ever had it while this client looked; else ""."""
        if address not in self._region_of:
            for region, name in self._balancers.items():
                try:
                    found = self._resolver.addresses(name, self._timeout)
                except Unreachable:
                    continue
                self._region_of.update(dict.fromkeys(found, region))
        return self._region_of.get(address, "")
