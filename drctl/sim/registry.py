"""Where the layers of the simulator register what they do to which operation.

Three things can be said about an operation, each in a file of its own layer:

- ``@rule``: AWS would refuse this. Runs before anything changes and may only raise Refused.
- ``@gap``: moto lacks it or does it wrongly; this answers instead. It may forward to moto.
- ``@after``: edits the answer (a status that takes time, a field moto forgets).

And ``@event``: something the world does later by itself, named so that a snapshot can hold it.
All of them run under the simulator's single lock, so none needs locking of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.world import World

Rule = Callable[[Call, World], None]
Gap = Callable[[Call, World, Moto], Answer]
After = Callable[[Call, World, Answer], None]
Event = Callable[[World, Moto, dict[str, Any]], None]

Key = tuple[str, str]
RULES: dict[Key, list[Rule]] = defaultdict(list)
GAPS: dict[Key, Gap] = {}
AFTERS: dict[Key, list[After]] = defaultdict(list)
EVENTS: dict[str, Event] = {}
SOURCES: dict[str, str] = {}
"""Rule name -> the AWS documentation page or error string it comes from."""


def rule(service: str, *operations: str, source: str) -> Callable[[Rule], Rule]:
    """Register a refusal. ``source`` is the AWS page or error text that shows AWS refuses too."""

    def register(function: Rule) -> Rule:
        SOURCES[f"{function.__module__}.{function.__name__}"] = source
        for operation in operations:
            RULES[service, operation].append(function)
        return function

    return register


def gap(service: str, *operations: str) -> Callable[[Gap], Gap]:
    """Register the answer to an operation; exactly one per operation."""

    def register(function: Gap) -> Gap:
        for operation in operations:
            if (service, operation) in GAPS:
                raise ValueError(f"{service} {operation} is already answered by {GAPS[service, operation]}")
            GAPS[service, operation] = function
        return function

    return register


def after(service: str, *operations: str) -> Callable[[After], After]:
    """Register an edit of the answer, whoever gave it."""

    def register(function: After) -> After:
        for operation in operations:
            AFTERS[service, operation].append(function)
        return function

    return register


def event(name: str) -> Callable[[Event], Event]:
    """Name what ``World.later`` may schedule."""

    def register(function: Event) -> Event:
        EVENTS[name] = function
        return function

    return register
