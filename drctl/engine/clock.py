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
    """The machine's own time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def real(self, seconds: float) -> float:
        """The same number."""
        return seconds
