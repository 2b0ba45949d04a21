"""Somebody on the simulated internet: real DNS queries, real sockets, real TLS."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import dns.message
import dns.query

from tests.conftest import Sim

PATIENCE = 20.0
"""Real seconds to wait for a door that is about to open; far more than it takes."""


@dataclass(frozen=True)
class Page:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Visitor:
    """Resolves names with the simulator's name server, and trusts nobody but the simulator's authority."""

    def __init__(self, sim: Sim) -> None:
        self._sim = sim
        self._status = sim.status()
        assert self._status.name_server is not None
        assert self._status.ca_bundle is not None
        self.trust = ssl.create_default_context(cafile=str(self._status.ca_bundle))

    def resolve(self, name: str) -> str:
        """The first address of a name."""
        host, port = self._status.name_server or ("", 0)
        query = dns.message.make_query(name, "A")
        found = dns.query.tcp(query, host, port=port, timeout=PATIENCE)
        return str(found.answer[-1][0])

    def connect(self, address: str, port: int) -> socket.socket:
        """A connection as soon as somebody listens there. ``port``: 80 or 443."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return socket.create_connection((address, self._status.ports[port]), timeout=PATIENCE)
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def ask(
        self, url: str, method: str = "GET", body: str | None = None, *, at: str | None = None
    ) -> Page | None:
        """The answer, or None when the connection is closed without one. ``at``: another name to connect to."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        connection = http.client.HTTPConnection(host)
        connection.sock = self.connect(self.resolve(at or host), 443 if secure else 80)
        try:
            if secure:
                connection.sock = self.trust.wrap_socket(connection.sock, server_hostname=host)
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            connection.request(method, path, body)
            answer = connection.getresponse()
            return Page(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError):
            return None
        finally:
            connection.close()

    def is_gone(self, address: str, port: int) -> bool:
        """Whether nobody listens there any more, before patience ends."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                socket.create_connection((address, self._status.ports[port]), timeout=PATIENCE).close()
            except ConnectionRefusedError:
                return True
            time.sleep(0.02)
        return False
