"""The standby, or the global control planes, lost in the middle of a run: `make torture`."""

from __future__ import annotations

import pytest

from tests.environment import EVERYTHING, Installation, S
from tests.test_region_lost import lost_on_the_way
from tests.test_region_lost import slower as slower

GIVEN_UP = """
[calls]
answer_timeout_s = 3
"""


@pytest.mark.parametrize("place", [S, "global"])
def test_a_place_that_is_lost_on_the_way_is_named_once_and_the_next_run_finishes(
    slower: Installation, place: str
) -> None:
    lost_on_the_way(slower, place)


def test_a_region_that_swallows_every_request_is_named_once_and_the_next_run_finishes(
    slower: Installation,
) -> None:
    """No refusal tells that it is out: each request has to be given up."""
    slower.settings(EVERYTHING + GIVEN_UP)
    lost_on_the_way(slower, S, swallow)


def swallow(installation: Installation, region: str) -> None:
    installation.sim.fault("hang", region=region, seconds=600.0)
