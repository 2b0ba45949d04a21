"""What happens to a resource, told to whoever shows it. Views subscribe; the engine prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drctl.errors import Diagnostic


@dataclass(frozen=True)
class Event:
    """Something about the resource at ``address`` at ``time`` (the environment's seconds since the epoch)."""

    time: float
    address: str


@dataclass(frozen=True)
class Walking(Event):
    """A walk begins over these: for each address how many seconds it usually takes and what it waits for."""

    jobs: Mapping[str, tuple[float, tuple[str, ...]]]


@dataclass(frozen=True)
class Started(Event):
    """A change has been sent: ``action`` is create, update, replace or delete; ``typical`` seconds it takes."""

    action: str
    typical: float


@dataclass(frozen=True)
class Waiting(Event):
    """Nothing to do but wait, for ``reason``."""

    reason: str


@dataclass(frozen=True)
class Finished(Event):
    """It is as it should be; ``action`` is what that took, ``unchanged`` if nothing."""

    action: str


@dataclass(frozen=True)
class Failed(Event):
    """It could not be brought there."""

    diagnostic: Diagnostic


@dataclass(frozen=True)
class Skipped(Event):
    """Not tried, because ``because`` (an address) failed or the run was interrupted (empty)."""

    because: str


Emit = Callable[[Event], None]
