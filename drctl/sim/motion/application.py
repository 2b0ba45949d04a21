"""The stand-in for the operator's image: a small application with sessions in its table and records in its database.

    GET    /...                  200, a health path included
    GET    /sessions             how many of the first ten sessions this region's table holds
    PUT    /api/sessions/{id}    writes the record, then the session; the body is the value
    GET    /api/sessions/{id}    the session as this region's table has it; also at /sessions/{id}
    DELETE /api/sessions/{id}    removes the session
    GET    /api/records/{id}     the record as this region's cluster has it

What it uses follows from the variables of its task definition: of ``TABLES`` the first is for sessions, and the Aurora
cluster is ``<DRCTL_ENVIRONMENT>-<DRCTL_ROLE>``; where there is none, it keeps sessions only. Every answer says in
``X-Region`` and in its JSON which region gave it; times are simulated seconds since the epoch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import unquote

from moto.ecs.models import ecs_backends

from drctl.sim.call import Call, Moto, Refused
from drctl.sim.gaps.dynamodb_replication import typed
from drctl.sim.lifecycle import rds
from drctl.sim.lifecycle.dynamodb import find_table, status
from drctl.sim.lifecycle.ecs_service import services
from drctl.sim.motion import database
from drctl.sim.motion.http import READING, Request, Response, as_json
from drctl.sim.motion.own_call import perform
from drctl.sim.world import World

LONGEST_KEY, LONGEST_VALUE = 2048, 350_000
"""Bytes. DynamoDB takes a key of 2048 and an item of 400 KB (developer guide, "Quotas and limits")."""


class Unavailable(Exception):
    """Something the application needs does not work; the message goes to whoever asked."""


@dataclass(frozen=True)
class _Task:
    """One running task and what it can reach."""

    world: World
    moto: Moto
    account: str
    region: str
    environment: dict[str, str]

    @property
    def table(self) -> str:
        name = self.environment.get("TABLES", "").split(",")[0]
        found = find_table(self.account, self.region, name) if name else None
        if found is None or status(self.world, found.table_arn) in ("CREATING", "DELETING"):
            raise Unavailable(f"the table {name or 'for sessions'} is not there in {self.region}")
        return name

    @property
    def cluster(self) -> str | None:
        """The identifier of this region's cluster; None without a database."""
        environment, role = self.environment.get("DRCTL_ENVIRONMENT"), self.environment.get("DRCTL_ROLE")
        if not environment or not role:
            return None
        identifier = f"{environment}-{role}"
        arn = rds.arn(self.account, self.region, "cluster", identifier)
        return identifier if rds.find_cluster(self.account, self.region, arn) is not None else None

    def call(self, operation: str, **params: Any) -> None:
        try:
            perform(
                Call("dynamodb", operation, self.region, self.account, params, self.world.now),
                self.world,
                self.moto,
            )
        except Refused as refused:
            raise Unavailable(f"dynamodb {operation}: {refused}") from refused

    def say(self, status: int, **more: object) -> Response:
        return as_json(status, {"region": self.region, **more}, {"X-Region": self.region})


def answer(
    world: World, moto: Moto, account: str, region: str, target_group: str, address: str, request: Request
) -> Response:
    """What the task at an address behind a target group answers."""
    task = _Task(world, moto, account, region, _environment(world, target_group, address))
    try:
        return _route(task, request)
    except Unavailable as error:
        return task.say(503, error=str(error))


def _route(task: _Task, request: Request) -> Response:
    match request.method, [unquote(part) for part in request.route.strip("/").split("/")]:
        case "PUT", ["api", "sessions", key]:
            return _put_session(task, key, request.body)
        case "DELETE", ["api", "sessions", key]:
            name = task.table
            task.call("DeleteItem", TableName=name, Key={_hash_key(task, name): {"S": key}})
            return task.say(200, id=key)
        case "GET" | "HEAD", ["sessions"]:
            return _list_sessions(task)
        case "GET" | "HEAD", ["api", "sessions", key] | ["sessions", key]:
            return _get_session(task, key)
        case "GET" | "HEAD", ["api", "records", key]:
            return _get_record(task, key)
    if request.method in READING:
        return task.say(200, path=request.route)
    return task.say(405, error=f"{request.method} {request.route} is nothing this application does")


def _put_session(task: _Task, key: str, body: bytes) -> Response:
    """All or nothing: the table is looked at before the database, whose commit decides, is written."""
    name, cluster = task.table, task.cluster
    if not 0 < len(key.encode()) <= LONGEST_KEY or len(body) > LONGEST_VALUE:
        return task.say(413, error="the id or the body is too long")
    try:
        value = body.decode()
    except UnicodeDecodeError:
        return task.say(400, error="the body is not UTF-8")
    if cluster is not None:
        try:
            database.write(task.world, task.account, task.region, cluster, key, value)
        except database.NotWritable as error:
            raise Unavailable(str(error)) from error
    item = {
        _hash_key(task, name): {"S": key},
        "body": {"S": value},
        "region": {"S": task.region},
        "written_at": {"N": repr(round(task.world.now, 6))},
    }
    task.call("PutItem", TableName=name, Item=item)
    return task.say(200, id=key, written_at=task.world.now)


def _list_sessions(task: _Task) -> Response:
    table = find_table(task.account, task.region, task.table)
    assert table is not None
    return task.say(200, sessions=len(list(islice(table.all_items(), 10))))


def _get_session(task: _Task, key: str) -> Response:
    table = find_table(task.account, task.region, task.table)
    assert table is not None
    found = table.get_item(*typed(table, {table.hash_key_attr: {"S": key}}))
    if found is None:
        return task.say(404, error=f"there is no session {key}")
    held = found.to_json()["Attributes"]
    text = held.get("body", {}).get("S", "")
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    return task.say(
        200,
        id=key,
        body=body,
        written_in=held.get("region", {}).get("S"),
        written_at=float(held.get("written_at", {}).get("N", 0)),
    )


def _get_record(task: _Task, key: str) -> Response:
    cluster = task.cluster
    if cluster is None:
        raise Unavailable(f"there is no database in {task.region}")
    try:
        row = database.read(task.world, task.account, task.region, cluster, key)
    except database.NotReadable as error:
        raise Unavailable(str(error)) from error
    if row is None:
        return task.say(404, error=f"there is no record {key}")
    return task.say(200, id=key, value=row.value, written_at=row.written_at)


def _hash_key(task: _Task, name: str) -> str:
    return str(find_table(task.account, task.region, name).table_key_attrs[0])  # type: ignore[union-attr]


def _environment(world: World, target_group: str, address: str) -> dict[str, str]:
    """The variables of the task's containers; none for a target that no ECS service has registered."""
    for service in services(world).values():
        if not any(held["targetGroupArn"] == target_group for held in service.get("loadBalancers", [])):
            continue
        for task in service["tasks"].values():
            if task["address"] == address:
                backend = ecs_backends[service["account"]][service["region"]]
                return _variables(backend, task["taskDefinition"])
    return {}


def _variables(backend: Any, definition: str) -> dict[str, str]:
    """A revision that was deregistered still runs."""
    family, _, revision = definition.rsplit("/", 1)[1].partition(":")
    found = backend.task_definitions.get(family, {}).get(int(revision))
    containers = found.container_definitions if found is not None else []
    return {
        variable["name"]: variable["value"]
        for container in containers
        for variable in container.get("environment", [])
    }
