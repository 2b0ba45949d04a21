"""Operation x fault: each operation that changes AWS disturbed at its first call, and what came of it.

An undisturbed life (built, failed over and back, drilled, changed, removed: tests/torture/stages.py) tells which
operations there are and what there is after each stage. Then one life for each fault, in which the first call of every
operation in every stage suffers it. Where such a life goes wrong, its operations are tried in halves until it is known
which one it was.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.strangers import differences, photograph, settle
from tests.torture import page
from tests.torture.stages import MOVING, SPEED, STAGES, Found, Operation, Place, Stage, go, way_to

LIVES = 6
"""Lives with one fault, at most: after each that goes wrong the operations it went wrong with are left out."""

NOT_STRUCK = "not struck"
ONCE = "once"


@dataclass(frozen=True)
class Trial:
    """A fault. speed, moving: simulated seconds in a real one while it is in force; the second for runbooks."""

    name: str
    wish: dict[str, Any]
    speed: float = SPEED
    moving: float = MOVING


TRIALS = (
    Trial("answer lost", {"kind": "lost", "times": 1}),
    Trial("500 after acting", {"kind": "error", "acts": True, "times": 1}),
    # Slower: the seconds of a timeout, and the SDK's pauses, are real; at a higher speed they use up drctl's patience.
    Trial(
        "read timeout after acting", {"kind": "hang", "acts": True, "seconds": 60.0, "times": 1}, 60.0, 10.0
    ),
    # The pauses of five attempts are 15 s at most, and a step whose patience is 60 s may make two such calls.
    Trial("throttled 5 times", {"kind": "throttle", "times": 5}, 40.0, 1.9),
)

UNDISTURBED = Trial("undisturbed", {})


@dataclass
class Lived:
    """A life: what each stage asked of AWS, what there was after it, which faults struck, what went wrong."""

    operations: dict[str, tuple[Operation, ...]] = field(default_factory=dict)
    found: dict[str, Found] = field(default_factory=dict)
    struck: dict[str, frozenset[Operation]] = field(default_factory=dict)
    wrong: str = ""
    stage: str = ""
    """The last one."""


Hurt = dict[str, list[Operation]]
"""Stage -> the operations that are disturbed in it."""

Results = dict[Operation, dict[str, str]]
"""Operation -> stage, or fault -> what came of it."""


class Matrix:
    """All lives. only: the one stage that is disturbed, after as little else as it needs."""

    def __init__(self, folder: Path, only: str | None = None) -> None:
        self._folder = folder
        self._stages = STAGES if only is None else way_to(only)
        self._disturbed = [stage.name for stage in STAGES if only in (None, stage.name)]
        self._lives = 0
        self._undisturbed = Lived()

    def run(self, trials: Sequence[Trial] = TRIALS) -> Results:
        """Operation -> fault -> what came of it, the worst of all stages."""
        self._undisturbed = self._live(UNDISTURBED, {}, self._stages)
        assert not self._undisturbed.wrong, self._undisturbed.wrong
        found: Results = {operation: {} for each in self._hurt().values() for operation in each}
        for trial in trials:
            for operation, stages in self._try(trial).items():
                found[operation][trial.name] = _worst(stages)
        return found

    def _hurt(self) -> Hurt:
        return {stage: list(self._undisturbed.operations[stage]) for stage in self._disturbed}

    def _try(self, trial: Trial) -> Results:
        hurt = self._hurt()
        results: Results = {}
        for stage, each in hurt.items():
            for operation in each:
                results.setdefault(operation, {})[stage] = NOT_STRUCK
        for left in reversed(range(LIVES)):
            lived = self._live(trial, hurt, self._stages)
            for stage, struck in lived.struck.items():
                for operation in struck:
                    if results[operation][stage] == NOT_STRUCK:
                        results[operation][stage] = ONCE
            if not lived.wrong:
                return results
            stage, culprit = lived.stage, None
            for culprit, wrong in self._culprits(trial, stage, hurt[stage]):
                results[culprit][stage] = f"{stage}: {wrong}"
                hurt[stage] = [each for each in hurt[stage] if each != culprit]
            if culprit is None and not left:
                raise AssertionError(f"{trial.name}, {stage}: wrong only together: {lived.wrong}")
        return results

    def _culprits(
        self, trial: Trial, stage: str, suspects: list[Operation]
    ) -> Iterator[tuple[Operation, str]]:
        """Those that go wrong when they alone are disturbed."""
        lived = self._live(trial, {stage: suspects}, way_to(stage))
        if not lived.wrong:
            return
        if len(suspects) == 1:
            yield suspects[0], lived.wrong
            return
        half = len(suspects) // 2
        yield from self._culprits(trial, stage, suspects[:half])
        yield from self._culprits(trial, stage, suspects[half:])

    def _live(self, trial: Trial, hurt: Hurt, stages: Sequence[Stage]) -> Lived:
        """One life on an empty AWS among strangers, up to the first stage that goes wrong."""
        self._lives += 1
        folder = self._folder / f"life-{self._lives}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        place = Place(folder)
        lived, began = Lived(), time.monotonic()
        try:
            views = settle(place)
            before, untouched = place.census(), photograph(place.client, views)
            for stage in stages:
                struck = hurt.get(stage.name, [])
                slowed = trial if struck else UNDISTURBED
                speed = slowed.moving if stage.is_runbook else slowed.speed
                wanted = self._undisturbed.found.get(stage.name)
                outcome = go(place, stage, before, wanted, speed, trial.wish, struck)
                lived.stage, lived.wrong = stage.name, outcome.wrong
                lived.operations[stage.name] = outcome.operations
                lived.found[stage.name] = outcome.found
                lived.struck[stage.name] = outcome.struck
                changed = differences(untouched, photograph(place.client, views))
                if changed and not lived.wrong:
                    lived.wrong = f"strangers differ: {sorted(changed)[:3]}"
                if lived.wrong:
                    break
        finally:
            place.close()
        count = sum(len(each) for each in hurt.values())
        ended = f"WRONG in {lived.stage}: {lived.wrong}" if lived.wrong else "well"
        seconds = time.monotonic() - began
        print(
            f"{time.strftime('%H:%M:%S')} {trial.name}: {count} operations in {seconds:.0f} s, {ended}",
            flush=True,
        )
        if not lived.wrong:
            shutil.rmtree(folder)
        return lived


def _worst(stages: dict[str, str]) -> str:
    """Of what came of an operation in several stages."""
    wrong = [result for result in stages.values() if result not in (NOT_STRUCK, ONCE)]
    if wrong:
        return "; ".join(wrong)
    return NOT_STRUCK if NOT_STRUCK in stages.values() else ONCE


def write(found: Results) -> None:
    """Into docs/reliability.md."""
    names = [trial.name for trial in TRIALS]
    lines = page.rows(
        ["service", "operation", *names],
        (
            [service, operation, *(row[name] for name in names)]
            for (service, operation), row in sorted(found.items())
        ),
    )
    told = f"{len(found)} operations, {time.strftime('%Y-%m-%d')}."
    page.write("matrix", [told, "", *lines])
