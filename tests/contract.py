"""A resource's whole life, for every kind: the real engine, a ledger on the disk, the simulated AWS over HTTP.

For the test of a kind::

    from tests.contract import whole_life

    def test_a_vpc_lives_its_whole_life(sim, tmp_path):
        vpc = Vpc(name="main", region="us-east-1", cidr="10.0.0.0/16")
        whole_life(sim, tmp_path, vpc, {"dns_hostnames": lambda vpc: ec2.modify_vpc_attribute(...)})

``whole_life(sim, folder, resource, damages)`` makes, remakes, plans with its needs unknown, damages and repairs,
removes and makes again, and removes at last what was rebuilt from the records alone.
``damages`` maps the name of a drift field (or ``absent``) to a function that is given the outputs and does that
damage with a client of its own, e.g. ``sim.client("ec2")``.

``Trial(sim, folder)`` is what it is made of, for anything beyond: ``ensure``, ``inspect`` and ``remove`` of any
resources, each with all that they need (or ``alone``, when those are there), and ``mutations()``. The needs of a
resource are found by themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import boto3

from drctl.aws.clients import Aws
from drctl.aws.errors import classify
from drctl.engine.ensure import ensure
from drctl.engine.events import Event
from drctl.engine.inspect import Change, inspect
from drctl.engine.pace import Pause
from drctl.engine.remove import remove
from drctl.engine.resource import Resource
from drctl.engine.run import ResourceFailed, Run
from drctl.engine.spec import rebuild
from drctl.engine.unknown import unknown_outputs
from drctl.ledger.file_store import FileStore
from drctl.ledger.ledger import Ledger
from drctl.sim.access_log import is_mutating

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from tests.conftest import Sim

ENVIRONMENT = "trial"
ACCOUNT = "123456789012"

AnyResource = Resource[Any]
Damage = Callable[[Any], object]
T = TypeVar("T")


class Crash(BaseException):
    """The process dies here; nothing of drctl may catch it."""


@dataclass
class Doom:
    """Die at the ``call``-th mutating call from now: before it is sent, or after it was answered."""

    call: int
    when: str
    counted: int = 0

    def before_send(self, event_name: str, **_: object) -> None:
        if not is_mutating(event_name.rpartition(".")[2]):
            return
        self.counted += 1
        if self.when == "before" and self.counted == self.call:
            raise Crash(event_name)

    def after_call(self, event_name: str, **_: object) -> None:
        if is_mutating(event_name.rpartition(".")[2]) and self.when == "after" and self.counted == self.call:
            raise Crash(event_name)


class DoomedAws(Aws):
    """The door to AWS, with a crash waiting behind it when there is a doom."""

    doom: Doom | None = None

    @cached_property
    def once(self) -> Aws:
        return _Once(self)

    def _make(self, service: str, region: str) -> BaseClient:
        client = super()._make(service, region)
        client.meta.events.register("before-send", self._before_send)
        client.meta.events.register("after-call", self._after_call)
        return client

    def _before_send(self, **details: Any) -> None:
        if self.doom is not None:
            self.doom.before_send(**details)

    def _after_call(self, **details: Any) -> None:
        if self.doom is not None:
            self.doom.after_call(**details)


class _Once(DoomedAws):
    """What create is given: it shares its maker's doom."""

    def __init__(self, maker: DoomedAws) -> None:
        super().__init__(maker._session, maker._endpoint_url, attempts=1)
        self._maker = maker

    @property
    def doom(self) -> Doom | None:  # type: ignore[override]
        return self._maker.doom


@cache
def _aws(endpoint: str) -> DoomedAws:
    """Making clients costs more than most tests: all of them share these."""
    return DoomedAws(boto3.Session("simulated", "simulated", region_name="us-east-1"), endpoint)


class Trial:
    """An environment under test: one process of drctl, from taking the lock to letting go of it."""

    def __init__(self, sim: Sim, folder: Path, doom: Doom | None = None) -> None:
        self._sim = sim
        store = FileStore(folder, ENVIRONMENT)
        self._hold = store.hold("test")
        self.events: list[Event] = []
        self._aws = _aws(sim.endpoint)
        self._aws.doom = doom
        self.run = Run(
            self._aws,
            Ledger(store, ENVIRONMENT, self._hold),
            sim.clock,
            classify,
            self.events.append,
            ENVIRONMENT,
            ACCOUNT,
            "aws",
        )

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *_: object) -> None:
        """What the kernel does for a killed process, too."""
        self._aws.doom = None
        self._hold.release()

    def ensure(self, *resources: AnyResource, alone: bool = False) -> str:
        """Make these so, and all that they need first; the answer is the action the last one took.

        What was replaced goes when everything that used it has been told, as in ``up``.
        ``alone``: what they need is there already and is not looked at.
        """
        action = ""
        ordered = list(resources) if alone else in_order(*resources)
        for resource in ordered:
            action = self._drive(ensure(self.run, resource))
        for resource in reversed(ordered):
            self._remove_predecessors(resource)
        return action

    def inspect(self, *resources: AnyResource, alone: bool = False) -> Change:
        """What ``up`` would do to the last of these; the others are looked at on the way. ``alone``: see ensure."""
        for resource in resources if alone else in_order(*resources):
            change = self._drive(inspect(self.run, resource))
        return change

    def remove(self, resource: AnyResource) -> None:
        """Remove it alone."""
        self._drive(remove(self.run, resource, self.run.record(resource)))
        self.run.seen.pop(resource.address, None)

    def remove_all(self, *resources: AnyResource) -> None:
        """Remove these and all that they need, last made first."""
        for resource in reversed(in_order(*resources)):
            self.remove(resource)

    def rebuilt(self, resource: AnyResource) -> AnyResource:
        """The resource as its record alone says it was: what ``destroy`` works with."""
        made: dict[str, AnyResource] = {}
        for each in in_order(resource):
            fields = self.run.record(each).fields
            made[each.address] = rebuild(type(each), each.name, each.region, fields, made.__getitem__)
        return made[resource.address]

    def outputs(self, resource: AnyResource) -> Any:
        """What AWS gave it."""
        return self.run.given(resource)[resource]

    @contextmanager
    def mutations(self) -> Iterator[list[str]]:
        """The mutating calls that AWS received inside the block, filled in at its end."""
        before = len(self._sim.access_log())
        found: list[str] = []
        yield found
        entries = self._sim.access_log()[before:]
        found += [entry["operation"] for entry in entries if entry["mutating"]]

    def _remove_predecessors(self, resource: AnyResource) -> None:
        for record in self.run.ledger.condemned(resource.address):
            self._drive(remove(self.run, resource, record))

    def _drive(self, procedure: Generator[Pause, None, T]) -> T:
        """One procedure at a time, its pauses slept through, so that calls come in the same order every time."""
        while True:
            try:
                pause = next(procedure)
            except StopIteration as end:
                value: T = end.value
                return value
            time.sleep(self.run.clock.real(pause.seconds))


def in_order(*resources: AnyResource) -> list[AnyResource]:
    """The resources and all that they need, needs first."""
    found: dict[str, AnyResource] = {}

    def visit(resource: AnyResource) -> None:
        if resource.address not in found:
            for need in resource.needs:
                visit(need)
            found[resource.address] = resource

    for resource in resources:
        visit(resource)
    return list(found.values())


def whole_life(
    sim: Sim, folder: Path, resource: AnyResource, damages: Mapping[str, Damage] | None = None
) -> None:
    """See the module's docstring. Everything the resource needs is made first and removed last."""
    with Trial(sim, folder) as trial:
        assert trial.inspect(resource).action == "create"
        assert trial.ensure(resource) == "create"
        with trial.mutations() as mutations:
            assert trial.ensure(resource) == "unchanged"
        assert mutations == []
        assert_unchanged(trial, resource)
        _can_be_planned_while_its_needs_are_unknown(trial, resource)
        for field, damage in (damages or {}).items():
            damage(trial.outputs(resource))
            with trial.mutations() as mutations:
                change = trial.inspect(resource, alone=True)
            assert mutations == []
            assert field in change.fields or field == change.phase, f"{field}: seen {change}"
            assert trial.ensure(resource, alone=True) == change.action
            assert_unchanged(trial, resource, alone=True)
        trial.remove(resource)
        trial.remove(resource)
        assert trial.inspect(resource, alone=True).action == "create"
    with Trial(sim, folder) as trial:
        assert trial.ensure(resource, alone=True) == "create"
        trial.remove_all(trial.rebuilt(resource))
        assert dict(trial.run.ledger.records()) == {}


def assert_unchanged(trial: Trial, resource: AnyResource, *, alone: bool = False) -> None:
    """A plan sees nothing to do."""
    change = trial.inspect(resource, alone=alone)
    assert (change.action, dict(change.fields)) == ("unchanged", {})


def _can_be_planned_while_its_needs_are_unknown(trial: Trial, resource: AnyResource) -> None:
    """As when all that it needs is about to be replaced: whatever the plan shows, it is an answer."""
    seen = dict(trial.run.seen)
    for need in in_order(resource)[:-1]:
        trial.run.seen[need.address] = unknown_outputs(need.outputs_type, need.address)
    with suppress(ResourceFailed):  # "its data would be lost" is an answer, too
        trial.inspect(resource, alone=True)
    trial.run.seen.clear()
    trial.run.seen.update(seen)
