"""Invocations of Lambda functions that wait or are under way, and what CloudWatch hears of them.

Each function has one at a time: an invocation that is due while another waits or runs is throttled.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from moto.awslambda.utils import get_backend

from drctl.sim.gaps.cloudwatch_metrics import record
from drctl.sim.lifecycle.awslambda import CREATING
from drctl.sim.motion import outage
from drctl.sim.world import World

QUEUE = "functions.queue"
"""World's section: function -> its invocation: ``id``, ``event`` (JSON) and whether it has ``begun``."""

SETTINGS = "functions.settings"
"""World's section. ``cold_every``: after so many invocations a sandbox is given up; without it, sandboxes stay warm."""

Key = tuple[str, str, str]
"""Account, region and name of a function."""


@dataclass(frozen=True)
class Deployed:
    """A function as Lambda would run it. Two that are equal may share a sandbox.

    timeout: seconds; memory: MB; modified: when it was last made or changed
    """

    account: str
    region: str
    name: str
    arn: str
    handler: str
    timeout: float
    memory: int
    variables: dict[str, str]
    modified: str
    package: bytes = field(repr=False)

    @property
    def key(self) -> Key:
        return self.account, self.region, self.name


@dataclass(frozen=True)
class Invocation:
    """One that is to begin. ``event``: JSON."""

    id: str
    event: str
    function: Deployed


def set_up(world: World, wish: dict[str, Any]) -> dict[str, Any]:
    """Change how functions run: ``cold_every``, a whole number or None. Raises ValueError for anything else."""
    if wish.keys() != {"cold_every"}:
        raise ValueError("functions have the setting cold_every and no other")
    every = wish["cold_every"]
    if every is not None and (not isinstance(every, int) or every < 1):
        raise ValueError(f"cold_every must be a whole number from 1 on or null, not {every!r}")
    world.section(SETTINGS)["cold_every"] = every
    return dict(world.section(SETTINGS))


def key_of(arn: str) -> Key | None:
    """The function that an unqualified ARN names; None for anything else."""
    parts = arn.split(":")
    if len(parts) != 7 or parts[2] != "lambda" or parts[5] != "function":
        return None
    return parts[4], parts[3], parts[6]


def deployed(key: Key) -> Deployed | None:
    """A function as it is deployed now; None when there is none, or none made of a zip."""
    account, region, name = key
    for function in get_backend(account, region)._lambdas.latest():
        if function.function_name == name and function.code_bytes:
            return Deployed(
                *key,
                arn=function.function_arn,
                handler=str(function.handler),
                timeout=float(function.timeout),
                memory=int(function.memory_size),
                variables=dict(function.environment_vars),
                modified=function.last_modified,
                package=function.code_bytes,
            )
    return None


def ask(world: World, key: Key, event: Any) -> bool:
    """Queue an invocation; False: the function is not there or not yet active, or another invocation is (throttled)."""
    function = deployed(key)
    if function is None or world.status(CREATING, function.arn) is not None:
        return False
    queue = world.section(QUEUE)
    if key in queue:
        measure(world, key, Throttles=1)
        return False
    queue[key] = {"id": str(uuid.uuid4()), "event": json.dumps(event), "begun": False}
    return True


def begin(world: World) -> list[Invocation]:
    """Take everything that waits; what waits in a region that is out, or for a function that is gone, is dropped."""
    queue, begun = world.section(QUEUE), []
    for key, waiting in list(queue.items()):
        if waiting["begun"]:
            continue
        function = None if outage.is_out(world, key[1]) else deployed(key)
        if function is None:
            del queue[key]
            continue
        waiting["begun"] = True
        begun.append(Invocation(waiting["id"], waiting["event"], function))
    return begun


def end(world: World, invocation: Invocation, failed: bool, seconds: float) -> None:
    """Count an invocation that has ended; one that this world does not know was another world's."""
    key = invocation.function.key
    if world.section(QUEUE).get(key, {}).get("id") != invocation.id:
        return
    del world.section(QUEUE)[key]
    measure(world, key, Invocations=1, Errors=float(failed), Duration=seconds * 1000)


def forget_begun(world: World) -> None:
    """Drop what was under way when the simulator stopped: its process is gone."""
    queue = world.section(QUEUE)
    for key in [key for key, waiting in queue.items() if waiting["begun"]]:
        del queue[key]


def measure(world: World, key: Key, **metrics: float) -> None:
    """Developer guide, "Types of metrics for Lambda functions"; a region that is out publishes nothing."""
    account, region, name = key
    if outage.is_out(world, region):
        return
    for metric, value in metrics.items():
        record(world, (account, region), "AWS/Lambda", metric, {"FunctionName": name}, value)
