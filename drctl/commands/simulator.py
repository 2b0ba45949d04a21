"""``drctl sim``: the embedded simulator's own switches. Its results are cli.md's: running, pid, endpoint ..."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drctl.errors import Diagnostic, DrctlError, SettingsError
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


def outage(state_dir: Path, region: str) -> Result:
    """Take a region out, or with ``global`` the control planes of the services that have none."""
    try:
        return _as_result(client.begin_outage(client.status(state_dir), region))
    except client.SimulatorError as error:
        raise _failed(error) from error


def fault(state_dir: Path, kind: str, **wish: Any) -> Result:
    """Put a fault in force; what is None is not said. docs/simulator.md tells kinds and fields."""
    said = {name: value for name, value in wish.items() if value is not None}
    try:
        return {"fault": client.add_fault(client.status(state_dir), {"kind": kind, **said})}
    except client.SimulatorError as error:
        raise _failed(error) from error


def heal(state_dir: Path, region: str | None = None) -> Result:
    """Bring a region back; None: all, and no fault stays in force."""
    try:
        status = client.status(state_dir)
        return _as_result(client.end_outage(status, region) if region else client.heal(status))
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
        "outages": status.outages,
        "access_log": str(status.access_log),
    }


def _failed(error: client.SimulatorError) -> DrctlError:
    kind = SettingsError if isinstance(error, client.Rejected) else DrctlError
    return kind(Diagnostic("the simulator does not do that", cause=str(error)))
