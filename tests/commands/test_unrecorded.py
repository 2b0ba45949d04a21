"""What carries our tag and is not recorded, where a whole region cannot be asked for it."""

from __future__ import annotations

from drctl.aws.reach import SILENT_FOR_S, SILENT_TIMES
from drctl.commands.rebuild import unrecorded
from drctl.sim import client
from tests.aws.test_reach import P, S, doors, fall_silent
from tests.conftest import Sim


def test_a_region_that_is_asked_no_more_is_a_notice(sim: Sim) -> None:
    aws, hands = doors(sim)
    client.begin_outage(sim.status(), S)
    fall_silent(aws, hands, SILENT_FOR_S + 1, SILENT_TIMES)
    found, notices = unrecorded(aws, (P, S), "demo", [])
    assert found == []
    (silent,) = (notice for notice in notices if notice.startswith(S))
    assert "no answer for 61 s" in silent
