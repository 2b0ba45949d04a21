"""Objects that are written only on a condition, which S3 judges: one of several writers succeeds.

"How to prevent object overwrites with conditional writes" (S3 user guide): If-None-Match: * for what must not be there,
If-Match with the ETag for what must not have changed; 412 when it is otherwise, 404 when what was to match is gone, 409
when another write was under way, after which one asks again. Whoever writes puts something into the body that no other
write has: so a 412 to a request that the SDK had to send twice, because the first answer was lost, shows by what stands
there that it was our own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drctl.aws.errors import code_of, is_gone

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Real seconds before asking again: for a write that met another one, for what must be there and seems not to be."""

THREADS = 8
BATCH = 1000
"""Keys that one DeleteObjects takes."""


class Conflict(Exception):
    """Somebody else wrote it first; nothing was written."""


@dataclass(frozen=True)
class Stored:
    """An object as it stands. ``version``: its version id."""

    body: bytes
    etag: str
    version: str


class StateObjects:
    """The objects of a bucket. ``ours``: what every request names, the bucket and who must own it.

    Raises ClientError and BotoCoreError; of a bucket that is not there, every object is absent.
    """

    def __init__(self, s3: S3Client, ours: dict[str, Any]) -> None:
        self._s3, self._ours = s3, ours

    def get(self, key: str) -> Stored | None:
        """The object; None when it is not there."""
        try:
            found = self._s3.get_object(**self._ours, Key=key)
            return Stored(found["Body"].read(), found["ETag"], found.get("VersionId", "null"))
        except ClientError as error:
            if not _absent(error):
                raise
            return None

    def get_all(self, keys: Iterable[str]) -> list[Stored | None]:
        """Several at once, in their order."""
        with ThreadPoolExecutor(THREADS, thread_name_prefix="drctl-state") as threads:
            return list(threads.map(self.get, keys))

    def put(self, key: str, body: bytes, etag: str | None, sealed_with: str | None = None) -> Stored:
        """Write where ``etag`` stands, or with None where nothing does. Raises Conflict.

        sealed_with: a key of KMS; None: S3's own. It is said with every write: what is only a bucket's default may
        change, and reaches its writers some time later.
        """
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        condition |= _seal(sealed_with)
        for pause in (*PAUSES_S, None):
            try:
                made = self._s3.put_object(**self._ours, **condition, Key=key, Body=body)
                return Stored(body, made["ETag"], made.get("VersionId", "null"))
            except ClientError as error:
                code = code_of(error)
                if code == "ConditionalRequestConflict" and pause is not None:
                    time.sleep(pause)
                    continue
                if code not in ("PreconditionFailed", "412", "NoSuchKey"):
                    raise
                there = self.get(key)
                if there is not None and there.body == body:
                    return there
                raise Conflict(key) from error
        raise AssertionError("the last pause raises")

    def keys(self, prefix: str = "", after: str = "") -> list[str]:
        """The keys that begin with ``prefix`` and come after ``after``, in order."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            **self._ours, Prefix=prefix, StartAfter=after
        )
        try:
            return [found["Key"] for page in pages for found in page.get("Contents", [])]
        except ClientError as error:
            if not _absent(error):
                raise
            return []

    def hide(self, keys: Iterable[str]) -> None:
        """Delete them; the bucket keeps their versions for a while."""
        self._delete([{"Key": key} for key in keys])

    def versions(self) -> list[dict[str, str]]:
        """Everything there is: all versions and delete markers, as ``purge`` takes them."""
        pages = self._s3.get_paginator("list_object_versions").paginate(**self._ours)
        found = ((*page.get("Versions", []), *page.get("DeleteMarkers", [])) for page in pages)
        return [{"Key": e["Key"], "VersionId": e["VersionId"]} for each in found for e in each]

    def purge(self, versions: list[dict[str, str]]) -> None:
        """Delete these versions, and no others that their keys may have by now."""
        self._delete(versions)

    def _delete(self, objects: list[dict[str, str]]) -> None:
        for batch in _batches(objects):
            answer = self._s3.delete_objects(**self._ours, Delete={"Objects": batch, "Quiet": True})
            for error in answer.get("Errors", []):
                message = f"{error.get('Key')}: {error.get('Message')}"
                raise ClientError(
                    {"Error": {"Code": error.get("Code", ""), "Message": message}}, "DeleteObjects"
                )


def _batches(objects: list[dict[str, str]]) -> Iterator[Any]:
    for start in range(0, len(objects), BATCH):
        yield objects[start : start + BATCH]


def _seal(key: str | None) -> dict[str, Any]:
    if key is None:
        return {"ServerSideEncryption": "AES256"}
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key, "BucketKeyEnabled": True}


def _absent(error: ClientError) -> bool:
    return code_of(error) == "NoSuchKey" or is_gone(error)
