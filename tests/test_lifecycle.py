"""A built environment in use: looked at, changed by its settings, damaged behind its back, failed over.

Every test finds the environment as ``up`` first made it, and leaves it so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.environment import ENVIRONMENT, EVERYTHING, Built, P, S
from tests.lost_drill import cut_off

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)


@pytest.fixture
def disturbed(built: Built) -> Iterator[Built]:
    """For a test that changes something."""
    yield built
    built.restore()


def test_the_first_plan_said_what_up_then_did(built: Built) -> None:
    assert set(built.first_plan.values()) == {"create"}
    assert built.first_up.done == built.first_plan
    assert built.first_up.json["summary"] == {
        "create": len(built.first_plan),
        "update": 0,
        "replace": 0,
        "delete": 0,
        "unchanged": 0,
    }
    records = built.ok("state", "list").json["records"]
    assert {record["address"] for record in records} == built.first_plan.keys()
    assert {record["phase"] for record in records} == {"ready"}


def test_a_second_up_and_a_plan_change_nothing(built: Built) -> None:
    before, calls = built.census(), built.calls()
    assert built.changes() == {}
    again = built.up()
    assert built.mutations(calls) == []
    assert again.done == {}
    assert again.json["summary"]["unchanged"] == len(built.first_plan)
    after = built.census()
    for grows in ("s3-object-version",):
        before.pop(grows, None)
        after.pop(grows, None)
    assert after == before


def test_changed_settings_are_planned_made_and_then_settled(disturbed: Built) -> None:
    """One more task, longer logs, a higher threshold, and an interval that Route 53 cannot change in place."""
    disturbed.settings(
        EVERYTHING
        + "http_5xx = 20\n"
        + "[[services]]\ntasks = 4\n"
        + "[logs]\nretention_days = 14\n"
        + "[health_check]\ninterval = 30\n"
    )
    calls = disturbed.calls()
    planned = disturbed.changes()
    assert disturbed.mutations(calls) == []
    log_groups = {
        f"{region}/log-group/{name}"
        for region in (P, S)
        for name in (
            "app",
            "flow-logs",
            "health-monitor",
            "database-audit",
            "database-error",
            "database-slowquery",
        )
    }
    assert planned == {
        f"{P}/ecs-service/app": "update",
        **dict.fromkeys(log_groups, "update"),
        f"{P}/alarm/http-5xx": "update",
        f"{S}/alarm/http-5xx": "update",
        "global/health-check/endpoint-primary": "replace",
        "global/health-check/endpoint-standby": "replace",
        "global/health-check/primary": "update",  # it is calculated from another check now
        "global/record-set/failover-standby": "update",  # it asks another check now
    }
    ran = disturbed.up()
    assert {address: action for address, action in ran.done.items() if "~" not in address} == planned
    assert disturbed.changes() == {}

    service = _service(disturbed)
    assert (service["desiredCount"], service["runningCount"]) == (4, 4)
    groups = disturbed.client("logs", P).describe_log_groups(logGroupNamePrefix="/ecs/demo-app")["logGroups"]
    assert groups[0]["retentionInDays"] == 14
    (alarm,) = disturbed.client("cloudwatch", P).describe_alarms(AlarmNames=["demo-http-5xx"])["MetricAlarms"]
    assert alarm["Threshold"] == 20.0
    checks = disturbed.client("route53", P).list_health_checks()["HealthChecks"]
    configs = [check["HealthCheckConfig"] for check in checks]
    ours = [each for each in configs if each.get("FullyQualifiedDomainName", "").endswith("drctl-demo.com")]
    assert [each["RequestInterval"] for each in ours] == [30, 30], "the two of before are gone"


def test_what_was_changed_behind_drctls_back_is_seen_and_repaired(disturbed: Built) -> None:
    ec2, kms, s3 = disturbed.client("ec2", S), disturbed.client("kms", P), disturbed.client("s3", P)
    isolated = [
        {"Name": "tag:drctl:environment", "Values": ["demo"]},
        {"Name": "tag:drctl:address", "Values": [f"{S}/route-table/isolated"]},
    ]
    table = ec2.describe_route_tables(Filters=isolated)["RouteTables"][0]["RouteTableId"]
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="10.0.0.0/16")
    kms.disable_key_rotation(KeyId=kms.describe_key(KeyId="alias/demo")["KeyMetadata"]["KeyId"])
    disturbed.client("cloudwatch", S).delete_alarms(AlarmNames=["demo-heartbeat"])
    bucket = f"demo-assets-123456789012-{P}"
    replication = s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]
    s3.delete_bucket_replication(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_public_access_block(Bucket=bucket)
    disturbed.client("iam", P).delete_role_policy(RoleName="demo-task", PolicyName="task")
    disturbed.client("logs", P).delete_log_group(logGroupName="/ecs/demo-app")
    disturbed.client("sns", S).delete_topic(TopicArn=f"arn:aws:sns:{S}:123456789012:demo-alerts")
    disturbed.client("lambda", P).delete_function(FunctionName="demo-health-monitor")
    primary = disturbed.client("ec2", P)
    (vpc,) = primary.describe_vpcs(Filters=[{"Name": "tag:drctl:environment", "Values": ["demo"]}])["Vpcs"]
    cut_off(primary, vpc["VpcId"])

    calls = disturbed.calls()
    shown = {change["address"]: change for change in disturbed.ok("plan").json["changes"]}
    assert disturbed.mutations(calls) == []
    assert {address: change["action"] for address, change in shown.items()} == {
        f"{S}/route/isolated-peer": "create",
        f"{P}/kms-key/main": "update",
        f"{S}/alarm/heartbeat": "create",
        f"{P}/s3-replication/assets": "create",
        f"{P}/s3-bucket/assets": "update",
        "global/iam-role-policy/task": "create",
        f"{P}/log-group/app": "create",
        f"{S}/sns-topic/alerts": "create",
        f"{S}/sns-subscription/email-1": "create",
        f"{P}/lambda-function/health-monitor": "create",
        f"{P}/lambda-permission/health-monitor": "create",
        f"{P}/vpc/main": "update",
    }
    versioning = shown[f"{P}/s3-bucket/assets"]["fields"]["versioning"]
    assert versioning["desired"] is True
    ran = disturbed.up()
    assert ran.done == {address: change["action"] for address, change in shown.items()}
    assert disturbed.changes() == {}

    key = kms.describe_key(KeyId="alias/demo")["KeyMetadata"]["KeyId"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"] == replication
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert "10.0.0.0/16" in {route.get("DestinationCidrBlock") for route in routes}


def test_up_leaves_the_database_where_a_failover_put_it_and_the_tasks_it_started(disturbed: Built) -> None:
    """Which region writes and serves is no wish of the settings: a failover moves it, and up does not move it back."""
    rds = disturbed.client("rds", S)
    _switch_over(disturbed, S)
    disturbed.client("ecs", S).update_service(cluster="demo-main", service="demo-app", desiredCount=3)
    disturbed.sim.advance(600)
    calls = disturbed.calls()
    assert disturbed.changes() == {}
    disturbed.up()
    assert disturbed.mutations(calls) == []
    (database,) = rds.describe_global_clusters(GlobalClusterIdentifier="demo-global")["GlobalClusters"]
    (writer,) = (each for each in database["GlobalClusterMembers"] if each["IsWriter"])
    assert f":rds:{S}:" in writer["DBClusterArn"]
    assert disturbed.ok("status").json["writer_region"] == S
    _switch_over(disturbed, P)
    disturbed.client("ecs", S).update_service(cluster="demo-main", service="demo-app", desiredCount=1)


def _switch_over(built: Built, region: str) -> None:
    name = "demo-primary" if region == P else "demo-standby"
    shown = built.client("rds", region).describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    built.client("rds", S if region == P else P).switchover_global_cluster(
        GlobalClusterIdentifier="demo-global", TargetDbClusterIdentifier=shown[0]["DBClusterArn"]
    )
    built.sim.advance(900)


def _service(built: Built) -> dict[str, Any]:
    shown = built.client("ecs", P).describe_services(cluster="demo-main", services=["demo-app"])
    return dict(shown["services"][0])
