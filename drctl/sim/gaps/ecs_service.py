"""ECS services: created once, deployed over time, drained before they end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from moto.ecs.models import ecs_backends

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.lifecycle.ecs_service import (
    Service,
    deploy,
    drain,
    pending,
    remember_counts,
    running,
    scale,
    services,
)
from drctl.sim.registry import gap
from drctl.sim.world import World

SETTINGS = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "loadBalancers",
    "networkConfiguration",
    "placementConstraints",
    "placementStrategy",
    "platformVersion",
    "propagateTags",
    "serviceRegistries",
)
"""Members of a service that are what the caller last said."""

REDEPLOYING = (
    "capacityProviderStrategy",
    "enableECSManagedTags",
    "loadBalancers",
    "networkConfiguration",
    "platformVersion",
    "propagateTags",
    "serviceRegistries",
    "taskDefinition",
)
"""A change of these starts new tasks: ECS API reference, UpdateService. A new desired count only scales."""

DEFAULTS: dict[str, Any] = {
    "availabilityZoneRebalancing": "ENABLED",
    "enableECSManagedTags": False,
    "enableExecuteCommand": False,
    "healthCheckGracePeriodSeconds": 0,
    "loadBalancers": [],
    "placementConstraints": [],
    "placementStrategy": [],
    "platformVersion": "LATEST",
    "propagateTags": "NONE",
    "serviceRegistries": [],
}

DEPLOYMENT_DEFAULTS: dict[str, Any] = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
}
"""ECS API reference, DeploymentConfiguration."""


@gap("ecs", "CreateService")
def create_service(call: Call, world: World, moto: Moto) -> Answer:
    """Only the same client token makes a repeat the same request."""
    wish = json.dumps(call.params, sort_keys=True, default=str)
    cluster = call.params.get("cluster", "default").rsplit("/", 1)[-1]
    known = find(world, call, cluster, call.params["serviceName"])
    if known is not None and known["status"] == "ACTIVE":
        if known["wish"] == wish and "clientToken" in call.params:
            return {"service": shown(known, world, tags=True)}
        raise Refused("InvalidParameterException", "Creation of service was not idempotent.")
    if known is not None and known["status"] == "DRAINING":
        raise Refused("InvalidParameterException", "Unable to Start a service that is still Draining.")
    made = moto(replace(call, params=with_groups(call.params)))["service"]
    service: Service = {
        **DEFAULTS,
        **{setting: call.params[setting] for setting in SETTINGS if setting in call.params},
        "arn": made["serviceArn"],
        "account": call.account,
        "region": call.region,
        "cluster": cluster,
        "clusterArn": made["clusterArn"],
        "name": made["serviceName"],
        "status": "ACTIVE",
        "wish": wish,
        "launchType": call.params.get("launchType"),
        "schedulingStrategy": call.params.get("schedulingStrategy", "REPLICA"),
        "deploymentController": call.params.get("deploymentController", {"type": "ECS"}),
        "createdAt": world.now,
        "desiredCount": call.params.get("desiredCount", 0),
        "taskDefinition": resolved(call, call.params["taskDefinition"]),
        "deployments": [],
        "tasks": {},
    }
    service["deploymentConfiguration"] = {
        **DEPLOYMENT_DEFAULTS,
        **call.params.get("deploymentConfiguration", {}),
    }
    services(world)[service["arn"]] = service
    deploy(world, service)
    remember_counts(service)
    return {"service": shown(service, world, tags=True)}


def with_groups(params: dict[str, Any]) -> dict[str, Any]:
    """moto wants security groups; AWS takes the default one without them."""
    network = params.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if network is None or "securityGroups" in network:
        return params
    return {**params, "networkConfiguration": {"awsvpcConfiguration": {**network, "securityGroups": []}}}


def resolved(call: Call, reference: str) -> str:
    """The ARN of a revision, given by ARN, family:revision, or family (its latest)."""
    return str(ecs_backends[call.account][call.region].describe_task_definition(reference).arn)


def find(world: World, call: Call, cluster: str, reference: str) -> Service | None:
    """A service by its name or ARN."""
    wanted = (call.account, call.region, cluster, reference.rsplit("/", 1)[-1])
    for service in services(world).values():
        if (service["account"], service["region"], service["cluster"], service["name"]) == wanted:
            return service
    return None


def existing(world: World, call: Call) -> Service:
    """The service a request is about. Raises Refused when there is none, or it has ended."""
    cluster = call.params.get("cluster", "default").rsplit("/", 1)[-1]
    service = find(world, call, cluster, call.params["service"])
    if service is None or service["status"] == "INACTIVE":
        raise Refused("ServiceNotFoundException", "Service not found.")
    return service


@gap("ecs", "UpdateService")
def update_service(call: Call, world: World, moto: Moto) -> Answer:
    service = existing(world, call)
    if service["status"] != "ACTIVE":
        raise Refused("ServiceNotActiveException", "Service was not ACTIVE.")
    wanted = {name: call.params[name] for name in SETTINGS if name in call.params}
    if "taskDefinition" in call.params:
        wanted["taskDefinition"] = resolved(call, call.params["taskDefinition"])
    if "deploymentConfiguration" in wanted:
        wanted["deploymentConfiguration"] = {
            **service["deploymentConfiguration"],
            **wanted["deploymentConfiguration"],
        }
    changed = any(name in wanted and wanted[name] != service.get(name) for name in REDEPLOYING)
    service.update(wanted)
    service["desiredCount"] = call.params.get("desiredCount", service["desiredCount"])
    if changed or call.params.get("forceNewDeployment"):
        deploy(world, service)
    else:
        scale(world, service)
    remember_counts(service)
    return {"service": shown(service, world, tags=False)}


@gap("ecs", "DeleteService")
def delete_service(call: Call, world: World, moto: Moto) -> Answer:
    service = existing(world, call)
    if service["status"] == "ACTIVE":
        if service["desiredCount"] > 0 and not call.params.get("force"):
            raise Refused(
                "InvalidParameterException", "The service cannot be stopped while it is scaled above 0."
            )
        drain(world, service)
    return {"service": shown(service, world, tags=False)}


@gap("ecs", "DescribeServices")
def describe_services(call: Call, world: World, moto: Moto) -> Answer:
    cluster = call.params.get("cluster", "default").rsplit("/", 1)[-1]
    found, failures = [], []
    for reference in call.params["services"]:
        service = find(world, call, cluster, reference)
        if service is not None:
            found.append(shown(service, world, tags="TAGS" in call.params.get("include", [])))
        else:
            name = reference.rsplit("/", 1)[-1]
            arn = f"arn:aws:ecs:{call.region}:{call.account}:service/{cluster}/{name}"
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"services": found, "failures": failures}


def shown(service: Service, world: World, *, tags: bool) -> dict[str, Any]:
    """The service as boto3 shows it."""
    told = {setting: service[setting] for setting in SETTINGS if setting in service}
    told |= {
        "serviceArn": service["arn"],
        "serviceName": service["name"],
        "clusterArn": service["clusterArn"],
        "status": service["status"],
        "desiredCount": service["desiredCount"],
        "runningCount": len(running(service)),
        "pendingCount": len(pending(service)),
        "platformFamily": "Linux",
        "taskDefinition": service["taskDefinition"],
        "deployments": [
            deployment_shown(service, position) for position in range(len(service["deployments"]))
        ],
        "events": [],
        "roleArn": f"arn:aws:iam::{service['account']}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "createdAt": moment(service["createdAt"]),
        "schedulingStrategy": service["schedulingStrategy"],
        "deploymentController": service["deploymentController"],
    }
    if service["launchType"] is not None:
        told["launchType"] = service["launchType"]
    if tags:
        record = ecs_backends[service["account"]][service["region"]].services.get(
            f"{service['cluster']}:{service['name']}"
        )
        told["tags"] = list(record.tags) if record is not None else service.get("tags", [])
    return told


def deployment_shown(service: Service, position: int) -> dict[str, Any]:
    deployment = service["deployments"][position]
    up, coming = len(running(service, deployment["id"])), len(pending(service, deployment["id"]))
    completed = deployment["rolloutState"] == "COMPLETED"
    told = {
        "id": deployment["id"],
        "status": deployment["status"],
        "taskDefinition": deployment["taskDefinition"],
        "desiredCount": service["desiredCount"] if position == 0 else up,
        "runningCount": up,
        "pendingCount": coming,
        "failedTasks": 0,
        "createdAt": moment(deployment["createdAt"]),
        "updatedAt": moment(deployment["updatedAt"]),
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": service.get("networkConfiguration", {}),
        "rolloutState": deployment["rolloutState"],
        "rolloutStateReason": f"ECS deployment {deployment['id']} {'completed' if completed else 'in progress'}.",
    }
    if service["launchType"] is not None:
        told["launchType"] = service["launchType"]
    return told


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
