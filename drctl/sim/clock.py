"""Simulated time: real time, multiplied."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class SimClock:
    """Simulated seconds since the epoch, running ``speed`` times as fast as the wall.

    A change of speed causes no jump, and ``now`` never goes backwards: it is anchored to the monotonic
    clock, so that a correction of the machine's time of day is not felt.
    """

    def __init__(self, origin: float, speed: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """``origin``: the simulated time at this moment, seconds since the epoch."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._anchor = monotonic()
        self._origin = origin
        self._speed = _checked(speed)

    @property
    def speed(self) -> float:
        """Simulated seconds per real second."""
        return self._speed

    def now(self) -> float:
        """Simulated seconds since the epoch."""
        with self._lock:
            return self._origin + (self._monotonic() - self._anchor) * self._speed

    def set_speed(self, speed: float) -> None:
        """From now on run at this speed. Raises ValueError unless it is positive and finite."""
        checked = _checked(speed)
        with self._lock:
            moment = self._monotonic()
            self._origin += (moment - self._anchor) * self._speed
            self._anchor = moment
            self._speed = checked

    def advance(self, seconds: float) -> None:
        """Jump forward. Raises ValueError if that would be backward."""
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"time cannot be advanced by {seconds} s")
        with self._lock:
            self._origin += seconds

    def resume(self, now: float) -> None:
        """Go on from a saved time, as if none had passed since. Only before anybody has looked at the clock."""
        with self._lock:
            self._origin = now
            self._anchor = self._monotonic()


def _checked(speed: float) -> float:
    if not 0 < speed < 1e6:
        raise ValueError(f"speed must be above 0 and below 1000000, not {speed}")
    return speed
