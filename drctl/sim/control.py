"""The simulator's own API under ``/_sim/``: status, speed, advance, faults, outages, reset, stop. JSON in and out."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from drctl.sim.app import Simulator
from drctl.sim.motion import outage
from drctl.sim.wire import Reply

PREFIX = "/_sim/"

log = logging.getLogger(__name__)


class ControlApi:
    """None of its answers but those of reset and advance waits for an AWS call to end."""

    def __init__(
        self,
        simulator: Simulator,
        endpoint: str,
        stop: Callable[[], None],
        is_stopping: Callable[[], bool],
        facts: Mapping[str, Any],
    ) -> None:
        """facts: of the outlets, see drctl.sim.motion.outlets."""
        self.simulator = simulator
        self.endpoint = endpoint
        self._stop = stop
        self._is_stopping = is_stopping
        self._facts = facts

    def handle(self, method: str, path: str, body: bytes) -> Reply:
        try:
            wish = json.loads(body) if body else {}
            if not isinstance(wish, dict):
                raise ValueError("a JSON object is expected")
            return self._route(method, path.removeprefix(PREFIX).strip("/").split("/"), wish)
        except (ValueError, TypeError) as error:
            return _json(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    def _route(self, method: str, path: list[str], wish: dict[str, Any]) -> Reply:
        faults = self.simulator.faults
        match method, path:
            case "GET", ["status"]:
                return _json(HTTPStatus.OK, self.status())
            case "POST", ["speed"]:
                self.simulator.set_speed(float(wish["speed"]) if "speed" in wish else float("nan"))
                return _json(HTTPStatus.OK, self.status())
            case "POST", ["advance"]:
                self.simulator.advance(float(wish.get("seconds", 0)))
                return _json(HTTPStatus.OK, self.status())
            case "GET", ["faults"]:
                return _json(HTTPStatus.OK, {"faults": faults.as_json()})
            case "POST", ["faults"]:
                return _json(HTTPStatus.CREATED, faults.add(wish).as_json())
            case "DELETE", ["faults"]:
                faults.remove()
                return _json(HTTPStatus.OK, {"faults": []})
            case "DELETE", ["faults", id]:
                found = faults.remove(id)
                status = HTTPStatus.OK if found else HTTPStatus.NOT_FOUND
                return _json(status, {"faults": faults.as_json()})
            case "POST", ["outages", region]:
                self.simulator.begin_outage(region)
                return _json(HTTPStatus.OK, self.status())
            case "DELETE", ["outages", *regions]:
                self.simulator.end_outage(regions[0] if regions else None)
                return _json(HTTPStatus.OK, self.status())
            case "POST", ["reset"]:
                self.simulator.reset()
                return _json(HTTPStatus.OK, self.status())
            case "POST", ["stop"]:
                try:
                    self._stop()
                except Exception as error:
                    log.exception("stop")
                    return _json(
                        HTTPStatus.INTERNAL_SERVER_ERROR, {"error": f"its state could not be saved: {error}"}
                    )
                return _json(HTTPStatus.OK, {"running": False, "pid": os.getpid()})
        return _json(HTTPStatus.NOT_FOUND, {"error": f"no {method} {PREFIX}{'/'.join(path)}"})

    def status(self) -> dict[str, Any]:
        clock = self.simulator.clock
        return {
            "running": not self._is_stopping(),
            "pid": os.getpid(),
            "endpoint": self.endpoint,
            "speed": clock.speed,
            "now": clock.now(),
            "faults": self.simulator.faults.as_json(),
            "access_log": str(self.simulator.access_log.path),
            "internal_errors": self.simulator.internal_errors,
            "outages": outage.outages(self.simulator.world),
            **self._facts,
        }


def _json(status: int, value: dict[str, Any]) -> Reply:
    return Reply(int(status), [("Content-Type", "application/json")], json.dumps(value).encode())
