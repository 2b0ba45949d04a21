"""What a run finds that others were killed in: what had been asked for may yet happen, and a plan says what up does."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drctl.engine.ensure import ensure
from drctl.engine.pace import REQUEST_LIFE
from drctl.engine.run import ResourceFailed
from tests.contract import Crash, Doom, Trial
from tests.resources.test_data import TABLE as SESSIONS
from tests.resources.test_network import EAST, KEY, TABLE, VPC

if TYPE_CHECKING:
    from tests.conftest import Sim

HOUR = 3600.0
DAY = 24 * HOUR


def planned_and_done(trial: Trial, resource: Any) -> tuple[str, str]:
    change = trial.inspect(resource)
    trial.run.seen.clear()
    return change.action, trial.ensure(resource)


@pytest.mark.parametrize(("call", "when"), [(1, "before"), (1, "after"), (2, "before"), (3, "before")])
def test_what_a_killed_run_began_to_create_is_planned_and_told_as_created(
    sim: Sim, tmp_path: Path, call: int, when: str
) -> None:
    """Whether it had been sent or recorded, or only its settings were missing."""
    with Trial(sim, tmp_path, Doom(call, when)) as trial, pytest.raises(Crash):
        trial.ensure(VPC)
    with Trial(sim, tmp_path) as trial:
        assert planned_and_done(trial, VPC) == ("create", "create")
        assert planned_and_done(trial, VPC) == ("unchanged", "unchanged")


def test_what_was_still_becoming_ready_is_planned_as_created_too(sim: Sim, tmp_path: Path) -> None:
    with Trial(sim, tmp_path) as trial:
        trial.ensure(*SESSIONS.needs)
        sim.set_speed(20)  # at which a table takes longer to be ready than a busy machine to look at it
        trial.run.clock = sim.clock
        steps = ensure(trial.run, SESSIONS)
        while not trial.run.record(SESSIONS).outputs:
            time.sleep(trial.run.clock.real(next(steps).seconds))
    with Trial(sim, tmp_path) as trial:
        assert planned_and_done(trial, SESSIONS) == ("create", "create")


def test_a_refusal_does_not_make_an_earlier_lost_answer_forgotten(sim: Sim, tmp_path: Path) -> None:
    """The first request may have worked: only its own token makes a repetition the same request."""
    create: dict[str, Any] = {"service": "ec2", "operation": "CreateRouteTable", "times": 1}
    with Trial(sim, tmp_path) as trial:
        trial.ensure(VPC)
        sim.set_speed(6)  # at which a minute is long enough for a busy machine to stay within it
        trial.run.clock = sim.clock
        sim.fault("error", code="InternalError", status=500, **create)
        sim.fault("error", code="ExpiredToken", status=400, **create)
        with pytest.raises(ResourceFailed, match="credentials"):
            trial.ensure(TABLE, alone=True)
        assert trial.run.record(TABLE).intent is not None


def test_a_refusal_long_after_a_lost_answer_leaves_nothing_open(sim: Sim, tmp_path: Path) -> None:
    create: dict[str, Any] = {"service": "ec2", "operation": "CreateRouteTable", "times": 1}
    with Trial(sim, tmp_path) as trial:
        trial.ensure(VPC)
        sim.fault("error", code="InternalError", status=500, **create)
        sim.fault("error", code="ExpiredToken", status=400, **create)
        steps = ensure(trial.run, TABLE)
        next(steps)
        assert trial.run.record(TABLE).intent is not None
        sim.advance(REQUEST_LIFE)
        trial.run.clock = sim.clock
        with pytest.raises(ResourceFailed, match="credentials"):
            list(steps)
        assert trial.run.record(TABLE).intent is None, "by then it had not worked"


def test_a_request_of_a_run_that_slept_before_sending_it_is_waited_for(sim: Sim, tmp_path: Path) -> None:
    """The intent is an hour old, and yet its request was sent a moment ago; a key has no token and no name."""
    with Trial(sim, tmp_path) as trial:
        sim.set_speed(6)  # at which a minute is long enough for a busy machine to stay within it
        trial.run.clock = sim.clock
        intent = trial.run.intend("create")
        asked = {"intent": intent, "phase": "creating", "created_at": intent.time}
        trial.run.ledger.put(trial.run.describe(KEY, trial.run.record(KEY), **asked))
        sim.advance(HOUR)
    with Trial(sim, tmp_path) as trial:
        steps = ensure(trial.run, KEY)
        assert "answer was lost" in next(steps).reason
        late = KEY.create(trial.run.aws.once, trial.run.given(KEY, token=intent.token))
        sim.advance(REQUEST_LIFE)
        trial.run.clock = sim.clock
        assert trial.ensure(KEY) == "create"
        assert trial.outputs(KEY) == late


def test_what_may_be_leaving_is_not_taken_for_settled(sim: Sim, tmp_path: Path) -> None:
    """A destroy is killed, and its last request is executed a little later."""
    ec2 = sim.client("ec2", EAST)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(VPC)
        sim.set_speed(6)  # at which a minute is long enough for a busy machine to stay within it
        trial.run.clock = sim.clock
        record = trial.run.record(VPC)
        trial.run.ledger.put(replace(record, intent=trial.run.intend("delete"), phase="leaving"))
    with Trial(sim, tmp_path) as trial:
        steps = ensure(trial.run, VPC)
        assert "removal" in next(steps).reason
        ec2.delete_vpc(VpcId=record.outputs["vpc_id"])
        sim.advance(REQUEST_LIFE)
        trial.run.clock = sim.clock
        assert trial.ensure(VPC) == "create"


def test_a_clock_that_was_set_back_does_not_make_a_run_wait_for_it(sim: Sim, tmp_path: Path) -> None:
    with Trial(sim, tmp_path) as trial:
        began = trial.run.clock.now()
        intent = replace(trial.run.intend("create"), time=began + DAY)
        asked = {"intent": intent, "phase": "creating", "created_at": began + DAY}
        trial.run.ledger.put(trial.run.describe(VPC, trial.run.record(VPC), **asked))
        assert trial.ensure(VPC) == "create"
        assert REQUEST_LIFE < trial.run.clock.now() - began < DAY / 24
