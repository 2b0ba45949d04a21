"""What has been seen: a line for the seed, a line for each finished cycle. A later session goes on from it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.torture.cycle import Result

COUNTED = {
    "to_the_end": "ways gone to their end, and counted",
    "orphans": "orphans",
    "duplicates": "duplicates",
    "missing": "things missing",
    "manual": "runs that a person would have had to look after",
    "strangers": "differences of strangers",
}
"""What is added up over the cycles, and what it is called."""


class Book:
    """A file of JSON lines in a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "book.jsonl"
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        self._lines: list[dict[str, Any]] = [json.loads(line) for line in lines]

    @property
    def seed(self) -> int | None:
        """The seed that it was begun with."""
        return int(self._lines[0]["seed"]) if self._lines else None

    @property
    def began(self) -> str:
        """The day."""
        return str(self._lines[0]["began"])

    def begin(self, seed: int, began: str) -> None:
        """The first line."""
        self._write({"seed": seed, "began": began})

    def add(self, result: Result, seconds: float) -> None:
        """A finished cycle."""
        self._write({**result.as_json(), "seconds": round(seconds, 1)})

    @property
    def cycles(self) -> list[dict[str, Any]]:
        """The finished ones."""
        return self._lines[1:]

    @property
    def next(self) -> int:
        """The number of the first that is not finished."""
        return 1 + max((cycle["cycle"] for cycle in self.cycles), default=0)

    def kills(self) -> Counter[str]:
        """By kind of point."""
        return sum((Counter(cycle["kills"]) for cycle in self.cycles), Counter())

    def total(self, name: str) -> int:
        """Of one of COUNTED."""
        return sum(cycle[name] for cycle in self.cycles)

    def _write(self, line: dict[str, Any]) -> None:
        self._lines.append(line)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
