"""A region in which nothing answers is found out once, not by each resource with a patience of its own.

Two hundred resources that each wait for a region that is out hold the threads that the other region could use, and
say in the end two hundred times what is one thing. So the clients of a run keep count together: while anything in the
region answers, single calls are the engine's affair; when nothing has for a while, none is asked again in this run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.exceptions import HTTPClientError

if TYPE_CHECKING:
    from botocore.client import BaseClient

SILENT_FOR_S = 60.0
"""Seconds of the environment's clock without an answer to anything, after which a region counts as out."""

ALONE_FOR_S = 240.0
"""The same where all that did not answer was one service: that one may be down, and the region is not."""

SILENT_TIMES = 5
"""Requests in a row that must have remained without an answer: one call whose every attempt is lost proves little
where time runs fast."""


class RegionSilent(Exception):
    """Nothing in a region answers. ``place``: the region, or ``global``; its text is why."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(why)
        self.place = place


@dataclass
class _Silence:
    since: float
    times: int = 0
    services: set[str] = field(default_factory=set)


class Reach:
    """What the clients of one run have heard, by place. Thread-safe."""

    def __init__(self, now: Callable[[], float]) -> None:
        """now: the clock that SILENT_FOR_S is measured on."""
        self._now = now
        self._guard = threading.Lock()
        self._silences: dict[str, _Silence] = {}
        self._out: dict[str, RegionSilent] = {}

    def heard(self, place: str) -> None:
        """Something there has answered, whatever it said."""
        with self._guard:
            self._silences.pop(place, None)

    def unheard(self, place: str, service: str, error: Exception) -> None:
        """A request to a service there remained without an answer."""
        now = self._now()
        with self._guard:
            silence = self._silences.setdefault(place, _Silence(now))
            silence.times += 1
            silence.services.add(service)
            waited = now - silence.since
            enough = SILENT_FOR_S if len(silence.services) > 1 else ALONE_FOR_S
            if waited > enough and silence.times > SILENT_TIMES and place not in self._out:
                why = f"no answer for {waited:.0f} s, to {silence.times} requests; the last: {error}"
                self._out[place] = RegionSilent(place, why)

    def check(self, place: str) -> None:
        """Raise RegionSilent when nothing there is asked any more."""
        silent = self._out.get(place)
        if silent is not None:
            raise silent

    def watch(self, client: BaseClient, place: str) -> None:
        """Count this client's answers, to each attempt of a call, and keep it from asking where nobody answers."""

        def before(**_: object) -> None:
            self.check(place)

        def after(exception: Exception | None, **_: Any) -> None:
            if exception is None:
                self.heard(place)
            elif isinstance(exception, (HTTPClientError, BotocoreConnectionError)):
                self.unheard(place, client.meta.service_model.service_name, exception)

        client.meta.events.register("before-send.*.*", before)
        client.meta.events.register("response-received.*.*", after)
