"""What answers requests in a region: a load balancer, and the services behind it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drctl.resources.certificate import Certificate
from drctl.resources.ecs_cluster import EcsCluster
from drctl.resources.ecs_service import EcsService
from drctl.resources.listener import Listener
from drctl.resources.listener_rule import ListenerRule
from drctl.resources.load_balancer import LoadBalancer
from drctl.resources.log_group import LogGroup
from drctl.resources.scalable_target import ScalableTarget
from drctl.resources.scaling_policy import Metric, ScalingPolicy
from drctl.resources.target_group import TargetGroup
from drctl.resources.task_definition import TaskDefinition
from drctl.topology.foundation import log_group
from drctl.topology.scope import Graph, Scope, Side

if TYPE_CHECKING:
    from drctl.resources.iam_role_policy import IamRolePolicy
    from drctl.settings import Service
    from drctl.topology.data import Stores
    from drctl.topology.edge import Domain
    from drctl.topology.foundation import Foundation
    from drctl.topology.network import Network

LOWEST_PRIORITY = 20_000
"""Of the listener's rules, for the shortest pattern; there is room on both sides for rules of the operator's own."""


@dataclass(frozen=True)
class Site:
    """A region's front: the load balancer, and by service name what is behind it."""

    load_balancer: LoadBalancer
    cluster: EcsCluster
    target_groups: dict[str, TargetGroup]
    services: dict[str, EcsService]


@dataclass(frozen=True)
class _Surroundings:
    """What every service of a region shares."""

    graph: Graph
    scope: Scope
    side: Side
    base: Foundation
    network: Network
    stores: Stores
    policies: Mapping[str, IamRolePolicy]
    cluster: EcsCluster
    listener: Listener


def compute(
    graph: Graph,
    scope: Scope,
    side: Side,
    base: Foundation,
    network: Network,
    stores: Stores,
    domain: Domain | None,
    policies: Mapping[str, IamRolePolicy],
) -> Site:
    """Load balancer with its listeners, cluster, and each service with its target group and autoscaling."""
    first, *others = scope.settings.services
    balancer = graph.add(
        LoadBalancer(
            name="main",
            region=side.region,
            aws_name=scope.named("main"),
            internet_gateway=network.internet_gateway,
            subnets=network.subnets["public"],
            security_groups=(network.edge_group, network.checks_group),
            access_logs=base.log_buckets[side.role],
            access_logs_policy=base.log_policies[side.role],
        )
    )
    groups = {
        service.name: _target_group(graph, scope, side, network, service) for service in (first, *others)
    }
    certificate = domain.certificates[side.region] if domain else None
    listener = _listeners(graph, side, balancer, groups[first.name], certificate)
    cluster = graph.add(EcsCluster(name="main", region=side.region, aws_name=scope.named("main")))
    around = _Surroundings(graph, scope, side, base, network, stores, policies, cluster, listener)
    services = {first.name: _service(around, first, groups[first.name], listener)}
    places = priorities([service.path or "" for service in others])
    for service in others:
        rule = graph.add(
            ListenerRule(
                name=service.name,
                region=side.region,
                listener=listener,
                priority=places[service.path or ""],
                path=service.path or "",
                target_group=groups[service.name],
            )
        )
        services[service.name] = _service(around, service, groups[service.name], rule)
    return Site(balancer, cluster, groups, services)


def priorities(paths: Sequence[str]) -> dict[str, int]:
    """A listener rule's priority for each pattern. The longer one goes first, so that ``/a/b/*`` wins over ``/a/*``.

    It depends on the pattern alone (unless two collide), so that the others stay when a service comes or goes.
    """
    found: dict[str, int] = {}
    for path in sorted(paths):
        priority = LOWEST_PRIORITY - 100 * len(path) - zlib.crc32(path.encode()) % 100
        while priority in found.values():
            priority -= 1
        found[path] = priority
    return found


def _target_group(graph: Graph, scope: Scope, side: Side, network: Network, service: Service) -> TargetGroup:
    return graph.add(
        TargetGroup(
            name=service.name,
            region=side.region,
            aws_name=scope.named(service.name),
            vpc=network.vpc,
            port=service.port,
            health_path=service.health_path,
        )
    )


def _listeners(
    graph: Graph, side: Side, balancer: LoadBalancer, group: TargetGroup, certificate: Certificate | None
) -> Listener:
    """The one that forwards; with a certificate that is 443, and 80 redirects to it."""
    if certificate is None:
        return graph.add(
            Listener(
                name="http",
                region=side.region,
                load_balancer=balancer,
                port=80,
                target_group=group,
                certificate=None,
            )
        )
    graph.add(
        Listener(
            name="http",
            region=side.region,
            load_balancer=balancer,
            port=80,
            target_group=None,
            certificate=None,
        )
    )
    return graph.add(
        Listener(
            name="https",
            region=side.region,
            load_balancer=balancer,
            port=443,
            target_group=group,
            certificate=certificate,
        )
    )


def _service(
    around: _Surroundings, service: Service, group: TargetGroup, reached_by: Listener | ListenerRule
) -> EcsService:
    graph, scope, side = around.graph, around.scope, around.side
    logs = log_group(
        graph, scope, side, around.base.keys[side.role], service.name, f"/ecs/{scope.named(service.name)}"
    )
    made = graph.add(
        EcsService(
            name=service.name,
            region=side.region,
            aws_name=scope.named(service.name),
            cluster=around.cluster,
            task_definition=graph.add(_task_definition(around, service, logs)),
            tasks=scope.tasks(service, side),
            subnets=around.network.subnets["private"],
            security_group=around.network.service_group,
            target_group=group,
            listener=reached_by,
            port=service.port,
            container=service.name,
            execution_needs=(*around.policies.values(), *around.network.ways_out),
        )
    )
    target = graph.add(
        ScalableTarget(
            name=service.name,
            region=side.region,
            service=made,
            min_tasks=scope.least_tasks(service, side),
            max_tasks=service.max_tasks,
        )
    )
    aims: tuple[tuple[str, Metric, int], ...] = (
        ("cpu", "ECSServiceAverageCPUUtilization", service.cpu_target),
        ("memory", "ECSServiceAverageMemoryUtilization", service.memory_target),
    )
    for name, metric, percent in aims:
        graph.add(
            ScalingPolicy(
                name=f"{service.name}-{name}",
                region=side.region,
                target=target,
                aws_name=scope.named(service.name, name),
                metric=metric,
                target_value=percent,
            )
        )
    return made


def _task_definition(around: _Surroundings, service: Service, logs: LogGroup) -> TaskDefinition:
    scope, stores = around.scope, around.stores
    buckets = [pair[around.side.role].aws_name for pair in stores.buckets]
    return TaskDefinition(
        name=service.name,
        region=around.side.region,
        family=scope.named(service.name),
        cpu=service.cpu,
        memory=service.memory,
        image=service.image,
        port=service.port,
        log_group=logs,
        execution_role=around.policies["execution"].role,
        task_role=around.policies["task"].role,
        environment=(
            ("DRCTL_ENVIRONMENT", scope.settings.environment),
            ("DRCTL_ROLE", around.side.role),
            ("TABLES", ",".join(each.table.aws_name for each in stores.tables)),
            ("BUCKETS", ",".join(buckets)),
        ),
        secret=stores.database.secret,
        container=service.name,
    )
