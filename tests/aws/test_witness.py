"""The door that tells of every call, and the one that opens to a single region."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from drctl.aws.clients import ApiCall, Aws, OutOfBounds
from tests.conftest import Sim

S = "us-west-2"


def door(endpoint: str) -> Aws:
    return Aws(boto3.Session("simulated", "simulated"), endpoint, attempts=1)


def test_every_call_is_told_with_endpoint_region_and_status(sim: Sim) -> None:
    calls: list[ApiCall] = []
    aws = door(sim.endpoint).witnessed(calls.append)
    aws.sts(S).get_caller_identity()
    with pytest.raises(ClientError):
        aws.rds(S).describe_db_clusters(DBClusterIdentifier="nobody")
    assert [(c.service, c.operation, c.region, c.endpoint, c.status) for c in calls] == [
        ("sts", "GetCallerIdentity", S, sim.endpoint, 200),
        ("rds", "DescribeDBClusters", S, sim.endpoint, 404),
    ]
    assert all(call.seconds > 0 for call in calls)


def test_a_call_that_nobody_answers_is_told_too() -> None:
    calls: list[ApiCall] = []
    with pytest.raises(EndpointConnectionError):
        door("http://127.0.0.1:9").witnessed(calls.append).sts(S).get_caller_identity()
    assert [(c.operation, c.status) for c in calls] == [("GetCallerIdentity", 0)]


def test_a_door_to_one_region_opens_to_no_other_and_to_no_global_control_plane(sim: Sim) -> None:
    calls: list[ApiCall] = []
    aws = door(sim.endpoint).witnessed(calls.append, only=S)
    aws.sts(S).get_caller_identity()
    for refused in (
        lambda: aws.rds("us-east-1"),
        lambda: aws.once.ecs("us-east-1"),
        lambda: aws.acm("us-east-1"),
        aws.route53,
        aws.iam,
        aws.cloudfront,
    ):
        with pytest.raises(OutOfBounds, match=S):
            refused()
    assert len(calls) == 1


def test_where_the_standby_is_us_east_1_its_global_control_planes_stay_shut(sim: Sim) -> None:
    aws = door(sim.endpoint).witnessed(lambda _: None, only="us-east-1")
    aws.sts("us-east-1").get_caller_identity()
    with pytest.raises(OutOfBounds):
        aws.route53()
