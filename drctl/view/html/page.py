"""A run's report as one page that needs nothing else: no network, no other file, to be mailed, printed and signed."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import ChainableUndefined, Environment, FileSystemLoader, Undefined
from markupsafe import Markup

from drctl.runbook.said import number
from drctl.view import verdict

if TYPE_CHECKING:
    from drctl.runbook.document import Report

HERE = Path(__file__).parent
LANES = ("dns", "read-name", "write-name", "read-distribution", "write-distribution", "table", "bucket")


def page(report: Report) -> str:
    """The HTML. All that comes from the journal is escaped: in the markup by jinja2, in the data as JSON."""
    scripts = [_file("vendor/uPlot.iife.min.js"), _file("report.js")]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            verdict=verdict,
            titles={step.step: step.title for step in report.steps},
            parts=list(dict.fromkeys(each.part for each in report.unserved)),
            paths=list(dict.fromkeys(each.path for each in report.unserved)),
            styles=Markup(_file("vendor/uPlot.min.css") + _file("report.css")),  # noqa: S704 - our own files
            scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own files
            policy=_policy(scripts),
            data=Markup(_embedded(_data(report))),  # noqa: S704 - escaped by _embedded
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        span=_span, moment=_moment, clock=_clock, named=_named, plain=_plain, number="{:,}".format
    )
    return environment


@cache
def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _policy(scripts: Sequence[str]) -> str:
    """Content-Security-Policy: nothing is loaded from anywhere, and these scripts run and no others."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; base-uri 'none'; form-action 'none'"


def _embedded(data: Mapping[str, Any]) -> str:
    """JSON that ends no script element, whatever is in it."""
    written = json.dumps(data, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _span(seconds: object) -> str:
    return verdict.span(number(seconds))


def _moment(time: object, form: str = "%Y-%m-%d %H:%M:%S UTC") -> str:
    return verdict.moment(number(time), form)


def _clock(time: object) -> str:
    return verdict.moment(number(time), "%H:%M:%S")


def _named(name: str) -> str:
    return verdict.NAMES.get(name, name)


def _plain(value: object) -> str:
    """A value of a check, a fault's argument: text as it is, the rest as JSON."""
    if value is None or isinstance(value, Undefined):
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _data(report: Report) -> dict[str, Any]:
    """What the chart draws, and the calls one by one. Sample times are relative to ``began``, to make them short."""
    began = report.began or 0.0
    probes = dict.fromkeys([*LANES, *(str(row[1]) for row in report.samples)])
    lanes = []
    for probe in probes:
        looks = [row for row in report.samples if row[1] == probe]
        if looks:
            lanes.append(
                {
                    "name": verdict.PATHS.get(probe, probe),
                    "looks": [[round(row[0] - began, 2), *row[2:6]] for row in looks],
                }
            )
    facts = {name: number(value) for name, value in report.facts.items()}
    return {
        "began": began,
        "seconds": report.seconds or 0,
        "primary": report.run.get("primary"),
        "standby": report.run.get("standby"),
        "lanes": lanes,
        "steps": [step.began for step in report.steps],
        "outage": [facts.get("outage_at"), facts.get("outage_over_at")],
        "failback": [facts.get("failback_at"), facts.get("traffic_back_at")],
        "gaps": [[gap.began, gap.ended] for gap in report.gaps],
        "calls": [list(row) for row in report.call_rows],
    }
