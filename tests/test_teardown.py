"""What ``destroy`` leaves of a built environment, which is nothing; and what it leaves of others, which is all."""

from __future__ import annotations

import pytest

from tests.census import came
from tests.environment import ENVIRONMENT, EVERYTHING, Built, P, S
from tests.shape import SHAPE, shape
from tests.strangers import differences, photograph

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)


def test_strangers_with_names_and_tags_like_ours_stand_untouched_from_before_to_after(built: Built) -> None:
    """Also when S writes, which AWS wants removed last; without drctl.toml; and with things in what is removed."""
    untouched = photograph(built.client, built.strangers)
    _fill(built)
    _switch_over_to_s(built)
    built.config.unlink()

    ran = built.destroy()

    assert ran.json["left"] == []
    assert ran.json["summary"]["delete"] == len(built.first_plan)
    assert set(ran.done) == built.first_plan.keys()
    assert came(built.before, built.census()) == {}, "something of ours is left"
    assert came(built.census(), built.before) == {}, "something of others is gone"
    assert differences(untouched, photograph(built.client, built.strangers)) == {}
    assert not (built.state / "demo.json").exists()

    calls = built.calls()
    assert built.destroy().json["summary"]["delete"] == 0
    assert built.mutations(calls) == [], "a second destroy finds nothing to do"


def test_up_works_after_destroy_while_the_old_keys_wait_for_their_deletion(built: Built) -> None:
    built.settings(EVERYTHING)
    built.destroy()
    pending = _keys_pending_deletion(built)
    assert pending
    built.up()
    assert _keys_pending_deletion(built) == pending
    assert shape(built.before, built.census()) == SHAPE
    assert built.changes() == {}


def _fill(built: Built) -> None:
    """Data and leftovers that stand in the way of a removal."""
    s3 = built.client("s3", P)
    bucket = f"demo-assets-123456789012-{P}"
    for number in range(3):
        s3.put_object(Bucket=bucket, Key="teardown", Body=str(number).encode())
    s3.delete_object(Bucket=bucket, Key="teardown")
    s3.create_multipart_upload(Bucket=bucket, Key="unfinished")
    built.client("dynamodb", P).put_item(TableName="demo-sessions", Item={"sessionId": {"S": "teardown"}})
    logs = built.client("logs", S)
    logs.create_log_stream(logGroupName="/aws/lambda/demo-health-monitor", logStreamName="teardown")


def _switch_over_to_s(built: Built) -> None:
    (shown,) = built.client("rds", S).describe_db_clusters(DBClusterIdentifier="demo-standby")["DBClusters"]
    built.client("rds", P).switchover_global_cluster(
        GlobalClusterIdentifier="demo-global", TargetDbClusterIdentifier=shown["DBClusterArn"]
    )
    built.sim.advance(900)


def _keys_pending_deletion(built: Built) -> set[str]:
    found = set()
    for region in (P, S):
        kms = built.client("kms", region)
        for key in kms.list_keys()["Keys"]:
            if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion":
                found.add(key["KeyId"])
    return found
