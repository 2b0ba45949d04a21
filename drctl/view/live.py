"""The live view of a terminal: what is being made, what each waits for and how long, how much is done and left."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from drctl.engine.clock import Clock
from drctl.engine.events import Event, Failed, Finished, Skipped, Started, Waiting, Walking
from drctl.view import text
from drctl.view.text import Line

THEME = Theme({
    "create": "green",
    "update": "yellow",
    "replace": "magenta",
    "delete": "red",
    "unchanged": "dim",
    "step": "cyan",
    "good": "green",
    "bad": "bold red",
    "warning": "yellow",
})  # fmt: skip

REFRESH_PER_SECOND = 8
OVERHEAD_ROWS = 6
"""Rows of the screen that are not for the table of what is under way."""


@dataclass
class _UnderWay:
    action: str
    since: float
    typical: float
    reason: str = ""


class LiveView:
    """Draws below what has been printed, and disappears when the work ends."""

    def __init__(self, clock: Clock, *, color: bool = True) -> None:
        self._console = Console(theme=THEME, highlight=False, no_color=not color)
        self._errors = Console(theme=THEME, highlight=False, no_color=not color, stderr=True)
        self._clock = clock
        # Re-entrant: a Ctrl-C is handled in the main thread, in the middle of whatever that was telling.
        self._guard = threading.RLock()
        self._jobs: Mapping[str, tuple[float, tuple[str, ...]]] = {}
        self._settled: dict[str, str] = {}
        self._under_way: dict[str, _UnderWay] = {}
        self._began = 0.0
        self._live: Live | None = None

    def __enter__(self) -> LiveView:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def emit(self, event: Event) -> None:
        """Take note; the screen follows by itself."""
        with self._guard:
            match event:
                case Walking(jobs=jobs):
                    self._jobs, self._began = jobs, event.time
                    self._settled.clear()
                    self._under_way.clear()
                case Started(address=address, action=action, typical=typical):
                    self._under_way[address] = _UnderWay(action, event.time, typical)
                case Waiting(address=address, reason=reason) if address in self._under_way:
                    self._under_way[address].reason = reason
                case Finished(address=address, action=action):
                    self._settle(address, action)
                case Failed(address=address, diagnostic=diagnostic):
                    self._settle(address, "failed")
                    self._console.print(Text(f"failed  {address}: {diagnostic.cause}", "bad"))
                case Skipped(address=address):
                    self._settle(address, "skipped")
                case _:
                    pass
        self._start()

    def show(self, lines: Iterable[Line]) -> None:
        """Print what people are to read."""
        self._stop()
        for line in lines:
            self._console.print(_styled(line), soft_wrap=True)

    def redraw(self, lines: Iterable[Line]) -> None:
        """Put these in the place of those drawn before."""
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        self._live.update(Group(*(_styled(line) for line in lines)), refresh=True)

    def complain(self, lines: Iterable[Line]) -> None:
        """Print errors, to stderr."""
        self._stop()
        for line in lines:
            self._errors.print(_styled(line), soft_wrap=True)

    def _settle(self, address: str, how: str) -> None:
        self._settled[address] = how
        self._under_way.pop(address, None)

    def _start(self) -> None:
        if self._live is None and self._jobs:
            self._live = Live(
                get_renderable=self._draw,
                console=self._console,
                refresh_per_second=REFRESH_PER_SECOND,
                transient=True,
            )
            self._live.start()

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
            self._jobs = {}

    def _draw(self) -> RenderableType:
        with self._guard:
            now = self._clock.now()
            done, total = len(self._settled), len(self._jobs)
            left = self._time_left(now)
            head = Table.grid(padding=(0, 2))
            head.add_row(
                ProgressBar(total=max(total, 1), completed=done, width=30),
                Text(f"{done} of {total}", "bold"),
                Text(text.duration(now - self._began), "dim"),
                Text(f"about {text.duration(left)} left" if left > 0 else "", "dim"),
            )
            return Group(Text(), head, Text(), self._table(now))

    def _table(self, now: float) -> Table:
        rows = max(3, self._console.height - OVERHEAD_ROWS)
        table = Table.grid(padding=(0, 2))
        shown = sorted(self._under_way.items(), key=lambda item: item[1].since)
        for address, job in shown[:rows]:
            waited = now - job.since
            late = "warning" if waited > 2 * job.typical + 30 else "dim"
            table.add_row(
                Text(text.SIGNS[job.action], job.action),
                Text(address),
                Text(text.duration(waited), late),
                Text(f"usually {text.duration(job.typical)}" if job.typical >= 5 else "", "dim"),
                Text(f"waiting: {job.reason}" if job.reason else "", "dim"),
            )
        if len(shown) > rows:
            table.add_row("", Text(f"and {len(shown) - rows} more", "dim"))
        return table

    def _time_left(self, now: float) -> float:
        """The longest chain of what is not done, by usual durations, less what has passed of those under way."""
        left: dict[str, float] = {}

        def chain(address: str) -> float:
            if address not in left:
                seconds, needs = self._jobs[address]
                if address in self._settled:
                    left[address] = 0.0
                else:
                    job = self._under_way.get(address)
                    own = max(seconds - (now - job.since), 0.0) if job else seconds
                    left[address] = own + max((chain(need) for need in needs), default=0.0)
            return left[address]

        return max((chain(address) for address in self._jobs), default=0.0)


def _styled(line: Line) -> Text:
    return Text.assemble(*((piece, style) for piece, style in line))
