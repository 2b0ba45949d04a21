"""How long AWS typically takes, in simulated seconds: the one table every lifecycle reads.

Figures are the *usual* ones of public deployment logs and provider sources; "guess" marks those that were
never seen in a log of a real account and are set from neighbours in the table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Duration:
    """Simulated seconds from the request until a thing is ready, and from its deletion until it is gone."""

    ready: float
    gone: float


DURATIONS: dict[str, Duration] = {
    # EC2: Terraform and CloudFormation logs. NAT 85-125 s up, 37-79 s down.
    "nat-gateway": Duration(ready=107, gone=60),
    "vpc-peering": Duration(ready=5, gone=3),
    "interface-endpoint": Duration(ready=70, gone=60),
    "gateway-endpoint": Duration(ready=5, gone=15),
    # A fresh EC2 id answers InvalidXxx.NotFound for a moment: "Eventual consistency" in the EC2 API reference.
    "vpc-visible": Duration(ready=1, gone=0),
    # Load balancers: 135-187 s up; the answer to delete is immediate, interfaces linger 10-30 s.
    "load-balancer": Duration(ready=152, gone=10),
    "target-registration": Duration(ready=20, gone=60),
    # RDS Aurora. Primary cluster 35-120 s, instance 300-480 s; deletion 60-180 s and 300-590 s.
    "aurora-cluster": Duration(ready=45, gone=90),
    "aurora-instance": Duration(ready=385, gone=420),
    "aurora-secondary-cluster": Duration(ready=360, gone=90),  # guess
    "aurora-secondary-instance": Duration(ready=450, gone=420),  # guess
    "global-cluster": Duration(ready=10, gone=30),
    # RDS user guide, "Using switchover or failover in Aurora Global Database".
    "aurora-switchover": Duration(ready=30, gone=0),
    "aurora-failover": Duration(ready=120, gone=0),
    # A cluster detached from its global database passes through "promoting".
    "aurora-promotion": Duration(ready=60, gone=0),
    # DynamoDB: table 5-20 s; replica 90-300 s up (guess), 60-240 s down.
    "table": Duration(ready=9, gone=10),
    "table-replica": Duration(ready=180, gone=120),
    # CloudFront: 150-370 s to Deployed; disabling takes as long as any other change before the delete.
    "distribution": Duration(ready=200, gone=280),
    # ACM with DNS validation: 45-265 s after the record exists.
    "certificate": Duration(ready=100, gone=0),
    # ECS: a service is steady after 75-180 s; draining 40-120 s.
    "ecs-service": Duration(ready=130, gone=60),
    "ecs-task": Duration(ready=45, gone=30),
    "ecs-cluster": Duration(ready=2, gone=2),
    # Route 53: "changes generally propagate within 60 seconds"; 20-72 s seen. Nothing needs to wait for it.
    "dns-change": Duration(ready=35, gone=35),
    # KMS: PendingDeletion lasts the window of the request, 7 days at least.
    "kms-key": Duration(ready=1, gone=7 * 86_400),
    "kms-replica": Duration(ready=8, gone=7 * 86_400),
    # Lambda: Pending -> Active 5-40 s.
    "lambda-function": Duration(ready=12, gone=1),
    # IAM: a new role is refused by the services that should assume it for 2-12 s, rarely a minute.
    "role": Duration(ready=6, gone=1),
    "secret-replica": Duration(ready=5, gone=5),
}
