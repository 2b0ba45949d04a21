"""How long the simulator takes over each resource, from its own tables: what drctl cannot make shorter.

Everything that is not named here answers at once. A role that services refuse for its first seconds counts as
ready, since most of its followers need not wait for that: the critical path is a lower bound in such places.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

from drctl.engine.run import AnyResource
from drctl.resources.aurora_cluster import AuroraCluster
from drctl.resources.aurora_instance import AuroraInstance
from drctl.resources.ecs_service import EcsService
from drctl.sim.lifecycle.durations import DURATIONS

FRESH_IDS = {"vpc", "subnet", "route-table", "internet-gateway", "security-group", "elastic-ip"}
"""Kinds whose new ids EC2 does not show at once."""

SAME_NAME = {
    "nat-gateway",
    "load-balancer",
    "global-cluster",
    "distribution",
    "lambda-function",
}
"""Kinds that the simulator's table calls by the same name."""

DRAINING = 30.0
"""Seconds for which a target group of drctl's lets its targets drain (drctl/resources/target_group.py)."""


BESIDE_THE_TABLE = """
import json
from drctl.sim.gaps.dynamodb_table import BACKUPS_AFTER
from drctl.sim.gaps.rds_global import DETACHING
from drctl.sim.lifecycle.acm import CHOOSING_RECORDS
print(json.dumps({"backups": BACKUPS_AFTER, "detaching": DETACHING, "records": CHOOSING_RECORDS}))
"""


@cache
def beside_the_table() -> dict[str, float]:
    """Durations that are not in the simulator's table, asked of a process of their own: they come with all of moto,
    and what this process holds counts as peak memory of every process that it starts."""
    said = subprocess.run([sys.executable, "-c", BESIDE_THE_TABLE], capture_output=True, check=True)
    found: dict[str, float] = json.loads(said.stdout)
    return found


@dataclass(frozen=True)
class Removal:
    """Seconds from the request until it is gone; until what it holds is free to go; and after its last follower.

    own: if nothing else kept it
    going: until a dependency that may go before this one has ended is accepted for removal
    tail: between the end of what had to be gone first and its own
    """

    own: float
    going: float = 0.0
    tail: float = 0.0


def to_make(resource: AnyResource) -> float:
    """Simulated seconds from the create until it is ready."""
    kind = resource.kind
    if kind in FRESH_IDS:
        return DURATIONS["vpc-visible"].ready
    if kind in SAME_NAME:
        return DURATIONS[kind].ready
    match resource:
        case AuroraCluster():
            return DURATIONS["aurora-cluster" if _writes(resource) else "aurora-secondary-cluster"].ready
        case AuroraInstance():
            primary = _writes(resource.cluster)
            return DURATIONS["aurora-instance" if primary else "aurora-secondary-instance"].ready
        case EcsService():
            return DURATIONS["ecs-service" if resource.tasks else "ecs-cluster"].ready
    match kind:
        case "vpc-peering":  # half of it until it can be accepted, all of it once more until it is active
            return 1.5 * DURATIONS["vpc-peering"].ready
        case "vpc-endpoint":
            return DURATIONS["gateway-endpoint"].ready
        case "dynamodb-table":
            return DURATIONS["table"].ready + beside_the_table()["backups"]
        case "dynamodb-replica":
            return DURATIONS["table-replica"].ready + beside_the_table()["backups"]
        case "certificate":
            return beside_the_table()["records"] + DURATIONS["certificate"].ready
        case "secret":
            return DURATIONS["secret-replica"].ready
    return 0.0


def to_remove(resource: AnyResource) -> Removal:
    """Simulated seconds of its removal."""
    kind = resource.kind
    match kind:
        case "aurora-cluster":
            gone = DURATIONS["aurora-cluster"].gone
            return Removal(
                DURATIONS["aurora-promotion"].ready + gone, going=beside_the_table()["detaching"], tail=gone
            )
        case "aurora-instance":
            return Removal(DURATIONS["aurora-instance"].gone)
        case "vpc-endpoint":
            return Removal(DURATIONS["gateway-endpoint"].gone)
        case "dynamodb-table":
            return Removal(DURATIONS["table"].gone)
        case "dynamodb-replica":
            return Removal(DURATIONS["table-replica"].gone)
        case "vpc-peering":
            return Removal(DURATIONS["vpc-peering"].gone)
        case "secret":
            return Removal(DURATIONS["secret-replica"].gone)
    if isinstance(resource, EcsService) and resource.tasks:
        return Removal(DRAINING + DURATIONS["ecs-task"].gone)
    if kind in SAME_NAME:
        return Removal(DURATIONS[kind].gone)
    return Removal(0.0)


def _writes(cluster: AuroraCluster) -> bool:
    """Whether it is the one that is made first."""
    return cluster.after is None
