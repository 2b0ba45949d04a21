"""HTTP on loopback: whole requests in, whole responses out, connections kept alive.

werkzeug's development server makes the WSGI environment, as moto expects it; what it does not do is keep a
connection open, send a response in one piece, or drop a connection on purpose.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from http import HTTPStatus
from socketserver import TCPServer
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

from drctl.sim.access_log import FUNCTION
from drctl.sim.app import Simulator
from drctl.sim.control import PREFIX, ControlApi
from drctl.sim.struck import Silence
from drctl.sim.wire import Reply

HELD_INTERVAL = 0.05
"""Real seconds between two looks at a connection that is held open, whether its client is still there."""


class Handler(MotoRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        body = _whole_body(environ)
        if body is None:
            self.close_connection = True
            return
        self._note(environ)
        path = environ["PATH_INFO"]
        if path.startswith(PREFIX):
            reply: Reply | Silence = self.server.control.handle(self.command, path, body)
        else:
            reply = self.server.simulator.handle(environ, body)
        self._note(environ)
        if isinstance(reply, Silence):
            self._close(reply)
        else:
            self._send(reply)

    def _close(self, silence: Silence) -> None:
        self.close_connection = True
        until = time.monotonic() + silence.held
        while time.monotonic() < until and not silence.over.is_set() and not self._hung_up():
            silence.over.wait(min(HELD_INTERVAL, until - time.monotonic()))
        if silence.reset:
            # The descriptor itself: the files made of the socket would put its end off, and send a FIN first.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())

    def _hung_up(self) -> bool:
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except ConnectionError:
            return True

    def _note(self, environ: dict[str, Any]) -> None:
        """Somebody needs the simulator; a deployed function, which may call every minute, is not counted."""
        if f"Credential={FUNCTION}" not in environ.get("HTTP_AUTHORIZATION", ""):
            self.server.last_request = time.monotonic()

    def _send(self, reply: Reply) -> None:
        phrase = HTTPStatus(reply.status).phrase if reply.status in _PHRASES else "Unknown"
        lines = [f"HTTP/1.1 {reply.status} {phrase}"]
        length = str(len(reply.body))
        for name, value in reply.headers:
            lowered = name.lower()
            if lowered == "content-length":
                # Only the answer to HEAD speaks of a body that it does not carry.
                length = value if self.command == "HEAD" else length
            elif lowered not in ("connection", "transfer-encoding"):
                lines.append(f"{name}: {value}")
        if reply.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {length}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        bodiless = self.command == "HEAD" or reply.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        self.wfile.write(head if bodiless else head + reply.body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The access log says it better."""


_PHRASES = frozenset(int(status) for status in HTTPStatus)


def _whole_body(environ: dict[str, Any]) -> bytes | None:
    """None when the client has gone, killed perhaps, before it had sent all that it announced."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        return bytes(stream.read())
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = bytes(stream.read(length)) if length else b""
    return body if len(body) == length else None


class Listener(ThreadedWSGIServer):
    """A thread for each connection. ``control`` is to be set before it serves."""

    daemon_threads = True
    control: ControlApi

    def __init__(self, simulator: Simulator, port: int) -> None:
        """port: 0 for any free one. Raises OSError when it is taken."""
        super().__init__("127.0.0.1", port, app=_no_app, handler=Handler)
        self.simulator = simulator
        self.last_request = time.monotonic()

    def server_bind(self) -> None:
        """Without HTTPServer's look-up of the host's full name, which waits for a DNS that may not be there."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def _no_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    raise AssertionError("requests are answered by Handler.run_wsgi")
