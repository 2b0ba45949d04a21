"""ECS and its autoscaling as strict and as slow as AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Sim
from tests.sim.network import Web, code, make_role

ECR_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1"


class App(Web):
    """A load-balanced service of a Fargate cluster, not yet created."""

    def __init__(self, sim: Sim) -> None:
        super().__init__(sim)
        self.listener = self.listen()
        self.elbv2.modify_target_group_attributes(
            TargetGroupArn=self.targets,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        )
        sim.advance(200)
        self.ecs = sim.client("ecs")
        self.role = make_role(sim, "execution", "ecs-tasks.amazonaws.com")
        self.cluster = self.ecs.create_cluster(
            clusterName="app", settings=[{"name": "containerInsights", "value": "enabled"}]
        )["cluster"]["clusterArn"]
        self.definition = self.register()

    def register(self, **more: Any) -> str:
        container = {
            "name": "web",
            "image": "public.ecr.aws/nginx/nginx:1.27",
            "portMappings": [{"containerPort": 8080}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "app"}},
        }
        wish = {
            "family": "app",
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "1024",
            "memory": "2048",
            "executionRoleArn": self.role,
            "containerDefinitions": [container],
            **more,
        }
        wish = {name: value for name, value in wish.items() if value is not None}
        return str(self.ecs.register_task_definition(**wish)["taskDefinition"]["taskDefinitionArn"])

    def wish(self, **more: Any) -> dict[str, Any]:
        return {
            "cluster": "app",
            "serviceName": "web",
            "taskDefinition": self.definition,
            "desiredCount": 3,
            "launchType": "FARGATE",
            "healthCheckGracePeriodSeconds": 60,
            "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            "networkConfiguration": {
                "awsvpcConfiguration": {"subnets": self.private, "securityGroups": [self.group]}
            },
            "loadBalancers": [
                {"targetGroupArn": self.targets, "containerName": "web", "containerPort": 8080}
            ],
            "tags": [{"key": "Name", "value": "web"}],
            **more,
        }

    def create(self, **more: Any) -> dict[str, Any]:
        return dict(self.ecs.create_service(**self.wish(**more))["service"])

    def service(self) -> dict[str, Any]:
        shown = self.ecs.describe_services(cluster="app", services=["web"], include=["TAGS"])
        return dict(shown["services"][0])


@pytest.fixture
def app(sim: Sim) -> App:
    return App(sim)


def test_a_service_becomes_steady_over_time_with_healthy_targets(app: App) -> None:
    made = app.create()
    assert (made["runningCount"], made["pendingCount"]) == (0, 3)
    app.sim.advance(50)
    assert 0 < app.service()["runningCount"] < 3
    assert app.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert set(app.health()) == {"initial"}
    app.sim.advance(100)

    steady = app.service()
    assert (steady["runningCount"], steady["pendingCount"]) == (3, 0)
    assert [held["rolloutState"] for held in steady["deployments"]] == ["COMPLETED"]
    assert app.health() == ["healthy"] * 3
    assert steady["healthCheckGracePeriodSeconds"] == 60
    assert steady["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"] is True
    assert steady["tags"] == [{"key": "Name", "value": "web"}]
    assert steady["loadBalancers"][0]["targetGroupArn"] == app.targets
    (cluster,) = app.ecs.describe_clusters(clusters=["app"])["clusters"]
    assert (cluster["activeServicesCount"], cluster["runningTasksCount"]) == (1, 3)
    tasks = app.ecs.list_tasks(cluster="app", serviceName="web")["taskArns"]
    shown = app.ecs.describe_tasks(cluster="app", tasks=tasks)["tasks"]
    assert {task["lastStatus"] for task in shown} == {"RUNNING"}


def test_a_role_of_the_service_s_own_is_for_other_network_modes_and_tried_at_once(app: App) -> None:
    with pytest.raises(ClientError, match="You cannot specify an IAM role"):
        app.create(role=app.role)
    bridge = app.register(requiresCompatibilities=["EC2"], networkMode="bridge")
    wish = {"taskDefinition": bridge, "launchType": "EC2", "desiredCount": 0}
    with pytest.raises(
        ClientError, match="Unable to assume role and validate the specified targetGroupArn"
    ) as error:
        app.create(**wish, role=app.role)
    assert code(error) == "InvalidParameterException"


def test_a_new_task_definition_rolls_and_a_new_count_scales(app: App) -> None:
    app.create(desiredCount=1)
    app.sim.advance(150)
    second = app.register()
    app.ecs.update_service(cluster="app", service="web", taskDefinition=second)
    rolling = app.service()
    assert [held["status"] for held in rolling["deployments"]] == ["PRIMARY", "ACTIVE"]
    assert rolling["deployments"][0]["taskDefinition"] == rolling["taskDefinition"] == second
    app.sim.advance(150)
    assert [held["rolloutState"] for held in app.service()["deployments"]] == ["COMPLETED"]

    app.ecs.update_service(cluster="app", service="web", desiredCount=3)
    assert (app.service()["runningCount"], app.service()["pendingCount"]) == (1, 2)
    app.sim.advance(150)
    assert app.service()["runningCount"] == 3
    app.ecs.update_service(cluster="app", service="web", desiredCount=1)
    assert app.service()["runningCount"] == 1
    app.sim.advance(100)
    assert app.health() == ["healthy"]


def test_a_repeat_is_the_same_request_only_under_the_same_token(app: App) -> None:
    first = app.create(clientToken="a-token")
    assert app.create(clientToken="a-token")["createdAt"] == first["createdAt"]
    for again in ({}, {"clientToken": "other"}, {"clientToken": "a-token", "desiredCount": 1}):
        with pytest.raises(ClientError) as error:
            app.create(**again)
        assert code(error) == "InvalidParameterException"
        assert "not idempotent" in str(error.value)


def test_a_cluster_created_again_keeps_its_settings_which_are_shown_on_demand(app: App) -> None:
    insights = {"name": "containerInsights", "value": "enabled"}
    assert app.ecs.create_cluster(clusterName="app")["cluster"]["settings"] == [insights]
    assert app.ecs.describe_clusters(clusters=["app"])["clusters"][0]["settings"] == []
    off = {"name": "containerInsights", "value": "disabled"}
    app.ecs.update_cluster_settings(cluster="app", settings=[off])
    (shown,) = app.ecs.describe_clusters(clusters=["app"], include=["SETTINGS"])["clusters"]
    assert shown["settings"] == [off]
    assert app.ecs.list_tags_for_resource(resourceArn=app.cluster)["tags"] == []
    app.ecs.delete_cluster(cluster="app")
    assert app.ecs.list_clusters()["clusterArns"] == []


def test_a_service_drains_before_it_and_then_its_cluster_can_go(app: App) -> None:
    app.create()
    app.sim.advance(150)

    def refused(expected: str, attempt: Callable[[], Any]) -> None:
        with pytest.raises(ClientError) as error:
            attempt()
        assert code(error) == expected

    refused("ClusterContainsServicesException", lambda: app.ecs.delete_cluster(cluster="app"))
    refused("InvalidParameterException", lambda: app.ecs.delete_service(cluster="app", service="web"))
    deleted = app.ecs.delete_service(cluster="app", service="web", force=True)["service"]
    assert (deleted["status"], app.health()) == ("DRAINING", ["draining"] * 3)
    refused("ClusterContainsTasksException", lambda: app.ecs.delete_cluster(cluster="app"))
    refused("InvalidParameterException", app.create)
    refused("ServiceNotActiveException", lambda: app.ecs.update_service(cluster="app", service="web"))
    refused("DependencyViolation", lambda: app.ec2.delete_subnet(SubnetId=app.private[0]))
    app.sim.advance(90)
    assert app.service()["status"] == "INACTIVE"
    assert app.ecs.list_services(cluster="app")["serviceArns"] == []
    assert app.health() == []
    app.ec2.delete_subnet(SubnetId=app.private[0])
    app.ecs.delete_cluster(cluster="app")
    refused("ClusterNotFoundException", lambda: app.ecs.delete_service(cluster="app", service="web"))


def test_services_that_aws_refuses(app: App) -> None:
    free = app.elbv2.create_target_group(**{**app.target_wish, "Name": "free"})["TargetGroups"][0]
    on_hosts = {**app.target_wish, "Name": "hosts", "TargetType": "instance"}
    hosts = app.elbv2.create_target_group(**on_hosts)["TargetGroups"][0]["TargetGroupArn"]
    app.listen(81, DefaultActions=[{"Type": "forward", "TargetGroupArn": hosts}])
    old = app.register()
    app.ecs.deregister_task_definition(taskDefinition=old)
    bridge = app.register(family="bridge", networkMode="bridge", requiresCompatibilities=["EC2"])

    def behind(**change: Any) -> dict[str, Any]:
        balancer = {"targetGroupArn": app.targets, "containerName": "web", "containerPort": 8080}
        return {"loadBalancers": [{**balancer, **change}]}

    for expected, change in (
        ("ClusterNotFoundException", {"cluster": "other"}),
        ("ClientException", {"taskDefinition": "app:99"}),
        ("ClientException", {"taskDefinition": old}),
        ("InvalidParameterException", {"taskDefinition": bridge}),
        ("InvalidParameterException", {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}),
        ("InvalidParameterException", {"loadBalancers": []}),
        ("InvalidParameterException", behind(targetGroupArn=free["TargetGroupArn"])),
        ("InvalidParameterException", behind(targetGroupArn=hosts)),
        ("InvalidParameterException", behind(containerName="other")),
        ("InvalidParameterException", behind(containerPort=9090)),
    ):
        with pytest.raises(ClientError) as error:
            app.create(**change)
        assert code(error) == expected, change
    wish = app.wish()
    del wish["networkConfiguration"]
    with pytest.raises(ClientError) as error:
        app.ecs.create_service(**wish)
    assert code(error) == "InvalidParameterException"


def test_task_definitions_that_fargate_refuses_and_revisions_that_never_return(app: App) -> None:
    plain = {"name": "web", "image": "nginx"}
    secret = {"name": "PASSWORD", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db"}
    for change in (
        {"cpu": "1024", "memory": "1024"},
        {"cpu": "1000"},
        {"cpu": None},
        {"networkMode": "bridge"},
        {"executionRoleArn": None},
        {"executionRoleArn": None, "containerDefinitions": [{**plain, "image": ECR_IMAGE}]},
        {"executionRoleArn": None, "containerDefinitions": [{**plain, "secrets": [secret]}]},
        {"executionRoleArn": "arn:aws:iam::123456789012:role/nobody"},
    ):
        with pytest.raises(ClientError) as error:
            app.register(**change)
        assert code(error) == "ClientException", change
    assert app.register(cpu="1 vCPU", memory="3 GB").endswith(":2")
    for revision in ("app:1", "app:2"):
        app.ecs.deregister_task_definition(taskDefinition=revision)
    with pytest.raises(ClientError) as error:
        app.ecs.describe_task_definition(taskDefinition="app")
    assert code(error) == "ClientException"
    app.ecs.delete_task_definitions(taskDefinitions=["app:1", "app:2"])
    assert app.register().endswith(":3")
    latest = app.ecs.describe_task_definition(taskDefinition="app")["taskDefinition"]
    assert latest["taskDefinitionArn"].endswith(":3")


class Scaling:
    """The autoscaling of the service ``app/web``."""

    def __init__(self, sim: Sim) -> None:
        self.client = sim.client("application-autoscaling")
        self.key = {
            "ServiceNamespace": "ecs",
            "ResourceId": "service/app/web",
            "ScalableDimension": "ecs:service:DesiredCount",
        }

    def register(self, **more: Any) -> str:
        return str(self.client.register_scalable_target(**self.key, **more)["ScalableTargetARN"])

    def put(self, goal: float) -> dict[str, Any]:
        metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
        return dict(
            self.client.put_scaling_policy(
                **self.key,
                PolicyName="cpu",
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration={
                    "TargetValue": goal,
                    "PredefinedMetricSpecification": metric,
                },
            )
        )


def test_a_scalable_target_bounds_its_service_and_takes_its_policies_along(app: App) -> None:
    scaling = Scaling(app.sim)

    def refused(expected: str, attempt: Callable[[], Any]) -> None:
        with pytest.raises(ClientError) as error:
            attempt()
        assert code(error) == expected

    refused("ValidationException", lambda: scaling.register(MinCapacity=1, MaxCapacity=2))
    app.create(desiredCount=1)
    refused("ValidationException", lambda: scaling.register(MinCapacity=1))
    refused("ValidationException", lambda: scaling.register(MinCapacity=3, MaxCapacity=2))
    refused("ObjectNotFoundException", lambda: scaling.put(70))
    arn = scaling.register(MinCapacity=2, MaxCapacity=10, Tags={"Name": "web"})
    assert app.service()["desiredCount"] == 2
    assert scaling.client.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"Name": "web"}
    scaling.client.tag_resource(ResourceARN=arn, Tags={"Owner": "us"})
    scaling.client.untag_resource(ResourceARN=arn, TagKeys=["Name"])
    assert scaling.client.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"Owner": "us"}

    first, second = scaling.put(60), scaling.put(70)
    assert first["PolicyARN"] == second["PolicyARN"]
    alarms = app.sim.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert sorted(alarm["Threshold"] for alarm in alarms) == [63, 70]

    refused(
        "ObjectNotFoundException",
        lambda: scaling.client.delete_scaling_policy(**scaling.key, PolicyName="other"),
    )
    scaling.client.deregister_scalable_target(**scaling.key)
    refused("ObjectNotFoundException", lambda: scaling.client.deregister_scalable_target(**scaling.key))
    refused("ResourceNotFoundException", lambda: scaling.client.list_tags_for_resource(ResourceARN=arn))
    assert scaling.client.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert app.sim.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_scaling_is_suspended_only_as_far_as_somebody_said(app: App) -> None:
    app.create(desiredCount=1)
    scaling = Scaling(app.sim)

    def suspended() -> set[str]:
        (target,) = scaling.client.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        assert len(target["SuspendedState"]) == 3
        return {name for name, value in target["SuspendedState"].items() if value}

    scaling.register(MinCapacity=1, MaxCapacity=2)
    assert suspended() == set()
    scaling.register(SuspendedState={"DynamicScalingOutSuspended": True})
    scaling.register(MaxCapacity=3)
    assert suspended() == {"DynamicScalingOutSuspended"}
