"""Commands on part of an environment: what is outside of the part is neither broken nor forgotten."""

from __future__ import annotations

import pytest

from tests.environment import EVERYTHING, Installation, P, S

pytestmark = pytest.mark.xdist_group("fresh")

CHECK, ITS_FOLLOWER = "global/health-check/endpoint-primary", "global/health-check/primary"


def addresses(place: Installation) -> set[str]:
    return {record["address"] for record in place.ok("state", "list").json["records"]}


def test_what_was_replaced_stays_until_those_outside_of_the_target_know_its_successor(
    fresh: Installation,
) -> None:
    fresh.ok("up", "--yes", "--target", ITS_FOLLOWER)
    fresh.settings(EVERYTHING + "[health_check]\ninterval = 30\n")
    replaced = fresh.ok("up", "--yes", "--target", CHECK)
    assert replaced.json["summary"]["replace"] == 1
    assert f"{CHECK}~1" in addresses(fresh)

    planned = fresh.ok("plan", "--target", ITS_FOLLOWER).json
    shown = {change["address"]: change["action"] for change in planned["changes"]}
    assert shown == {ITS_FOLLOWER: "update", f"{CHECK}~1": "delete"}
    ran = fresh.ok("up", "--yes", "--target", ITS_FOLLOWER)
    assert (ran.done, ran.json["summary"]) == (shown, planned["summary"])
    assert f"{CHECK}~1" not in addresses(fresh)


def test_an_unchanged_thing_with_a_new_need_that_could_not_be_made_can_still_be_destroyed(
    fresh: Installation,
) -> None:
    """A service waits for its tasks' way out; nothing of the service itself differs."""
    part = ("--target", f"{P}/ecs-service/app", "--target", f"{S}/s3-bucket-policy/logs")
    fresh.settings(EVERYTHING + '[network]\nnat_gateways = "none"\n')
    fresh.ok("up", "--yes", *part)
    fresh.settings(EVERYTHING + '[network]\nnat_gateways = "one"\n')
    quota = {"code": "AddressLimitExceeded", "message": "too many", "status": 400}
    fresh.sim.fault("error", service="ec2", operation="AllocateAddress", **quota)
    assert fresh.on_sim("up", "--yes", *part).code == 1
    assert fresh.destroy().json["left"] == []
