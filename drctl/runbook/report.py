"""The report of a run: what its journal says, put in order. Pure: entries in, a document out.

Nothing is measured here. The numbers are the verdict's own results (drctl/probe/measure.py); everything else is
counted from the entries. A journal that was edited may hold anything: what is not of the kind it should be counts as
not said, so that there is always a report, which then says where the evidence was altered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from drctl.probe.measure import READ_NAME, WRITE_NAME, measure
from drctl.runbook import journal
from drctl.runbook.document import (
    CALL_COLUMNS,
    SAMPLE_COLUMNS,
    Calls,
    Changed,
    CheckRun,
    Compared,
    Comparison,
    Deviation,
    Evidence,
    Fault,
    Gap,
    Objective,
    Report,
    StepRun,
)
from drctl.runbook.journal import Entry
from drctl.runbook.measured import phases, routes, stores, unserved
from drctl.runbook.said import items, mapping, number, rows, text, truth

NAME_PATHS = (READ_NAME, WRITE_NAME)
"""The paths that the recovery time is judged by; those through the distribution are shown beside them."""

WORDS = (
    *("run", "runbook", "environment", "account", "caller", "primary", "standby", "method", "trigger"),
    *("settings_digest", "drctl", "command", "host", "user"),
)
SHOWN_ELSEWHERE = ("canary", "gap")
"""Facts that are told many times."""


def report(entries: Sequence[Entry], previous: Report | None = None) -> Report:
    """The report of a run's journal, compared with an earlier run's if there is one."""
    run = _run(entries)
    verdict = next(_of(entries[::-1], "verdict"), {})
    altered_at = journal.verify(entries)
    results = mapping(verdict.get("results")) if verdict else _so_far(entries, altered_at)
    facts = _facts(entries)
    times = [time for entry in entries if (time := number(entry.get("time"))) is not None]
    calls = _rows(entries, "calls", len(CALL_COLUMNS))
    made = Report(
        run=run,
        resumed=tuple({**_body(entry), "time": entry.get("time")} for entry in _of(entries, "resumed")),
        began=min(times, default=None),
        ended=max(times, default=None),
        finished=bool(verdict),
        outcome=text(verdict.get("outcome")) or "interrupted",
        reasons=tuple(map(text, items(verdict.get("reasons"))))
        if verdict
        else ("the journal ends without a verdict: the run was stopped, or still goes on",),
        objectives=tuple(_objectives(run, results)),
        routes=routes(results),
        phases=phases(results, facts),
        stores=stores(results),
        unserved=unserved(results),
        facts=facts,
        gaps=tuple(_gaps(entries)),
        steps=_steps(entries),
        checks=_checks(entries),
        deviations=tuple(
            Deviation(number(each.get("time")), text(each.get("what")), text(each.get("why")))
            for each in _of(entries, "deviation")
        ),
        faults=_faults(entries),
        changed=tuple(_changed(facts)),
        calls=_grouped(calls),
        calls_while_out=_while_out(calls, facts),
        call_rows=calls,
        comparison=None,
        evidence=Evidence(len(entries), text(entries[-1].get("hash")) if entries else "", altered_at),
        samples=_rows(entries, "samples", len(SAMPLE_COLUMNS)),
    )
    return made if previous is None else _beside(made, previous)


def _run(entries: Sequence[Entry]) -> dict[str, Any]:
    """The run's own facts, words being words."""
    said = _body(next(_of(entries, "run"), {}))
    return {
        **said,
        **{name: text(said[name]) for name in WORDS if name in said},
        "probes": mapping(said.get("probes")),
    }


def _so_far(entries: Sequence[Entry], altered_at: int | None) -> Mapping[str, Any]:
    """What can be said of a run that has no verdict. Of altered evidence nothing is computed."""
    if altered_at is not None or not any(_of(entries, "run")):
        return {}
    return measure(entries).as_json()


def _facts(entries: Sequence[Entry]) -> dict[str, Any]:
    """By name: of moments the first counts, as in measuring, of everything else the last."""
    found: dict[str, Any] = {}
    for entry in _of(entries, "fact"):
        name, value = text(entry.get("name")), entry.get("value")
        if name in SHOWN_ELSEWHERE or (number(value) is not None and name in found):
            continue
        found[name] = value
    return found


def _gaps(entries: Sequence[Entry]) -> Iterator[Gap]:
    for entry in _of(entries, "fact"):
        said = mapping(entry.get("value"))
        began, ended = number(said.get("from")), number(said.get("to"))
        if entry.get("name") == "gap" and began is not None and ended is not None:
            yield Gap(began, ended)


def _of(entries: Sequence[Entry], kind: str) -> Iterator[Entry]:
    return (entry for entry in entries if entry.get("kind") == kind)


def _body(entry: Entry) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in ("n", "time", "kind", "hash")}


def _rows(entries: Sequence[Entry], kind: str, width: int) -> tuple[Sequence[Any], ...]:
    """All rows of that kind, by time."""
    found = [row for entry in _of(entries, kind) for row in rows(entry.get("rows"), width)]
    return tuple(sorted(found, key=lambda row: float(row[0])))


def _objectives(run: Mapping[str, Any], results: Mapping[str, Any]) -> Iterator[Objective]:
    """The time is that of the slower of reads and writes through the name, the point that of the worst store."""
    if run.get("runbook") == "failback":
        return
    promised = mapping(run.get("objectives"))
    times = [route.seconds for route in routes(results) if route.path in NAME_PATHS]
    points = [store.seconds for store in stores(results)]
    for name, key, seen in (("recovery time", "rto", times), ("recovery point", "rpo", points)):
        limit, whole = number(promised.get(f"{key}_s")), [each for each in seen if each is not None]
        if limit is None and not seen:
            continue
        measured = max(whole) if whole and len(whole) == len(seen) else None
        yield Objective(name, limit, measured, truth(mapping(results.get(key)).get("met")))


def _steps(entries: Sequence[Entry]) -> tuple[StepRun, ...]:
    """One for each beginning: a step that was resumed is there twice."""
    found: list[StepRun] = []
    for entry in _of(entries, "step"):
        step, state, time = text(entry.get("step")), text(entry.get("state")), number(entry.get("time"))
        title, detail = text(entry.get("title")) or step, text(entry.get("detail"))
        evidence = mapping(entry.get("evidence"))
        last = next((i for i in reversed(range(len(found))) if found[i].step == step), None)
        if state == "begun" or last is None:
            found.append(
                StepRun(
                    step,
                    title,
                    state,
                    time if state == "begun" else None,
                    None if state == "begun" else time,
                    detail,
                    evidence,
                )
            )
            continue
        was = found[last]
        ended = was.ended if state == "undone" and was.ended is not None else time
        found[last] = StepRun(
            step, title, state, was.began, ended, detail or was.detail, {**was.evidence, **evidence}
        )
    return tuple(found)


def _checks(entries: Sequence[Entry]) -> tuple[CheckRun, ...]:
    """By stage and name what was found last: what may settle is asked until it has. In the order first asked."""
    found: dict[tuple[str, str], CheckRun] = {}
    for entry in _of(entries, "check"):
        key = text(entry.get("stage")), text(entry.get("name"))
        found[key] = CheckRun(
            number(entry.get("time")),
            *key,
            entry.get("ok") is True,
            text(entry.get("detail")),
            entry.get("value"),
            entry.get("limit"),
            found[key].asked + 1 if key in found else 1,
        )
    return tuple(found.values())


def _changed(facts: Mapping[str, Any]) -> Iterator[Changed]:
    before, after = mapping(facts.get("configuration_before")), mapping(facts.get("configuration_after"))
    for name in sorted(before.keys() | after.keys()) if before and after else ():
        if before.get(name) != after.get(name):
            yield Changed(name, before.get(name), after.get(name))


def _faults(entries: Sequence[Entry]) -> tuple[Fault, ...]:
    """What was to be undone, each with the moment it was."""
    found: list[Fault] = []
    for entry in entries:
        name, time = text(entry.get("name")), number(entry.get("time"))
        if entry.get("kind") == "undo":
            found.append(Fault(name, mapping(entry.get("arguments")), time, None))
        if entry.get("kind") == "undone":
            found = [
                replace(each, undone_at=time) if each.name == name and each.undone_at is None else each
                for each in found
            ]
    return tuple(found)


def _grouped(calls: Sequence[Sequence[Any]]) -> tuple[Calls, ...]:
    """By what was called and how it ended; in the order of the first of each."""
    groups: dict[tuple[str, ...], list[float]] = {}
    for row in calls:
        groups.setdefault(tuple(map(text, row[1:6])), []).append(float(row[0]))
    return tuple(
        Calls(service, operation, region, endpoint, status, len(times), times[0], times[-1])
        for (service, operation, region, endpoint, status), times in groups.items()
    )


def _while_out(calls: Sequence[Sequence[Any]], facts: Mapping[str, Any]) -> dict[str, int]:
    """How many calls went to which region between the beginning and the end of the outage."""
    began, over = number(facts.get("outage_at")), number(facts.get("outage_over_at"))
    if began is None:
        return {}
    within = [text(row[3]) for row in calls if began <= row[0] and (over is None or row[0] < over)]
    return dict(sorted(Counter(within).items()))


def _beside(made: Report, earlier: Report) -> Report:
    """The same report with a comparison in it."""

    def seconds(of: Report) -> dict[str, float | None]:
        return {
            **{each.name: each.measured_s for each in of.objectives},
            **{each.path: each.seconds for each in of.routes},
            **{each.name: each.seconds for each in of.phases},
            **{each.store: each.seconds for each in of.stores},
        }

    now, before = seconds(made), seconds(earlier)
    measures = tuple(Compared(name, before.get(name), now.get(name)) for name in {**now, **before})
    comparison = Comparison(
        earlier.name,
        earlier.began,
        earlier.outcome,
        earlier.run.get("settings_digest") == made.run.get("settings_digest"),
        earlier.run.get("method") == made.run.get("method"),
        measures,
    )
    return replace(made, comparison=comparison)
