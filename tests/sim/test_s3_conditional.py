"""Conditional writes of the simulated S3: "How to prevent object overwrites with conditional writes", user guide."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Sim

BUCKET = "conditional-writes"


@pytest.fixture(params=["Enabled", "Suspended"])
def s3(sim: Sim, request: pytest.FixtureRequest) -> Any:
    made = sim.client("s3")
    made.create_bucket(Bucket=BUCKET)
    made.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": request.param})
    return made


def put(s3: Any, body: str, **condition: str) -> str:
    return str(s3.put_object(Bucket=BUCKET, Key="a", Body=body.encode(), **condition)["ETag"])


def refused(s3: Any, body: str, **condition: str) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        put(s3, body, **condition)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def content(s3: Any) -> bytes:
    return bytes(s3.get_object(Bucket=BUCKET, Key="a")["Body"].read())


def test_what_must_not_be_there_is_written_once(s3: Any) -> None:
    put(s3, "first", IfNoneMatch="*")
    assert refused(s3, "second", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert content(s3) == b"first"


def test_what_must_not_have_changed_is_written_by_its_etag(s3: Any) -> None:
    first = put(s3, "first")
    second = put(s3, "second", IfMatch=first)
    assert second != first
    assert refused(s3, "third", IfMatch=first) == ("PreconditionFailed", 412)
    assert content(s3) == b"second"
    assert s3.head_object(Bucket=BUCKET, Key="a")["ETag"] == second


def test_what_is_to_match_and_is_not_there_is_not_found(s3: Any) -> None:
    assert refused(s3, "first", IfMatch='"0"') == ("NoSuchKey", 404)


def test_what_was_deleted_is_not_there_although_its_versions_are(s3: Any) -> None:
    etag = put(s3, "first")
    s3.delete_object(Bucket=BUCKET, Key="a")
    assert refused(s3, "second", IfMatch=etag) == ("NoSuchKey", 404)
    put(s3, "second", IfNoneMatch="*")
    assert content(s3) == b"second"


def test_of_many_that_write_at_once_one_succeeds(s3: Any) -> None:
    def attempt(number: int) -> bool:
        try:
            put(s3, str(number), IfNoneMatch="*")
        except ClientError as error:
            assert error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(8))) == 1
