"""A run's report: what its journal says, whoever reads it, and whatever was done to the journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from drctl.commands import report as command
from drctl.commands.context import Context
from drctl.errors import DrctlError
from drctl.runbook import journal
from drctl.runbook.document import Report
from drctl.runbook.journal import Journal
from drctl.runbook.report import report
from drctl.view import verdict
from drctl.view.html.page import page
from drctl.view.junit import junit
from drctl.view.report import lines, summary
from tests.runbook.evidence import PRIMARY, RUN, SIMULATED, STANDBY, Drill, altered

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the runs of the environment ``demo`` lie."""
    folder = tmp_path / "state" / "demo.runs"
    folder.mkdir(parents=True)
    return folder


def made(folder: Path, drill: Drill) -> Report:
    return report(journal.read(drill.write(folder / f"{drill.run}.jsonl")))


def context(folder: Path) -> Context:
    nowhere = folder / "drctl.toml"
    return Context(nowhere, folder.parent, "report", lambda _: None, built_in=True)


def said(report: Report) -> list[str]:
    return ["".join(piece for piece, _ in line) for line in summary(report)]


def test_document_says_what_the_journal_says(folder: Path) -> None:
    document = made(folder, Drill(simulated=SIMULATED)).as_json()
    json.dumps(document)
    assert document["report_version"] == 1
    assert document["run"]["simulated"] == SIMULATED
    assert document["verdict"] == {"outcome": "passed", "reasons": [], "evidence_altered_at": None}
    time, point = document["objectives"]
    assert (time["name"], time["limit_s"], time["met"]) == ("recovery time", 900, True)
    assert time["measured_s"] == pytest.approx(112, abs=1)
    assert (point["name"], point["met"]) == ("recovery point", True)
    assert [path["path"] for path in document["rto"]["paths"]] == [
        "read-name",
        "write-name",
        "read-distribution",
        "write-distribution",
    ]
    assert [phase["name"] for phase in document["rto"]["phases"]] == [
        "detect",
        "decide",
        "dns",
        "promote",
        "first read",
        "first write",
    ]
    assert {store["store"]: store["lost"] for store in document["rpo"]["stores"]} == {
        "database": (119, 120),
        "table": (),
        "bucket": (120,),
    }
    assert len(document["steps"]) == 11
    assert {step["state"] for step in document["steps"]} == {"done"}
    assert document["faults"][0]["undone_at"] == Drill().at(420)
    assert document["calls"]["while_out"] == {STANDBY: 45}
    assert sum(group["count"] for group in document["calls"]["groups"]) == len(document["calls"]["rows"])
    assert len(document["samples"]["rows"]) == 7 * 720
    assert document["evidence"]["whole"]


def closed(schema: Any) -> Any:
    """The same schema; what names its members has no others."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    shut = (
        {"unevaluatedProperties": False}
        if set(schema.get("required", ())) == set(schema.get("properties", {}))
        else {}
    )
    return {name: closed(each) for name, each in schema.items()} | (shut if "properties" in schema else {})


def test_the_document_is_what_its_published_schema_says(folder: Path) -> None:
    schema = json.loads((DOCS / "report.schema.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(closed(schema))
    earlier = made(folder, Drill(run="20260211T100000Z-drill", began=1_770_804_000.0))
    whole = report(journal.read(Drill(simulated=SIMULATED).write(folder / "a.jsonl")), earlier)
    for each in (earlier, whole, made(folder, Drill(run="open", verdict=False)), report([])):
        document = json.loads(json.dumps(each.as_json()))
        assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)] == []
    told = (DOCS / "report.md").read_text(encoding="utf-8")
    assert [name for name in document if f"`{name}" not in told] == []


def test_it_is_told_in_words_that_need_no_knowledge_of_aws(folder: Path) -> None:
    told = said(made(folder, Drill(simulated=SIMULATED)))
    assert told[0] == "Disaster-recovery drill: Passed"
    assert told[1] == "  Recovered in 1 min 52 s; objective 15 min: met."
    assert told[2].startswith("  3 of 360 confirmed writes were lost")
    assert "not on AWS" in told[3]


def test_an_objective_that_was_missed(folder: Path) -> None:
    found = made(folder, Drill(objective_s=60))
    assert found.outcome == "objective missed"
    assert next(verdict.sentences(found)) == "Recovered in 1 min 52 s; objective 1 min: missed."
    assert verdict.tone(found) == "warning"


def test_a_run_without_a_verdict_is_measured_as_far_as_it_came(folder: Path) -> None:
    found = made(folder, Drill(verdict=False))
    assert (found.outcome, found.finished) == ("interrupted", False)
    assert "without a verdict" in found.reasons[0]
    assert found.objective("recovery time") is not None
    assert found.routes


def test_a_failback_has_no_objectives_but_says_what_clients_missed(folder: Path) -> None:
    entries = list(journal.read(Drill().write(folder / "a.jsonl")))
    failback = Journal(folder / "b.jsonl")
    for entry in entries:
        data = {k: v for k, v in entry.items() if k not in ("n", "time", "kind", "hash")}
        runbook = {"runbook": "failback"} if entry["kind"] == "run" else {}
        failback.add(entry["kind"], entry["time"], **{**data, **runbook})
    found = report(failback.entries)
    failback.close()
    assert found.objectives == ()
    assert list(verdict.sentences(found)) == ["Clients were not served for 9 s at most."]


def test_a_step_that_was_resumed_is_there_twice(folder: Path) -> None:
    run = Journal(folder / "a.jsonl")
    for time, state in ((1, "begun"), (5, "begun"), (7, "done"), (9, "undone")):
        run.add("step", time, step="switch", title="Switch", state=state, detail=state, evidence={})
    first, second = report(run.entries).steps
    run.close()
    assert (first.state, first.seconds) == ("begun", None)
    assert (second.state, second.seconds) == ("undone", 2)


def test_what_is_asked_until_it_settles_is_shown_once(folder: Path) -> None:
    run = Journal(folder / "a.jsonl")
    for time in range(4):
        run.add("check", time, stage="after", name="alarms", ok=time == 3, detail="", value=3 - time, limit=0)
    (check,) = report(run.entries).checks
    run.close()
    assert (check.ok, check.asked, check.value) == (True, 4, 0)


def test_a_configuration_that_is_not_as_before_is_named(folder: Path) -> None:
    run = Journal(folder / "a.jsonl")
    run.add("fact", 1, name="configuration_before", value={"tasks": 3, "alarms": 1})
    run.add("fact", 2, name="configuration_after", value={"tasks": 1, "alarms": 1})
    (changed,) = report(run.entries).changed
    run.close()
    assert (changed.name, changed.before, changed.after) == ("tasks", 3, 1)


def test_the_earlier_drill_stands_beside_it(folder: Path) -> None:
    Drill(run="20260211T100000Z-drill", writes=251, began=1_770_804_000.0).write(
        folder / "20260211T100000Z-drill.jsonl"
    )
    Drill(run="20260301T100000Z-failover").write(folder / "20260301T100000Z-failover.jsonl")
    Drill().write(folder / f"{RUN}.jsonl")
    comparison = command.of(folder / f"{RUN}.jsonl").comparison
    assert comparison is not None
    assert comparison.run == "20260211T100000Z-drill"
    assert comparison.same_settings and comparison.same_method
    time = next(each for each in comparison.measures if each.name == "recovery time")
    assert verdict.difference(time.before_s, time.now_s) == "19 s less"
    assert command.of(folder / "20260211T100000Z-drill.jsonl").comparison is None


def test_files_of_a_run(folder: Path, tmp_path: Path) -> None:
    Drill().write(folder / f"{RUN}.jsonl")
    result = command.report(context(folder), None)
    assert [path.name for path in result.files] == ["report.json", "report.html", "junit.xml"]
    assert result.files[0].parent == folder / RUN
    assert json.loads(result.files[0].read_text(encoding="utf-8"))["run"]["run"] == RUN
    assert str(result.files[1]) in "".join(piece for piece, _ in lines(result)[-2])
    elsewhere = command.report(context(folder), RUN, tmp_path / "for the board")
    assert elsewhere.files[1].parent == tmp_path / "for the board"
    assert {path.name for path in (tmp_path / "for the board").iterdir()} == {
        "report.json",
        "report.html",
        "junit.xml",
    }


def test_a_run_that_is_not_there(folder: Path) -> None:
    with pytest.raises(DrctlError, match="nothing was ever run"):
        command.report(context(folder), None)
    Drill().write(folder / f"{RUN}.jsonl")
    with pytest.raises(DrctlError, match="there is no run 'other'"):
        command.report(context(folder), "other")


def test_an_edited_journal_is_rendered_said_to_be_altered_and_fails(folder: Path) -> None:
    path = Drill().write(folder / f"{RUN}.jsonl")
    altered(path, 3, detail="all is well")
    with pytest.raises(DrctlError, match="evidence altered at entry 3"):
        command.report(context(folder), None)
    assert "Evidence altered at entry 3." in (folder / RUN / "report.html").read_text(encoding="utf-8")
    document = json.loads((folder / RUN / "report.json").read_text(encoding="utf-8"))
    assert document["verdict"]["evidence_altered_at"] == 3
    assert any("evidence altered at entry 3" in line for line in said(command.of(path)))


@pytest.mark.parametrize("damage", [b"not json", b"[1, 2]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_line_is_altered_evidence_the_last_one_too(folder: Path, damage: bytes) -> None:
    path = Drill().write(folder / f"{RUN}.jsonl")
    lines = path.read_bytes().splitlines()
    for number in (0, 7, len(lines) - 1):
        path.write_bytes(b"\n".join([*lines[:number], damage, *lines[number + 1 :], b""]))
        found = command.of(path)
        assert found.evidence.altered_at == number
        assert f"Evidence altered at entry {number}." in page(found)


def test_a_torn_last_line_is_no_alteration(folder: Path) -> None:
    path = Drill().write(folder / f"{RUN}.jsonl")
    path.write_bytes(path.read_bytes()[:-20])
    found = command.of(path)
    assert found.evidence.altered_at is None
    assert not found.finished


@pytest.mark.parametrize("strange", [None, 7, "words", [1], {"a": {"b": 1}}, 1e400, "\x00<b>"])
def test_whatever_is_written_into_a_journal_there_is_a_report(folder: Path, strange: Any) -> None:
    entries = [dict(entry) for entry in journal.read(Drill().write(folder / "a.jsonl"))]
    brief = [entry for entry in entries if entry["kind"] not in ("samples", "calls")]
    brief += [{**entry, "rows": entry["rows"][:9]} for entry in entries if entry["kind"] == "samples"][:3]
    kinds = {entry["kind"]: number for number, entry in enumerate(brief)}
    for kind, number in kinds.items():
        for field in brief[number]:
            edited = [*brief[:number], {**brief[number], field: strange}, *brief[number + 1 :]]
            found = report(edited)
            assert found.evidence.altered_at is not None, (kind, field)
            assert summary(found)
            assert page(found)
            ElementTree.fromstring(junit(found))
    assert page(report([]))


def test_junit(folder: Path) -> None:
    run = Journal(folder / "a.jsonl")
    run.add("run", 1, run=RUN, runbook="drill", simulated=SIMULATED, primary=PRIMARY)
    run.add(
        "check", 2, stage="before", name="lag", ok=False, detail="too far \x01 behind <&>", value=9, limit=5
    )
    run.add("step", 3, step="switch", title="Switch", state="begun", detail="", evidence={})
    run.add("step", 5, step="switch", title="Switch", state="failed", detail="AccessDenied", evidence={})
    run.add("undo", 5, name="heal", arguments={})
    run.add("verdict", 6, outcome="failed", reasons=["Switch: AccessDenied"], results={})
    root = ElementTree.fromstring(junit(report(run.entries)))
    run.close()
    (suite,) = root.findall("testsuite")
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    assert suite.find("properties/property[@name='simulated']").attrib["value"] == "true"
    failures = {
        f"{case.attrib['classname']} {case.attrib['name']}": case.findtext("failure") for case in cases
    }
    assert failures == {
        "drill.verdict outcome": "Failed\nSwitch: AccessDenied",
        "drill.verdict evidence is unaltered": None,
        "drill.steps 1. Switch": "failed: AccessDenied",
        "drill.checks.before lag": "not ok: too far ? behind <&>: 9, limit 5",
        "drill.undone heal": "it was not undone",
    }
    assert int(suite.attrib["failures"]) == 4


def test_junit_of_a_drill_that_passed(folder: Path) -> None:
    suite = ElementTree.fromstring(junit(made(folder, Drill()))).find("testsuite")
    assert suite is not None
    assert suite.attrib["failures"] == "0"
    assert suite.attrib["timestamp"] == "2026-03-14T10:00:00"
    assert {case.attrib["classname"] for case in suite.findall("testcase")} >= {
        "drill.objectives",
        "drill.steps",
        "drill.checks.before",
        "drill.checks.after",
    }
