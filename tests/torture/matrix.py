"""Operation x fault: each operation that changes AWS disturbed at its first call, and what came of it.

An undisturbed life (built, changed, removed) tells which operations there are and how much of everything comes. Then
one life for each fault, in which the first call of every operation suffers it. Where such a life goes wrong, its
operations are tried in halves until it is known which one it was.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.census import Census
from tests.environment import EVERYTHING, Installation, Ran
from tests.shape import shape
from tests.strangers import differences, photograph, settle
from tests.torture import page
from tests.torture.points import executed

Operation = tuple[str, str]
"""Service and operation."""

ANSWER_S = 3
"""Real seconds that drctl waits for an answer here."""

SPEED = 120.0
"""Slow enough for a busy machine: drctl's patience is counted in simulated seconds."""

LIVES = 6
"""Lives with one fault, at most: after each that goes wrong the operations it went wrong with are left out."""

CALLS = f"""
[calls]
answer_timeout_s = {ANSWER_S}
"""

CHANGED = """
[domain]
name = "drctl-demo.com"
[network]
nat_gateways = "one"
[operators]
accounts = ["210987654321", "333333333333"]
external_id = "another-phrase"
[tags]
team = "payments"
[[services]]
cpu = 2048
memory = 4096
tasks = 4
min_tasks = 3
cpu_target = 60
health_path = "/health"
[[services]]
name = "reports"
path = "/reports/*"
[database]
backup_days = 14
instance_class = "db.r6g.xlarge"
[[tables]]
[[tables]]
name = "orders"
key = "orderId"
[health_check]
interval = 30
threshold = 4
[monitor]
threshold = 5
[alarms]
emails = ["second@drctl-demo.com"]
http_5xx = 20
[logs]
retention_days = 14
[edge]
price_class = "PriceClass_200"
"""
"""Settings that differ from ``EVERYTHING`` in something of every kind that can change."""


@dataclass(frozen=True)
class Stage:
    """A part of a life: with these settings, this command."""

    name: str
    settings: str
    command: str


STAGES = (
    Stage("up", EVERYTHING, "up"),
    Stage("up with other settings", CHANGED, "up"),
    Stage("destroy", CHANGED, "destroy"),
)


@dataclass(frozen=True)
class Trial:
    """A fault. speed: simulated seconds in a real one while it is in force."""

    name: str
    wish: dict[str, Any]
    speed: float = SPEED


TRIALS = (
    Trial("answer lost", {"kind": "lost", "times": 1}),
    Trial("500 after acting", {"kind": "error", "acts": True, "times": 1}),
    # Slower: the seconds of a timeout, and the SDK's pauses, are real; at a higher speed they use up drctl's patience.
    Trial("read timeout after acting", {"kind": "hang", "acts": True, "seconds": 60.0, "times": 1}, 60.0),
    Trial("throttled 5 times", {"kind": "throttle", "times": 5}, 40.0),
)


@dataclass
class Lived:
    """A life: what each stage asked of AWS, how much of everything came, which faults struck, what went wrong."""

    operations: dict[str, list[Operation]] = field(default_factory=dict)
    shapes: dict[str, dict[str, int]] = field(default_factory=dict)
    struck: set[Operation] = field(default_factory=set)
    wrong: str = ""
    stage: str = ""
    """The last one."""


class Matrix:
    """All lives. ``tell``: a line of progress."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lives = 0
        self._undisturbed = Lived()

    def run(self, trials: Sequence[Trial] = TRIALS) -> dict[Operation, dict[str, str]]:
        """Operation -> fault -> what came of it."""
        self._undisturbed = self._live(None, {})
        assert not self._undisturbed.wrong, self._undisturbed.wrong
        found: dict[Operation, dict[str, str]] = {
            operation: {} for each in self._undisturbed.operations.values() for operation in each
        }
        for trial in trials:
            for operation, result in self._try(trial).items():
                found[operation][trial.name] = result
        return found

    def _try(self, trial: Trial) -> dict[Operation, str]:
        results = dict.fromkeys(
            (each for stage in self._undisturbed.operations.values() for each in stage), "not struck"
        )
        hurt = {stage: list(each) for stage, each in self._undisturbed.operations.items()}
        for left in reversed(range(LIVES)):
            lived = self._live(trial, hurt)
            results |= {operation: "once" for operation in lived.struck if results[operation] == "not struck"}
            if not lived.wrong:
                return results
            stage, culprit = lived.stage, None
            for culprit, wrong in self._culprits(trial, stage, hurt[stage]):
                results[culprit] = wrong
                hurt = {name: [each for each in some if each != culprit] for name, some in hurt.items()}
            if culprit is None and not left:
                raise AssertionError(f"{trial.name}, {stage}: wrong only together: {lived.wrong}")
        return results

    def _culprits(
        self, trial: Trial, stage: str, suspects: list[Operation]
    ) -> Iterator[tuple[Operation, str]]:
        """Those that go wrong when they alone are disturbed."""
        lived = self._live(trial, {stage: suspects})
        if not lived.wrong:
            return
        if len(suspects) == 1:
            yield suspects[0], lived.wrong
            return
        half = len(suspects) // 2
        yield from self._culprits(trial, stage, suspects[:half])
        yield from self._culprits(trial, stage, suspects[half:])

    def _live(self, trial: Trial | None, hurt: dict[str, list[Operation]]) -> Lived:
        """One life on an empty AWS among strangers, up to the first stage that goes wrong."""
        self._lives += 1
        folder = self._folder / f"life-{self._lives}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        place = Installation(folder, speed=SPEED)
        lived, began = Lived(), time.monotonic()
        try:
            views = settle(place)
            before, untouched = place.census(), photograph(place.client, views)
            for stage in STAGES:
                lived.stage = stage.name
                lived.wrong = self._stage(place, stage, trial, hurt.get(stage.name, []), lived, before)
                changed = differences(untouched, photograph(place.client, views))
                if changed and not lived.wrong:
                    lived.wrong = f"strangers differ: {sorted(changed)[:3]}"
                if lived.wrong:
                    break
        finally:
            place.close()
        name = trial.name if trial else "undisturbed"
        count = sum(len(each) for each in hurt.values())
        outcome = f"WRONG in {lived.stage}: {lived.wrong}" if lived.wrong else "well"
        seconds = time.monotonic() - began
        print(
            f"{time.strftime('%H:%M:%S')} {name}: {count} operations in {seconds:.0f} s, {outcome}",
            flush=True,
        )
        if not lived.wrong:
            shutil.rmtree(folder)
        return lived

    def _stage(
        self,
        place: Installation,
        stage: Stage,
        trial: Trial | None,
        hurt: list[Operation],
        lived: Lived,
        before: Census,
    ) -> str:
        """What went wrong; nothing, when it is empty."""
        place.settings(stage.settings + CALLS)
        for service, operation in hurt:
            assert trial is not None
            place.sim.fault(**trial.wish, service=service, operation=operation)
        if trial is not None and hurt:
            place.sim.set_speed(trial.speed)
        calls = place.calls()
        ran = place.on_sim(stage.command, "--yes")
        log = place.sim.access_log()[calls:]
        lived.struck |= {
            (each["service"], each["operation"])
            for each in place.sim.faults()
            if each["hit"] == each["times"]
        }
        place.sim.heal()
        place.sim.set_speed(SPEED)
        lived.operations[stage.name] = sorted({key[:2] for key in executed(log)})
        if ran.code:
            return f"exit {ran.code}: {_said(ran)}"
        there = lived.shapes[stage.name] = shape(before, place.census())
        wanted = self._undisturbed.shapes.get(stage.name, there)
        if stage.command == "destroy":
            wanted = {}
        wrong = [
            f"{kind}: {there.get(kind, 0)} in place of {wanted.get(kind, 0)}"
            for kind in sorted(there.keys() | wanted.keys())
            if there.get(kind, 0) != wanted.get(kind, 0)
        ]
        if stage.command == "up":
            wrong += [f"the plan would {action} {address}" for address, action in place.changes().items()]
        return "; ".join(wrong)


def _said(ran: Ran) -> str:
    return "; ".join(f"{error['address']}: {error['cause']}" for error in ran.json["errors"])


def write(found: dict[Operation, dict[str, str]]) -> None:
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
