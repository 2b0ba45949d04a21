"""The state is gone, the environment is not: what carries our tags and names is found again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.census import REGIONS
from tests.environment import ENVIRONMENT, Built

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)


def known(built: Built) -> dict[str, tuple[Any, ...]]:
    """What the state tells of each resource, as far as AWS could tell it again."""
    records = built.ok("state", "list").json["records"]
    return {each["address"]: (each["outputs"], each["depends_on"], each["phase"]) for each in records}


def test_up_without_its_state_changes_nothing_and_knows_everything_again(built: Built) -> None:
    """But for the unconfirmed subscriptions: SNS tells their ARNs only to who subscribes again, which is harmless."""
    asked_again = {f"{region}/sns-subscription/email-1": "create" for region in REGIONS}
    before, census, calls = known(built), built.census(), built.calls()
    for path in built.state.glob("demo.*"):
        if path.is_file():
            path.unlink()

    assert built.up().done == asked_again

    assert built.mutations(calls) == ["Subscribe"] * len(asked_again)
    assert known(built) == before
    after = built.census()
    for each in (census, after):
        each.pop("s3-object-version")  # access logs go on being delivered
    assert after == census
