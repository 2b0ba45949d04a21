"""The graph: what the settings ask for, as resources that refer to each other.

This package is the only place that names resources and wires them. Each file is one part of the picture
(docs/architecture.md shows it): the network of a region, its keys, its data, its compute, what watches it, and what
stands in front of both. Order is written nowhere: a field that refers to another resource is the dependency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drctl.topology.compute import compute
from drctl.topology.data import data, global_database
from drctl.topology.edge import edge, health_checks, names
from drctl.topology.foundation import foundation
from drctl.topology.identity import operator, task_role_policies
from drctl.topology.monitoring import monitoring, switch
from drctl.topology.network import network, peering
from drctl.topology.scope import Graph, Scope

if TYPE_CHECKING:
    from drctl.engine.run import AnyResource
    from drctl.settings import Settings


def build(settings: Settings, account: str, partition: str) -> tuple[AnyResource, ...]:
    """Every resource of the environment, in the order in which a reader would draw it."""
    scope = Scope(settings, account, partition)
    graph = Graph()

    base = foundation(graph, scope)
    networks = {side.role: network(graph, scope, side, base) for side in scope.sides}
    peering(graph, scope, networks)

    database = global_database(graph, scope, base)
    stores = data(graph, scope, base, networks, database)
    policies = task_role_policies(graph, scope, base, stores)

    domain = names(graph, scope)
    sites = {
        side.role: compute(graph, scope, side, base, networks[side.role], stores, domain, policies)
        for side in scope.sides
    }

    failover_switch = switch(graph, scope, base)
    checks = health_checks(graph, scope, sites, failover_switch)
    edge(graph, scope, base, stores, sites, domain, checks)
    for side in scope.sides:
        monitoring(graph, scope, side, base, stores, sites, failover_switch)
    operator(graph, scope, stores, sites)
    return graph.resources
