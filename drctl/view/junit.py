"""A run as JUnit XML: the suite is the run; each objective, step and check is a test case.

The format has no standard; this is what Jenkins and GitLab read (GitLab, "Unit test report examples").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from drctl.view import verdict

if TYPE_CHECKING:
    from drctl.runbook.document import CheckRun, Objective, Report, StepRun

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write (XML 1.0, 2.2 Characters)."""


def junit(report: Report) -> str:
    """The document. What failed says why; an objective that was not measured is a skipped test."""
    suite = Element("testsuite", name=_text(f"{report.runbook or 'run'} {report.name}".strip()))
    properties = SubElement(suite, "properties")
    for name, value in _properties(report).items():
        SubElement(properties, "property", name=name, value=_text(value))
    _case(suite, report, "verdict", "outcome", _verdict(report))
    _case(suite, report, "verdict", "evidence is unaltered", verdict.altered(report))
    for objective in report.objectives:
        case = _case(suite, report, "objectives", objective.name, _missed(objective), objective.measured_s)
        if objective.met is None:
            SubElement(case, "skipped", message="not measured")
    for number, step in enumerate(report.steps, start=1):
        _case(suite, report, "steps", f"{number}. {step.title}", _undone(step), step.seconds)
    for check in report.checks:
        _case(suite, report, f"checks.{check.stage}", check.name, _wrong(check))
    for fault in report.faults:
        wrong = "it was not undone" if fault.undone_at is None else ""
        _case(suite, report, "undone", fault.name, wrong)
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    suite.set("errors", "0")
    suite.set("time", f"{report.seconds or 0:.3f}")
    suite.set("timestamp", verdict.moment(report.began, "%Y-%m-%dT%H:%M:%S"))
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _properties(report: Report) -> dict[str, str]:
    run = report.run
    plain = ("environment", "account", "primary", "standby", "method", "trigger", "settings_digest", "drctl")
    return {
        "simulated": "true" if run.get("simulated") else "false",
        **{name: str(run[name]) for name in plain if run.get(name)},
        "evidence_head": report.evidence.head,
    }


def _case(
    suite: Element, report: Report, group: str, name: str, wrong: str, seconds: float | None = None
) -> Element:
    case = SubElement(
        suite,
        "testcase",
        classname=_text(f"{report.runbook or 'run'}.{group}"),
        name=_text(name),
        time=f"{seconds or 0:.3f}",
    )
    if wrong:
        SubElement(case, "failure", message=_text(wrong.partition("\n")[0]), type=group).text = _text(wrong)
    return case


def _verdict(report: Report) -> str:
    if report.outcome == "passed":
        return ""
    return "\n".join([verdict.claimed(report), *report.reasons])


def _missed(objective: Objective) -> str:
    if objective.met is not False:
        return ""
    limit = verdict.UNSEEN if objective.limit_s is None else verdict.objective_span(objective.limit_s)
    seen = "not seen" if objective.measured_s is None else verdict.span(objective.measured_s)
    return f"{objective.name}: {seen}, objective {limit}"


def _undone(step: StepRun) -> str:
    if step.state == "done":
        return ""
    return ": ".join(filter(None, ("it never ended" if step.state == "begun" else step.state, step.detail)))


def _wrong(check: CheckRun) -> str:
    if check.ok:
        return ""
    limit = "" if check.limit is None else f"{check.value}, limit {check.limit}"
    return ": ".join(filter(None, ("not ok", check.detail, limit)))


def _text(said: str) -> str:
    return FORBIDDEN.sub("?", said)
