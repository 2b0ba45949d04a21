"""Time, given to whoever waits or measures, so that nobody asks the machine behind the operator's back."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds as the environment lives them; a simulated AWS lives faster than the machine."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def real(self, seconds: float) -> float:
        """How many of this machine's seconds that many seconds take."""


class WallClock:
    """The machine's own time, read once: after that it only goes forward, whatever is done to the machine's clock."""

    def __init__(self) -> None:
        self._began = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._began + time.monotonic()

    def real(self, seconds: float) -> float:
        """The same number."""
        return seconds
