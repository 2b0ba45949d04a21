"""Other environments than the usual one: up, an empty plan, what is special about them, destroy, nothing left."""

from __future__ import annotations

from tests.census import GLOBAL, came, census
from tests.environment import Installation, P, S

REPORTS = """
[[services]]
name = "reports"
path = "/reports/*"
port = 8080
tasks = 1
min_tasks = 1
"""

PILOT_LIGHT_TRIAL = """
environment = "trial"
posture = "pilot-light"
[network]
nat_gateways = "none"
[[services]]
name = "web"
tasks = 2
[[tables]]
name = "sessions"
key = "sessionId"
[[tables]]
name = "carts"
key = "cartId"
[[buckets]]
name = "assets"
[[buckets]]
name = "uploads"
"""

HOT_STANDBY_ELSEWHERE = """
environment = "prod"
posture = "hot-standby"
[regions]
primary = "eu-west-1"
standby = "eu-central-1"
[network]
nat_gateways = "one"
[network.primary]
cidr = "10.20.0.0/16"
[network.standby]
cidr = "10.30.0.0/16"
[domain]
name = "shop.drctl-demo.com"
zone_id = "{zone}"
"""


def test_a_trial_with_a_pilot_light_and_several_of_everything(fresh: Installation) -> None:
    """No domain, no NAT gateway, no task and no database instance in S; one of its services goes again."""
    fresh.settings(PILOT_LIGHT_TRIAL + REPORTS)
    before, planned = fresh.census(), fresh.changes()
    ran = fresh.up()
    assert ran.done == planned
    assert fresh.changes() == {}
    (notice,) = ran.json["notices"]
    assert "HTTP only" in notice

    (standby,) = fresh.client("rds", S).describe_db_clusters(DBClusterIdentifier="trial-standby")[
        "DBClusters"
    ]
    assert (standby["Status"], standby["DBClusterMembers"]) == ("available", [])
    for name, in_p in (("web", 2), ("reports", 1)):
        for region, tasks in ((P, in_p), (S, 0)):
            (service,) = fresh.client("ecs", region).describe_services(
                cluster="trial-main", services=[f"trial-{name}"]
            )["services"]
            assert (service["desiredCount"], service["runningCount"]) == (tasks, tasks)
    found = came(before, fresh.census())
    assert {"nat-gateway", "elastic-ip", "hosted-zone", "certificate", "record-set"}.isdisjoint(found)
    assert len(found["dynamodb-table"]) == 6
    assert len(found["s3-bucket"]) == 6
    elbv2 = fresh.client("elbv2", P)
    (balancer,) = elbv2.describe_load_balancers(Names=["trial-main"])["LoadBalancers"]
    (listener,) = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert (listener["Protocol"], listener["Port"]) == ("HTTP", 80)
    rules = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    (condition,) = (rule["Conditions"][0] for rule in rules if not rule["IsDefault"])
    assert condition["PathPatternConfig"]["Values"] == ["/reports/*"]

    fresh.settings(PILOT_LIGHT_TRIAL)
    planned = fresh.changes()
    assert {address for address, action in planned.items() if action == "delete"} >= {
        f"{region}/{kind}/reports"
        for region in (P, S)
        for kind in ("ecs-service", "task-definition", "target-group", "listener-rule", "scalable-target")
    }
    assert fresh.up().done == planned
    assert fresh.changes() == {}
    assert "reports" not in str(came(before, fresh.census()))

    fresh.destroy()
    assert fresh.census() == before


def test_a_hot_standby_in_other_regions_under_a_zone_that_is_somebody_elses(fresh: Installation) -> None:
    """The adopted zone stands afterwards as it stood before, with the records that were in it."""
    route53 = fresh.client("route53", P)
    zone = route53.create_hosted_zone(Name="shop.drctl-demo.com", CallerReference="theirs")["HostedZone"][
        "Id"
    ]
    theirs = {
        "Name": "www.shop.drctl-demo.com",
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": "shop.drctl-demo.com"}],
    }
    route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": theirs}]}
    )
    fresh.settings(HOT_STANDBY_ELSEWHERE.format(zone=zone.removeprefix("/hostedzone/")))
    regions = ("eu-west-1", "eu-central-1")
    looked_at = (*regions, GLOBAL)
    before = census(fresh.client, looked_at)
    fresh.up()
    assert fresh.changes() == {}

    found = came(before, census(fresh.client, looked_at))
    assert len(found["nat-gateway"]) == 2
    assert len(found["certificate"]) == 3, "CloudFront wants one in us-east-1 beside those of the regions"
    assert "hosted-zone" not in found
    for region in regions:
        (service,) = fresh.client("ecs", region).describe_services(
            cluster="prod-main", services=["prod-app"]
        )["services"]
        assert (service["desiredCount"], service["runningCount"]) == (3, 3)
        assert len(fresh.client("rds", region).describe_db_instances()["DBInstances"]) == 2

    fresh.destroy()
    assert census(fresh.client, looked_at) == before


def services(*wanted: tuple[str, str | None, int]) -> str:
    """``[[services]]`` of these names, paths and ports, and nothing that takes long beside them."""
    tables = [
        f'[[services]]\nname = "{name}"\nport = {port}\ntasks = 1\nmin_tasks = 1\n'
        + (f'path = "{path}"\n' if path else "")
        for name, path, port in wanted
    ]
    return 'environment = "shop"\n[network]\nnat_gateways = "one"\n' + "".join(tables)


def test_services_come_go_are_renamed_and_change_their_port(fresh: Installation) -> None:
    """Rules of the services that stay keep their priorities; no rule, target group or task is in another's way."""
    only_services = [("--target", f"{region}/{kind}/*") for region in (P, S) for kind in SERVICE_KINDS]
    targets = [word for pair in only_services for word in pair]
    fresh.settings(services(("web", None, 80), ("a", "/a/*", 80), ("ab", "/a/b/*", 80), ("c", "/c/*", 80)))
    fresh.ok("up", "--yes", *targets)
    kept = {rule["Priority"] for rule in rules(fresh) if rule["path"] in ("/a/b/*", "/c/*")}

    fresh.settings(services(("web", None, 8080), ("ab", "/a/b/*", 80), ("renamed", "/c/*", 80)))
    planned = fresh.ok("plan", *targets).json["changes"]
    done = fresh.ok("up", "--yes", *targets).done
    assert {a: action for a, action in done.items() if "~" not in a} == {
        c["address"]: c["action"] for c in planned
    }
    assert fresh.ok("plan", *targets).json["changes"] == []
    assert {rule["Priority"] for rule in rules(fresh) if rule["path"] in ("/a/b/*", "/c/*")} == kept
    (longer, shorter) = (
        next(int(rule["Priority"]) for rule in rules(fresh) if rule["path"] == path)
        for path in ("/a/b/*", "/a/*")
    )
    assert longer < shorter
    ports = fresh.client("ecs", P).describe_services(cluster="shop-main", services=["shop-web"])["services"][
        0
    ]
    assert ports["loadBalancers"][0]["containerPort"] == 8080
    fresh.destroy()


SERVICE_KINDS = ("ecs-service", "listener-rule")


def rules(installation: Installation) -> list[dict[str, str]]:
    """The primary load balancer's rules by pattern."""
    elbv2 = installation.client("elbv2", P)
    (balancer,) = elbv2.describe_load_balancers(Names=["shop-main"])["LoadBalancers"]
    (listener,) = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    return [
        {**rule, "path": rule["Conditions"][0]["PathPatternConfig"]["Values"][0]}
        for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        if rule["Conditions"]
    ]
