"""Ways of killing drctl: at calls to AWS, at writes of its journal, at any moment while a second run knocks."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.environment import TIMEOUT, Installation
from tests.torture import victim
from tests.torture.points import Call, Points, executed

LOCKED = 4
"""drctl's exit code when another run holds the environment."""

GLANCE_S = 0.01
AT_ONCE = 24
"""Operations that are waited for at once."""

HELD_S = 600.0
"""Real seconds for which a call is held: longer than anybody lives who waits for it."""

LATE_SPEED = 12.0
"""While a dead client's request is under way: slow enough for the next run to come and look before it is executed."""

LATE_S = 48.0
"""Simulated seconds after which it is executed: drctl waits a minute for such a request."""

SEEN_AFTER_S = 9.0
"""Real seconds after which a run at LATE_SPEED has waited for it, looked again and gone on."""


@dataclass(frozen=True)
class Death:
    """How a run ended. code: None when it was killed; said: its last words when it was not."""

    way: str
    code: int | None
    said: str = ""


class Kills:
    """Kills runs on one installation. ``speed``: simulated seconds a real one, otherwise."""

    def __init__(self, place: Installation, points: Points, speed: float) -> None:
        self._place = place
        self._points = points
        self._speed = speed
        self._log = place.folder / "runs.log"
        self.since = 0
        """The number of calls before the way that is under way began."""

    def run(self, command: str) -> Death:
        """Undisturbed, to its end."""
        child = self._start(command)
        return self._ended("none", child)

    def at_calls(self, command: str, chance: random.Random) -> Death:
        """Die when AWS has got one of the calls that are still to come, or several within a moment."""
        sim = self._place.sim
        log = sim.access_log()[self.since :]
        done = executed(log)
        waiting: dict[str, Call] = {}
        acts = chance.random() < 0.5
        for call in self._points.ahead(command, done, chance)[:AT_ONCE]:
            skip = call.number - done[call[:3]]
            fault = sim.fault(
                "hang",
                service=call.service,
                operation=call.operation,
                region=call.region,
                skip=skip,
                times=1,
                acts=acts,
                seconds=HELD_S,
            )
            waiting[fault["id"]] = call
        linger = chance.choice((0.0, 0.0, 0.05, 0.2))
        way = f"call, {'after' if acts else 'before'}"
        child = self._start(command)
        if self._struck(child):
            time.sleep(linger)
        killed = self._kill(child)
        hit = [fault["id"] for fault in sim.faults() if fault["hit"]]
        sim.heal()
        self._points.visit(command, [waiting[each] for each in hit])
        return Death(way, None) if killed else self._ended(way, child)

    def late(self, command: str, chance: random.Random) -> list[Death]:
        """Die while a call is under way that AWS executes only when the next run is already looking for its result;
        that run has gone on when it dies too."""
        sim = self._place.sim
        done = executed(sim.access_log()[self.since :])
        for call in self._points.ahead(command, done, chance)[:AT_ONCE]:
            sim.fault(
                "latency",
                service=call.service,
                operation=call.operation,
                region=call.region,
                times=1,
                seconds=LATE_S,
            )
        child = self._start(command)
        if self._struck(child):
            sim.set_speed(LATE_SPEED)
        killed = self._kill(child)
        sim.heal()
        if not killed:
            sim.set_speed(self._speed)
            return [self._ended("call, late", child)]
        second = self._start(command)
        _until(lambda: second.poll() is not None, SEEN_AFTER_S)
        killed = self._kill(second)
        sim.set_speed(self._speed)
        first = Death("call, late", None)
        return [first, Death("while a call is late", None) if killed else self._ended("late", second)]

    def at_write(self, command: str, chance: random.Random, share: float) -> Death:
        """Die at a write of the journal at which no run has died yet."""
        visited = self._points.visited_writes(command)
        child = self._start_victim(command, visited, str(chance.random()), share)
        self._wait(child)
        if child.returncode < 0:
            return Death("write", None)
        return self._ended("write", child)

    def at_any_moment(self, command: str, chance: random.Random) -> Death:
        """Two runs at once: one is refused, the other dies somewhere on its way."""
        moment = chance.uniform(0.0, self._points.seconds[command] / 2)
        both = [self._start(command), self._start(command)]
        _until(lambda: any(child.poll() is not None for child in both))
        first, second = sorted(both, key=lambda child: child.poll() is None)
        if first.returncode == LOCKED:
            _until(lambda: second.poll() is not None, moment)
            killed = self._kill(second)
            return Death("moment", None) if killed else self._ended("moment", second)
        self._wait(second)
        if second.returncode != LOCKED:
            return self._ended("moment", second)
        return self._ended("moment", first)

    def learn(self, command: str) -> Death:
        """Undisturbed, with a list of its writes and of its calls."""
        before, began = self._place.calls(), time.monotonic()
        child = self._start_victim(command, self._points.writes(command), "", 0.0)
        death = self._ended("none", child)
        log = self._place.sim.access_log()[before:]
        self._points.learn(command, log, time.monotonic() - began)
        return death

    def _struck(self, child: subprocess.Popen[str]) -> bool:
        """Whether a fault has struck before the run came to its end."""

        def struck() -> bool:
            return any(fault["hit"] for fault in self._place.sim.faults())

        _until(lambda: child.poll() is not None or struck())
        return child.poll() is None

    def _start(self, command: str) -> subprocess.Popen[str]:
        return self._spawn(str(Path(sys.executable).with_name("drctl")), *_arguments(command))

    def _start_victim(self, command: str, visited: Path, seed: str, share: float) -> subprocess.Popen[str]:
        parameters = (str(visited.resolve()), seed or "none", str(share))
        return self._spawn(sys.executable, victim.__file__, *parameters, *_arguments(command))

    def _spawn(self, *arguments: str) -> subprocess.Popen[str]:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"\n--- {time.strftime('%H:%M:%S')} {' '.join(arguments[1:])}\n")
            log.flush()
            return self._place.spawn(arguments, stdout=log, stderr=subprocess.STDOUT)

    def _kill(self, child: subprocess.Popen[str]) -> bool:
        """Whether it still lived."""
        alive = child.poll() is None
        child.kill()
        child.wait()
        return alive

    def _wait(self, child: subprocess.Popen[str]) -> None:
        try:
            child.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self._kill(child)
            raise AssertionError(f"a run did not end within {TIMEOUT:.0f} s") from None

    def _ended(self, way: str, child: subprocess.Popen[str]) -> Death:
        self._wait(child)
        return Death(way, child.returncode, self._log.read_text(encoding="utf-8")[-3000:])


def _arguments(command: str) -> tuple[str, ...]:
    return ("--sim", command, "--yes")


def _until(holds: Callable[[], Any], patience: float = TIMEOUT) -> None:
    deadline = time.monotonic() + patience
    while not holds() and time.monotonic() < deadline:
        time.sleep(GLANCE_S)
