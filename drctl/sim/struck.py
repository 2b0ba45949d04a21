"""What becomes of a call that a fault hits: its answer, or the silence in place of one, and what the log calls it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from drctl.sim.call import Refused
from drctl.sim.faults import Fault
from drctl.sim.identify import Target
from drctl.sim.throttling import throttled
from drctl.sim.wire import Reply, write_error


@dataclass(frozen=True)
class Silence:
    """No answer: the connection is closed.

    held: real seconds for which it is kept open before that, unless the client hangs up or ``over`` is set
    reset: it is closed with a reset (RST) in place of an end
    """

    held: float = 0.0
    reset: bool = False
    over: threading.Event = field(default_factory=threading.Event)


DROPPED = Silence()

LOGGED = {"lost": "ResponseLost", "hang": "NoAnswer", "reset": "ConnectionReset", "down": "ServiceDown"}
"""Kind -> what stands as ``code`` in the access log, where no error of AWS does."""


def struck(fault: Fault, target: Target) -> tuple[Reply | Silence, str]:
    """What the client gets, and the code for the log."""
    match fault.kind:
        case "error" | "throttle":
            refused = throttled(target) if fault.kind == "throttle" else _error(fault)
            return write_error(target, refused), refused.code
        case "hang":
            return Silence(held=fault.seconds or 0, over=fault.over), LOGGED[fault.kind]
        case "reset":
            return Silence(reset=True), LOGGED[fault.kind]
    return DROPPED, LOGGED[fault.kind]


def _error(fault: Fault) -> Refused:
    return Refused(fault.code or "", fault.message or "", fault.status or 500)
