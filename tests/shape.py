"""How much of everything the usual environment is: the one table that says what should be there, and how often."""

from __future__ import annotations

from tests.census import Census, came, numbers

SHAPE = {
    "alarm": 33,
    "aurora-cluster": 2,
    "aurora-instance": 3,
    "certificate": 2,
    "dashboard": 2,
    "db-cluster-parameter-group": 2,
    "db-subnet-group": 2,
    "distribution": 1,
    "dynamodb-table": 4,
    "ecs-cluster": 2,
    "ecs-service": 2,
    "elastic-ip": 4,
    "event-rule": 2,
    "event-target": 2,
    "flow-log": 2,
    "global-cluster": 1,
    "health-check": 4,
    "hosted-zone": 1,
    "iam-role": 9,
    "iam-role-policy": 9,
    "internet-gateway": 2,
    "kms-alias": 2,
    "kms-key": 2,
    "lambda-function": 2,
    "lambda-permission": 2,
    "listener": 4,
    "listener-rule": 4,
    "load-balancer": 2,
    "log-group": 12,
    "nat-gateway": 4,
    "network-acl": 2,
    "network-interface": 12,
    "origin-access-control": 1,
    "record-set": 9,
    "route": 34,
    "route-table": 10,
    "route-table-association": 14,
    "s3-bucket": 4,
    "s3-bucket-policy": 4,
    "s3-replication": 2,
    "scalable-target": 2,
    "scaling-policy": 4,
    "secret": 2,
    "security-group": 10,
    "security-group-rule": 22,
    "sns-subscription": 2,
    "sns-topic": 2,
    "subnet": 12,
    "target-group": 2,
    "task-definition": 2,
    "vpc": 2,
    "vpc-endpoint": 4,
    "vpc-peering": 2,
}
"""How many things of each kind come with the settings ``environment.EVERYTHING``, as an auditor counts them: with what
AWS adds to a VPC, a load balancer or a scaling policy by itself, and a peering in both regions."""


def shape(before: Census, after: Census) -> dict[str, int]:
    """How many things of each kind have come; the logs in the buckets grow by themselves and do not count."""
    new = came(before, after)
    new.pop("s3-object-version", None)
    return numbers(new)
