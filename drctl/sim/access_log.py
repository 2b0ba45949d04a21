"""The record of every API call that reached the simulated AWS: one JSON object a line."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path

READS = re.compile(
    r"(Get|List|Describe|Head|BatchGet|BatchCheck|Query$|Scan$|Search|Lookup|Simulate|Test|Preview|Estimate"
    r"|Filter|Select|Check|Verify$|VerifyMac|Validate|Decode|TransactGetItems|AssumeRole|GenerateDataKey|GenerateRandom"
    r"|GenerateMac|Encrypt$|Decrypt$|ReEncrypt$|Sign$|StartQuery|StopQuery|StartLiveTail)"
)
"""Operations that leave nothing behind, or nothing but credentials that expire."""

FUNCTION = "function-"
"""What the access key of a deployed function begins with; its name follows."""


def is_mutating(operation: str) -> bool:
    """False for reads: for what may be repeated or left out without AWS being different afterwards."""
    return READS.match(operation) is None


class AccessLog:
    """Appends; whoever reads it reads the file.

    Every line holds ``time`` (simulated seconds since the epoch), ``service``, ``operation``, ``region``,
    ``status`` (HTTP), ``code`` (AWS's error code, null on success), ``mutating``, ``caller`` (the access key that
    signed it), ``acted`` (whether AWS carried it out, whatever the caller was told) and ``faults`` (the kinds that hit
    it on its way; not iam-delay and unseen, which hit what it makes).

    Of a call that nobody answered ``code`` says why: "RegionOut", "ServiceDown", "ResponseLost", "NoAnswer" (it was
    kept waiting), "ConnectionReset"; ``status`` is then what AWS wanted to answer, or 0 if it has not seen the call.
    A call that outlived its AWS, which was emptied or stopped meanwhile, has no line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def add(
        self,
        time: float,
        service: str,
        operation: str,
        region: str,
        status: int,
        code: str | None,
        caller: str = "",
        *,
        acted: bool,
        faults: Sequence[str] = (),
    ) -> bool:
        """Returns whether the operation is a mutating one."""
        mutating = is_mutating(operation)
        line = json.dumps(
            {
                "time": round(time, 3),
                "service": service,
                "operation": operation,
                "region": region,
                "status": status,
                "code": code,
                "mutating": mutating,
                "caller": caller,
                "acted": acted,
                "faults": list(faults),
            }
        )
        with self._lock:
            self._file.write(line + "\n")
        return mutating

    def clear(self) -> None:
        """Start over with an empty file."""
        with self._lock:
            self._file.truncate(0)

    def close(self) -> None:
        self._file.close()
