"""Cycles, one after the other, until there have been enough kills everywhere, or no time is left."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from tests.torture.book import Book
from tests.torture.cycle import Cycle, Result
from tests.torture.points import Points

PER_CYCLE = 60
"""Kills in a cycle, at most."""

RESTING = 0.98
"""The share of the points at which a run must have been killed: some writes happen only now and then."""


class Torture:
    """Cycles, one after the other, until there have been enough kills or no time is left."""

    def __init__(
        self, folder: Path, seed: int | None, *, resume: bool = False, per_cycle: int = PER_CYCLE
    ) -> None:
        """seed: None draws one; resume: go on with what the folder holds, which is emptied otherwise"""
        self._folder = folder
        self._per_cycle = per_cycle
        if folder.exists() and not resume:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.book = Book(folder)
        if self.book.seed is None:
            drawn = seed if seed is not None else random.SystemRandom().randrange(1_000_000)
            self.book.begin(drawn, time.strftime("%Y-%m-%d"))
        self._forget_what_was_cut_off()
        self.points = Points(folder)

    def run(self, kills: int, minutes: float, only: int | None = None, *, everywhere: bool = True) -> bool:
        """Whether all has gone as it must. only: this cycle alone; everywhere: go on until every point was one."""
        seed, until = self.book.seed or 0, time.monotonic() + minutes * 60
        print(f"seed {seed}; {kills} kills or {minutes:g} minutes; {self._folder.resolve()}", flush=True)
        for number in [only] if only is not None else self._numbers():
            enough = self.book.kills().total() >= kills and not (everywhere and self._points_left())
            if enough or time.monotonic() > until:
                break
            began = time.monotonic()
            result = self._cycle(seed, number)
            self.book.add(result, time.monotonic() - began)
        return not any(cycle["wrong"] for cycle in self.book.cycles)

    def _numbers(self) -> Iterator[int]:
        while True:
            yield self.book.next

    def _points_left(self) -> bool:
        """A write that only sometimes happens may never come again, and is not waited for."""
        return any(visited < RESTING * of for visited, of in self.points.coverage().values())

    def _forget_what_was_cut_off(self) -> None:
        """After the kills of a cycle that did not come to its end nobody has counted: they do not count."""
        before = self._before(self.book.next)
        if before.exists():
            for file in self._folder.glob("visited-*"):
                file.unlink()
            for file in before.iterdir():
                shutil.copy(file, self._folder)

    def _before(self, number: int) -> Path:
        """The folder in whose files is where runs had been killed before this cycle began."""
        return self._folder / f"cycle-{number}" / "points"

    def _cycle(self, seed: int, number: int) -> Result:
        points = self._before(number)
        place = points.parent
        shutil.rmtree(place, ignore_errors=True)
        points.mkdir(parents=True)
        for file in (each for each in self._folder.iterdir() if each.suffix in (".json", ".txt")):
            shutil.copy(file, points)
        cycle = Cycle(
            place,
            self.points,
            seed,
            number,
            at_most=self._per_cycle,
            tell=lambda line: print(f"{time.strftime('%H:%M:%S')} cycle {number} {line}", flush=True),
        )
        result = cycle.live()
        if result.wrong:
            again = f"--seed {seed} --cycle {number} --folder {points.resolve()} --resume"
            print(f"cycle {number} went wrong; its folder stays: {place.resolve()}", flush=True)
            print("\n".join(f"  {line}" for line in result.wrong), flush=True)
            print(f"  again: python -m tests.torture {again}", flush=True)
        else:
            shutil.rmtree(place)
        return result
