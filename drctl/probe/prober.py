"""Looks again and again, each probe in a thread of its own, until told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from drctl.engine.clock import Clock
from drctl.probe.sample import Finding, Sample

Probe = Callable[[], Finding | None]
"""One look; None: there is nothing to look at now, and no sample. Whatever it raises is a failed one. It must come
back by itself, with a timeout of its own."""

DETAIL = 120
"""Characters kept of an error's words."""


class Prober:
    """One thread a probe, a look every ``interval_s``, never two of the same probe at once.

    A look that takes longer than the interval is followed by the next one at once. What was missed (the process was
    paused, the machine asleep) is not made up for: nobody looked, and no sample says otherwise.
    """

    def __init__(
        self,
        probes: Mapping[str, Probe],
        interval_s: float,
        clock: Clock,
        sink: Callable[[Sample], None],
    ) -> None:
        """interval_s: of the environment's time
        sink: gets each sample as it is made, from the thread of its probe
        """
        self._interval_s = interval_s
        self._clock = clock
        self._sink = sink
        self._stopped = threading.Event()
        self._sink_error: Exception | None = None
        self._threads = [
            threading.Thread(target=self._watch, args=(name, probe), name=f"probe-{name}", daemon=True)
            for name, probe in probes.items()
        ]

    def start(self) -> None:
        """The first looks begin now."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No new look begins; returns when the last one has ended and the sink has it.

        Raises what the sink raised, if it did: then samples are missing.
        """
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        if self._sink_error is not None:
            raise self._sink_error

    def _watch(self, name: str, probe: Probe) -> None:
        due = self._clock.now()
        while not self._stopped.is_set():
            sample = self._look(name, probe)
            try:
                if sample is not None:
                    self._sink(sample)
            except Exception as error:
                self._sink_error = error
            due = max(due + self._interval_s, self._clock.now())
            self._stopped.wait(self._clock.real(due - self._clock.now()))

    def _look(self, name: str, probe: Probe) -> Sample | None:
        began, on_the_wire = self._clock.now(), time.monotonic()
        try:
            found = probe()
            if found is None:
                return None
        except Exception as error:
            found = Finding(False, detail=(str(error) or type(error).__name__)[:DETAIL])
        latency_ms = (time.monotonic() - on_the_wire) * 1000
        return Sample(began, name, found.ok, latency_ms, found.who, found.detail, found.sequence)
