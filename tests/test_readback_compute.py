"""What answers requests in each region of a built environment, as AWS shows it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.environment import ENVIRONMENT, Built, P, S

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)
TASKS = {P: 3, S: 1}


def test_three_tasks_run_in_p_and_one_in_s_behind_the_load_balancer(built: Built) -> None:
    for region in (P, S):
        service = _service(built, region)
        assert (service["desiredCount"], service["runningCount"]) == (TASKS[region], TASKS[region])
        (deployment,) = service["deployments"]
        assert deployment["rolloutState"] == "COMPLETED"
        health = built.client("elbv2", region).describe_target_health(
            TargetGroupArn=_target_group(built, region)["TargetGroupArn"]
        )["TargetHealthDescriptions"]
        assert [each["TargetHealth"]["State"] for each in health] == ["healthy"] * TASKS[region]


def test_the_service_rolls_back_by_itself_and_runs_in_private_subnets(built: Built) -> None:
    for region in (P, S):
        service, ec2 = _service(built, region), built.client("ec2", region)
        assert service["launchType"] == "FARGATE"
        breaker = service["deploymentConfiguration"]["deploymentCircuitBreaker"]
        assert (breaker["enable"], breaker["rollback"]) == (True, True)
        assert service["healthCheckGracePeriodSeconds"] == 60
        network = service["networkConfiguration"]["awsvpcConfiguration"]
        assert network["assignPublicIp"] == "DISABLED"
        subnets = ec2.describe_subnets(SubnetIds=network["subnets"])["Subnets"]
        names = {tag["Value"] for each in subnets for tag in each["Tags"] if tag["Key"] == "drctl:address"}
        assert names == {f"{region}/subnet/private-{zone}" for zone in "ab"}


def test_the_task_is_one_vcpu_and_two_gib_of_a_pinned_image_with_separate_roles(built: Built) -> None:
    for region in (P, S):
        definition = _task_definition(built, region)
        assert (definition["cpu"], definition["memory"]) == ("1024", "2048")
        assert (definition["networkMode"], definition["requiresCompatibilities"]) == ("awsvpc", ["FARGATE"])
        assert definition["executionRoleArn"] != definition["taskRoleArn"]
        (container,) = definition["containerDefinitions"]
        assert "@sha256:" in container["image"] or container["image"].rpartition(":")[2] not in ("", "latest")
        assert container["logConfiguration"]["options"]["awslogs-group"] == "/ecs/demo-app"
        (secret,) = container["secrets"]
        assert secret["name"] == "DB_SECRET"
        assert f":secretsmanager:{region}:" in secret["valueFrom"], "each region reads its own replica"


def test_target_tracking_keeps_cpu_at_70_and_memory_at_80_percent(built: Built) -> None:
    for region, bounds in ((P, (2, 10)), (S, (1, 10))):
        scaling = built.client("application-autoscaling", region)
        about = {"ServiceNamespace": "ecs", "ResourceIds": ["service/demo-main/demo-app"]}
        (target,) = scaling.describe_scalable_targets(**about)["ScalableTargets"]
        assert (target["MinCapacity"], target["MaxCapacity"]) == bounds
        policies = scaling.describe_scaling_policies(
            ServiceNamespace="ecs", ResourceId="service/demo-main/demo-app"
        )["ScalingPolicies"]
        wanted = {}
        for policy in policies:
            tracking = policy["TargetTrackingScalingPolicyConfiguration"]
            metric = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
            wanted[metric] = tracking["TargetValue"]
        assert wanted == {
            "ECSServiceAverageCPUUtilization": 70.0,
            "ECSServiceAverageMemoryUtilization": 80.0,
        }


def test_container_insights_is_on(built: Built) -> None:
    for region in (P, S):
        (cluster,) = built.client("ecs", region).describe_clusters(
            clusters=["demo-main"], include=["SETTINGS"]
        )["clusters"]
        settings = {each["name"]: each["value"] for each in cluster["settings"]}
        assert settings["containerInsights"] in ("enabled", "enhanced")


def test_https_ends_at_the_load_balancer_with_the_regions_own_certificate_and_http_redirects(
    built: Built,
) -> None:
    for region in (P, S):
        balancer = _balancer(built, region)
        assert (balancer["Scheme"], balancer["Type"]) == ("internet-facing", "application")
        listeners = {
            each["Port"]: each
            for each in built.client("elbv2", region).describe_listeners(
                LoadBalancerArn=balancer["LoadBalancerArn"]
            )["Listeners"]
        }
        assert listeners.keys() == {80, 443}
        secure, plain = listeners[443], listeners[80]
        assert secure["Protocol"] == "HTTPS"
        assert secure["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
        (certificate,) = secure["Certificates"]
        assert f":acm:{region}:" in certificate["CertificateArn"]
        assert secure["DefaultActions"][0]["TargetGroupArn"] == _target_group(built, region)["TargetGroupArn"]
        (action,) = plain["DefaultActions"]
        redirect = action["RedirectConfig"]
        assert (redirect["Protocol"], redirect["Port"], redirect["StatusCode"]) == (
            "HTTPS",
            "443",
            "HTTP_301",
        )


def test_the_load_balancer_drops_invalid_headers_and_logs_to_a_bucket_of_its_region(built: Built) -> None:
    for region in (P, S):
        elbv2, balancer = built.client("elbv2", region), _balancer(built, region)
        shown = elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])
        attributes = {each["Key"]: each["Value"] for each in shown["Attributes"]}
        assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
        assert attributes["access_logs.s3.enabled"] == "true"
        assert attributes["access_logs.s3.bucket"] == f"demo-logs-123456789012-{region}"
        public = {subnet["SubnetId"] for subnet in balancer["AvailabilityZones"]}
        shown = built.client("ec2", region).describe_subnets(SubnetIds=sorted(public))["Subnets"]
        names = {tag["Value"] for each in shown for tag in each["Tags"] if tag["Key"] == "drctl:address"}
        assert names == {f"{region}/subnet/public-{zone}" for zone in "ab"}


def test_targets_are_addresses_checked_on_the_health_path(built: Built) -> None:
    for region in (P, S):
        group = _target_group(built, region)
        assert (group["TargetType"], group["Protocol"]) == ("ip", "HTTP")
        assert group["HealthCheckPath"] == "/"


def test_logs_are_kept_for_seven_days_under_the_regions_key(built: Built) -> None:
    for region in (P, S):
        key = built.client("kms", region).describe_key(KeyId="alias/demo")["KeyMetadata"]["Arn"]
        groups = built.client("logs", region).describe_log_groups()["logGroups"]
        ours = {each["logGroupName"]: each for each in groups if not each["logGroupName"].endswith("-x")}
        assert {"/ecs/demo-app", "/drctl/demo-flow-logs", "/aws/lambda/demo-health-monitor"} <= ours.keys()
        for name, group in ours.items():
            assert (group.get("retentionInDays"), group.get("kmsKeyId")) == (7, key), name


def _service(built: Built, region: str) -> dict[str, Any]:
    shown = built.client("ecs", region).describe_services(cluster="demo-main", services=["demo-app"])
    return dict(shown["services"][0])


def _task_definition(built: Built, region: str) -> dict[str, Any]:
    arn = _service(built, region)["taskDefinition"]
    return dict(built.client("ecs", region).describe_task_definition(taskDefinition=arn)["taskDefinition"])


def _balancer(built: Built, region: str) -> dict[str, Any]:
    return dict(
        built.client("elbv2", region).describe_load_balancers(Names=["demo-main"])["LoadBalancers"][0]
    )


def _target_group(built: Built, region: str) -> dict[str, Any]:
    return dict(built.client("elbv2", region).describe_target_groups(Names=["demo-app"])["TargetGroups"][0])
