"""The state is gone, the environment is not: what carries our tags and names is found again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.census import REGIONS
from tests.environment import ENVIRONMENT, Built

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)


UNCONFIRMED = {f"{region}/sns-subscription/email-1" for region in REGIONS}


def known(built: Built) -> dict[str, tuple[Any, ...]]:
    """What the state tells of each resource, as far as AWS could tell it again: of a subscription that nobody has
    confirmed yet SNS tells the ARN only to who subscribes."""
    records = built.ok("state", "list").json["records"]
    for record in records:
        if record["address"] in UNCONFIRMED:
            record["outputs"] = {}
    return {each["address"]: (each["outputs"], each["depends_on"], each["phase"]) for each in records}


def test_up_without_its_state_changes_nothing_and_knows_everything_again(built: Built) -> None:
    before, census, calls = known(built), built.census(), built.calls()
    for path in built.state.glob("demo.*"):
        if path.is_file():
            path.unlink()

    assert built.up().done == {}

    assert built.mutations(calls) == []
    assert known(built) == before
    after = built.census()
    for each in (census, after):
        each.pop("s3-object-version")  # access logs go on being delivered
    assert after == census
