"""The simulator as people read it: where it runs, which regions are out, which faults are in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drctl.view import text
from drctl.view.text import Line

FAULTS = ("faults", "fault")


def shown(result: Mapping[str, Any]) -> list[Line]:
    """A result of commands/simulator.py."""
    simple = {name: value for name, value in result.items() if name not in FAULTS}
    if "outages" in simple:
        simple["outages"] = ", ".join(simple["outages"]) or "none"
    faults = [result["fault"]] if "fault" in result else result.get("faults", [])
    if faults == [] and "faults" in result:
        simple["faults"] = "none"
    return [*text.pairs(simple), *(_fault(fault) for fault in faults)]


def _fault(fault: Mapping[str, Any]) -> Line:
    """``fault 3: error InternalFailure 500 after acting on ec2, CreateVpc, any region, times 2, seen 1, hit 1``."""
    return [
        (f"fault {fault['id']}", "bold"),
        (f": {_what(fault)} on {_where(fault)}{_when(fault)}", ""),
        (f", seen {fault['seen']}, hit {fault['hit']}", "dim"),
    ]


def _what(fault: Mapping[str, Any]) -> str:
    real = "real " if fault["kind"] == "hang" else ""
    parts = [
        fault["kind"],
        fault["code"],
        fault["status"],
        None if fault["seconds"] is None else f"{fault['seconds']:g} {real}s",
        "after acting" if fault["acts"] else None,
    ]
    return " ".join(str(part) for part in parts if part is not None)


def _where(fault: Mapping[str, Any]) -> str:
    service, operation, region = (
        f"any {name}" if fault[name] == "*" else fault[name] for name in ("service", "operation", "region")
    )
    return f"{service}, {operation}, {region}"


def _when(fault: Mapping[str, Any]) -> str:
    parts = [
        "" if fault["probability"] == 1 else f", probability {fault['probability']:g} (seed {fault['seed']})",
        f", times {fault['times']}" if fault["times"] is not None else "",
        f", skip {fault['skip']}" if fault["skip"] else "",
    ]
    return "".join(parts)
