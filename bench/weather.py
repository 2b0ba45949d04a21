"""A bad day at AWS: how much longer an environment takes, and how many more calls, than on a good one."""

from __future__ import annotations

from typing import Any

from bench.life import Simulation, Step, simulation
from bench.report import Part, Table, number
from drctl.sim import client

SPEED = 10.0
"""Slow: the SDK's own pauses are real seconds, and count as so many simulated ones."""

STORM: dict[str, dict[str, Any]] = {
    "throttle": {"probability": 0.2},
    "error": {"probability": 0.05},
    "iam-delay": {"seconds": 60.0},
    "unseen": {"seconds": 30.0},
}
"""One call in five refused for haste, one in twenty answered with 500; roles unusable for up to a minute, EC2's new
ids out of sight for up to half of one."""


def part() -> Part:
    """Up and destroy, on a good day and on a bad one. Raises Absent when one of them fails."""
    with simulation(SPEED) as simulated:
        good = _day(simulated)
        for seed, (kind, fields) in enumerate(STORM.items()):
            client.request(simulated.status, "POST", "faults", {"kind": kind, "seed": seed, **fields})
        bad = _day(simulated)
    data: dict[str, dict[str, Any]] = {
        name: {
            "calls": [len(usual.calls), len(disturbed.calls)],
            "simulated_s": [round(usual.simulated, 1), round(disturbed.simulated, 1)],
            "calls_ratio": round(len(disturbed.calls) / len(usual.calls), 3),
            "time_ratio": round(disturbed.simulated / usual.simulated, 3),
        }
        for name, usual, disturbed in (("up", good[0], bad[0]), ("destroy", good[1], bad[1]))
    }
    rows = [
        (
            name,
            *(number(each) for each in found["calls"]),
            f"{found['calls_ratio']:.2f}",
            *(number(each, " s") for each in found["simulated_s"]),
            f"{found['time_ratio']:.2f}",
        )
        for name, found in data.items()
    ]
    headings = ("", "calls", "on a bad day", "ratio", "simulated time", "on a bad day", "ratio")
    table = Table("f. A bad day at AWS", headings, rows)
    notes = [
        "20 % of all calls throttled, 5 % answered with 500, roles unusable up to 60 s, ids unseen up to 30 s."
    ]
    return Part("weather", [table], {"speed": SPEED, **data}, notes)


def _day(simulated: Simulation) -> tuple[Step, Step]:
    simulated.drctl("plan")
    return simulated.drctl("up"), simulated.drctl("destroy")
