"""The contract, for every kind there is: its whole life, and a crash before and after each of its mutating calls.

What is tried is what the topology itself makes, the first of each kind, with all that it needs. What exists afterwards
is counted by plain boto3. Drift and its repair have tests of their own, by kind, beside this one.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drctl.engine.resource import Resource
from drctl.resources import kinds
from drctl.settings import Settings
from drctl.topology import build
from tests.census import REGIONS, Census, came, census, numbers
from tests.contract import ACCOUNT, ENVIRONMENT, Crash, Doom, Trial, assert_unchanged, in_order, whole_life

if TYPE_CHECKING:
    from tests.conftest import Sim

SETTINGS = {
    "environment": ENVIRONMENT,
    "domain": {"name": "drctl-demo.com"},
    "operators": {"accounts": ["111122223333"], "external_id": "drctl-demo"},
    "alarms": {"emails": ["oncall@drctl-demo.com"]},
    "services": [{"name": "web"}, {"name": "reports", "path": "/reports/*"}],
}
GRAPH = build(Settings.model_validate(SETTINGS), ACCOUNT, "aws")
FIRST: dict[str, Resource[Any]] = {each.kind: each for each in reversed(GRAPH)}
SECONDARY = next(each for each in GRAPH if each.address == "us-west-2/aurora-cluster/main")

UNCOUNTED = ("s3-object-version",)
"""What AWS adds by itself: access logs."""

STAYS = ("sns-subscription",)
"""What nobody but AWS can remove: an unconfirmed subscription goes with its topic."""


def test_the_topology_makes_every_kind() -> None:
    assert FIRST.keys() == kinds().keys()


@pytest.mark.parametrize("kind", sorted(set(FIRST) - set(STAYS)))
def test_a_kind_lives_its_whole_life(sim: Sim, tmp_path: Path, kind: str) -> None:
    whole_life(sim, tmp_path, FIRST[kind])


@pytest.mark.parametrize("resource", [*(FIRST[kind] for kind in sorted(FIRST)), SECONDARY], ids=str)
def test_a_crash_leaves_one_and_then_none(sim: Sim, tmp_path: Path, resource: Resource[Any]) -> None:
    """After each crash is counted what the calls of this resource can have touched, and everything at the end."""
    with Trial(sim, tmp_path) as trial:
        trial.ensure(*in_order(resource)[:-1], alone=True)
        without = census(sim.client)
        made = len(sim.access_log())
        trial.ensure(resource, alone=True)
        new = came(without, census(sim.client))
        assert new
        calls = [entry for entry in sim.access_log()[made:] if entry["mutating"]]
        services = {call["service"] for call in calls}
        regions = {call["region"] for call in calls}
        regions |= {thing.partition("/")[0] for things in new.values() for thing in things}

        def counted() -> dict[str, int]:
            return _counted(sim, regions & {*REGIONS}, services)

        with_it = counted()
        trial.remove(resource)
        removed = counted()
        if resource.kind not in STAYS:
            assert _counted(sim) == _numbers(without)
    for call, when in ((call, when) for call in count(1) for when in ("before", "after")):
        with Trial(sim, tmp_path, Doom(call, when)) as trial:
            if not _dies(trial, resource):
                break
        with Trial(sim, tmp_path) as trial:
            trial.ensure(resource, alone=True)
            assert counted() == with_it, f"killed {when} mutating call {call}"
            assert_unchanged(trial, resource, alone=True)
            trial.remove(resource)
            assert counted() == removed, f"killed {when} mutating call {call}, then removed"
    assert call > 1 or resource.kind in STAYS, "nothing was ever killed"
    if resource.kind not in STAYS:
        assert _counted(sim) == _numbers(without)


def _counted(
    sim: Sim, regions: Collection[str] = REGIONS, services: Collection[str] | None = None
) -> dict[str, int]:
    return _numbers(census(sim.client, regions, services))


def _numbers(found: Census) -> dict[str, int]:
    return {kind: number for kind, number in numbers(found).items() if kind not in UNCOUNTED}


def _dies(trial: Trial, resource: Resource[Any]) -> bool:
    try:
        trial.ensure(resource, alone=True)
        trial.remove(resource)
    except Crash:
        return True
    return False
