"""A life of an environment among strangers, from nothing to nothing, with kills all the way.

Each killed run is followed by another; a way ends when a run comes to its end by itself, or after so many kills. Then
everything there is is counted.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from drctl.sim.client import SimulatorError
from tests.census import came
from tests.environment import EVERYTHING, Installation
from tests.shape import SHAPE, shape
from tests.strangers import differences, photograph, settle
from tests.torture.kills import Death, Kills
from tests.torture.points import Points

SPEED = 120.0
"""Slow enough for a busy machine, on which a killed client's last requests take seconds; drctl waits a minute."""

STORIES = (
    (("up", True), ("destroy", True)),
    (("up", True), ("destroy", True)),
    (("up", False), ("destroy", True)),
    (("up", True), ("destroy", False), ("up", True), ("destroy", True)),
)
"""Ways one after the other; False: not gone to its end, the next one begins where the last kill left it."""

Tell = Callable[[str], None]


@dataclass
class Result:
    """What a cycle came to. orphans, duplicates, missing: things; manual: runs that did not come to their end by
    themselves, so that a person would have had to look."""

    cycle: int
    kills: Counter[str] = field(default_factory=Counter)
    to_the_end: int = 0
    orphans: int = 0
    duplicates: int = 0
    missing: int = 0
    manual: int = 0
    strangers: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def deaths(self) -> int:
        """How many runs were killed."""
        return self.kills.total()

    def as_json(self) -> dict[str, Any]:
        """As a line of the book."""
        return {**asdict(self), "kills": dict(self.kills)}


class Failed(Exception):
    """A run ended otherwise than well."""


class Cycle:
    """One life. Its chances follow from ``seed`` and ``number``."""

    def __init__(
        self, folder: Path, points: Points, seed: int, number: int, *, at_most: int, tell: Tell
    ) -> None:
        """folder: where it lives, and stays when something goes wrong; at_most: kills"""
        self._chance = random.Random(f"{seed}/{number}")
        self._at_most = at_most
        self._tell = tell
        self._points = points
        folder.mkdir(parents=True, exist_ok=True)
        self._place = Installation(folder, EVERYTHING, SPEED)
        self._kills = Kills(self._place, points, SPEED)
        self.result = Result(number)

    def live(self) -> Result:
        """Everything, and how it went. The simulator is stopped afterwards, its state beside the folder's."""
        try:
            self._live()
        except Failed as failed:
            self.result.manual += 1
            self.result.wrong.append(str(failed))
        except (AssertionError, SimulatorError) as error:
            self.result.wrong.append(str(error))
        try:
            self._place.close()
        except (AssertionError, SimulatorError) as error:
            self.result.wrong.append(str(error))
        return self.result

    def _live(self) -> None:
        place = self._place
        views = settle(place)
        before, untouched = place.census(), photograph(place.client, views)
        if not self._points.known:
            self._learn()
        story = self._chance.choice(STORIES)
        for number, (command, to_its_end) in enumerate(story):
            self._way(command, to_its_end, self._left() // (len(story) - number))
            if not to_its_end:
                continue
            if command == "up":
                self._count_whole(before)
            else:
                self._count_nothing(before)
            changed = differences(untouched, photograph(place.client, views))
            self.result.strangers += len(changed)
            self.result.wrong += [f"a stranger's {name}: {what}" for name, what in changed.items()]

    def _left(self) -> int:
        return max(0, self._at_most - self.result.deaths)

    def _learn(self) -> None:
        for command in ("up", "destroy"):
            self._well(self._kills.learn(command))

    def _way(self, command: str, to_its_end: bool, at_most: int) -> None:
        """Runs of one command, killed one after the other."""
        self._kills.since = self._place.calls()
        killed = Counter[str]()
        ended = False
        while killed.total() < at_most and not ended:
            for death in self._die(command):
                ended = death.code is not None
                if ended:
                    self._well(death)
                else:
                    killed[death.way] += 1
                    self.result.kills[death.way] += 1
        if to_its_end and not ended:
            self._well(self._kills.run(command))
            ended = True
        self.result.to_the_end += ended
        ways = ", ".join(f"{count} {way}" for way, count in sorted(killed.items()))
        end = "to its end" if ended else "left half-way"
        self._tell(f"{command}: {killed.total()} kills ({ways}), {end}")

    def _die(self, command: str) -> list[Death]:
        """When every call was one at which a run died, a run dies at the first write at which none has yet."""
        hit, calls = self._points.calls(command)
        often = (44, 44, 9, 3) if hit < calls else (1, 96, 2, 1)
        match self._chance.choices(("call", "write", "moment", "late"), often)[0]:
            case "call":
                return [self._kills.at_calls(command, self._chance)]
            case "write":
                share = self._chance.choice((1.0, 1.0, 0.2)) if hit < calls else 1.0
                return [self._kills.at_write(command, self._chance, share)]
            case "moment":
                return [self._kills.at_any_moment(command, self._chance)]
        return self._kills.late(command, self._chance)

    def _well(self, death: Death) -> None:
        if death.code != 0:
            raise Failed(f"a run ended with exit code {death.code} ({death.way}):\n{death.said}")

    def _count_whole(self, before: dict[str, set[str]]) -> None:
        """Everything is there once, and drctl agrees."""
        there = shape(before, self._place.census())
        for kind in sorted(there.keys() | SHAPE.keys()):
            more = there.get(kind, 0) - SHAPE.get(kind, 0)
            self.result.duplicates += max(0, more)
            self.result.missing += max(0, -more)
            if more:
                self.result.wrong.append(f"{kind}: {there.get(kind, 0)} in place of {SHAPE.get(kind, 0)}")
        left = self._place.changes()
        self.result.wrong += [f"the plan would {action} {address}" for address, action in left.items()]
        records = self._place.ok("state", "list").json["records"]
        self.result.wrong += [f"an open intent: {each}" for each in records if each["intent"]]

    def _count_nothing(self, before: dict[str, set[str]]) -> None:
        """Nothing is left, and nothing of others' is missing."""
        after = self._place.census()
        for kind, names in came(before, after).items():
            self.result.orphans += len(names)
            self.result.wrong += [f"left behind: {kind} {name}" for name in sorted(names)]
        for kind, names in came(after, before).items():
            self.result.missing += len(names)
            self.result.wrong += [f"gone: {kind} {name}" for name in sorted(names)]
