"""How long AWS typically takes, in simulated seconds: the one table every lifecycle reads.

Figures are the *usual* ones; ``source`` says where they come from, and "guess" marks those that were never seen in
a log of a real account and are set from neighbours in the table. docs/simulator.md shows the table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Duration:
    """Simulated seconds from the request until a thing is ready, and from its deletion until it is gone."""

    ready: float
    gone: float
    source: str


DURATIONS: dict[str, Duration] = {
    "nat-gateway": Duration(107, 60, "public deployment logs: 85-125 s up, 37-79 s down"),
    "vpc-peering": Duration(5, 3, "public deployment logs: 2-15 s up, 1-10 s down"),
    "interface-endpoint": Duration(70, 60, "public deployment logs: 40-120 s up, 20-180 s down"),
    "gateway-endpoint": Duration(5, 15, "public deployment logs: 5 s up, 5-40 s down"),
    "vpc-visible": Duration(
        1,
        0,
        'EC2 API reference, "Eventual consistency": a fresh id answers NotFound for a moment; how long is a guess',
    ),
    "load-balancer": Duration(
        152, 10, "public deployment logs: 135-187 s up; delete answers at once, interfaces linger 10-30 s"
    ),
    "target-registration": Duration(20, 60, "guess; deregistration takes the target group's own delay"),
    "aurora-cluster": Duration(45, 90, "public deployment logs: 35-120 s up, 60-180 s down"),
    "aurora-instance": Duration(385, 420, "public deployment logs: 300-480 s up, 300-590 s down"),
    "aurora-secondary-cluster": Duration(360, 90, "guess"),
    "aurora-secondary-instance": Duration(450, 420, "guess"),
    "global-cluster": Duration(10, 30, "public deployment logs: 2-30 s up, 5-60 s down"),
    "aurora-switchover": Duration(
        30, 0, 'Aurora user guide, "Using switchover or failover in Aurora Global Database": under 30 s'
    ),
    "aurora-failover": Duration(
        120, 0, 'Aurora user guide, "Using switchover or failover in Aurora Global Database": minutes'
    ),
    "aurora-promotion": Duration(60, 0, 'a detached cluster passes through "promoting"; how long is a guess'),
    "table": Duration(9, 10, "public deployment logs: 5-20 s up, 5-30 s down"),
    "table-replica": Duration(180, 120, "public deployment logs: 60-240 s down; 90-300 s up is a guess"),
    "distribution": Duration(
        200,
        280,
        "public deployment logs: 150-370 s to Deployed; disabling takes as long as any other change before the delete",
    ),
    "certificate": Duration(100, 0, "public deployment logs: 45-265 s after the validation record exists"),
    "ecs-service": Duration(130, 60, "public deployment logs: steady after 75-180 s, drained after 40-120 s"),
    "ecs-task": Duration(45, 30, "guess"),
    "ecs-cluster": Duration(2, 2, "guess"),
    "dns-change": Duration(
        35, 35, 'Route 53 developer guide: "changes generally propagate within 60 seconds"; 20-72 s seen'
    ),
    "lambda-function": Duration(12, 1, "public deployment logs: Pending for 5-40 s"),
    "role": Duration(
        6,
        1,
        'IAM user guide, "Changes that I make are not always immediately visible"; 2-12 s seen, rarely a minute',
    ),
    "secret-replica": Duration(5, 5, "public deployment logs: 2-15 s"),
}
