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


def outlets(simulator: Simulator, folder: Path, endpoint: str) -> list[Outlet]:
    """All of them. ``folder``: where the simulator's files lie; ``endpoint``: of its API. Raises OSError when a port
    cannot be had."""
    # Not before moto follows the simulated clock: see moto_cloud.follow.
    from drctl.sim.motion.dns import NameServer
    from drctl.sim.motion.front import Front
    from drctl.sim.motion.functions import FunctionHost

    open_to_all: list[Outlet] = [Front(simulator, folder), NameServer(simulator)]
    facts = {name: fact for outlet in open_to_all for name, fact in outlet.facts().items()}
    return [*open_to_all, FunctionHost(simulator, folder, endpoint, facts)]
