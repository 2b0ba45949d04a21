"""Which numbers the canaries of a run's killed processes may have used."""

from __future__ import annotations

from typing import Any

from drctl.probe.canary import UNRECORDED
from drctl.runbook.watch import used_numbers


def written(probe: str, number: int) -> dict[str, Any]:
    return {"kind": "samples", "rows": [[1.0, probe, True, 5.0, "us-east-1", "written", number]]}


RUN: dict[str, Any] = {"kind": "run"}
RESUMED: dict[str, Any] = {"kind": "resumed"}


def test_a_new_run_has_used_none() -> None:
    assert used_numbers([]) == {}


def test_a_process_that_was_killed_before_it_wrote_anything_down_has_used_some() -> None:
    assert used_numbers([RUN])["table"] == 0
    assert used_numbers([RUN, RESUMED])["table"] == UNRECORDED


def test_what_is_written_down_counts_and_what_killed_processes_after_it_may_have_used() -> None:
    entries = [RUN, written("table", 7), RESUMED, RESUMED, written("bucket", 200)]
    found = used_numbers(entries)
    assert (found["table"], found["bucket"]) == (7 + 2 * UNRECORDED, 200)
