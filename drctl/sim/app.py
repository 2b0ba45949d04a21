"""The pipeline that every request to the simulated AWS goes through.

identify -> latency -> (one lock: faults -> due events -> rules -> gap or moto -> afters -> access log) -> faults
"""

from __future__ import annotations

import copy
import json
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from moto.core.request import Request

from drctl.sim import models, registry
from drctl.sim.access_log import AccessLog
from drctl.sim.call import Call, Refused
from drctl.sim.clock import SimClock
from drctl.sim.faults import DECISIVE, LATENCY, Fault, Faults
from drctl.sim.identify import Target, Unidentified, identify
from drctl.sim.motion import outage, pulse
from drctl.sim.moto_cloud import MotoCloud, NotInMoto
from drctl.sim.struck import DROPPED, Silence, struck
from drctl.sim.wire import Reply, read_answer, read_params, write_answer, write_error
from drctl.sim.world import World

GAP = "SimulatorGap"
FAULT = "SimulatorFault"
NOT_RETRIED = 501
"""The one status in the five hundreds that no retry mode of botocore sends again."""

NO_STATUS = 0
"""In the access log, of a call that AWS has not seen and nobody answered."""
LOOK_AGAIN = 0.02
"""Real seconds after which a call that is held up looks whether simulated time has jumped, or its world has ended."""

log = logging.getLogger(__name__)


class Simulator:
    """The simulated AWS. Thread-safe; what happens on it happens one call at a time."""

    def __init__(self, clock: SimClock, moto: MotoCloud, access_log: AccessLog) -> None:
        self.clock = clock
        self.moto = moto
        self.access_log = access_log
        self.faults = Faults()
        self.world = World(now=clock.now())
        self._set_motion()
        self.lock = threading.Lock()
        self.closed = False
        """The last snapshot is taken: calls are dropped."""
        self.mutations = 0
        self.internal_errors = 0

    def handle(self, environ: dict[str, Any], body: bytes) -> Reply | Silence:
        """Answer a request, or say how the connection is to be closed without an answer."""
        request = Request({**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        try:
            return self._handle(request, environ, body)
        except Unidentified as error:
            return self._without_model(request, GAP, f"the simulator cannot tell what is asked: {error}")
        except Exception as error:
            self.internal_errors += 1
            log.exception("%s %s", request.method, request.path)
            return self._without_model(request, FAULT, f"{type(error).__name__}: {error}")

    def _handle(self, request: Request, environ: dict[str, Any], body: bytes) -> Reply | Silence:
        target, world = identify(request), self.world
        latency = None
        if not outage.swallows(world, target.service, target.region):
            latency = self._struck(LATENCY, target)
        if latency is not None:
            self._let_pass(latency.seconds or 0, world)
        with self.lock:
            # An AWS that was stopped or emptied meanwhile is not the one this call was sent to, nor is its log.
            if self._has_ended(world):
                return DROPPED
            return self._at_aws(target, request, environ, body, latency)

    def _at_aws(
        self, target: Target, request: Request, environ: dict[str, Any], body: bytes, latency: Fault | None
    ) -> Reply | Silence:
        """What becomes of a call that has arrived, to the line in the log."""
        faults = [] if latency is None else [latency.kind]
        if outage.swallows(self.world, target.service, target.region):
            self._log(target, NO_STATUS, "RegionOut", acted=False, faults=faults)
            return DROPPED
        fault = self._struck(DECISIVE, target)
        answer: Reply | Silence = DROPPED
        status, code, acted = NO_STATUS, None, False
        if fault is None or fault.carries_out:
            answer, code = self._answer(target, request, environ, body)
            status, acted = answer.status, code is None
        if fault is not None:
            answer, code = struck(fault, target)
            status = answer.status if isinstance(answer, Reply) else status
            faults.append(fault.kind)
        self._log(target, status, code, acted, faults)
        return answer

    def _struck(self, kinds: Sequence[str], target: Target) -> Fault | None:
        return self.faults.strike(kinds, target.service, target.name, target.region, target.access_key)

    def _let_pass(self, seconds: float, world: World) -> None:
        """Hold up the caller's thread, and nobody else, for so many simulated seconds, or until this world ends."""
        until = self.clock.now() + seconds
        while (left := until - self.clock.now()) > 0 and not self._has_ended(world):
            time.sleep(min(left / self.clock.speed, LOOK_AGAIN))

    def _has_ended(self, world: World) -> bool:
        return self.closed or self.world is not world

    def tick(self) -> None:
        """Let happen what is due by now. Calls do so themselves; this is for the time between calls."""
        with self.lock:
            self._tick()

    @contextmanager
    def at_now(self) -> Iterator[World]:
        """The world as it is now, for whoever looks at it or acts in it beside the API; nothing happens meanwhile."""
        with self.lock:
            self._tick()
            yield self.world

    def advance(self, seconds: float) -> None:
        """Jump forward in simulated time, letting happen what comes due on the way. ValueError if backward."""
        with self.lock:
            self.clock.advance(seconds)
            self._tick()

    def restore(self, world: World, now: float) -> None:
        """Go on from a saved world, at the time it was saved."""
        self.clock.resume(now)
        self.world = world
        self._set_motion()

    def set_speed(self, seconds: float) -> None:
        """So many simulated seconds in a real one. Raises ValueError when it is no such number."""
        with self.lock:
            self.clock.set_speed(seconds)
            self._set_motion()

    def begin_outage(self, region: str) -> None:
        """Take a region out, or with ``global`` the control planes that have none."""
        with self.lock:
            self._tick()
            outage.begin(self.world, region)
            self.mutations += 1

    def end_outage(self, region: str | None) -> None:
        """Bring a region back; None: all."""
        with self.lock:
            self._tick()
            outage.end(self.world, region)
            self.mutations += 1

    def _set_motion(self) -> None:
        if self.clock.speed <= pulse.WATCHABLE:
            pulse.wake(self.world)
        else:
            pulse.rest(self.world)

    def reset(self) -> None:
        """An empty AWS, no faults, an empty access log. Time goes on."""
        with self.lock:
            self.moto.reset()
            self.world = World(now=self.clock.now())
            self._set_motion()
            self.faults.remove()
            self.internal_errors = 0
            self.mutations += 1
            self.access_log.clear()

    def _answer(
        self, target: Target, request: Request, environ: dict[str, Any], body: bytes
    ) -> tuple[Reply, str | None]:
        """The reply, and the error code in it if it is one."""
        self._tick()
        try:
            return self._through_layers(target, request, environ, body), None
        except _MotoRefused as error:
            return error.reply, error.code
        except Refused as refused:
            return write_error(target, refused), refused.code
        except NotInMoto as error:
            message = f"the simulator does not know {target.service} {target.name} ({error})"
            return self._hard_error(target, GAP, message), GAP
        except Exception as error:
            self.internal_errors += 1
            log.exception("%s %s in %s", target.service, target.name, target.region)
            message = (
                f"{target.service} {target.name}: {type(error).__name__}: {error} (see the simulator's log)"
            )
            return self._hard_error(target, FAULT, message), FAULT

    def _through_layers(
        self, target: Target, request: Request, environ: dict[str, Any], body: bytes
    ) -> Reply:
        key = (target.service, target.name)
        rules = registry.RULES.get(key, ())
        gap = registry.GAPS.get(key)
        afters = registry.AFTERS.get(key, ())
        if not rules and gap is None and not afters:
            return self._forward(target, environ, body)
        call = Call(
            target.service,
            target.name,
            target.region,
            self._account(request, target),
            read_params(target, request),
            self.world.now,
            partial(self._held_back, target),
        )
        for rule in rules:
            rule(call, self.world)
        if gap is not None:
            answer = gap(call, self.world, self.moto.call)
            if afters:
                answer = copy.deepcopy(answer)
        else:
            reply = self._forward(target, environ, body)
            if not afters:
                return reply
            answer = read_answer(target.operation, target.protocol, reply)
        for after in afters:
            after(call, self.world, answer)
        return write_answer(target, answer)

    def _forward(self, target: Target, environ: dict[str, Any], body: bytes) -> Reply:
        """moto's reply untouched; its errors are raised with their bytes."""
        reply = self.moto.forward(target.operation, environ, body)
        if reply.status >= 400:
            try:
                read_answer(target.operation, target.protocol, reply)
            except Refused as refused:
                raise _MotoRefused(refused.code, reply) from refused
        return reply

    def _tick(self) -> None:
        now = self.clock.now()
        while (due := self.world.due(now)) is not None:
            try:
                registry.EVENTS[due.event](self.world, self.moto.call, due.data)
            except Exception:
                # The thing may be gone by now, or the event be wrong: the call that woke it is not to blame.
                self.internal_errors += 1
                log.exception("event %s with %s", due.event, due.data)

    def _held_back(self, target: Target, kind: str) -> float | None:
        return self.faults.draw(kind, target.service, target.name, target.region, target.access_key)

    def _account(self, request: Request, target: Target) -> str:
        return request.headers.get("x-moto-account-id") or self.moto.account_of(target.access_key)

    def _hard_error(self, target: Target, code: str, message: str) -> Reply:
        return write_error(target, Refused(code, message, NOT_RETRIED))

    def _without_model(self, request: Request, code: str, message: str) -> Reply:
        """Without a model the protocol can only be guessed; every parser of botocore finds the code in this."""
        self.access_log.add(
            self.clock.now(), "unknown", request.path, "unknown", NOT_RETRIED, code, acted=False
        )
        if request.content_type and "form" in request.content_type:
            error = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
            body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
        else:
            body = json.dumps({"__type": code, "message": message})
        return Reply(NOT_RETRIED, [("x-amzn-ErrorType", code), ("Content-Type", "text/plain")], body.encode())

    def _log(self, target: Target, status: int, code: str | None, acted: bool, faults: Sequence[str]) -> None:
        mutating = self.access_log.add(
            self.clock.now(),
            target.service,
            target.name,
            target.region,
            status,
            code,
            target.access_key,
            acted=acted,
            faults=faults,
        )
        self.mutations += mutating


class _MotoRefused(Exception):
    """moto's own error, to be passed on as it is."""

    def __init__(self, code: str, reply: Reply) -> None:
        super().__init__(code)
        self.code = code
        self.reply = reply


def preload(simulator: Simulator, services: tuple[str, ...]) -> None:
    """Load what is slow to load, service by service, letting calls in between."""
    outage.regions()
    for service in services:
        models.service_model(service)
        with simulator.lock:
            simulator.moto.preload(service)
