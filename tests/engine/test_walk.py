"""The walk: each job the moment its needs are met, no thread held while waiting, followers of a failure skipped."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any

import pytest

from drctl.engine.events import Event, Finished, Skipped
from drctl.engine.pace import Pause
from drctl.engine.run import ResourceFailed
from drctl.engine.walk import THREADS, After, Interrupt, Job, walk
from drctl.errors import Diagnostic

Procedure = Generator[Pause, None, str]


class FastClock:
    """A thousand seconds a second, so that waiting can be seen without waiting."""

    def __init__(self) -> None:
        import time

        self._origin = time.monotonic

    def now(self) -> float:
        return self._origin() * 1000

    def real(self, seconds: float) -> float:
        return seconds / 1000


class Journal:
    """What happened, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._guard = threading.Lock()

    def write(self, line: str) -> None:
        with self._guard:
            self.lines.append(line)

    def job(self, name: str, *needs: str, waits: float = 0.0, **options: Any) -> Job[str]:
        def start() -> Procedure:
            self.write(f"start {name}")
            if waits:
                yield Pause(waits, "nothing", going=options.get("going", False))
            if options.get("fails"):
                raise ResourceFailed(Diagnostic(f"{name} failed", name))
            self.write(f"end {name}")
            return "create"

        after = options.get("after", After.DONE)
        return Job(name, start, dict.fromkeys(needs, after), options.get("seconds", 1.0))

    def index(self, line: str) -> int:
        return self.lines.index(line)


def run(*jobs: Job[str], emit: Any = lambda _: None, interrupt: Interrupt | None = None) -> Any:
    return walk(jobs, FastClock(), emit, interrupt or Interrupt())


def test_a_job_starts_when_all_its_needs_have_ended() -> None:
    journal = Journal()
    result = run(journal.job("c", "a", "b"), journal.job("a", waits=20), journal.job("b", "a", waits=5))
    assert result.ok
    assert journal.lines == ["start a", "end a", "start b", "end b", "start c", "end c"]


def test_hundreds_wait_at_once_on_a_handful_of_threads() -> None:
    journal = Journal()
    jobs = [journal.job(f"job-{number}", waits=300) for number in range(THREADS * 20)]
    run(*jobs)
    last_start = max(journal.index(f"start job-{number}") for number in range(len(jobs)))
    first_end = min(journal.index(f"end job-{number}") for number in range(len(jobs)))
    assert last_start < first_end


def test_the_longest_remaining_path_goes_first() -> None:
    journal = Journal()
    short = [journal.job(f"short-{number}") for number in range(THREADS * 4)]
    run(*short, journal.job("long"), journal.job("behind", "long", seconds=500.0))
    assert journal.index("start long") < THREADS


def test_followers_of_a_failure_are_skipped_and_the_others_are_not() -> None:
    journal = Journal()
    events: list[Event] = []
    result = run(
        journal.job("bad", fails=True),
        journal.job("follower", "bad"),
        journal.job("its-follower", "follower", "good"),
        journal.job("good", waits=5),
        emit=events.append,
    )
    assert set(result.failed) == {"bad"}
    assert result.skipped == {"follower": "bad", "its-follower": "bad"}
    assert result.done == {"good": "create"}
    assert {e.address for e in events if isinstance(e, Skipped)} == {"follower", "its-follower"}
    assert {e.address for e in events if isinstance(e, Finished)} == {"good"}


def test_a_follower_that_needs_only_that_removal_has_begun_does_not_wait_for_its_end() -> None:
    journal = Journal()
    run(
        journal.job("instance", waits=50, going=True),
        journal.job("cluster", "instance", after=After.GOING),
        journal.job("subnet-group", "instance"),
    )
    assert journal.index("end cluster") < journal.index("end instance") < journal.index("start subnet-group")


def test_an_interrupt_starts_nothing_new_and_says_what_was_not_done() -> None:
    journal = Journal()
    interrupt = Interrupt()

    def start() -> Procedure:
        interrupt.request()
        journal.write("recorded")
        yield Pause(10_000_000.0, "hours")
        return "create"

    result = run(Job("first", start), journal.job("second", "first"), interrupt=interrupt)
    assert result.interrupted
    assert journal.lines == ["recorded"]
    assert set(result.skipped) == {"first", "second"}


def test_a_circle_is_refused() -> None:
    journal = Journal()
    with pytest.raises(ValueError, match="wait for each other"):
        run(journal.job("a", "b"), journal.job("b", "a"))


def test_a_defect_in_a_procedure_ends_the_walk_with_that_error() -> None:
    def start() -> Procedure:
        raise KeyError("vpc_id")
        yield Pause(0, "")

    with pytest.raises(KeyError, match="vpc_id"):
        run(Job("broken", start))
