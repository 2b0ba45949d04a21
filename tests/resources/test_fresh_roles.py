"""IAM takes seconds to tell other services of a new role: what assumes one is refused at first, and made by asking
again. Every kind that is given a role, with a role made in the same second."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from drctl.aws.errors import classify
from drctl.engine.ensure import ensure
from drctl.engine.resource import Resource
from drctl.engine.trouble import Meaning
from drctl.resources.iam_role import IamRole
from tests.contract import Trial, in_order
from tests.resources.test_compute import task_definition
from tests.resources.test_data import REPLICATION, WRITER
from tests.resources.test_monitoring import FUNCTION
from tests.resources.test_network import FLOW_LOG

if TYPE_CHECKING:
    from tests.conftest import Sim

AnyResource = Resource[Any]


@pytest.mark.parametrize(
    ("resource", "operation", "code"),
    [
        (FUNCTION, "CreateFunction", "InvalidParameterValueException"),
        (task_definition(), "RegisterTaskDefinition", "ClientException"),
        (FLOW_LOG, "CreateFlowLogs", "InvalidParameter"),
        (WRITER, "CreateDBInstance", "InvalidParameterValue"),
        (REPLICATION, "PutBucketReplication", "InvalidRequest"),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "kind", ""),
)
def test_what_assumes_a_new_role_is_made_as_soon_as_the_role_is_usable(
    sim: Sim, tmp_path: Path, resource: AnyResource, operation: str, code: str
) -> None:
    needs = in_order(resource)[:-1]
    with_role = [each for each in needs if any(isinstance(one, IamRole) for one in in_order(each))]
    with Trial(sim, tmp_path) as trial:
        trial.ensure(*(each for each in needs if each not in with_role), alone=True)
        sim.set_speed(1)
        trial.ensure(*with_role, alone=True)
        assert drive(sim, trial, resource) == "create"
    answers = [call["code"] for call in sim.calls(operation=operation)]
    assert len(answers) > 1
    assert answers == [*[code] * (len(answers) - 1), None]
    born = sim.calls(operation="CreateRole")[0]["time"]
    assert sim.calls(operation=operation)[-1]["time"] - born < 15, "asked again soon enough"


def drive(sim: Sim, trial: Trial, resource: AnyResource) -> str:
    """Ensure it; its pauses are jumps of simulated time, so that no second passes unseen."""
    procedure = ensure(trial.run, resource)
    while True:
        trial.run.clock = sim.clock
        try:
            pause = next(procedure)
        except StopIteration as end:
            return str(end.value)
        sim.advance(pause.seconds)


@pytest.mark.parametrize(
    ("code", "message", "meaning"),
    [
        (
            "InvalidParameterException",
            "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
            Meaning.NOT_YET,
        ),
        (
            "InvalidParameterException",
            "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service role "
            "being passed has the proper permissions.",
            Meaning.NOT_YET,
        ),
        (
            "ValidationException",
            "Unable to assume IAM role: arn:aws:iam::123456789012:role/aws-service-role/ecs.application-autoscaling."
            "amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
            Meaning.NOT_YET,
        ),
        (
            "InvalidParameterException",
            "You cannot specify an IAM role for services that require a service linked role.",
            Meaning.FATAL,
        ),
        ("ClientException", "No Fargate configuration exists for given values.", Meaning.FATAL),
        ("InvalidParameterValue", "Invalid promotion tier 16. Must be between 0 and 15.", Meaning.FATAL),
        ("InvalidRequest", "Destination bucket must have versioning enabled.", Meaning.FATAL),
        ("ValidationException", "Maximum capacity cannot be less than minimum capacity.", Meaning.FATAL),
    ],
)
def test_only_a_role_that_is_not_usable_yet_is_waited_for(code: str, message: str, meaning: Meaning) -> None:
    answer = ClientError({"Error": {"Code": code, "Message": message}}, "Create")
    assert classify(answer).meaning is meaning
