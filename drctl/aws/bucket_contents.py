"""Emptying a bucket: objects, their old versions, delete markers and unfinished uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAGES = 20
"""Pages of a thousand versions taken in one go, so that nobody waits for a million of them at a stretch."""


def emptied(s3: S3Client, bucket: str) -> bool:
    """Remove up to PAGES pages; whether nothing is left. Raises ClientError, also for a single object's refusal."""
    if not versions_removed(s3, bucket):
        return False
    _abort_uploads(s3, bucket)
    return True


def versions_removed(s3: S3Client, bucket: str, prefix: str = "") -> bool:
    """The same for what begins with ``prefix``; unfinished uploads stay.

    Each page is listed from the start: the markers of a listing are versions that have just been deleted.
    """
    for _ in range(PAGES):
        page = s3.list_object_versions(Bucket=bucket, Prefix=prefix)
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not versions:
            return True
        answer = s3.delete_objects(
            Bucket=bucket,
            Delete={
                "Objects": [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions],
                "Quiet": True,
            },
        )
        for error in answer.get("Errors", []):
            message = f"{error.get('Key')}: {error.get('Message')}"
            raise ClientError({"Error": {"Code": error.get("Code", ""), "Message": message}}, "DeleteObjects")
    return False


def _abort_uploads(s3: S3Client, bucket: str) -> None:
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
