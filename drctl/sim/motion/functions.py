"""The host of the deployed functions: takes the invocations that wait and runs each in its function's sandbox."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drctl.sim.motion import invocations, outage
from drctl.sim.motion.invocations import Deployed, Invocation, Key
from drctl.sim.motion.sandbox import Outcome, Sandbox

if TYPE_CHECKING:
    from drctl.sim.app import Simulator

GLANCE = 0.05
"""Real seconds between two looks at the queue."""

IDLE = 300.0
"""Real seconds after which a sandbox that nobody used is given up."""

log = logging.getLogger(__name__)


class FunctionHost:
    """An outlet (see outlets.py): nobody reaches it from outside, it reaches the others."""

    def __init__(self, simulator: Simulator, folder: Path, endpoint: str, facts: Mapping[str, Any]) -> None:
        """folder: where the simulator's files lie; endpoint: of its API; facts: of the other outlets."""
        self._simulator = simulator
        self._folder = folder / "functions"
        self._endpoint = endpoint
        self._facts = facts
        self._world = simulator.world
        self._stopping = threading.Event()
        self._sandboxes: dict[Key, Sandbox] = {}
        self._busy: set[Key] = set()
        self._guard = threading.Lock()
        """Of the two above."""
        self._thread = threading.Thread(target=self._serve, name="functions", daemon=True)

    def start(self) -> None:
        """What an earlier process left behind goes; logs stay."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in self._folder.iterdir():
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
        with self._simulator.lock:
            invocations.forget_begun(self._simulator.world)
        self._thread.start()

    def stop(self) -> None:
        """End what runs, without waiting for its end."""
        self._stopping.set()
        self._thread.join()
        self._leave()

    def facts(self) -> dict[str, Any]:
        return {}

    def _serve(self) -> None:
        while not self._stopping.wait(GLANCE):
            if self._simulator.world is not self._world:
                self._leave()
            self._lose()
            # A look without the lock, which must not make the section: most of the time nothing waits.
            if self._world.sections.get(invocations.QUEUE):
                with self._simulator.lock:
                    begun = invocations.begin(self._simulator.world)
                for invocation in begun:
                    threading.Thread(target=self._run, args=(invocation,), daemon=True).start()
            self._retire()

    def _run(self, invocation: Invocation) -> None:
        try:
            outcome = self._outcome(invocation)
        except Exception as error:
            log.exception("%s cannot be run", invocation.function.arn)
            outcome = Outcome(0.0, error={"errorType": "Sandbox", "errorMessage": str(error)})
        if self._stopping.is_set():
            return
        with self._simulator.at_now() as world:
            invocations.end(world, invocation, outcome.error is not None, outcome.seconds)

    def _outcome(self, invocation: Invocation) -> Outcome:
        sandbox = self._sandbox(invocation.function)
        try:
            return sandbox.invoke(invocation)
        finally:
            with self._guard:
                self._busy.discard(invocation.function.key)

    def _sandbox(self, function: Deployed) -> Sandbox:
        """A warm one, or a new one where the function has changed, or the old one is used up. Raises OSError,
        BadZipFile."""
        every = self._world.sections.get(invocations.SETTINGS, {}).get("cold_every")
        with self._guard:
            if self._stopping.is_set():
                raise OSError("the simulator is stopping")
            known = self._sandboxes.get(function.key)
            used_up = known is not None and every is not None and known.invocations >= every
            if known is not None and (used_up or known.worn or known.function != function):
                known.close()
                known = None
            if known is None:
                known = Sandbox(function, self._simulator.clock, self._folder, self._endpoint, self._facts)
                self._sandboxes[function.key] = known
            self._busy.add(function.key)
            return known

    def _lose(self) -> None:
        """End what runs in a region that is out: it is gone with it."""
        out = self._world.sections.get(outage.SECTION)
        if not out:
            return
        with self._guard:
            for key in [key for key in self._sandboxes if key[1] in out]:
                self._sandboxes.pop(key).close()

    def _leave(self) -> None:
        """End all that runs: it belongs to a world that is no more."""
        with self._guard:
            self._world = self._simulator.world
            for sandbox in self._sandboxes.values():
                sandbox.close()
            self._sandboxes.clear()

    def _retire(self) -> None:
        """Give up the sandboxes that have ended, or that nobody has used for long."""
        with self._guard:
            if not self._sandboxes:
                return
            now = time.monotonic()
            for key, sandbox in list(self._sandboxes.items()):
                if key not in self._busy and (sandbox.worn or now - sandbox.used_at > IDLE):
                    sandbox.close()
                    del self._sandboxes[key]
