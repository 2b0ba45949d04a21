"""One request as a client makes it that has never been here before: a new look-up, a new connection, a verified name.

With urllib3, which boto3 brings along: its connections take the address to knock at and the name to verify apart, ask
no proxy of the environment and repeat or follow nothing. httpx does that only through a network layer of one's own.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from contextlib import closing
from dataclasses import dataclass

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as Urllib3Timeout
from urllib3.util import Url, parse_url

from drctl.probe.dns import Resolver
from drctl.probe.outside import Outside, Unreachable

REGION_HEADER = "X-Region"
PORTS = {"http": 80, "https": 443}
CHUNK = 65_536
CUT_SHORT = (ConnectionError, ProtocolError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""What it is called when the other side hangs up in the middle."""
HEADERS = {"User-Agent": "drctl-probe", "Connection": "close"}


@dataclass(frozen=True)
class Reply:
    """An answer that came whole.

    region: what the header X-Region says, "" without it
    latency_ms: milliseconds of real time, the wire's, from the look-up of the name to the last byte
    address: who answered
    """

    status: int
    region: str
    latency_ms: float
    address: str

    @property
    def served(self) -> bool:
        """2xx. A redirect is not followed, so where it leads is not known."""
        return 200 <= self.status < 300


class _Deadline:
    """``seconds`` of real time from now."""

    def __init__(self, seconds: float) -> None:
        self._began = time.monotonic()
        self._seconds = seconds

    @property
    def passed(self) -> float:
        return time.monotonic() - self._began

    def left(self) -> float:
        """More than 0. Raises Unreachable once nothing is left."""
        left = self._seconds - self.passed
        if left <= 0:
            raise Unreachable("timed out")
        return left


def fetch(
    outside: Outside,
    resolver: Resolver,
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    timeout: float = 10.0,
) -> Reply:
    """Ask once; nothing that was sent is sent again. ``timeout``: real seconds for everything together.

    Raises Unreachable: no address, nobody there, a certificate that is not the name's, no whole answer in time.
    """
    deadline = _Deadline(timeout)
    where = parse_url(url)
    try:
        connection, address = _connect(outside, resolver, where, deadline)
        with closing(connection):
            status, region = _exchange(connection, where, method, body, deadline)
    except (HTTPError, http.client.HTTPException, OSError) as error:
        raise Unreachable(_reason(error)) from error
    return Reply(status, region, deadline.passed * 1000, address)


def _connect(
    outside: Outside, resolver: Resolver, where: Url, deadline: _Deadline
) -> tuple[HTTPConnection, str]:
    """The first address of the name that lets us in; each gets an even share of the time left."""
    name, scheme = where.host or "", where.scheme or "https"
    port = outside.port(where.port or PORTS[scheme])
    addresses = resolver.addresses(name, deadline.left())
    for number, address in enumerate(addresses, start=1):
        share = deadline.left() / (len(addresses) - number + 1)
        connection = (
            HTTPSConnection(address, port, timeout=share, ssl_context=outside.tls, server_hostname=name)
            if scheme == "https"
            else HTTPConnection(address, port, timeout=share)
        )
        try:
            connection.connect()
        except (HTTPError, OSError):
            connection.close()
            if number == len(addresses):
                raise
        else:
            return connection, address
    raise Unreachable("no address")


def _exchange(
    connection: HTTPConnection, where: Url, method: str, body: bytes | None, deadline: _Deadline
) -> tuple[int, str]:
    """Send, and read the answer to its end. Status and X-Region."""
    line: socket.socket = connection.sock
    connection.timeout = deadline.left()
    line.settimeout(connection.timeout)
    headers = {**HEADERS, "Host": where.netloc or ""}
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection.request(method, where.request_uri, body=body, headers=headers, preload_content=False)
    answer = connection.getresponse()
    while not answer.closed:
        line.settimeout(deadline.left())
        answer.read1(CHUNK, decode_content=False)
    return answer.status, answer.headers.get(REGION_HEADER, "")


def _reason(error: Exception) -> str:
    """A few words for a person."""
    cause = error.__cause__ if isinstance(error, NewConnectionError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"certificate: {cause.verify_message}"
    if isinstance(cause, TimeoutError | Urllib3Timeout):
        return "timed out"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    if isinstance(cause, CUT_SHORT):
        return "connection closed"
    if isinstance(cause, ssl.SSLError):
        return f"TLS: {cause.reason}"
    if isinstance(cause, OSError):
        return cause.strerror or type(cause).__name__
    return type(error).__name__
