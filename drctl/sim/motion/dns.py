"""The name server: what routing.py says, as DNS over UDP and TCP on loopback. A plain ``dig`` can ask it."""

from __future__ import annotations

import logging
import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from drctl.sim.motion import routing

if TYPE_CHECKING:
    from drctl.sim.app import Simulator

HOST = "127.0.0.1"
ATTEMPTS = 20
"""To find a port that is free for both UDP and TCP."""
WITHOUT_EDNS = 512
"""Bytes of an answer over UDP, unless the query names another number (RFC 1035, 2.3.4)."""
OURS = 1232
"""Bytes of a query over UDP that we say we take (DNS flag day 2020)."""
LONGEST = 65_535
PATIENCE = 10.0
"""Real seconds that a connection may be silent."""
POLL_INTERVAL = 0.05

Respond = Callable[[bytes, bool], bytes | None]
"""Query and whether it came over UDP -> the answer; None: better none."""

log = logging.getLogger(__name__)


class NameServer:
    """An outlet. Answers as long as the process runs, whatever region is out."""

    def __init__(self, simulator: Simulator) -> None:
        """Raises OSError when no port is free."""
        self._simulator = simulator
        self._servers = _open(self._respond)
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(POLL_INTERVAL,), name="dns", daemon=True)
            for server in self._servers
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def facts(self) -> dict[str, Any]:
        return {"name_server": [HOST, self._servers[0].server_address[1]]}

    def _respond(self, wire: bytes, datagram: bool) -> bytes | None:
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return _malformed(wire)
        if query.flags & dns.flags.QR:
            return None
        reply = dns.message.make_response(query, recursion_available=True, our_payload=OURS)
        try:
            self._answer(query, reply)
        except Exception:
            self._simulator.internal_errors += 1
            log.exception("the query %s", query.question)
            reply = dns.message.make_response(query, recursion_available=True, our_payload=OURS)
            reply.set_rcode(dns.rcode.SERVFAIL)
        size = LONGEST
        if datagram:
            size = max(query.payload, WITHOUT_EDNS) if query.edns >= 0 else WITHOUT_EDNS
        return reply.to_wire(max_size=size, prefer_truncation=True)

    def _answer(self, query: dns.message.Message, reply: dns.message.Message) -> None:
        if query.opcode() != dns.opcode.QUERY:
            reply.set_rcode(dns.rcode.NOTIMP)
            return
        if len(query.question) != 1:
            reply.set_rcode(dns.rcode.FORMERR)
            return
        asked = query.question[0]
        if asked.rdclass != dns.rdataclass.IN:
            reply.set_rcode(dns.rcode.REFUSED)
            return
        with self._simulator.at_now() as world:
            found = routing.answer(world, asked.name.to_text(), dns.rdatatype.to_text(asked.rdtype))
        reply.set_rcode(dns.rcode.from_text(found.rcode))
        if found.rcode not in ("REFUSED", "SERVFAIL"):
            reply.flags |= dns.flags.AA
        for record in found.records:
            _add(reply, reply.answer, record)
        if found.soa is not None:
            _add(reply, reply.authority, found.soa)


def _add(reply: dns.message.Message, section: list[Any], record: routing.Record) -> None:
    kind = dns.rdatatype.from_text(record.type)
    # Route 53 takes every name in a value for absolute, with or without a final dot.
    value = dns.rdata.from_text(dns.rdataclass.IN, kind, record.value, origin=dns.name.root, relativize=False)
    name = dns.name.from_text(record.name)
    reply.find_rrset(section, name, dns.rdataclass.IN, kind, create=True).add(value, record.ttl)


def _malformed(wire: bytes) -> bytes | None:
    """FORMERR to what has at least the header of a query."""
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    return wire[:2] + b"\x80" + bytes([int(dns.rcode.FORMERR)]) + bytes(8)


class _Datagram(socketserver.BaseRequestHandler):
    server: _Udp

    def handle(self) -> None:
        query, socket_ = self.request
        reply = self.server.respond(query, True)
        if reply is not None:
            with suppress(OSError):
                socket_.sendto(reply, self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    server: _Tcp
    timeout = PATIENCE

    def handle(self) -> None:
        with suppress(OSError):
            while len(length := self.rfile.read(2)) == 2:
                reply = self.server.respond(self.rfile.read(int.from_bytes(length, "big")), False)
                if reply is None:
                    return
                self.wfile.write(len(reply).to_bytes(2, "big") + reply)


class _Udp(socketserver.UDPServer):
    max_packet_size = LONGEST

    def __init__(self, port: int, respond: Respond) -> None:
        self.respond = respond
        super().__init__((HOST, port), _Datagram)


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = socket.SOMAXCONN

    def __init__(self, port: int, respond: Respond) -> None:
        self.respond = respond
        super().__init__((HOST, port), _Stream)


def _open(respond: Respond) -> tuple[_Tcp, _Udp]:
    """Both on one port, as a client expects that falls back from UDP to TCP."""
    for _ in range(ATTEMPTS - 1):
        with suppress(OSError):
            return _pair(respond)
    return _pair(respond)


def _pair(respond: Respond) -> tuple[_Tcp, _Udp]:
    """Raises OSError when somebody else has TCP's port for UDP."""
    tcp = _Tcp(0, respond)
    try:
        return tcp, _Udp(int(tcp.server_address[1]), respond)
    except OSError:
        tcp.server_close()
        raise
