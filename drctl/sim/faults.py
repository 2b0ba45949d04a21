"""What goes wrong on the way to AWS: errors in place of answers, and answers that never arrive.

A fault is chosen by service, operation and region. The control planes of IAM, Route 53 and CloudFront
are us-east-1's, and fail with it: their calls already carry that region when they come here.
"""

from __future__ import annotations

import random
import threading
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

KINDS = ("error", "lost")


@dataclass
class Fault:
    """One thing that goes wrong.

    kind: ``error`` answers with an error and nothing is executed; ``lost`` executes the call on AWS
        and then drops the connection without an answer
    service, operation, region: what it applies to; shell patterns, ``*`` for any
    code, message, status: the error's
    probability: of each matching call being hit, 0 to 1, drawn from a generator seeded with ``seed``
    times: how many calls it hits before it is spent; None for ever
    skip: how many matching calls pass before the first may be hit
    """

    kind: str
    service: str = "*"
    operation: str = "*"
    region: str = "*"
    code: str = "InternalFailure"
    message: str = "The request processing has failed because of an unknown error."
    status: int = 500
    probability: float = 1.0
    times: int | None = None
    skip: int = 0
    seed: int = 0
    id: str = ""
    seen: int = 0
    hit: int = 0
    _random: random.Random = field(default_factory=random.Random, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be from 0 to 1, not {self.probability}")
        self._random.seed(self.seed)

    def strikes(self, service: str, operation: str, region: str) -> bool:
        """Whether this call is hit; counts it."""
        if not (
            fnmatchcase(service, self.service)
            and fnmatchcase(operation, self.operation)
            and fnmatchcase(region, self.region)
        ):
            return False
        if self.times is not None and self.hit >= self.times:
            return False
        self.seen += 1
        if self.seen <= self.skip or self._random.random() >= self.probability:
            return False
        self.hit += 1
        return True

    def as_json(self) -> dict[str, Any]:
        shown = asdict(self)
        del shown["_random"]
        return shown


SETTABLE = frozenset(item.name for item in fields(Fault)) - {"id", "seen", "hit", "_random"}


class Faults:
    """All faults in force. The first that strikes decides."""

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
            if id is None:
                self._faults.clear()
                return True
            return self._faults.pop(id, None) is not None

    def strike(self, service: str, operation: str, region: str) -> Fault | None:
        """The fault that hits this call, if any."""
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults.values():
                if fault.strikes(service, operation, region):
                    return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.as_json() for fault in self._faults.values()]
