"""The door to load balancers and the edge: real sockets that speak HTTP and TLS, on the addresses they have in DNS.

Port 80 of every address is one port of this machine and 443 another, since the real ones may be taken or forbidden.
"""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.elbv2.models import elbv2_backends

from drctl.sim.gaps.cloudfront import distributions
from drctl.sim.motion import addresses, balancer, edge, wire_http
from drctl.sim.motion.authority import Authority
from drctl.sim.motion.http import READING, Request, Response
from drctl.sim.world import World

if TYPE_CHECKING:
    from drctl.sim.app import Simulator

PLAIN, SECURE = 80, 443
"""The ports that can be reached; a listener on another cannot."""
LOOK = 0.05
"""Real seconds between two looks at who has an address."""
PATIENCE = 10.0
"""Real seconds that a client may take to send or receive anything."""
BACKLOG = 128

log = logging.getLogger(__name__)


class Front:
    """One thread accepts, and each connection has a thread of its own. Each connection carries one request."""

    def __init__(self, simulator: Simulator, folder: Path) -> None:
        """folder: for the authority's certificate and key. Raises OSError when no port can be had."""
        self._simulator = simulator
        self._authority = Authority(folder)
        # Held for as long as this lives, so that nobody else on this machine gets the same two.
        self._held = {port: _bound("127.0.0.1", 0) for port in (PLAIN, SECURE)}
        self._ports = {port: int(held.getsockname()[1]) for port, held in self._held.items()}
        self._greeting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._greeting.sni_callback = lambda connection, host, _: self._choose(connection, host)
        self._listening: dict[str, list[socket.socket]] = {}
        self._refused: set[str] = set()
        self._selector = selectors.DefaultSelector()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="front", daemon=True)

    def facts(self) -> dict[str, Any]:
        """Where port 80 and port 443 of every address really are, and what to trust."""
        ports = {str(port): real for port, real in self._ports.items()}
        return {"ports": ports, "ca_bundle": str(self._authority.bundle)}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Nobody is let in any more; who is in may finish."""
        self._stopping.set()
        self._thread.join()
        for address in list(self._listening):
            self._close(address)
        for held in self._held.values():
            held.close()
        self._selector.close()

    def _serve(self) -> None:
        last_look = -LOOK
        while not self._stopping.is_set():
            if time.monotonic() - last_look >= LOOK:
                self._look()
                last_look = time.monotonic()
            for key, _ in self._selector.select(LOOK):
                self._accept(key.fileobj, key.data)  # type: ignore[arg-type]

    def _look(self) -> None:
        """Listen where somebody has an address, and nowhere else."""
        with self._simulator.at_now() as world:
            wanted = _addresses(world)
        for address in self._listening.keys() - wanted:
            self._close(address)
        for address in wanted - self._listening.keys():
            self._open(address)

    def _open(self, address: str) -> None:
        opened: list[socket.socket] = []
        try:
            for real in self._ports.values():
                opened.append(_bound(address, real))
                opened[-1].listen(BACKLOG)
        except OSError as error:
            for each in opened:
                each.close()
            if address not in self._refused:
                self._refused.add(address)
                log.warning("nobody can reach %s: %s", address, error)
            return
        self._listening[address] = opened
        for port, each in zip(self._ports, opened, strict=True):
            each.setblocking(False)
            self._selector.register(each, selectors.EVENT_READ, (address, port))

    def _close(self, address: str) -> None:
        for each in self._listening.pop(address):
            self._selector.unregister(each)
            each.close()

    def _accept(self, listener: socket.socket, place: tuple[str, int]) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:  # gone again before it was taken
            return
        threading.Thread(target=self._converse, args=(connection, *place), daemon=True).start()

    def _converse(self, connection: socket.socket, address: str, port: int) -> None:
        """Somebody who is not there closes without a word; so does a front whose client goes away."""
        try:
            connection.settimeout(PATIENCE)
            if not self._is_there(address, port):
                return
            secure = port == SECURE
            if secure:
                connection = self._greeting.wrap_socket(connection, server_side=True)
            try:
                request = wire_http.read(connection, secure=secure)
            except wire_http.BadRequest as error:
                wire_http.write(connection, Response(error.status), "GET")
                return
            response = self._answer(address, port, request) if request is not None else None
            if request is not None and response is not None:
                wire_http.write(connection, response, request.method)
        except OSError as error:
            log.debug("a client of %s: %s", address, error)
        finally:
            connection.close()

    def _is_there(self, address: str, port: int) -> bool:
        with self._simulator.at_now() as world:
            match addresses.owner(world, address):
                case "balancer", arn:
                    return balancer.listening(world, arn, port) is not None
                case "distribution", key:
                    return edge.deployed(world, key) is not None
        return False

    def _choose(self, connection: Any, host: str | None) -> int | None:
        """The certificate for the name that the client asks for; without one the handshake fails."""
        address = connection.getsockname()[0]
        names = None
        with self._simulator.at_now() as world:
            match addresses.owner(world, address):
                case "balancer", arn:
                    names = balancer.certificate(world, arn, SECURE, host or "")
                case "distribution", key:
                    names = edge.certificate(world, key, host or "")
        if names is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self._authority.context(names)
        return None

    def _answer(self, address: str, port: int, request: Request) -> Response | None:
        simulator = self._simulator
        try:
            with simulator.at_now() as world:
                if simulator.closed:
                    return None
                simulator.mutations += request.method not in READING
                match addresses.owner(world, address):
                    case "balancer", arn:
                        return balancer.answer(world, simulator.moto.call, arn, port, request)
                    case "distribution", key:
                        return edge.answer(world, simulator.moto.call, key, request)
        except Exception:
            simulator.internal_errors += 1
            log.exception("%s %s at %s", request.method, request.path, address)
        return None


def _addresses(world: World) -> set[str]:
    """Of every load balancer and distribution that exists, ready or not."""
    backends: list[Any] = [backend for _, _, backend in elbv2_backends.iter_backends()]
    balancers = [
        arn
        for backend in backends
        for arn, held in backend.load_balancers.items()
        if held.type == "application"
    ]
    return {addresses.of_balancer(world, arn) for arn in balancers} | {
        addresses.of_distribution(world, key) for _, key in distributions(world)
    }


def _bound(address: str, port: int) -> socket.socket:
    """Port 0: any that is free. Raises OSError when it cannot be had."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # With a given port, connections of before may linger; a free one must be so in every way.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, port != 0)
        made.bind((address, port))
    except OSError:
        made.close()
        raise
    return made
