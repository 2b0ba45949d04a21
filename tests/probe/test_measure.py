"""Recovery time and point from journals written by hand: the outage begins at 1000, a look every second."""

from __future__ import annotations

import json
from typing import Any

import pytest

from drctl.probe.measure import acknowledged, measure

P, S = "us-east-1", "us-west-2"
OUTAGE = 1000.0

Looks = list[tuple[float, bool, str]]


def entries(
    *samples: tuple[str, Looks], facts: dict[str, Any] | None = None, **run: Any
) -> list[dict[str, Any]]:
    """A journal: ``facts`` by name, a list for what was written several times; numbers as canaries count them."""
    first = {
        "kind": "run",
        "primary": P,
        "standby": S,
        "objectives": {"rto_s": 300, "rpo_s": 10},
        "probes": {"interval_s": 1, "write_path": "/api/sessions/{id}"},
        **run,
    }
    story = [first]
    for name, value in {"outage_at": OUTAGE, **(facts or {})}.items():
        for each in value if isinstance(value, list) else [value]:
            story.append({"kind": "fact", "name": name, "value": each})
    for probe, looks in samples:
        rows = [
            [time, probe, ok, 1.0, who, "", number] for number, (time, ok, who) in enumerate(looks, start=1)
        ]
        story.append({"kind": "samples", "rows": rows})
    return story


def looks(*parts: tuple[float, float, bool, str]) -> Looks:
    """One a second: from, up to but without, whether it succeeded, who."""
    return [(begin + step, ok, who) for begin, end, ok, who in parts for step in range(int(end - begin))]


GRACEFUL = looks((900, 1060, True, P), (1060, 1200, True, S))
LOST = looks((900, 1000, True, P), (1000, 1090, False, ""), (1090, 1200, True, S))


def arrived(store: str, *numbers: int) -> dict[str, Any]:
    return {"store": store, "arrived": list(numbers), "at": 1100.0}


def test_no_failure_at_all() -> None:
    found = measure(entries(("read-name", GRACEFUL), ("write-name", GRACEFUL), facts={"failback_at": 1150}))
    for path in ("read-name", "write-name"):
        recovery = found.paths[path]
        assert (recovery.seconds, recovery.never_lost, recovery.met) == (0, True, True)
        assert (recovery.first_failure, recovery.served_again) == (None, None)
        assert (recovery.failed, recovery.total) == (0, 150)
    assert found.rto_met is True
    assert (found.phases.first_read_s, found.phases.first_write_s) == (60, 60)


def test_the_primary_is_lost_and_the_standby_takes_over() -> None:
    late = looks((900, 1000, True, P), (1000, 1250, False, S), (1250, 1300, True, S))
    facts = {
        "detected_at": 1030,
        "switched_at": 1045,
        "promotion_at": 1050,
        "promoted_at": 1170,
        "failback_at": 1290,
    }
    dns = looks((900, 1075, True, P), (1075, 1300, True, S))
    found = measure(
        entries(
            ("read-name", LOST), ("write-name", late), ("dns", dns), ("read-distribution", LOST), facts=facts
        )
    )
    reads, writes = found.paths["read-name"], found.paths["write-name"]
    assert (reads.first_failure, reads.served_again, reads.seconds) == (1000, 1090, 90)
    assert (writes.served_again, writes.seconds, writes.failed) == (1250, 250, 250)
    assert found.paths["read-distribution"].seconds == 90
    assert "write-distribution" not in found.paths
    assert found.rto_met is True
    phases = found.phases
    assert (phases.detect_s, phases.decide_s, phases.promote_s, phases.dns_s) == (30, 15, 120, 75)
    assert (phases.first_read_s, phases.first_write_s) == (90, 250)


@pytest.mark.parametrize(("rto_s", "met"), [(250, True), (249, False)])
def test_reads_and_writes_through_the_name_must_both_be_back_in_time(rto_s: int, met: bool) -> None:
    late = looks((1000, 1250, False, ""), (1250, 1300, True, S))
    objectives = {"rto_s": rto_s, "rpo_s": 10}
    found = measure(entries(("read-name", LOST), ("write-name", late), objectives=objectives))
    assert found.paths["read-name"].met is True
    assert found.paths["write-name"].met is met
    assert found.rto_met is met


def test_writes_do_not_count_where_they_are_not_probed() -> None:
    found = measure(entries(("read-name", LOST), probes={"interval_s": 1, "write_path": None}))
    assert found.rto_met is True


def test_a_path_that_was_to_be_probed_and_was_not_leaves_the_question_open() -> None:
    assert measure(entries(("read-name", LOST))).rto_met is None
    assert measure(entries()).rto_met is None


def test_flapping_is_not_served_again_until_it_ends() -> None:
    flapping = looks((1000, 1020, False, ""))
    for start in range(1020, 1080, 6):
        flapping += looks((start, start + 5, True, S), (start + 5, start + 6, False, ""))
    flapping += looks((1080, 1200, True, S))
    found = measure(entries(("read-name", flapping)))
    assert found.paths["read-name"].served_again == 1080
    assert found.outage["read-name"].seconds == 20 + 10


def test_a_stray_failure_long_after_does_not_move_the_recovery() -> None:
    stray = looks(
        (1000, 1030, False, ""), (1030, 1100, True, S), (1100, 1101, False, ""), (1101, 1200, True, S)
    )
    recovery = measure(entries(("read-name", stray))).paths["read-name"]
    assert (recovery.served_again, recovery.failed) == (1030, 31)


def test_a_stray_failure_before_the_real_loss_does_not_hide_it() -> None:
    loss = looks(
        (1000, 1001, False, ""), (1001, 1030, True, P), (1030, 1090, False, ""), (1090, 1200, True, S)
    )
    recovery = measure(entries(("read-name", loss))).paths["read-name"]
    assert (recovery.first_failure, recovery.served_again) == (1000, 1090)


def test_never_served_again() -> None:
    gone = looks((900, 1000, True, P), (1000, 1400, False, ""))
    found = measure(entries(("read-name", gone), ("write-name", gone)))
    recovery = found.paths["read-name"]
    assert (recovery.served_again, recovery.seconds, recovery.met) == (None, None, False)
    assert found.rto_met is False
    assert found.outage["read-name"].seconds == 399


def test_a_success_too_short_to_tell_is_none() -> None:
    short = looks((1000, 1050, False, ""), (1050, 1060, True, S))
    assert measure(entries(("read-name", short))).paths["read-name"].served_again is None
    enough = looks((1000, 1050, False, ""), (1050, 1061, True, S))
    assert measure(entries(("read-name", enough))).paths["read-name"].served_again == 1050


def test_until_failback_begins_is_long_enough() -> None:
    short = looks((1000, 1050, False, ""), (1050, 1055, True, S), (1055, 1100, False, ""))
    found = measure(entries(("read-name", short), facts={"failback_at": 1055}))
    assert found.paths["read-name"].served_again == 1050
    assert found.failback["read-name"].failed == 45


def test_the_way_back_is_counted_by_itself() -> None:
    story = LOST + looks((1200, 1210, False, ""), (1210, 1300, True, P))
    found = measure(entries(("read-name", story), facts={"failback_at": 1200}))
    out, back = found.outage["read-name"], found.failback["read-name"]
    assert (out.failed, out.total, out.seconds) == (90, 200, 90)
    assert (back.failed, back.total, back.seconds) == (10, 100, 10)
    assert found.paths["read-name"].failed == 90


def test_a_gap_is_not_called_served() -> None:
    """drctl was killed at 1020 and went on at 1060; the path was served when it looked again."""
    story = looks((900, 1000, True, P), (1000, 1020, False, ""), (1060, 1200, True, S))
    found = measure(entries(("read-name", story), facts={"gap": {"from": 1020, "to": 1060}}))
    recovery = found.paths["read-name"]
    assert (recovery.served_again, recovery.seconds, recovery.at_most) == (1060, 60, True)
    out = found.outage["read-name"]
    assert (out.failed, out.seconds, out.unwatched_s) == (20, 20, 40)


def test_a_path_that_nobody_saw_fail_may_have_failed_in_a_gap() -> None:
    story = looks((900, 1005, True, P), (1060, 1200, True, S))
    found = measure(entries(("read-name", story), facts={"gap": [{"from": 1005, "to": 1060}]}))
    recovery = found.paths["read-name"]
    assert (recovery.never_lost, recovery.first_failure, recovery.failed) == (False, None, 0)
    assert (recovery.seconds, recovery.at_most) == (60, True)


def test_a_gap_before_the_outage_changes_nothing() -> None:
    found = measure(entries(("read-name", LOST), facts={"gap": {"from": 920, "to": 930}}))
    assert (found.paths["read-name"].seconds, found.paths["read-name"].at_most) == (90, False)


def test_a_success_before_a_gap_must_last_beyond_it() -> None:
    story = looks(
        (1000, 1020, False, ""), (1020, 1025, True, S), (1060, 1065, False, ""), (1065, 1200, True, S)
    )
    found = measure(entries(("read-name", story), facts={"gap": {"from": 1025, "to": 1060}}))
    assert found.paths["read-name"].served_again == 1065


def test_what_was_acknowledged_and_did_not_arrive_is_lost() -> None:
    """Five seconds of lag: numbers 96 to 100 were acknowledged at 995 to 999 and are not in the standby."""
    written = looks((900, 1000, True, P), (1000, 1090, False, ""), (1090, 1200, True, S))
    facts = {"canary": [arrived("database", *range(1, 96)), arrived("table", *range(1, 101))]}
    found = measure(entries(("write-name", written), ("table", written), ("bucket", written), facts=facts))
    database, table, bucket = (found.stores[store] for store in ("database", "table", "bucket"))
    assert (database.acknowledged, database.arrived) == (100, 95)
    assert (database.lost, database.oldest_lost_at) == ((96, 97, 98, 99, 100), 995)
    assert (database.seconds, database.met) == (5, True)
    assert (table.lost, table.seconds, table.met) == ((), 0, True)
    assert (bucket.acknowledged, bucket.lost, bucket.seconds, bucket.met) == (100, None, None, None)
    assert found.rpo_met is None


@pytest.mark.parametrize(("rpo_s", "met"), [(5, True), (4, False)])
def test_the_worst_store_decides(rpo_s: int, met: bool) -> None:
    facts = {"canary": [arrived("database", *range(1, 96)), arrived("table", *range(1, 101))]}
    objectives = {"rto_s": 300, "rpo_s": rpo_s}
    found = measure(entries(("write-name", LOST), ("table", LOST), facts=facts, objectives=objectives))
    assert found.rpo_met is met


def test_a_hole_in_the_middle_is_a_loss_as_old_as_it_is() -> None:
    facts = {"canary": arrived("table", *range(1, 51), *range(52, 101))}
    table = measure(entries(("table", LOST), facts=facts)).stores["table"]
    assert (table.lost, table.seconds) == ((51,), 50)


def test_only_what_the_primary_acknowledged_before_the_outage_counts() -> None:
    story = [
        *looks((990, 995, True, P)),
        (995.0, False, P),
        (996.0, True, S),
        (997.0, True, ""),
        *looks((1000, 1010, True, P)),
    ]
    journal = entries(("write-name", story))
    assert sorted(acknowledged(journal, "database")) == [1, 2, 3, 4, 5, 8]


def test_the_standby_is_asked_once_at_the_promotion() -> None:
    """After the primary is back everything has arrived; that is not what the recovery point is about."""
    facts = {"canary": [arrived("table", *range(1, 96)), arrived("table", *range(1, 101))]}
    assert measure(entries(("table", LOST), facts=facts)).stores["table"].seconds == 5


def test_a_step_taken_again_after_a_crash_does_not_move_a_moment() -> None:
    facts = {"promotion_at": [1050, 1080], "promoted_at": 1100}
    assert measure(entries(facts=facts)).phases.promote_s == 50


def test_a_run_that_never_came_to_its_outage() -> None:
    journal = [entry for entry in entries(("read-name", GRACEFUL)) if entry.get("name") != "outage_at"]
    found = measure(journal)
    assert (found.rto_met, found.rpo_met, dict(found.paths), dict(found.outage)) == (None, None, {}, {})
    assert found.phases.detect_s is None


def test_samples_may_be_written_out_of_order() -> None:
    assert measure(entries(("read-name", LOST[::-1]))).paths["read-name"].seconds == 90


def test_a_journal_without_its_run_is_refused() -> None:
    with pytest.raises(ValueError, match="first entry"):
        measure(entries()[1:])


def test_results_go_into_the_journal() -> None:
    facts = {"canary": arrived("database", *range(1, 96)), "failback_at": 1150}
    said = json.loads(json.dumps(measure(entries(("write-name", LOST), facts=facts)).as_json()))
    assert said["rto"]["paths"]["write-name"]["seconds"] == 90
    assert said["rto"]["objective_s"] == 300
    assert said["rto"]["phases"]["first_write_s"] == 90
    assert said["rpo"]["stores"]["database"]["lost"] == [96, 97, 98, 99, 100]
    assert said["availability"]["outage"]["write-name"]["seconds"] == 90
    assert said["availability"]["failback"]["write-name"]["failed"] == 0
