"""HTTP/1.1 on a socket, one request a connection: what a front reads and writes."""

from __future__ import annotations

import socket
from http import HTTPStatus

from drctl.sim.motion.http import Request, Response

LONGEST_HEAD = 64 * 1024
LONGEST_BODY = 1024 * 1024
"""Bytes. A load balancer and CloudFront take less of a head (quotas) and far more of a body."""


class BadRequest(Exception):
    """This is no request that can be answered; ``status`` says why."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def read(connection: socket.socket, *, secure: bool) -> Request | None:
    """The request; None when the client has said nothing. Raises BadRequest and OSError."""
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(65536)
        if not received:
            return None
        head += received
        if len(head) > LONGEST_HEAD and b"\r\n\r\n" not in head:
            raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    head, _, body = head.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, _ = first.split(" ")
        headers = {
            name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)
        }
        length = int(headers.get("content-length", "0"))
    except ValueError as error:
        raise BadRequest(HTTPStatus.BAD_REQUEST) from error
    if "transfer-encoding" in headers:
        raise BadRequest(HTTPStatus.LENGTH_REQUIRED)
    if not 0 <= length <= LONGEST_BODY:
        raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    while len(body) < length:
        received = connection.recv(65536)
        if not received:
            return None
        body += received
    host = headers.get("host", "").lower().rsplit(":", 1)[0]
    return Request(method, host, target, headers, body[:length], secure)


def write(connection: socket.socket, response: Response, method: str) -> None:
    """Send it whole; HEAD is answered without the body. Raises OSError."""
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Unknown"
    headers = {**response.headers, "Content-Length": str(len(response.body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    connection.sendall(head if method == "HEAD" else head + response.body)
