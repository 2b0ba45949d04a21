"""The parts of a life of the matrix: with these settings, this command; and what must be there afterwards."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drctl.sim import client
from tests.census import Census
from tests.environment import EVERYTHING, TIMEOUT, Installation, Ran
from tests.rehearsal import PATHS, Rehearsal
from tests.rehearsal_kills import SELDOM, assert_clean, difference, roles
from tests.shape import shape
from tests.torture.points import executed

Operation = tuple[str, str]
"""Service and operation."""

ANSWER_S = 3
"""Real seconds that drctl waits for an answer here."""

SPEED = 120.0
"""Slow enough for a busy machine: drctl's patience is counted in simulated seconds."""

MOVING = 20.0
"""The same while the world must move: see tests/rehearsal_kills.py."""

AT_REST_S = 150.0
"""Seconds after which the tasks that a run has stopped are drained and gone (drctl/sim/lifecycle/durations.py), and
what it has removed in one region is gone in the other."""

PATIENCE_S = 1800.0
"""Real seconds after which a runbook counts as hung: a drill of ten simulated minutes at the lowest speed, thrice."""

CALLS = f"""
[calls]
answer_timeout_s = {ANSWER_S}
"""

LOOKING = EVERYTHING + PATHS + SELDOM + "error_budget_s = 86400\n"
"""A drill that the disturbances hold up is not to take itself back for that."""

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
    """after: the stages that a life needs before it"""

    name: str
    settings: str
    command: tuple[str, ...]
    after: tuple[str, ...] = ()

    @property
    def is_runbook(self) -> bool:
        """Whether the world must move for it."""
        return self.command[0] not in ("up", "destroy")


def _drill(method: str) -> Stage:
    return Stage(
        f"drill, {method}", LOOKING, ("drill", "--simulate-outage", "--method", method), after=("up",)
    )


STAGES = (
    Stage("up", EVERYTHING, ("up",)),
    Stage("failover", LOOKING, ("failover",), after=("up",)),
    Stage("failback", LOOKING, ("failback",), after=("up", "failover")),
    _drill("health"),
    _drill("tasks"),
    _drill("network"),
    Stage("up with other settings", CHANGED, ("up",), after=("up",)),
    Stage("destroy", CHANGED, ("destroy",), after=("up", "up with other settings")),
)


def way_to(name: str) -> tuple[Stage, ...]:
    """A stage and what a life needs before it."""
    (wanted,) = (stage for stage in STAGES if stage.name == name)
    return tuple(stage for stage in STAGES if stage is wanted or stage.name in wanted.after)


class Place(Rehearsal):
    """Where a life is lived: nothing is built yet.

    home: the roles before the first runbook
    """

    def __init__(self, folder: Path) -> None:
        Installation.__init__(self, folder, speed=SPEED)
        self.home: dict[str, Any] = {}


@dataclass(frozen=True)
class Found:
    """What there is after a stage: how much of everything, which roles are others than at home, what `up` would do."""

    shape: dict[str, int] = field(default_factory=dict)
    roles: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a stage asked of AWS, which faults struck, what there was afterwards, what went wrong."""

    operations: tuple[Operation, ...]
    struck: frozenset[Operation]
    found: Found = field(default_factory=Found)
    wrong: str = ""


def go(
    place: Place,
    stage: Stage,
    before: Census,
    wanted: Found | None,
    speed: float,
    wish: dict[str, Any],
    hurt: Sequence[Operation],
) -> Outcome:
    """Run it at a speed, the first call of each of the ``hurt`` suffering what is wished. wanted: None, if unknown."""
    place.settings(stage.settings + CALLS)
    place.sim.set_speed(speed)
    place.patience_s = PATIENCE_S if stage.is_runbook else TIMEOUT
    if stage.is_runbook and not place.home:
        place.home = roles(place)
    # The monitors call AWS as well: they are part of the world, and nobody disturbs them here.
    caller = client.environment(place.sim.status())["AWS_ACCESS_KEY_ID"]
    for service, operation in hurt:
        place.sim.fault(**wish, service=service, operation=operation, caller=caller)
    calls = place.calls()
    try:
        ran = place.runbook(*stage.command, speed=speed) if stage.is_runbook else place.on_sim(*_sure(stage))
        wrong = _ended(stage, ran)
    except AssertionError as error:
        wrong = str(error)
    log = [each for each in place.sim.access_log()[calls:] if each["caller"] == caller]
    hit = [each for each in place.sim.faults() if each["hit"] == each["times"]]
    place.sim.heal()
    place.sim.set_speed(MOVING if stage.is_runbook else SPEED)
    if stage.is_runbook:
        time.sleep(AT_REST_S / MOVING)
    operations = tuple(sorted({key[:2] for key in executed(log)}))
    struck = frozenset((each["service"], each["operation"]) for each in hit)
    found = Found()
    if not wrong:
        try:
            found = _look(place, stage, before)
            wrong = "; ".join(_differences(stage, found, wanted))
        except AssertionError as error:
            wrong = str(error) or "the journal has no verdict"
    return Outcome(operations, struck, found, wrong)


def _sure(stage: Stage) -> tuple[str, ...]:
    return (*stage.command, "--yes")


def _ended(stage: Stage, ran: Ran) -> str:
    """What is wrong with how it ended. A drill may miss an objective: the disturbances take time."""
    if ran.code in ((0, 3) if stage.command[0] == "drill" else (0,)):
        return ""
    errors = ran.json["errors"] if ran.out.strip() else [{"address": "", "cause": ran.err[-300:]}]
    return f"exit {ran.code}: " + "; ".join(f"{each['address']}: {each['cause']}" for each in errors)


def _look(place: Place, stage: Stage, before: Census) -> Found:
    """See Found. Raises AssertionError where a runbook left something behind."""
    if stage.command[0] == "destroy":
        return Found(shape(before, place.census()))
    if stage.is_runbook:
        assert_clean(place, "passed", "objective missed")
    changed = difference(place.home, roles(place)) if stage.is_runbook else {}
    if "DNS" in changed:
        changed["DNS"] = "another address"  # each life has its own
    return Found(shape(before, place.census()), changed, place.changes())


def _differences(stage: Stage, found: Found, wanted: Found | None) -> list[str]:
    """Between what there is and what there must be."""
    if stage.command[0] == "destroy":
        wanted = Found()
    elif stage.command[0] == "up":
        wanted = Found(wanted.shape if wanted else found.shape)
    wanted = wanted or found
    return [
        *(f"{kind}: {is_} in place of {ought}" for kind, is_, ought in _unlike(found.shape, wanted.shape)),
        *(f"{role}: {is_} in place of {ought}" for role, is_, ought in _unlike(found.roles, wanted.roles)),
        *(
            f"the plan: {address}: {is_}, not {ought}"
            for address, is_, ought in _unlike(found.plan, wanted.plan)
        ),
    ]


def _unlike(found: dict[str, Any], wanted: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Name and both values, where they differ."""
    names = sorted(found.keys() | wanted.keys())
    return [
        (each, found.get(each), wanted.get(each)) for each in names if found.get(each) != wanted.get(each)
    ]
