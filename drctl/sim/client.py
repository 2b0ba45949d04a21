"""Starts, finds and stops the simulator of a state directory. Standard library only: cheap to import."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

DEFAULT_SPEED = 60.0
START_TIMEOUT = 60.0
"""Real seconds. It takes one to three; a busy machine may need more."""
STOP_TIMEOUT = 120.0
REQUEST_TIMEOUT = 30.0
POLL_INTERVAL = 0.02
FOLLOW_EVERY = 0.5
"""Real seconds after which a clock that follows asks again."""


class SimulatorError(Exception):
    """The simulator cannot do what was asked; the message says why and what to do."""


class Rejected(SimulatorError):
    """What was asked for makes no sense: no such region, no such speed."""


@dataclass(frozen=True)
class Status:
    """A running simulator, as it described itself.

    speed: simulated seconds per real second; now: simulated seconds since the epoch
    access_log: a file of JSON lines, see drctl.sim.access_log
    internal_errors: failures of the simulator itself since its start or reset; their tracebacks are in its log
    outages: region -> since when it is out
    name_server: host and port of the DNS server that stands for every zone's name servers
    ports: a port of AWS's load balancers and edge -> the one that stands for it on their loopback addresses
    ca_bundle: the certificate authority of everything that speaks TLS there
    """

    pid: int
    endpoint: str
    speed: float
    now: float
    access_log: Path
    running: bool = True
    faults: list[dict[str, Any]] = field(default_factory=list)
    internal_errors: int = 0
    outages: dict[str, float] = field(default_factory=dict)
    name_server: tuple[str, int] | None = None
    ports: dict[int, int] = field(default_factory=dict)
    ca_bundle: Path | None = None
    read_at: float = 0.0
    """time.monotonic() of the moment ``now`` is for."""


class ScaledClock:
    """The simulator's time, from one reading of its status: no request for each look at the clock."""

    def __init__(self, status: Status) -> None:
        self.speed = status.speed
        self._origin = status.now
        self._read_at = status.read_at

    def now(self) -> float:
        """Simulated seconds since the epoch."""
        return self._origin + (time.monotonic() - self._read_at) * self.speed

    def real(self, seconds: float) -> float:
        """How many real seconds so many simulated ones take."""
        return seconds / self.speed


class FollowingClock:
    """The simulator's time for who looks on for long: somebody else may change its speed, or let its time jump."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._clock = ScaledClock(status)
        self._asked_at = status.read_at

    def now(self) -> float:
        """Simulated seconds since the epoch."""
        return self._latest().now()

    def real(self, seconds: float) -> float:
        """How many real seconds so many simulated ones take."""
        return self._latest().real(seconds)

    def _latest(self) -> ScaledClock:
        if time.monotonic() - self._asked_at > FOLLOW_EVERY:
            self._asked_at = time.monotonic()
            with suppress(SimulatorError):
                self._clock = ScaledClock(_status(self._status.endpoint))
        return self._clock


def start(
    state_dir: Path,
    speed: float | None = None,
    *,
    idle_stop: float | None = None,
    start_timeout: float = START_TIMEOUT,
) -> Status:
    """The simulator of this state directory, started if it does not run.

    speed: None leaves a running one as fast as it is. Two starts at once yield one simulator.
    Raises SimulatorError when it cannot start: the reason out of its log, and what to do.
    """
    folder = _folder(state_dir)
    folder.mkdir(parents=True, exist_ok=True)
    with _start_lock(folder):
        status = find(state_dir)
        if status is None:
            status = _spawn(state_dir, speed or DEFAULT_SPEED, idle_stop, start_timeout)
        elif speed is not None and status.speed != speed:
            status = set_speed(status, speed)
    return status


def find(state_dir: Path) -> Status | None:
    """The running simulator, or None. A leftover of one that died is not one."""
    known = _read_server_file(state_dir)
    if known is None or not _is_alive(int(known["pid"])):
        return None
    try:
        status = _status(str(known["endpoint"]))
    except (SimulatorError, KeyError):
        return None
    # Another program may have got the port, or the pid; and one that is leaving is no longer there.
    return status if status.running and status.pid == known["pid"] else None


def status(state_dir: Path) -> Status:
    """Like find. Raises SimulatorError when none is running."""
    found = find(state_dir)
    if found is None:
        raise SimulatorError(f"no simulator is running for {state_dir}: start it with `drctl sim start`")
    return found


def stop(state_dir: Path) -> bool:
    """Stop it, its state saved, and wait until it has gone. False when none was running.

    Raises SimulatorError when it does not go.
    """
    found = find(state_dir)
    if found is None:
        return False
    request(found, "POST", "stop")
    deadline = time.monotonic() + STOP_TIMEOUT
    while _is_alive(found.pid):
        if time.monotonic() > deadline:
            raise SimulatorError(f"the simulator (pid {found.pid}) does not stop: see {_log_file(state_dir)}")
        time.sleep(POLL_INTERVAL)
    return True


def reset(state_dir: Path) -> Status:
    """An empty AWS without faults. Raises SimulatorError when none is running."""
    found = status(state_dir)
    request(found, "POST", "reset")
    return _status(found.endpoint)


def refresh(status: Status) -> Status:
    """The same simulator, described anew. Raises SimulatorError when it does not answer."""
    return _status(status.endpoint)


def set_speed(status: Status, speed: float) -> Status:
    """From now on this many simulated seconds per real one. Raises SimulatorError when it is no such number."""
    request(status, "POST", "speed", {"speed": speed})
    return _status(status.endpoint)


def slow_down(status: Status, speed: float) -> Status:
    """For a while no faster than this, so that what is measured is true; ``speed_up`` ends it."""
    request(status, "POST", "slow", {"speed": speed})
    return _status(status.endpoint)


def speed_up(status: Status) -> Status:
    """As fast as it was before somebody slowed it down, perhaps a process that was killed."""
    request(status, "DELETE", "slow")
    return _status(status.endpoint)


def begin_outage(status: Status, region: str) -> Status:
    """Take a region out, or with ``global`` the control planes that are in none.

    Raises Rejected, with the names there are, when this is none of them.
    """
    request(status, "POST", f"outages/{quote(region, safe='')}")
    return _status(status.endpoint)


def end_outage(status: Status, region: str | None = None) -> Status:
    """Bring a region back; None: all. Raises Rejected as begin_outage does."""
    request(status, "DELETE", "outages" if region is None else f"outages/{quote(region, safe='')}")
    return _status(status.endpoint)


def add_fault(status: Status, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Put a fault in force: fields of drctl.sim.faults.Fault, ``kind`` at least. Returns all of them, with its ``id``.

    Raises Rejected, naming the field, when they make no sense.
    """
    return request(status, "POST", "faults", dict(wish))


def heal(status: Status) -> Status:
    """Take all faults away and bring all regions back."""
    request(status, "DELETE", "faults")
    return end_outage(status)


def lags(status: Status) -> dict[str, float]:
    """Simulated seconds that replication takes, by what is replicated: ``database``, ``table``, ``bucket``."""
    return {kind: float(seconds) for kind, seconds in request(status, "GET", "lag").items()}


def set_lags(status: Status, wanted: Mapping[str, float]) -> None:
    """Change some of ``lags`` for what is written from now on. Raises Rejected when it is no such lag."""
    request(status, "POST", "lag", dict(wanted))


def request(status: Status, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A call of the control API, ``/_sim/<path>``. Raises SimulatorError when it is refused or not answered."""
    return _request(status.endpoint, method, path, body)


def environment(status: Status) -> dict[str, str]:
    """What a child process needs in its environment for boto3 and the AWS CLI to talk to the simulator."""
    no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1"]))
    return {
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "AWS_ENDPOINT_URL": status.endpoint,
        "AWS_ACCESS_KEY_ID": "simulated",
        "AWS_SECRET_ACCESS_KEY": "simulated",
        "AWS_SESSION_TOKEN": "",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _spawn(state_dir: Path, speed: float, idle_stop: float | None, timeout: float) -> Status:
    if importlib.util.find_spec("moto") is None:
        raise SimulatorError("the simulator's packages are not installed: pip install 'drctl[sim]'")
    _server_file(state_dir).unlink(missing_ok=True)
    command = [sys.executable, "-m", "drctl.sim.server", "--state-dir", str(state_dir), "--speed", str(speed)]
    if idle_stop is not None:
        command += ["--idle-stop", str(idle_stop)]
    with _log_file(state_dir).open("ab") as log:
        log_start = log.tell()
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=_child_environment(),
        )
    deadline = time.monotonic() + timeout
    while True:
        found = find(state_dir)
        if found is not None:
            return found
        if child.poll() is not None:
            raise SimulatorError(f"the simulator did not start: {_log_since(state_dir, log_start)}")
        if time.monotonic() > deadline:
            child.send_signal(signal.SIGKILL)
            child.wait()
            said = _log_since(state_dir, log_start)
            raise SimulatorError(f"the simulator was not ready after {timeout:.0f} s: {said}")
        time.sleep(POLL_INTERVAL)


def _child_environment() -> dict[str, str]:
    """Ours without what would send the simulator's own look-ups to an AWS, or make moto read a profile."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _log_since(state_dir: Path, start: int) -> str:
    """The last thing it said, and where the rest is."""
    path = _log_file(state_dir)
    with path.open("rb") as log:
        log.seek(start)
        lines = log.read().decode(errors="replace").strip().splitlines()
    return f"{lines[-1] if lines else 'it said nothing'} (log: {path})"


def _status(endpoint: str) -> Status:
    before = time.monotonic()
    said = _request(endpoint, "GET", "status", None)
    after = time.monotonic()
    return Status(
        pid=int(said["pid"]),
        endpoint=str(said["endpoint"]),
        speed=float(said["speed"]),
        now=float(said["now"]),
        access_log=Path(said["access_log"]),
        running=bool(said["running"]),
        faults=list(said["faults"]),
        internal_errors=int(said["internal_errors"]),
        outages=dict(said["outages"]),
        name_server=(said["name_server"][0], int(said["name_server"][1]))
        if said.get("name_server")
        else None,
        ports={int(port): int(here) for port, here in said.get("ports", {}).items()},
        ca_bundle=Path(said["ca_bundle"]) if said.get("ca_bundle") else None,
        read_at=(before + after) / 2,
    )


def _request(endpoint: str, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    wish = urllib.request.Request(f"{endpoint}/_sim/{path}", data=data, method=method)  # noqa: S310
    try:
        # A proxy of the environment has no business on loopback.
        with _OPENER.open(wish, timeout=REQUEST_TIMEOUT) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.BAD_REQUEST:
            raise Rejected(_said(error)) from error
        raise SimulatorError(f"{method} {path}: {_said(error)}") from error
    except (OSError, ValueError) as error:
        raise SimulatorError(f"the simulator at {endpoint} does not answer: {error}") from error
    if not isinstance(answer, dict):
        raise SimulatorError(f"what answers at {endpoint} is no simulator")
    return answer


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code}"


@contextmanager
def _start_lock(folder: Path) -> Iterator[None]:
    with (folder / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read_server_file(state_dir: Path) -> dict[str, Any] | None:
    try:
        known = json.loads(_server_file(state_dir).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return known if isinstance(known, dict) and {"pid", "endpoint"} <= known.keys() else None


def _is_alive(pid: int) -> bool:
    # A child of ours that has ended stays a zombie until it is waited for.
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _folder(state_dir: Path) -> Path:
    return state_dir / "sim"


def _server_file(state_dir: Path) -> Path:
    return _folder(state_dir) / "server.json"


def _log_file(state_dir: Path) -> Path:
    return _folder(state_dir) / "server.log"
