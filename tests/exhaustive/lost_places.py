"""The standby, or the global control planes, lost in the middle of a run: `make torture`."""

from __future__ import annotations

import pytest

from tests.environment import Installation, S
from tests.test_region_lost import lost_on_the_way
from tests.test_region_lost import slower as slower


@pytest.mark.parametrize("place", [S, "global"])
def test_a_place_that_is_lost_on_the_way_is_named_once_and_the_next_run_finishes(
    slower: Installation, place: str
) -> None:
    lost_on_the_way(slower, place)
