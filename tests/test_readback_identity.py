"""Who may do what in a built environment, as AWS shows it; and how much of everything there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.environment import ENVIRONMENT, EXTERNAL_ID, OPERATOR_ACCOUNT, Built, P
from tests.shape import SHAPE, shape

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)
READ = re.compile(r"[a-z0-9-]+:(Get|List|Describe)")
FAILOVER_AND_FAILBACK = {
    "rds:FailoverGlobalCluster",
    "rds:SwitchoverGlobalCluster",
    "ecs:UpdateService",
    "application-autoscaling:RegisterScalableTarget",
    "cloudwatch:PutMetricData",
}


def test_roles_are_few_and_carry_no_policy_but_their_own(built: Built) -> None:
    iam = built.client("iam", P)
    roles = _roles(built)
    assert 6 <= len(roles) <= 10
    for role in roles:
        assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
        assert len(iam.list_role_policies(RoleName=role)["PolicyNames"]) == 1


def test_no_role_may_write_everything(built: Built) -> None:
    """``*`` stands only for reads, and for two calls that know no resource: each of them says what confines it."""
    for role in _roles(built):
        for statement in _statements(built, role):
            actions = statement["Action"]
            assert not any("*" in action for action in actions), (role, statement)
            if "*" not in statement["Resource"]:
                continue
            for action in actions:
                metrics = action == "cloudwatch:PutMetricData" and "cloudwatch:namespace" in json.dumps(
                    statement["Condition"]
                )
                assert READ.match(action) or metrics, (role, statement)


def test_one_service_assumes_each_role_and_for_this_account_only_where_it_says_for_whom(
    built: Built,
) -> None:
    """Lambda and S3 do not send aws:SourceAccount when they assume a role: required, it would keep them out."""
    for role, document in _roles(built).items():
        if role == "demo-operator":
            continue
        (statement,) = document["Statement"]
        service = statement["Principal"]["Service"]
        assert isinstance(service, str), role
        if service not in ("lambda.amazonaws.com", "s3.amazonaws.com"):
            assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}, role


def test_the_task_reaches_its_tables_its_buckets_and_its_secret_and_nothing_else(built: Built) -> None:
    reached = {
        resource.split(":")[2] for each in _statements(built, "demo-task") for resource in each["Resource"]
    }
    assert reached == {"dynamodb", "s3", "secretsmanager", "kms"}
    for statement in _statements(built, "demo-task"):
        for resource in statement["Resource"]:
            assert "demo" in resource or ":kms:" in resource, resource
            assert "breaker" not in resource


def test_the_operator_comes_from_another_account_with_the_external_id_for_one_hour(built: Built) -> None:
    role = built.client("iam", P).get_role(RoleName="demo-operator")["Role"]
    assert role["MaxSessionDuration"] == 3600
    (statement,) = _roles(built)["demo-operator"]["Statement"]
    assert _listed(statement["Principal"]["AWS"]) == [f"arn:aws:iam::{OPERATOR_ACCOUNT}:root"]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}
    with pytest.raises(ClientError):
        built.client("sts", P).assume_role(RoleArn=role["Arn"], RoleSessionName="drill", ExternalId="a-guess")


def test_the_operator_may_do_what_failover_and_failback_call_and_look_at_it(built: Built) -> None:
    actions = {action for each in _statements(built, "demo-operator") for action in each["Action"]}
    assert {action for action in actions if not READ.match(action)} == FAILOVER_AND_FAILBACK


def test_about_two_hundred_objects_and_exactly_these(built: Built) -> None:
    assert shape(built.before, built.census()) == SHAPE
    assert built.first_up.json["summary"]["create"] in range(190, 240)


def _roles(built: Built) -> dict[str, Any]:
    """Trust policies by name."""
    found = {}
    for page in built.client("iam", P).get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            if role["RoleName"].startswith("demo-") and not role["RoleName"].endswith("-x"):
                found[role["RoleName"]] = role["AssumeRolePolicyDocument"]
    return found


def _statements(built: Built, role: str) -> Iterator[dict[str, Any]]:
    iam = built.client("iam", P)
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            yield {
                **statement,
                "Action": _listed(statement["Action"]),
                "Resource": _listed(statement["Resource"]),
            }


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
