"""ECS clusters, tasks and task definitions as moto lacks them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from moto.ecs.models import ecs_backends

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.gaps.ecs_service import moment
from drctl.sim.lifecycle.ecs_service import Service, Task, pending, running, services
from drctl.sim.registry import after, gap
from drctl.sim.world import World


def active_cluster(call: Call, reference: str) -> Any:
    cluster = ecs_backends[call.account][call.region].clusters.get(reference.rsplit("/", 1)[-1])
    return cluster if cluster is not None and cluster.status == "ACTIVE" else None


@gap("ecs", "CreateCluster")
def create_cluster(call: Call, world: World, moto: Moto) -> Answer:
    """A repeat returns the cluster as it is; moto would reset its settings and tags."""
    name = call.params.get("clusterName", "default")
    if active_cluster(call, name) is None:
        return moto(call)
    params = {"clusters": [name], "include": ["SETTINGS", "TAGS", "CONFIGURATIONS"]}
    answer = moto(replace(call, operation="DescribeClusters", params=params))
    return {"cluster": answer["clusters"][0]}


@gap("ecs", "UpdateClusterSettings")
def update_cluster_settings(call: Call, world: World, moto: Moto) -> Answer:
    return moto(replace(call, operation="UpdateCluster"))


@after("ecs", "CreateCluster", "UpdateCluster", "UpdateClusterSettings", "DeleteCluster", "DescribeClusters")
def clusters_count_their_services(call: Call, world: World, answer: Answer) -> None:
    for cluster in answer.get("clusters", [answer["cluster"]] if "cluster" in answer else []):
        inside = [
            service for service in services(world).values() if service["clusterArn"] == cluster["clusterArn"]
        ]
        cluster["activeServicesCount"] = sum(service["status"] == "ACTIVE" for service in inside)
        cluster["runningTasksCount"] = sum(len(running(service)) for service in inside)
        cluster["pendingTasksCount"] = sum(len(pending(service)) for service in inside)


@after("ecs", "DescribeClusters")
def clusters_show_what_was_asked_for(call: Call, world: World, answer: Answer) -> None:
    """ECS API reference, DescribeClusters, include: without it an answer has neither tags nor settings."""
    include = call.params.get("include", [])
    for cluster in answer.get("clusters", []):
        for name, word in (("settings", "SETTINGS"), ("tags", "TAGS")):
            cluster[name] = cluster.get(name, []) if word in include else []


@after("ecs", "ListTagsForResource")
def no_tags_are_an_empty_list(call: Call, world: World, answer: Answer) -> None:
    answer.setdefault("tags", [])


@after("ecs", "ListClusters")
def inactive_clusters_are_not_listed(call: Call, world: World, answer: Answer) -> None:
    answer["clusterArns"] = [arn for arn in answer["clusterArns"] if active_cluster(call, arn) is not None]


@after("ecs", "DeleteCluster")
def tags_go_with_the_cluster(call: Call, world: World, answer: Answer) -> None:
    """An INACTIVE cluster can be described for a while; nothing finds it by its tags."""
    name = call.params["cluster"].rsplit("/", 1)[-1]
    ecs_backends[call.account][call.region].clusters[name].tags = []


@gap("ecs", "RegisterTaskDefinition")
def register_task_definition(call: Call, world: World, moto: Moto) -> Answer:
    """Every registration is a new revision, also after earlier ones were deleted (moto counts anew)."""
    answer = moto(call)
    made = answer["taskDefinition"]
    family, revision = made["family"], made["revision"]
    last = world.section("ecs.revisions")
    key = (call.account, call.region, family)
    number = max(revision, last.get(key, 0) + 1)
    last[key] = number
    if number != revision:
        definitions = ecs_backends[call.account][call.region].task_definitions[family]
        definition = definitions.pop(revision)
        definition.revision = made["revision"] = number
        definition.arn = made["taskDefinitionArn"] = f"{definition.arn.rpartition(':')[0]}:{number}"
        definitions[number] = definition
    made["registeredAt"] = moment(world.now)
    return answer


@gap("ecs", "DescribeTaskDefinition")
def describe_task_definition(call: Call, world: World, moto: Moto) -> Answer:
    """A family alone means its latest ACTIVE revision."""
    reference = call.params["taskDefinition"]
    if reference.startswith("arn:") or ":" in reference:
        return moto(call)
    definitions = ecs_backends[call.account][call.region].task_definitions.get(reference, {})
    active = [revision for revision, definition in definitions.items() if definition.status == "ACTIVE"]
    if not active:
        raise Refused("ClientException", "Unable to describe task definition.")
    return moto(replace(call, params={**call.params, "taskDefinition": f"{reference}:{max(active)}"}))


def tasks_of(call: Call, world: World) -> list[tuple[Service, Task]]:
    cluster = call.params.get("cluster", "default").rsplit("/", 1)[-1]
    return [
        (service, task)
        for service in services(world).values()
        if (service["account"], service["region"], service["cluster"]) == (call.account, call.region, cluster)
        for task in service["tasks"].values()
    ]


@gap("ecs", "ListTasks")
def list_tasks(call: Call, world: World, moto: Moto) -> Answer:
    wanted = call.params.get("desiredStatus", "RUNNING")
    name = call.params.get("serviceName", "").rsplit("/", 1)[-1]
    family = call.params.get("family")
    return {
        "taskArns": [
            task["arn"]
            for service, task in tasks_of(call, world)
            if name in ("", service["name"])
            and family in (None, family_of(task))
            and (task["status"] == "DEACTIVATING") == (wanted == "STOPPED")
        ]
    }


def family_of(task: Task) -> str:
    return str(task["taskDefinition"].rsplit("/", 1)[-1].split(":")[0])


@gap("ecs", "DescribeTasks")
def describe_tasks(call: Call, world: World, moto: Moto) -> Answer:
    known = {task["arn"].rsplit("/", 1)[-1]: (service, task) for service, task in tasks_of(call, world)}
    found, failures = [], []
    for reference in call.params["tasks"]:
        identifier = reference.rsplit("/", 1)[-1]
        if identifier in known:
            found.append(task_shown(*known[identifier]))
        else:
            failures.append({"arn": reference, "reason": "MISSING"})
    return {"tasks": found, "failures": failures}


def task_shown(service: Service, task: Task) -> dict[str, Any]:
    told = {
        "taskArn": task["arn"],
        "clusterArn": service["clusterArn"],
        "taskDefinitionArn": task["taskDefinition"],
        "group": f"service:{service['name']}",
        "startedBy": task["deployment"],
        "launchType": service["launchType"] or "FARGATE",
        "lastStatus": task["status"],
        "desiredStatus": "STOPPED" if task["status"] == "DEACTIVATING" else "RUNNING",
        "createdAt": moment(task["createdAt"]),
        "attachments": [
            {
                "type": "ElasticNetworkInterface",
                "status": "ATTACHED",
                "details": [
                    {"name": "subnetId", "value": task["subnet"]},
                    {"name": "networkInterfaceId", "value": task["interface"]},
                    {"name": "privateIPv4Address", "value": task["address"]},
                ],
            }
        ],
    }
    if task["startedAt"] is not None:
        told["startedAt"] = moment(task["startedAt"])
    return told
