"""API calls by service and operation: what AWS's request rates, and the operator's patience, are spent on."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bench.life import Call, Life
from bench.report import Part, Table, number

SHOWN = 25
"""Operations in the table; the JSON has all."""


def part(life: Life) -> Part:
    """Cold up, unchanged up, destroy."""
    steps = {"up": life.up.calls, "up again": life.again.calls, "destroy": life.destroy.calls}
    services = {name: Counter(call.service for call in calls) for name, calls in steps.items()}
    operations = {
        name: Counter(f"{call.service} {call.operation}" for call in calls) for name, calls in steps.items()
    }
    data: dict[str, Any] = {
        "speed": life.speed,
        "resources": life.objects,
        "steps": {name: _figures(calls, life.objects) for name, calls in steps.items()},
        "by_service": {name: dict(counter.most_common()) for name, counter in services.items()},
        "by_operation": {name: dict(counter.most_common()) for name, counter in operations.items()},
    }
    totals = [
        (key.replace("_", " "), *(number(figures[key]) for figures in data["steps"].values()))
        for key in ("calls", "reads", "changes", "refused", "per_resource")
    ]
    heading = tuple(steps)
    tables = [
        Table(f"c. API calls, {life.objects} resources", ("", *heading), totals),
        Table("c. API calls by service", ("service", *heading), _rows(services)),
        Table("c. API calls by operation", ("operation", *heading), _rows(operations)[:SHOWN]),
    ]
    rest = len(_rows(operations)) - SHOWN
    notes = [f"{rest} more operations are in the JSON."] if rest > 0 else []
    notes.append(
        f"Measured at speed {life.speed:.0f}: where something is waited for, the number of looks depends on it."
    )
    return Part("calls", tables, data, notes)


def _figures(calls: tuple[Call, ...], resources: int) -> dict[str, Any]:
    changes = sum(call.mutating for call in calls)
    refused = Counter(call.code for call in calls if call.code)
    return {
        "calls": len(calls),
        "reads": len(calls) - changes,
        "changes": changes,
        "refused": sum(refused.values()),
        "per_resource": round(len(calls) / resources, 1),
        "refused_by_code": dict(refused.most_common()),
    }


def _rows(counters: dict[str, Counter[str]]) -> list[tuple[str, ...]]:
    total = sum(counters.values(), Counter[str]())
    return [
        (name, *(number(counter[name]) for counter in counters.values())) for name, _ in total.most_common()
    ]
