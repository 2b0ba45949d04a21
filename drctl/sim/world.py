"""What the simulated AWS remembers beside moto's own state. Plain data only: a snapshot is a pickle of it."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any


@dataclass(order=True)
class Due:
    """Something that will happen: ``event`` is a name from registry.EVENTS, ``data`` its argument."""

    time: float
    order: int
    event: str = field(compare=False)
    data: dict[str, Any] = field(compare=False)


@dataclass
class Transition:
    """A thing on its way: it shows ``status`` until ``until`` (simulated seconds since the epoch)."""

    status: str
    until: float


@dataclass
class World:
    """Sections of memory by name, things in transition, and a calendar of what happens next."""

    now: float = 0.0
    awake: bool = False
    """Whether what moves by itself does: see drctl.sim.motion.pulse."""
    awake_since: float = 0.0
    sections: dict[str, dict[Any, Any]] = field(default_factory=dict)
    transitions: dict[tuple[str, str], Transition] = field(default_factory=dict)
    calendar: list[Due] = field(default_factory=list)
    _order: int = 0

    def section(self, name: str) -> dict[Any, Any]:
        """A named dictionary, made at first use. Keys and values must pickle."""
        return self.sections.setdefault(name, {})

    def begin(self, kind: str, id: str, status: str, seconds: float) -> None:
        """From now on, and for ``seconds`` simulated seconds, this thing shows ``status``."""
        self.transitions[kind, id] = Transition(status, self.now + seconds)

    def status(self, kind: str, id: str) -> str | None:
        """The passing status of a thing, or None when it has settled."""
        transition = self.transitions.get((kind, id))
        if transition is None:
            return None
        if transition.until <= self.now:
            del self.transitions[kind, id]
            return None
        return transition.status

    def later(self, seconds: float, event: str, **data: Any) -> None:
        """Let ``event`` happen ``seconds`` simulated seconds from now."""
        self._order += 1
        heapq.heappush(self.calendar, Due(self.now + seconds, self._order, event, data))

    def due(self, now: float) -> Due | None:
        """Take the next thing whose time has come, moving ``now`` up to it; None when nothing is left."""
        if self.calendar and self.calendar[0].time <= now:
            item = heapq.heappop(self.calendar)
            self.now = max(self.now, item.time)
            return item
        self.now = max(self.now, now)
        return None
