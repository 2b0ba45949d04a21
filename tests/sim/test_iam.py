"""Roles: who may be trusted, when a new one becomes usable, who may assume it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"


def trust(principal: Any, action: Any = "sts:AssumeRole", **statement: Any) -> str:
    one = {"Effect": "Allow", "Principal": principal, "Action": action, **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [one]})


LAMBDA = trust({"Service": "lambda.amazonaws.com"})


def refusal(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def package(text: str = "def handler(event, context): ...") -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("handler.py", text)
    return memory.getvalue()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (trust({"AWS": []}), "Invalid principal in policy"),
        (trust({"AWS": f"arn:aws:iam::{ACCOUNT}:role/nobody"}), "Invalid principal in policy"),
        (trust({"AWS": "arn:aws:iam::210987654321:role/*"}), "Invalid principal in policy"),
        (trust({"AWS": "12345"}), "Invalid principal in policy"),
        (trust({"Service": "lambda"}), "Invalid principal in policy"),
        (trust({}), "Missing required field Principal"),
        (trust({"AWS": "*"}, Resource="*"), "Has prohibited field Resource"),
        (
            trust({"AWS": "*"}, action="s3:GetObject"),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        ("{", "This policy contains invalid Json"),
    ],
)
def test_a_trust_policy_names_somebody(sim: Any, document: str, message: str) -> None:
    iam = sim.client("iam")
    with pytest.raises(ClientError) as caught:
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=document)
    code, said = refusal(caught)
    assert code == "MalformedPolicyDocument"
    assert message in said


def test_other_accounts_and_services_can_be_trusted_and_updated(sim: Any) -> None:
    iam = sim.client("iam")
    foreign = trust({"AWS": ["arn:aws:iam::210987654321:root", "111122223333"]})
    role = iam.create_role(
        RoleName="r",
        AssumeRolePolicyDocument=foreign,
        MaxSessionDuration=7200,
        Tags=[{"Key": "drctl:environment", "Value": "x"}],
    )["Role"]
    assert role["MaxSessionDuration"] == 7200
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=LAMBDA)
    iam.update_role(RoleName="r", Description="d")
    assert iam.get_role(RoleName="r")["Role"]["MaxSessionDuration"] == 7200
    iam.update_role(RoleName="r", MaxSessionDuration=3600)
    found = iam.get_role(RoleName="r")["Role"]
    assert found["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {
        "Service": "lambda.amazonaws.com"
    }
    assert found["MaxSessionDuration"] == 3600
    assert iam.list_role_tags(RoleName="r")["Tags"] == [{"Key": "drctl:environment", "Value": "x"}]
    with pytest.raises(ClientError) as caught:
        iam.update_role(RoleName="r", MaxSessionDuration=50_000)
    assert refusal(caught)[0] == "ValidationError"


def test_policies_hold_a_role_and_roles_hold_a_policy(sim: Any) -> None:
    iam = sim.client("iam")
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
        }
    )
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=LAMBDA)
    iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=document)
    policy = iam.create_policy(PolicyName="managed", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=policy)
    with pytest.raises(ClientError) as caught:
        iam.delete_policy(PolicyArn=policy)
    assert refusal(caught) == ("DeleteConflict", "Cannot delete a policy attached to entities.")
    with pytest.raises(ClientError) as caught:
        iam.delete_role(RoleName="r")
    assert refusal(caught)[0] == "DeleteConflict"
    iam.detach_role_policy(RoleName="r", PolicyArn=policy)
    with pytest.raises(ClientError) as caught:
        iam.delete_role(RoleName="r")
    assert refusal(caught)[0] == "DeleteConflict"
    big = json.loads(document)
    big["Statement"][0]["Resource"] = ["arn:aws:s3:::" + "b" * 60 + str(n) for n in range(200)]
    with pytest.raises(ClientError) as caught:
        iam.put_role_policy(RoleName="r", PolicyName="big", PolicyDocument=json.dumps(big))
    assert refusal(caught)[0] == "LimitExceeded"
    iam.delete_role_policy(RoleName="r", PolicyName="inline")
    iam.delete_role(RoleName="r")
    iam.delete_policy(PolicyArn=policy)


def test_a_new_role_is_not_usable_by_a_service_for_some_seconds(sim: Any) -> None:
    sim.set_speed(1)
    role = sim.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=LAMBDA)["Role"]["Arn"]
    function = {"FunctionName": "f", "Runtime": "python3.12", "Handler": "handler.handler", "Role": role}
    function["Code"] = {"ZipFile": package()}
    functions = sim.client("lambda")
    with pytest.raises(ClientError) as caught:
        functions.create_function(**function)
    assert refusal(caught) == (
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    )
    sim.advance(15)
    functions.create_function(**function)


@pytest.mark.parametrize(
    ("principal", "condition", "given", "admitted"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", {}, {}, True),
        (
            f"arn:aws:iam::{ACCOUNT}:root",
            {"StringEquals": {"sts:ExternalId": "xyz"}},
            {"ExternalId": "xyz"},
            True,
        ),
        (f"arn:aws:iam::{ACCOUNT}:root", {"StringEquals": {"sts:ExternalId": "xyz"}}, {}, False),
        (
            f"arn:aws:iam::{ACCOUNT}:root",
            {"StringEquals": {"sts:ExternalId": "xyz"}},
            {"ExternalId": "no"},
            False,
        ),
        ("arn:aws:iam::210987654321:root", {}, {}, False),
    ],
)
def test_assume_role_asks_the_trust_policy(
    sim: Any, principal: str, condition: dict[str, Any], given: dict[str, str], admitted: bool
) -> None:
    document = trust({"AWS": principal}, Condition=condition)
    role = sim.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    sim.advance(60)
    sts = sim.client("sts")
    if admitted:
        assert sts.assume_role(RoleArn=role, RoleSessionName="test", **given)["Credentials"]["AccessKeyId"]
        with pytest.raises(ClientError) as caught:
            sts.assume_role(RoleArn=role, RoleSessionName="test", DurationSeconds=7200, **given)
        assert refusal(caught)[0] == "ValidationError"
    else:
        with pytest.raises(ClientError) as caught:
            sts.assume_role(RoleArn=role, RoleSessionName="test", **given)
        assert refusal(caught)[0] == "AccessDenied"


def test_a_role_that_does_not_exist_cannot_be_assumed(sim: Any) -> None:
    sts = sim.client("sts")
    with pytest.raises(ClientError) as caught:
        sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/nobody", RoleSessionName="test")
    assert refusal(caught)[0] == "AccessDenied"
    assert sts.get_caller_identity()["Account"] == ACCOUNT
