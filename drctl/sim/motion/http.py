"""A request and its answer as they travel through the simulated network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that change nothing."""


@dataclass(frozen=True)
class Request:
    """``path`` is as sent, with its query; ``host`` is without a port, in lower case; so are the names of headers."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    secure: bool = False
    """Over TLS."""

    @property
    def route(self) -> str:
        """The path without the query."""
        return self.path.partition("?")[0]


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def as_json(status: int, value: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(
        status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(value).encode()
    )
