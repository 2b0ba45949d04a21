"""Plain lines, one per thing that happened: for a pipe, a log, a pipeline, and wherever colours are unwanted."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from typing import IO

from drctl.engine.events import Event, Failed, Finished, Skipped, Started, Waiting, Walking
from drctl.view import text
from drctl.view.text import Line


class PlainView:
    """Writes to ``out``; progress to ``progress`` (stderr when stdout is to hold one JSON document)."""

    def __init__(self, out: IO[str] | None = None, progress: IO[str] | None = None) -> None:
        self._out = out or sys.stdout
        self._progress = progress or self._out
        self._guard = threading.RLock()  # re-entrant, for a Ctrl-C in the middle of telling
        self._began: float | None = None
        self._started: dict[str, tuple[float, str]] = {}
        self._total = 0
        self._done = 0

    def __enter__(self) -> PlainView:
        return self

    def __exit__(self, *_: object) -> None:
        self._out.flush()

    def emit(self, event: Event) -> None:
        """Tell of an event; waiting is not told, it would be told too often."""
        with self._guard:
            if self._began is None:
                self._began = event.time
            line = self._line(event)
            if line:
                elapsed = text.duration(event.time - self._began)
                print(f"{elapsed:>12}  {line}", file=self._progress, flush=True)

    def show(self, lines: Iterable[Line]) -> None:
        """Print what people are to read."""
        for line in lines:
            print("".join(piece for piece, _ in line), file=self._out)
        self._out.flush()

    def redraw(self, lines: Iterable[Line]) -> None:
        """Print what takes the place of what was printed before: after an empty line."""
        self.show([[], *lines])

    def complain(self, lines: Iterable[Line]) -> None:
        """Print errors, to stderr."""
        for line in lines:
            print("".join(piece for piece, _ in line), file=sys.stderr, flush=True)

    def _line(self, event: Event) -> str:
        match event:
            case Walking(jobs=jobs):
                self._total, self._done = len(jobs), 0
                self._started.clear()
            case Started(address=address, action=action):
                self._started.setdefault(address, (event.time, action))
            case Finished(address=address, action=action):
                self._done += 1
                if action != "unchanged":
                    took = event.time - self._started.get(address, (event.time, ""))[0]
                    return f"{self._count()}  {text.DID[action]:<9} {address} ({text.duration(took)})"
            case Failed(address=address, diagnostic=diagnostic):
                self._done += 1
                return f"{self._count()}  FAILED    {address}: {diagnostic.cause}"
            case Skipped(address=address, because=because) if because:
                self._done += 1
                return f"{self._count()}  skipped   {address} (waits for {because})"
            case Waiting() | Event():
                pass
        return ""

    def _count(self) -> str:
        return f"[{self._done:>{len(str(self._total))}}/{self._total}]"
