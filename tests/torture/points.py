"""Where a run can be killed, and where it has been: every mutating call to AWS, every write of the journal.

The n-th call of an operation in a region on the way from nothing to the whole environment (or back) is one point,
however many runs that way takes; a write is a point by what it says. Both lists come from an undisturbed run.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

COMMANDS = ("up", "destroy")


class Call(NamedTuple):
    """The ``number``-th call of an operation, counted from 0."""

    service: str
    operation: str
    region: str
    number: int


class Points:
    """The points of both commands, in files of a folder, so that a later session goes on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._calls: dict[str, Counter[tuple[str, str, str]]] = {}
        self._visited: dict[str, set[Call]] = {command: set() for command in COMMANDS}
        self.seconds: dict[str, float] = {}
        """Command -> how many real seconds the undisturbed run took."""
        if self._listed.exists():
            for command, learned in json.loads(self._listed.read_text(encoding="utf-8")).items():
                self._calls[command] = Counter({(s, o, r): count for s, o, r, count in learned["calls"]})
                self.seconds[command] = learned["seconds"]
        if self._visits.exists():
            for line in self._visits.read_text(encoding="utf-8").splitlines():
                command, service, operation, region, number = line.split()
                self._visited[command].add(Call(service, operation, region, int(number)))

    @property
    def _listed(self) -> Path:
        return self._folder / "calls.json"

    @property
    def _visits(self) -> Path:
        return self._folder / "visited-calls.txt"

    def writes(self, command: str) -> Path:
        """The file of the writes that an undisturbed run makes."""
        return self._folder / f"writes-{command}.txt"

    def visited_writes(self, command: str) -> Path:
        """The file of those at which a run was killed."""
        return self._folder / f"visited-writes-{command}.txt"

    @property
    def known(self) -> bool:
        """Whether the lists have been made."""
        return self._calls.keys() == set(COMMANDS)

    def learn(self, command: str, log: Iterable[Mapping[str, Any]], seconds: float) -> None:
        """The calls of an undisturbed run, and how long it took."""
        self._calls[command], self.seconds[command] = executed(log), seconds
        learned = {
            each: {"calls": [[*key, n] for key, n in calls.items()], "seconds": self.seconds[each]}
            for each, calls in self._calls.items()
        }
        self._listed.write_text(json.dumps(learned), encoding="utf-8")

    def ahead(self, command: str, done: Counter[tuple[str, str, str]], chance: random.Random) -> list[Call]:
        """One call of each operation and region that is still to come, in random order: of those at which no run was
        killed yet, while there are any."""
        fresh, known = [], []
        for (service, operation, region), count in sorted(self._calls[command].items()):
            calls = [
                Call(service, operation, region, n) for n in range(done[service, operation, region], count)
            ]
            left = [call for call in calls if call not in self._visited[command]]
            fresh += left[:1]
            known += calls[:1]
        wanted = fresh or known
        chance.shuffle(wanted)
        return wanted

    def visit(self, command: str, calls: Iterable[Call]) -> None:
        """A run was killed at these."""
        with self._visits.open("a", encoding="utf-8") as file:
            for call in calls:
                self._visited[command].add(call)
                file.write(f"{command} {call.service} {call.operation} {call.region} {call.number}\n")

    def calls(self, command: str) -> tuple[int, int]:
        """At how many calls of a command a run was killed, and how many there are."""
        calls = self._calls.get(command, Counter())
        return sum(call.number < calls[call[:3]] for call in self._visited[command]), sum(calls.values())

    def coverage(self) -> dict[str, tuple[int, int]]:
        """What kind of point -> at how many of them a run was killed, and how many there are."""
        found = {}
        for command in COMMANDS:
            found[f"calls of {command}"] = self.calls(command)
            known = _lines(self.writes(command))
            found[f"writes of {command}"] = (len(known & _lines(self.visited_writes(command))), len(known))
        return found


def executed(log: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, str, str]]:
    """How often AWS did what, of what changes anything."""
    return Counter(
        (entry["service"], entry["operation"], entry["region"])
        for entry in log
        if entry["mutating"] and entry["acted"]
    )


def _lines(path: Path) -> set[str]:
    return set(path.read_text(encoding="utf-8").splitlines()) if path.exists() else set()
