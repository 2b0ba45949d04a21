"""Canaries: numbered writes to the data stores, which show afterwards what was lost.

Every write is an item, an object or a row of its own, so that nothing hides behind a later one; its number is in its
name and in its body. What a canary wrote begins with ``drctl-drill/<run>/`` and is removed by ``remove``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from drctl.aws.bucket_contents import versions_removed
from drctl.engine.clock import Clock
from drctl.probe.client import Client
from drctl.probe.outside import Unreachable
from drctl.probe.sample import Finding

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        WriteRequestOutputTypeDef,
        WriteRequestTypeDef,
    )
    from mypy_boto3_s3 import S3Client

UNRECORDED = 60
"""More writes than a killed process can have made without its journal knowing: it hears of them every half second, and
a probe has one write under way. Each costs a request when a resumed run removes what it wrote."""
READ_BATCH = 100
"""DynamoDB API, BatchGetItem: at most 100 items."""
WRITE_BATCH = 25
"""DynamoDB API, BatchWriteItem: at most 25 items."""
AT_ONCE = 8
"""Requests to the application at the same time."""
ATTEMPTS = 3
"""How often the application is asked to delete what it has not answered for: one answer of hundreds may be late."""


class Canary(Protocol):
    """What each of them can do."""

    def used(self) -> range:
        """Every number that may have been written."""
        ...

    def write(self) -> Finding:
        """The next number, in the region that writes. Raises when it was refused or nobody answered in time."""
        ...

    def arrived(self, region: str, among: Collection[int]) -> list[int]:
        """Which of these numbers the region holds, sorted. Raises when it does not say."""
        ...

    def remove(self) -> dict[str, str]:
        """Delete everything this run wrote, wherever that can be done now; region -> why it could not."""
        ...


class Numbers:
    """1, 2, 3 ... of one run. After a resume they go on beyond what the killed process may have used."""

    def __init__(self, after: int | None = None) -> None:
        """``after``: None for a new run, else the highest number its journal knows."""
        self.last = 0 if after is None else after + UNRECORDED

    def next(self) -> int:
        self.last += 1
        return self.last

    def used(self) -> range:
        """Every number that may have been written."""
        return range(1, self.last + 1)


def prefix(run: str) -> str:
    """What the name of everything begins with that a run's canaries write."""
    return f"drctl-drill/{run}/"


class TableCanary:
    """Writes items to a global table whose key is one string.

    The clients are the caller's, one a region: without retries, and as impatient as a probe has to be.
    """

    def __init__(
        self,
        clients: Mapping[str, DynamoDBClient],
        table: str,
        key: str,
        run: str,
        writer: Callable[[], str],
        clock: Clock,
        after: int | None = None,
    ) -> None:
        """key: the name of the key attribute; writer: the region that writes now; after: see Numbers."""
        self._clients, self._table, self._key = clients, table, key
        self._prefix, self._writer, self._clock = prefix(run), writer, clock
        self._numbers = Numbers(after)

    def used(self) -> range:
        """See Canary."""
        return self._numbers.used()

    def write(self) -> Finding:
        """See Canary. Raises ClientError or BotoCoreError."""
        region, number = self._writer(), self._numbers.next()
        body: dict[str, AttributeValueTypeDef] = {
            "sequence": {"N": str(number)},
            "region": {"S": region},
            "written_at": {"N": f"{self._clock.now():.3f}"},
        }
        self._clients[region].put_item(TableName=self._table, Item={**self._item(number), **body})
        return Finding(True, region, "written", number)

    def arrived(self, region: str, among: Collection[int]) -> list[int]:
        """See Canary. Asks for the items by name: a table of millions is not scanned. Raises like ``write``."""
        found = []
        for numbers in _batches(sorted(among), READ_BATCH):
            keys = [self._item(number) for number in numbers]
            while keys:
                answer = self._clients[region].batch_get_item(
                    RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
                )
                found += [int(item["sequence"]["N"]) for item in answer["Responses"].get(self._table, [])]
                # Never all of them: then DynamoDB raises, and the SDK slows down.
                keys = [dict(key) for key in answer["UnprocessedKeys"].get(self._table, {"Keys": []})["Keys"]]
        return sorted(found)

    def remove(self) -> dict[str, str]:
        """See Canary. In both regions, because what one cannot be told now it would bring back."""
        return _everywhere(self._clients, self._remove)

    def _remove(self, region: str) -> None:
        for numbers in _batches(self.used(), WRITE_BATCH):
            left: Mapping[str, Sequence[WriteRequestTypeDef | WriteRequestOutputTypeDef]] = {
                self._table: [{"DeleteRequest": {"Key": self._item(number)}} for number in numbers]
            }
            while left:
                left = self._clients[region].batch_write_item(RequestItems=left)["UnprocessedItems"]

    def _item(self, number: int) -> dict[str, AttributeValueTypeDef]:
        return {self._key: {"S": f"{self._prefix}{number:09d}"}}


class BucketCanary:
    """Writes objects to a pair of versioned buckets that replicate to each other. Clients as for TableCanary."""

    def __init__(
        self,
        clients: Mapping[str, S3Client],
        buckets: Mapping[str, str],
        run: str,
        writer: Callable[[], str],
        clock: Clock,
        after: int | None = None,
    ) -> None:
        """buckets: region -> name; the rest as for TableCanary."""
        self._clients, self._buckets = clients, buckets
        self._prefix, self._writer, self._clock = prefix(run), writer, clock
        self._numbers = Numbers(after)

    def used(self) -> range:
        """See Canary."""
        return self._numbers.used()

    def write(self) -> Finding:
        """See Canary. Raises ClientError or BotoCoreError."""
        region, number = self._writer(), self._numbers.next()
        body = {"sequence": number, "region": region, "written_at": round(self._clock.now(), 3)}
        self._clients[region].put_object(
            Bucket=self._buckets[region],
            Key=f"{self._prefix}{number:09d}",
            Body=json.dumps(body).encode(),
            ContentType="application/json",
        )
        return Finding(True, region, "written", number)

    def arrived(self, region: str, among: Collection[int]) -> list[int]:
        """See Canary. Raises like ``write``."""
        pages = (
            self._clients[region]
            .get_paginator("list_objects_v2")
            .paginate(Bucket=self._buckets[region], Prefix=self._prefix)
        )
        there = {int(each["Key"].rpartition("/")[2]) for page in pages for each in page.get("Contents", [])}
        return sorted(there.intersection(among))

    def remove(self) -> dict[str, str]:
        """See Canary. Every version and delete marker."""
        return _everywhere(self._clients, self._remove)

    def _remove(self, region: str) -> None:
        while not versions_removed(self._clients[region], self._buckets[region], self._prefix):
            pass


class DatabaseCanary:
    """Writes through the application, as its users do; each region's own application tells what its database has."""

    def __init__(
        self,
        client: Client,
        write_url: str,
        record_urls: Mapping[str, str],
        run: str,
        probe: str,
        clock: Clock,
        after: int | None = None,
    ) -> None:
        """write_url: with {id} in it, on the name the probe goes by
        record_urls: region -> the same on the region's own name: GET answers 200 or 404
        probe: ``write-name`` or ``write-distribution``, part of the id: both write to one database
        """
        self._client, self._write_url, self._record_urls = client, write_url, record_urls
        # An id is one part of a path, and an encoded slash in one is refused or decoded by much of the web.
        self._prefix = prefix(run).replace("/", "-") + probe
        self._clock, self._numbers = clock, Numbers(after)

    def used(self) -> range:
        """See Canary."""
        return self._numbers.used()

    def write(self) -> Finding:
        """See Canary. Raises Unreachable."""
        number = self._numbers.next()
        body = {"sequence": number, "written_at": round(self._clock.now(), 3)}
        return self._client.write(self._url(self._write_url, number), json.dumps(body).encode(), number)

    def arrived(self, region: str, among: Collection[int]) -> list[int]:
        """See Canary. Raises Unreachable, also when the application answers neither 200 nor 404."""
        numbers, url = sorted(among), self._record_urls[region]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            statuses = list(threads.map(lambda number: self._status("GET", url, number), numbers))
        for status in statuses:
            if status not in (200, 404):
                raise Unreachable(f"{url} answers {status}")
        return [number for number, status in zip(numbers, statuses, strict=True) if status == 200]

    def remove(self) -> dict[str, str]:
        """See Canary: DELETE on what was written, by the same name; an application may not offer it."""
        left: Sequence[int] = self.used()
        for _ in range(ATTEMPTS):
            with ThreadPoolExecutor(AT_ONCE) as threads:
                answers = dict(zip(left, threads.map(self._deleted, left), strict=True))
            left = [number for number, answer in answers.items() if isinstance(answer, Unreachable)]
            if not left:
                break
        refused = sorted(
            a for a in answers.values() if isinstance(a, int) and a != 404 and not 200 <= a < 300
        )
        if refused:
            return {"": f"DELETE answers {refused[0]}"}
        return {"": str(answers[left[0]])} if left else {}

    def _deleted(self, number: int) -> int | Unreachable:
        """The status of the answer, or why there was none."""
        try:
            return self._status("DELETE", self._write_url, number)
        except Unreachable as error:
            return error

    def _status(self, method: str, url: str, number: int) -> int:
        return self._client.fetch(method, self._url(url, number)).status

    def _url(self, template: str, number: int) -> str:
        return template.replace("{id}", f"{self._prefix}-{number}")


def _everywhere(regions: Iterable[str], remove: Callable[[str], None]) -> dict[str, str]:
    """Remove in each region; the regions that could not be reached, each with the reason."""
    failed = {}
    for region in regions:
        try:
            remove(region)
        except (ClientError, BotoCoreError) as error:
            failed[region] = str(error)
    return failed


def _batches(numbers: Iterable[int], size: int) -> Iterator[list[int]]:
    remaining = iter(numbers)
    while batch := list(islice(remaining, size)):
        yield batch
