"""``drctl sim``: the embedded simulator's own switches. Its results are cli.md's: running, pid, endpoint ..."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drctl.errors import Diagnostic, DrctlError
from drctl.sim import client

Result = dict[str, Any]


def start(state_dir: Path, speed: float | None = None) -> Result:
    """Start it or find it."""
    try:
        return _as_result(client.start(state_dir, speed))
    except client.SimulatorError as error:
        raise _failed(error) from error


def stop(state_dir: Path) -> Result:
    """Stop it, saving what it holds."""
    try:
        return {"running": False, "was_running": client.stop(state_dir)}
    except client.SimulatorError as error:
        raise _failed(error) from error


def status(state_dir: Path) -> Result:
    """Whether and where it runs."""
    found = client.find(state_dir)
    return _as_result(found) if found else {"running": False}


def reset(state_dir: Path) -> Result:
    """Empty it."""
    try:
        return _as_result(client.reset(state_dir))
    except client.SimulatorError as error:
        raise _failed(error) from error


def _as_result(status: client.Status) -> Result:
    return {
        "running": status.running,
        "pid": status.pid,
        "endpoint": status.endpoint,
        "speed": status.speed,
        "now": status.now,
        "faults": status.faults,
        "access_log": str(status.access_log),
    }


def _failed(error: client.SimulatorError) -> DrctlError:
    return DrctlError(Diagnostic("the simulator does not do that", cause=str(error)))
