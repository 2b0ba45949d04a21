"""What of the simulated world can be reached from outside of its API: one process, one door each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from drctl.sim.app import Simulator


class Outlet(Protocol):
    """Opened by its constructor, serving from ``start`` on in threads of its own, until ``stop``."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def facts(self) -> dict[str, Any]:
        """What a client must know to reach it; part of the simulator's status."""
        ...


def outlets(simulator: Simulator, folder: Path) -> list[Outlet]:
    """All of them. ``folder``: where the simulator's files lie. Raises OSError when a port cannot be had."""
    return []
