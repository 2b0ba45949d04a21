"""The world outside AWS, where the clients are: whom they ask for names, which port they knock at, whom TLS trusts."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from drctl.engine.clock import Clock

LEAST_TIMEOUT = 1.0
"""Real seconds: a machine that plays the environment's time faster does not compute faster."""


class Unreachable(Exception):
    """Nobody gave a usable answer; the message says why in a few words."""


@dataclass(frozen=True)
class Outside:
    """How it is reached. The defaults are the real one.

    name_server: address and port of the one that is asked for every name; None for the zone's own and the machine's
    ports: a well-known port -> the port that stands for it, where it is another one
    ca_bundle: whom TLS trusts; None for the machine's own authorities
    """

    name_server: tuple[str, int] | None = None
    ports: Mapping[int, int] = field(default_factory=dict)
    ca_bundle: Path | None = None

    def port(self, port: int) -> int:
        """Where to knock for a well-known port."""
        return self.ports.get(port, port)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Made once: reading the authorities costs more than a connection. Raises OSError without the bundle."""
        return ssl.create_default_context(cafile=self.ca_bundle)


def real_timeout(clock: Clock, seconds: float) -> float:
    """How long a probe waits, in real seconds, for what clients wait ``seconds`` of the environment's time for."""
    return max(clock.real(seconds), LEAST_TIMEOUT)
