"""The simulator's own API under ``/_sim/``: status, speed, advance, faults, outages, lag, functions, rows, reset, stop.

JSON in and out. ``rows`` stands for a database client: there is no MySQL behind a simulated cluster.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from drctl.sim.app import Simulator
from drctl.sim.motion import database, invocations, outage, replication
from drctl.sim.wire import Reply

PREFIX = "/_sim/"

log = logging.getLogger(__name__)


class ControlApi:
    """Its answers to status and faults do not wait for an AWS call to end."""

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
        self._usual_speed: float | None = None
        """What was slowed down for a while; a client that is killed meanwhile leaves it for the next to restore."""

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
                self._usual_speed = None
                return _json(HTTPStatus.OK, self.status())
            case "POST", ["slow"]:
                self._slow_down(float(wish.get("speed", "nan")))
                return _json(HTTPStatus.OK, self.status())
            case "DELETE", ["slow"]:
                if self._usual_speed is not None:
                    self.simulator.set_speed(self._usual_speed)
                    self._usual_speed = None
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
            case "GET", ["lag"]:
                with self.simulator.at_now() as world:
                    return _json(HTTPStatus.OK, replication.lags(world))
            case "POST", ["lag"]:
                with self.simulator.at_now() as world:
                    replication.set_lags(world, wish)
                    return _json(HTTPStatus.OK, replication.lags(world))
            case "POST", ["functions"]:
                with self.simulator.at_now() as world:
                    return _json(HTTPStatus.OK, invocations.set_up(world, wish))
            case "PUT", ["rows", region, cluster, key]:
                return self._write_row(region, cluster, key, str(wish["value"]) if "value" in wish else "")
            case "GET", ["rows", region, cluster, key]:
                return self._read_row(region, cluster, key)
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

    def _write_row(self, region: str, cluster: str, key: str, value: str) -> Reply:
        """Commit a row, in the account of whoever has no key of its own."""
        with self.simulator.at_now() as world:
            try:
                row = database.write(world, self.simulator.moto.account_of(""), region, cluster, key, value)
            except database.NotWritable as error:
                return _json(HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(error)})
        return _json(HTTPStatus.OK, {"value": row.value, "written_at": row.written_at})

    def _read_row(self, region: str, cluster: str, key: str) -> Reply:
        """A row as this region's cluster has it."""
        with self.simulator.at_now() as world:
            try:
                row = database.read(world, self.simulator.moto.account_of(""), region, cluster, key)
            except database.NotReadable as error:
                return _json(HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(error)})
        if row is None:
            return _json(HTTPStatus.NOT_FOUND, {"error": f"{cluster} in {region} has no row {key}"})
        return _json(HTTPStatus.OK, {"value": row.value, "written_at": row.written_at})

    def _slow_down(self, speed: float) -> None:
        """No faster than this for a while; what is slower already stays."""
        before = self.simulator.clock.speed
        if not speed >= before:
            self.simulator.set_speed(speed)
            self._usual_speed = self._usual_speed or before

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
