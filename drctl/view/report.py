"""A run's report for the terminal: the verdict first, then the numbers, then whatever was not as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drctl.view import text, verdict
from drctl.view.text import Line
from drctl.view.verdict import span

if TYPE_CHECKING:
    from drctl.commands.report import ReportResult
    from drctl.runbook.document import Report


def lines(result: ReportResult) -> list[Line]:
    """One screen: what failed is named, what went well is counted, and where the files are."""
    return [*summary(result.report), *([("report  ", "dim"), (str(path), "")] for path in result.files)]


def summary(report: Report) -> list[Line]:
    """The report itself."""
    shown: list[Line] = [
        [(f"{verdict.title(report)}: ", "bold"), (verdict.outcome(report), verdict.tone(report))],
        *([("  ", ""), (each, "")] for each in verdict.sentences(report)),
        *([("  ", ""), (each, "warning")] for each in report.reasons),
    ]
    if verdict.altered(report):
        shown.append([(f"  {verdict.altered(report)}: do not rely on what is said here", "bad")])
    if verdict.simulated(report):
        shown.append([(f"  {verdict.simulated(report)}", "warning")])
    shown += [[], *_facts(report)]
    if report.routes:
        shown += [[], *text.table(_routes(report), ("path", "not served", "failed looks", "served again"))]
    if report.stores:
        shown += [[], *text.table(_stores(report), ("store", "confirmed", "lost", "oldest lost"))]
    return [*shown, [], *_troubles(report), *_counts(report)]


def _facts(report: Report) -> list[Line]:
    run = report.run
    return text.pairs(
        {
            "run": report.name,
            "environment": f"{run.get('environment', '')} ({run.get('account', '')})",
            "regions": f"{run.get('primary', '')} to {run.get('standby', '')}",
            "began": verdict.moment(report.began),
            "took": span(report.seconds),
        }
    )


def _routes(report: Report) -> list[tuple[str, ...]]:
    return [
        (
            verdict.PATHS.get(each.path, each.path),
            verdict.away(each),
            f"{each.failed} of {each.total}",
            verdict.moment(each.served_again, "%H:%M:%S"),
        )
        for each in report.routes
    ]


def _stores(report: Report) -> list[tuple[str, ...]]:
    return [
        (
            verdict.STORES.get(each.store, each.store),
            str(each.acknowledged),
            "unknown" if each.lost is None else str(len(each.lost)),
            span(each.seconds) if each.lost else "",
        )
        for each in report.stores
    ]


def _troubles(report: Report) -> list[Line]:
    """Steps and checks that failed, faults nobody put back, deviations."""
    return [
        *(
            [(f"  {step.state:<10}", "bad"), (f"{step.title}: {step.detail}", "")]
            for step in report.steps
            if step.state != "done"
        ),
        *(
            [("  not ok    ", "bad"), (f"{check.stage}: {check.name}: {check.detail}", "")]
            for check in report.checks
            if not check.ok
        ),
        *(
            [("  not undone", "bad"), (f" {fault.name}", "")]
            for fault in report.faults
            if fault.undone_at is None
        ),
        *([("  deviation ", "warning"), (f"{each.what}: {each.why}", "")] for each in report.deviations),
    ]


def _counts(report: Report) -> list[Line]:
    done = sum(step.state == "done" for step in report.steps)
    good = sum(check.ok for check in report.checks)
    made = sum(group.count for group in report.calls)
    whole = "whole" if report.evidence.altered_at is None else "altered"
    return [
        [
            (f"{done} of {len(report.steps)} steps done, {good} of {len(report.checks)} checks ok, ", "dim"),
            (f"{made} API calls, {len(report.samples)} looks; ", "dim"),
            (f"evidence {whole}: {report.evidence.entries} entries, {report.evidence.head[:12]}", "dim"),
        ]
    ]
