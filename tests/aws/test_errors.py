"""What AWS's errors mean, above all when the SDK asks a second time for what was done: its first answer was lost."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from drctl.aws.errors import classify
from drctl.engine.trouble import Meaning

ASKED_TWICE = (
    ("UpdateTable", "ValidationException", "Replica specified in the Replica Update or Replica Delete action of the "
     "request was not found."),
    ("RemoveRegionsFromReplication", "InvalidParameterException", "Secret is not replicated to region us-west-2."),
    ("DeregisterTaskDefinition", "ClientException", "TaskDefinition is inactive"),
)  # fmt: skip


@pytest.mark.parametrize(("operation", "code", "message"), ASKED_TWICE)
def test_a_removal_that_was_done_already_is_done(operation: str, code: str, message: str) -> None:
    error = ClientError({"Error": {"Code": code, "Message": message}}, operation)
    assert classify(error).meaning is Meaning.GONE


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("KMSInternalException", 500, Meaning.LOST),
        ("InternalServerException", 503, Meaning.LOST),
        ("NotImplemented", 501, Meaning.FATAL),
        ("TooHasty", 429, Meaning.THROTTLED),
        ("ValidationError", 400, Meaning.FATAL),
    ],
)
def test_of_an_unknown_code_the_status_tells(code: str, status: int, meaning: Meaning) -> None:
    answer = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert classify(ClientError(answer, "CreateKey")).meaning is meaning  # type: ignore[arg-type]
