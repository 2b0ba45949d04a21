"""What goes wrong on the way to AWS, on the way back, and in what AWS lets others see of it.

A fault is chosen by service, operation and region. The control planes of IAM, Route 53 and CloudFront
are us-east-1's, and fail with it: their calls already carry that region when they come here. What a call is
answered with that a fault hits is told in drctl.sim.struck.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from math import isfinite
from typing import Any

NEEDED = object()

KINDS: dict[str, dict[str, Any]] = {
    "error": {
        "code": "InternalFailure",
        "message": "The request processing has failed because of an unknown error.",
        "status": 500,
        "acts": False,
    },
    "throttle": {},
    "lost": {},
    "latency": {"seconds": NEEDED},
    "hang": {"seconds": NEEDED, "acts": False},
    "reset": {"acts": False},
    "down": {},
    "iam-delay": {"seconds": NEEDED},
    "unseen": {"seconds": NEEDED},
}
"""Kind -> the fields that not every kind has, each with what it is when nothing is said."""

LATENCY = ("latency",)
DECISIVE = ("error", "throttle", "lost", "hang", "reset", "down")
"""Of these a call suffers one; a latency holds it up beforehand."""

MEANT_FOR = {"iam-delay": ("iam", "us-east-1"), "unseen": ("ec2", None)}
"""Kind -> the only service, and its region, that it does anything to."""


@dataclass
class Fault:
    """One thing that goes wrong. Every field has a meaning of its own, and not every kind has it: see KINDS.

    kind: ``error``, answered with an error; ``throttle``, refused with the service's own throttling error; ``lost``,
        executed, and then the connection is dropped without an answer; ``latency``, executed ``seconds`` simulated
        seconds after it arrived, whether or not its client still waits; ``hang``, no answer for ``seconds`` **real**
        seconds (a client's timeout is real) or until the client hangs up; ``reset``, the connection is reset;
        ``down``, the connection is closed at once; ``iam-delay`` and ``unseen``: what a call of IAM or EC2 makes stays
        unusable, or out of sight, for something between nothing and ``seconds`` simulated seconds
    service, operation, region, caller: what it applies to; shell patterns, ``*`` for any. The caller is the access key
        that signed the call: see drctl.sim.access_log
    code, message, status: the error's
    acts: whether AWS carries the call out before that happens
    probability: of each matching call being hit, 0 to 1, drawn from a generator seeded with ``seed``
    times: how many calls it hits before it is spent; None for ever
    skip: how many matching calls pass before the first may be hit
    """

    kind: str
    service: str = "*"
    operation: str = "*"
    region: str = "*"
    caller: str = "*"
    code: str | None = None
    message: str | None = None
    status: int | None = None
    acts: bool | None = None
    seconds: float | None = None
    probability: float = 1.0
    times: int | None = None
    skip: int = 0
    seed: int = 0
    id: str = ""
    seen: int = 0
    hit: int = 0
    over: threading.Event = field(default_factory=threading.Event, repr=False)
    """Set when it has been taken away."""
    _random: random.Random = field(default_factory=random.Random, repr=False)

    def __post_init__(self) -> None:
        """Raises ValueError, which names the field, on a value that makes no sense or means nothing to this kind."""
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        self._fill(KINDS[self.kind])
        self._check()
        self._random.seed(self.seed)

    def _fill(self, own: dict[str, Any]) -> None:
        for name in ("code", "message", "status", "acts", "seconds"):
            if getattr(self, name) is None:
                if own.get(name) is NEEDED:
                    raise ValueError(f"{self.kind} needs {name}")
                setattr(self, name, own.get(name))
            elif name not in own:
                raise ValueError(f"{self.kind} has no {name}")

    def _check(self) -> None:
        for name in ("service", "operation", "region", "caller"):
            _require(self, name, isinstance(getattr(self, name), str) and getattr(self, name), "a pattern")
        for name in ("code", "message"):
            _require(self, name, isinstance(getattr(self, name), str | None), "a text")
        _require(self, "code", self.code != "", "a code")
        _require(self, "acts", isinstance(self.acts, bool | None), "true or false")
        _require(
            self,
            "status",
            self.status is None or (_is_whole(self.status) and 300 <= self.status <= 599),
            "a whole number from 300 to 599",
        )
        _require(self, "seconds", self.seconds is None or _is_number(self.seconds, float("inf")), "0 or more")
        _require(self, "probability", _is_number(self.probability, 1), "from 0 to 1")
        _require(self, "times", self.times is None or (_is_whole(self.times) and self.times > 0), "1 or more")
        _require(self, "skip", _is_whole(self.skip) and self.skip >= 0, "0 or more")
        _require(self, "seed", _is_whole(self.seed), "a whole number")
        for name, only in zip(("service", "region"), MEANT_FOR.get(self.kind, ()), strict=False):
            matches = only is None or fnmatchcase(only, getattr(self, name))
            _require(self, name, matches, f"{only} for {self.kind}, or a pattern of it")

    @property
    def carries_out(self) -> bool:
        """Whether AWS executes a call that this one hits."""
        return bool(self.acts) or self.kind == "lost"

    def strikes(self, service: str, operation: str, region: str, caller: str = "") -> bool:
        """Whether this call is hit; counts it."""
        if not (
            fnmatchcase(service, self.service)
            and fnmatchcase(operation, self.operation)
            and fnmatchcase(region, self.region)
            and fnmatchcase(caller, self.caller)
        ):
            return False
        if self.times is not None and self.hit >= self.times:
            return False
        self.seen += 1
        if self.seen <= self.skip or self._random.random() >= self.probability:
            return False
        self.hit += 1
        return True

    def draw(self) -> float:
        """Something between nothing and ``seconds``."""
        return self._random.uniform(0, self.seconds or 0)

    def as_json(self) -> dict[str, Any]:
        """Every field; null where the kind has none."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name not in _INNER}


_INNER = frozenset({"over", "_random"})
SETTABLE = frozenset(item.name for item in fields(Fault)) - {"id", "seen", "hit", *_INNER}


def _require(fault: Fault, name: str, right: object, wanted: str) -> None:
    if not right:
        raise ValueError(f"{name} must be {wanted}, not {getattr(fault, name)!r}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object, most: float) -> bool:
    """From 0 to ``most``, and finite."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and isfinite(value)
        and 0 <= value <= most
    )


class Faults:
    """All faults in force. They are not saved: a simulator that was stopped begins without any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}
        self._last_id = 0

    def add(self, wish: dict[str, Any]) -> Fault:
        """Raises ValueError on a field or value that a fault does not have."""
        unknown = set(wish) - SETTABLE
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        if "kind" not in wish:
            raise ValueError(f"kind is missing: one of {', '.join(KINDS)}")
        fault = Fault(**wish)
        with self._lock:
            self._last_id += 1
            fault.id = str(self._last_id)
            self._faults[fault.id] = fault
        return fault

    def remove(self, id: str | None = None) -> bool:
        """Take one fault away, or all of them. False when there is no such fault."""
        with self._lock:
            gone = [each for each in self._faults if id in (None, each)]
            for each in gone:
                self._faults.pop(each).over.set()
            return bool(gone) or id is None

    def strike(
        self, kinds: Collection[str], service: str, operation: str, region: str, caller: str
    ) -> Fault | None:
        """The first fault of these kinds that hits this call, if any."""
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults.values():
                if fault.kind in kinds and fault.strikes(service, operation, region, caller):
                    return fault
        return None

    def draw(self, kind: str, service: str, operation: str, region: str, caller: str) -> float | None:
        """How many simulated seconds a fault of this kind costs what this call makes; None: there is none."""
        fault = self.strike((kind,), service, operation, region, caller)
        if fault is None:
            return None
        with self._lock:
            return fault.draw()

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.as_json() for fault in self._faults.values()]
