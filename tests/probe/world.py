"""A small world of real sockets outside of the program: a name server, and web servers that speak TLS."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from drctl.probe.outside import Outside
from drctl.sim.motion.authority import Authority

LOCALHOST = "127.0.0.1"


class HandClock:
    """Time that stands until the test moves it; ``speed`` of its seconds fit into a real one."""

    def __init__(self, speed: float = 1.0) -> None:
        self.time = 1_000_000.0
        self.speed = speed

    def now(self) -> float:
        return self.time

    def real(self, seconds: float) -> float:
        return seconds / self.speed


@dataclass
class Names:
    """What the name server answers.

    records: name -> addresses and TTL; aliases: name -> the name it is a CNAME of
    zone: the end of the names it serves; it refuses others
    lose: so many of the next datagrams get no answer; truncate: whether a datagram holds no answer
    asked: every name it was asked for
    """

    zone: str = "example.org"
    records: dict[str, tuple[list[str], int]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    lose: int = 0
    truncate: bool = False
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR
    asked: list[str] = field(default_factory=list)

    def answer(self, wire: bytes) -> dns.message.Message:
        question = dns.message.from_wire(wire)
        answer = dns.message.make_response(question)
        name = question.question[0].name.to_text(omit_final_dot=True)
        self.asked.append(name)
        answer.set_rcode(self.rcode)
        if not name.endswith(self.zone):
            answer.set_rcode(dns.rcode.REFUSED)
        while name in self.aliases:
            target = self.aliases[name]
            answer.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", "CNAME", f"{target}."))
            name = target
        if name in self.records:
            addresses, ttl = self.records[name]
            if addresses:
                answer.answer.append(dns.rrset.from_text(f"{name}.", ttl, "IN", "A", *addresses))
        elif answer.rcode() == dns.rcode.NOERROR:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


@contextmanager
def name_server(names: Names) -> Iterator[tuple[str, int]]:
    """UDP and TCP on one port of loopback."""

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, line = self.request
            answer = names.answer(wire)
            if names.lose:
                names.lose -= 1
                return
            if names.truncate:
                answer.answer.clear()
                answer.flags |= dns.flags.TC
            line.sendto(answer.to_wire(want_shuffle=False), self.client_address)

    class Stream(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            (length,) = struct.unpack("!H", self.rfile.read(2))
            wire = names.answer(self.rfile.read(length)).to_wire(want_shuffle=False)
            self.wfile.write(struct.pack("!H", len(wire)) + wire)

    def both() -> tuple[socketserver.TCPServer, socketserver.UDPServer]:
        """On one port: what is free for TCP need not be free for UDP."""
        while True:
            tcp = socketserver.ThreadingTCPServer((LOCALHOST, 0), Stream)
            try:
                return tcp, socketserver.UDPServer((LOCALHOST, tcp.server_address[1]), Datagram)
            except OSError:
                tcp.server_close()

    tcp, udp = both()
    with tcp, udp, _serving(tcp), _serving(udp):
        yield LOCALHOST, udp.server_address[1]


class Site:
    """A region's application: it remembers what was written.

    status: of every answer, as long as it is set; headers: on every answer
    silent: it takes connections and says nothing; cut: it says less than it announced
    dribble: it sends a byte now and then and never ends
    deaf: so many of the next requests are dropped without an answer
    """

    def __init__(self, region: str = "") -> None:
        self.headers = {"X-Region": region} if region else {}
        self.status: int | None = None
        self.silent = self.cut = self.dribble = False
        self.deaf = 0
        self.held: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.closing = threading.Event()

    def respond(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        key = path.rpartition("/")[2]
        if method == "PUT":
            self.held[key] = body
        if method == "DELETE":
            self.held.pop(key, None)
        missing = path.startswith("/api/records/") and key not in self.held
        return self.status or (404 if missing else 200), b'{"answer": "yes"}'


@contextmanager
def web_server(site: Site, address: str, port: int = 0, tls: Any = None) -> Iterator[int]:
    """The site at an address of loopback; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            site.requests.append((self.command, self.path, dict(self.headers)))
            if site.silent:
                site.closing.wait()
                return
            if site.deaf:
                site.deaf -= 1
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, said = site.respond(self.command, self.path, body)
            self.send_response(status)
            for name, value in site.headers.items():
                self.send_header(name, value)
            if status in (301, 302):
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(said) + (10**6 if site.cut or site.dribble else 0)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(said)
            while site.dribble and not site.closing.wait(0.05):
                self.wfile.write(b".")

        do_GET = do_PUT = do_DELETE = serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def get_request(self) -> tuple[socket.socket, Any]:
            line, peer = super().get_request()
            # The handshake is done in the connection's own thread, when that first reads.
            wrapped = tls.wrap_socket(line, server_side=True, do_handshake_on_connect=False) if tls else line
            return wrapped, peer

        def handle_error(self, *_: object) -> None:
            """A client that went away, or that does not like the certificate, is its own affair."""

    with Server((address, port), Handler) as server, _serving(server):
        try:
            yield int(server.server_address[1])
        finally:
            site.closing.set()


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@dataclass
class World:
    """Two regions on 127.0.0.2 and 127.0.0.3 behind one TLS port, and the names that lead there."""

    names: Names
    sites: dict[str, Site]
    outside: Outside


P, S = "us-east-1", "us-west-2"
ADDRESSES = {P: "127.0.0.2", S: "127.0.0.3"}
HOST, HOST_P, HOST_S = "app.example.org", "p.example.org", "s.example.org"
BALANCERS = {P: "balancer-p.example.org", S: "balancer-s.example.org"}


@contextmanager
def world(folder: Path) -> Iterator[World]:
    authority = Authority(folder)
    tls = authority.context((HOST, HOST_P, HOST_S))
    names = Names()
    sites = {region: Site() for region in (P, S)}
    for host, region in ((HOST, P), (HOST_P, P), (HOST_S, S), (BALANCERS[P], P), (BALANCERS[S], S)):
        names.records[host] = [ADDRESSES[region]], 60
    with (
        name_server(names) as server,
        web_server(sites[P], ADDRESSES[P], tls=tls) as port,
        web_server(sites[S], ADDRESSES[S], port, tls=tls),
    ):
        yield World(names, sites, Outside(server, {443: port}, authority.bundle))
