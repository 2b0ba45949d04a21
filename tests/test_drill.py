"""A whole region lost and brought back: what drctl reports is what somebody outside, with other tools, has seen."""

from __future__ import annotations

import hashlib
import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.census import Census
from tests.configuration import changes
from tests.drilled import LAG_S, SPEED, Drilled, Look, drill
from tests.environment import EVERYTHING, P, S
from tests.rehearsal import PATHS, REHEARSAL, Rehearsal
from tests.rehearsal_kills import left_behind

pytestmark = pytest.mark.xdist_group(REHEARSAL)

GLOBAL_CONTROL_PLANES = ("iam", "route53", "cloudfront")
DETECTION_S = 10 * 3
"""The health check's interval times its threshold, as the settings have them by default."""
TTL_S = 60
INTERVAL_S = 1.0

LAST_BREATH_S = 5.0
"""For a function of the primary's that is at work when its region dies: the simulator's host ends it in a moment."""


@pytest.fixture(scope="module")
def drilled(rehearsed: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Drilled:
    """The one drill of this module."""
    return drill(rehearsed, tmp_path_factory.mktemp("outside"))


def test_the_drill_passes(drilled: Drilled) -> None:
    assert drilled.ran.code == 0, drilled.ran.out[-3000:] + drilled.ran.err[-3000:]
    assert drilled.report["verdict"]["outcome"] == "passed"
    assert drilled.unsure_s >= 0


def test_nobody_calls_the_lost_region_or_a_control_plane_of_us_east_1_during_the_outage(
    drilled: Drilled,
) -> None:
    began, ended = drilled.facts["outage_at"], drilled.facts["outage_over_at"]
    out = [call for call in drilled.access if began <= call["time"] <= ended]
    assert {call["region"] for call in out if call["caller"] == "simulated"} == {S}
    assert not [call for call in out if call["service"] in GLOBAL_CONTROL_PLANES]
    assert {call["region"] for call in out if call["time"] > drilled.out_since + LAST_BREATH_S} == {S}
    assert drilled.report["calls"]["while_out"].keys() == {S}


def test_reads_by_name_are_served_again_within_detection_and_ttl(drilled: Drilled) -> None:
    assert lost_for(drilled.during("read-name"), drilled.out_since) <= DETECTION_S + TTL_S + 10


def test_the_name_servers_turn_to_the_standby_within_detection(drilled: Drilled) -> None:
    _, first = turn(answered(drilled.during("dns")), by_standby)
    assert first.time - drilled.out_since <= DETECTION_S + 10
    assert {look.detail for look in answered(drilled.seen["dns"])} == {str(TTL_S)}


def test_reads_through_the_distribution_are_served_again_within_ten_seconds(drilled: Drilled) -> None:
    assert lost_for(drilled.during("read-distribution"), drilled.out_since) <= 10


@pytest.mark.parametrize("path", ["write-name", "write-distribution"])
def test_writes_are_served_after_the_promotion_and_not_before(drilled: Drilled, path: str) -> None:
    taken = [look for look in drilled.during(path) if look.ok]
    assert {look.who for look in taken} == {S}
    refused, served = turn(drilled.during(path), is_ok)
    assert served == taken[0], "served, and not again refused"
    assert drilled.facts["promotion_at"] < served.time
    assert refused.time <= drilled.facts["promoted_at"]


@pytest.mark.parametrize("path", ["write-name", "write-distribution"])
def test_the_recovery_time_of_writes_is_what_was_seen_from_outside(drilled: Drilled, path: str) -> None:
    ours, theirs = turn(drilled.ours(path), is_ok), turn(drilled.during(path), is_ok)
    reported = drilled.of_report("rto", "paths", "path")[path]["seconds"]
    assert reported == pytest.approx(
        lost_for(drilled.during(path), drilled.out_since), abs=apart(ours, theirs) + drilled.unsure_s
    )


def test_the_recovery_time_of_reads_by_name_is_what_was_seen_from_outside(drilled: Drilled) -> None:
    """Both keep an address for its TTL, and began to within a moment of each other."""
    ours, theirs = turn(drilled.ours("read-name"), is_ok), turn(drilled.during("read-name"), is_ok)
    began = abs(drilled.samples("read-name")[0].time - drilled.seen["read-name"][0].time)
    assert began < 5, "they did not begin together: their caches cannot be compared"
    reported = drilled.of_report("rto", "paths", "path")["read-name"]["seconds"]
    seen = lost_for(drilled.during("read-name"), drilled.out_since)
    assert reported == pytest.approx(seen, abs=apart(ours, theirs) + began + drilled.unsure_s)


def test_reads_through_the_distribution_were_lost_for_neither_or_for_the_same_moment(
    drilled: Drilled,
) -> None:
    reported = drilled.of_report("rto", "paths", "path")["read-distribution"]["seconds"]
    assert reported == pytest.approx(
        lost_for(drilled.during("read-distribution"), drilled.out_since),
        abs=2 * INTERVAL_S + drilled.unsure_s,
    )


def test_the_moment_dns_turns_is_what_dig_saw(drilled: Drilled) -> None:
    ours, theirs = (turn(answered(looks("dns")), by_standby) for looks in (drilled.ours, drilled.during))
    reported = drilled.of_report("rto", "phases", "name")["dns"]["to_s"]
    assert reported == pytest.approx(
        theirs[1].time - drilled.out_since, abs=apart(ours, theirs) + drilled.unsure_s
    )


@pytest.mark.parametrize(
    ("store", "probe"), [("database", "write-name"), ("table", "table"), ("bucket", "bucket")]
)
def test_lost_are_the_writes_of_the_last_seconds_before_the_outage(
    drilled: Drilled, store: str, probe: str
) -> None:
    reported = drilled.of_report("rpo", "stores", "store")[store]
    taken = drilled.before(probe)
    assert reported["acknowledged"] == len(taken)
    too_late, in_time = split(taken, drilled.out_since - LAG_S)
    assert too_late
    assert too_late <= set(reported["lost"]), "acknowledged so late that they cannot have arrived"
    assert not in_time & set(reported["lost"]), "acknowledged so early that they have arrived"
    assert reported["arrived"] == len(taken) - len(reported["lost"])
    oldest = min(look.time for look in taken if look.sequence in reported["lost"])
    assert reported["seconds"] == pytest.approx(drilled.facts["outage_at"] - oldest, abs=0.001)


def test_the_outsiders_writes_are_lost_in_the_same_seconds(drilled: Drilled) -> None:
    """Through the name: the row in the database decides. What the standby had of it, it was asked at once."""
    taken = {
        look.sequence: look
        for look in drilled.seen["write-name"]
        if look.ok and look.time < drilled.out_since and look.who == P
    }
    status = {number: status for probe, number, status in drilled.audit["records"] if probe == "write-name"}
    assert status.keys() == taken.keys()
    assert set(status.values()) == {200, 404}
    lost = {number for number, seen in status.items() if seen == 404}
    too_late, in_time = split(taken.values(), drilled.out_since - LAG_S)
    assert too_late <= lost
    assert not in_time & lost
    reported = drilled.of_report("rpo", "stores", "store")["database"]
    ours = turn(drilled.before("write-name"), lambda look: look.sequence in reported["lost"])
    theirs = turn(list(taken.values()), lambda look: look.sequence in lost)
    seen = drilled.out_since - theirs[1].time
    assert reported["seconds"] == pytest.approx(seen, abs=apart(ours, theirs) + drilled.unsure_s)
    assert len(reported["lost"]) == pytest.approx(len(lost), abs=2)


def test_both_regions_are_configured_as_before_field_by_field(drilled: Drilled) -> None:
    assert changes(*drilled.configured) == {}
    before, after = map(lasting, drilled.exists)
    assert after == before, "something came, or is gone"


def test_plan_and_drift_are_empty_and_nothing_of_the_probes_is_left(
    rehearsed: Rehearsal, drilled: Drilled
) -> None:
    assert drilled.plan == {}
    assert rehearsed.ok("drift").json["drift"] == []
    assert left_behind(rehearsed) == []
    report = drilled.report
    assert report["configuration"]["digest_before"] == report["configuration"]["digest_after"]
    assert report["configuration"]["changed"] == []
    assert all(fault["undone_at"] is not None for fault in report["faults"])


def test_the_report_rests_on_a_journal_whose_hashes_fit(drilled: Drilled) -> None:
    head = "0" * 64
    for number, line in enumerate(drilled.path.read_text(encoding="utf-8").splitlines()):
        entry = json.loads(line)
        assert entry["n"] == number
        said = entry.pop("hash")
        text = json.dumps(entry, sort_keys=True, separators=(",", ":"))
        head = hashlib.sha256((head + text).encode()).hexdigest()
        assert said == head, f"entry {number}"
    evidence = drilled.report["evidence"]
    assert (evidence["head"], evidence["entries"], evidence["whole"]) == (head, number + 1, True)


def test_an_edited_journal_shows(rehearsed: Rehearsal, drilled: Drilled, tmp_path: Path) -> None:
    shutil.copytree(drilled.path.parent, tmp_path / "demo.runs")
    copy = tmp_path / "demo.runs" / drilled.path.name
    lines = copy.read_text(encoding="utf-8").splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if '"outage_at"' in line)
    entry = json.loads(lines[number])
    entry["value"] += 60
    lines[number] = json.dumps(entry, sort_keys=True, separators=(",", ":")) + "\n"
    report = ("--state-dir", str(tmp_path), "--output", "json", "report", drilled.path.stem)
    assert rehearsed.run(*report).code == 0

    copy.write_text("".join(lines), encoding="utf-8")
    ran = rehearsed.run(*report)

    assert ran.code == 1
    (error,) = ran.json["errors"]
    assert error["summary"] == f"evidence altered at entry {number}"
    assert str(copy) in error["cause"]
    page = (copy.with_suffix("") / "report.html").read_text(encoding="utf-8")
    assert f"altered at entry {number}" in page


def test_the_report_says_on_its_face_that_it_was_simulated(drilled: Drilled) -> None:
    assert drilled.report["run"]["simulated"] == {"speed": SPEED}
    page = (drilled.folder / "report.html").read_text(encoding="utf-8")
    assert '<p class="banner" id="simulated"><strong>Simulated</strong>' in page


def test_the_junit_file_is_one(drilled: Drilled) -> None:
    (suite,) = ET.parse(drilled.folder / "junit.xml").getroot().iter("testsuite")
    assert suite.get("failures") == "0"
    assert int(suite.get("tests", "0")) == len(suite.findall("testcase")) > len(drilled.report["steps"])


def test_a_graceful_drill_loses_nothing_and_a_missed_objective_is_exit_code_3(
    rehearsed: Rehearsal, drilled: Drilled
) -> None:
    rehearsed.settings(EVERYTHING + PATHS + "[objectives]\nrto_s = 1\n")
    try:
        with rehearsed.moving(20):
            ran = rehearsed.runbook("drill", "--simulate-outage", "--method", "tasks", speed=20)
    finally:
        rehearsed.settings(EVERYTHING + PATHS)
    assert ran.code == 3, ran.out[-3000:] + ran.err[-3000:]
    report = ran.json
    assert report["verdict"]["outcome"] == "objective missed"
    assert "recovery time" in report["verdict"]["reasons"][0]
    for store in report["rpo"]["stores"]:
        assert store["acknowledged"] > 0
        assert (store["lost"], store["seconds"]) == ([], 0.0), store
    assert report["comparison"]["run"] == drilled.path.stem
    failures = ET.parse(rehearsed.journals[-1].with_suffix("") / "junit.xml").getroot().iter("failure")
    assert any("recovery time" in str(failure.get("message")) for failure in failures)
    assert rehearsed.changes() == {}


def lasting(found: Census) -> Census:
    """Without what comes by itself: each task's network interface, and the logs of who uses the buckets."""
    return {
        kind: {each for each in ids if "-logs-" not in each}
        for kind, ids in found.items()
        if kind != "network-interface"
    }


def is_ok(look: Look) -> bool:
    """It was served."""
    return look.ok


def answered(looks: list[Look]) -> list[Look]:
    """Without what a busy machine lost: a datagram may be."""
    return [look for look in looks if look.ok]


def by_standby(look: Look) -> bool:
    """The standby answered, or its address was given."""
    return look.who == S


def turn(looks: list[Look], new: Callable[[Look], bool]) -> tuple[Look, Look]:
    """The last look that saw the old, and the one after it: what it is from then on lies between the two."""
    last = max((number for number, look in enumerate(looks) if not new(look)), default=None)
    assert last is not None, "it was never otherwise"
    assert last + 1 < len(looks), "it never came"
    return looks[last], looks[last + 1]


def apart(ours: tuple[Look, Look], theirs: tuple[Look, Look]) -> float:
    """How far two that look each in its own rhythm may be apart about one moment.

    The moment lies between the last look that saw the old and the end of the first that saw the new. Between two looks
    is one interval, or what a busy machine makes of it.
    """
    (old, new), (their_old, their_new) = ours, theirs
    return max(
        new.time - old.time + their_new.ended - their_new.time,
        their_new.time - their_old.time + new.ended - new.time,
    )


def lost_for(looks: list[Look], began: float) -> float:
    """From the outage to the first look that succeeds, and after which none fails; 0 when none fails."""
    return 0.0 if all(look.ok for look in looks) else turn(looks, is_ok)[1].time - began


def split(looks: Iterable[Look], moment: float) -> tuple[set[int | None], set[int | None]]:
    """The numbers of writes that were begun after a moment, and of those that had ended by then."""
    looks = list(looks)
    return (
        {look.sequence for look in looks if look.time > moment},
        {look.sequence for look in looks if look.ended <= moment},
    )
