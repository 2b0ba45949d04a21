"""Which of the things that carry an environment's tag belong to no record."""

from __future__ import annotations

from drctl.aws.tagging import Tagged, strays

VPC = Tagged("us-east-1/vpc/main", "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1")
SUBNET = Tagged("us-east-1/subnet/private-a", "arn:aws:ec2:us-east-1:123456789012:subnet/subnet-1")
CLUSTER = Tagged("us-east-1/aurora-cluster/main", "arn:aws:rds:us-east-1:123456789012:cluster:demo-primary")
SNAPSHOT = Tagged(
    CLUSTER.address, "arn:aws:rds:us-east-1:123456789012:cluster-snapshot:rds:demo-primary-2026-01-01-00-00"
)
LOGS = Tagged("us-east-1/log-group/app", "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/demo-app:*")
SECRET = Tagged(
    "us-east-1/secret/database", "arn:aws:secretsmanager:us-east-1:123456789012:secret:demo/db-Ab12Cd"
)
COPY = Tagged(SECRET.address, SECRET.arn.replace("us-east-1", "us-west-2"))
BUCKET = Tagged("us-east-1/s3-bucket/assets", "arn:aws:s3:::demo-assets")

KNOWN = {
    VPC.address: ["vpc-1", "10.0.0.0/16"],
    SUBNET.address: ["subnet-1"],
    CLUSTER.address: ["demo-primary", CLUSTER.arn, ""],
    LOGS.address: ["/ecs/demo-app"],
    SECRET.address: [SECRET.arn],
    BUCKET.address: ["demo-assets"],
}


def test_what_is_recorded_and_what_aws_adds_to_it_is_no_stray() -> None:
    assert strays([VPC, SUBNET, CLUSTER, SNAPSHOT, LOGS, SECRET, COPY, BUCKET], KNOWN) == []


def test_a_thing_at_an_address_that_nobody_knows_is_one_with_all_that_belongs_to_it() -> None:
    unknown = {address: outputs for address, outputs in KNOWN.items() if address != CLUSTER.address}
    assert strays([VPC, CLUSTER, SNAPSHOT, SNAPSHOT], unknown) == [SNAPSHOT, CLUSTER]


def test_a_second_one_of_a_recorded_address_is_one() -> None:
    second = Tagged(SUBNET.address, SUBNET.arn.replace("subnet-1", "subnet-11"))
    assert strays([SUBNET, second], KNOWN) == [second]
