"""Recovery time and recovery point, computed from what probes saw: pure, from a run's journal alone.

Where something was not watched, the answer is the one that is worse for us.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drctl.probe.results import Availability, Loss, Phases, Recovery, Results, all_met
from drctl.probe.sample import Sample
from drctl.probe.story import Entry, Span, Story, read

READ_NAME, WRITE_NAME = "read-name", "write-name"
PATHS = (READ_NAME, WRITE_NAME, "read-distribution", "write-distribution")
"""The probes of the ways on which clients are served."""
STORES = {"database": WRITE_NAME, "table": "table", "bucket": "bucket"}
"""Data store -> the probe that writes to it."""
STEADY = 10
"""A look counts as "served again" when so many looks after it succeed too, or all until failback begins."""
LOST_AGAIN = 3
"""So many failures in a row are not a stray one: whatever was served before did not last."""


def measure(entries: Iterable[Entry]) -> Results:
    """Everything that can be said; also of a run that is under way, was aborted or killed.

    Raises ValueError for a journal without its first entry.
    """
    story = read(entries)
    run = story.run
    rto_s, rpo_s = float(run["objectives"]["rto_s"]), float(run["objectives"]["rpo_s"])
    paths: dict[str, Recovery] = {}
    stores: dict[str, Loss] = {}
    outage: dict[str, Availability] = {}
    failback: dict[str, Availability] = {}
    outage_at, failback_at = story.moments.get("outage_at"), story.moments.get("failback_at")
    if outage_at is not None:
        out = Span(outage_at, failback_at if failback_at is not None else float("inf"))
        paths = {path: _recovery(story, path, out, rto_s) for path in PATHS if story.looks(path, out)}
        outage = _availability(story, out)
        stores = {
            store: _loss(story, store, outage_at, rpo_s)
            for store, probe in STORES.items()
            if story.samples.get(probe)
        }
    if failback_at is not None:
        failback = _availability(story, Span(failback_at))
    needed = (READ_NAME, WRITE_NAME) if run["probes"].get("write_path") else (READ_NAME,)
    return Results(
        rto_s,
        all_met([paths[path].met if path in paths else None for path in needed]),
        paths,
        _phases(story),
        rpo_s,
        all_met([loss.met for loss in stores.values()]),
        stores,
        outage,
        failback,
    )


def acknowledged(entries: Iterable[Entry], store: str) -> dict[int, float]:
    """Number -> time of the writes a store acknowledged in the primary: what to ask the standby for.

    The samples must be in the journal by then: a write that is not asked for will count as lost.
    """
    return _acknowledged(read(entries), store)


@dataclass(frozen=True)
class _Look:
    """A sample, or the beginning of a gap, which is a failure because nobody saw a success."""

    time: float
    ok: bool


def _recovery(story: Story, path: str, out: Span, objective_s: float) -> Recovery:
    samples = story.looks(path, out)
    gaps = [gap for gap in story.gaps if gap.shared(out)]
    looks = sorted(
        [_Look(sample.time, sample.ok) for sample in samples]
        + [_Look(max(gap.begin, out.begin), False) for gap in gaps],
        key=lambda look: look.time,
    )
    failures = [sample.time for sample in samples if not sample.ok]
    never_lost = all(look.ok for look in looks)
    again = None if never_lost else _served_again(looks, until_failback=out.end < float("inf"))
    seconds = 0.0 if never_lost else None if again is None else again - out.begin
    return Recovery(
        first_failure=min(failures, default=None),
        served_again=again,
        seconds=seconds,
        never_lost=never_lost,
        at_most=again is not None and any(gap.begin < again for gap in gaps),
        failed=len(failures),
        total=len(samples),
        met=seconds is not None and seconds <= objective_s,
    )


def _served_again(looks: list[_Look], until_failback: bool) -> float | None:
    """The time of the first success after the first failure that lasted, and that no later loss took back."""
    candidate: float | None = None
    failed = streak = 0
    for number, look in enumerate(looks):
        streak = 0 if look.ok else streak + 1
        failed += not look.ok
        if streak == LOST_AGAIN:
            candidate = None
        if candidate is None and look.ok and failed:
            following = looks[number + 1 : number + 1 + STEADY]
            enough = len(following) == STEADY or until_failback
            if enough and all(after.ok for after in following):
                candidate = look.time
    return candidate


def _availability(story: Story, span: Span) -> dict[str, Availability]:
    found = {}
    for path in PATHS:
        samples = story.looks(path, span)
        if not samples:
            continue
        lost = list(_lost(samples, span))
        found[path] = Availability(
            failed=sum(not sample.ok for sample in samples),
            total=len(samples),
            seconds=sum(each.end - each.begin - sum(gap.shared(each) for gap in story.gaps) for each in lost),
            unwatched_s=sum(gap.shared(span) for gap in story.gaps),
        )
    return found


def _lost(samples: list[Sample], span: Span) -> Iterable[Span]:
    """From each first failure to the next success; the last one at most to the end of what was seen."""
    began: float | None = None
    for sample in samples:
        if sample.ok and began is not None:
            yield Span(began, sample.time)
            began = None
        elif not sample.ok and began is None:
            began = sample.time
    if began is not None:
        yield Span(began, min(span.end, max(sample.time for sample in samples)))


def _phases(story: Story) -> Phases:
    outage_at, standby = story.moments.get("outage_at"), story.run["standby"]

    def between(begin: str, end: str) -> float | None:
        first, second = story.moments.get(begin), story.moments.get(end)
        return None if first is None or second is None else second - first

    def first_by_standby(probe: str) -> float | None:
        if outage_at is None:
            return None
        out = Span(outage_at, story.moments.get("failback_at", float("inf")))
        times = [look.time for look in story.looks(probe, out) if look.ok and look.who == standby]
        return min(times) - outage_at if times else None

    return Phases(
        detect_s=between("outage_at", "detected_at"),
        decide_s=between("detected_at", "switched_at"),
        promote_s=between("promotion_at", "promoted_at"),
        dns_s=first_by_standby("dns"),
        first_read_s=first_by_standby(READ_NAME),
        first_write_s=first_by_standby(WRITE_NAME),
    )


def _loss(story: Story, store: str, outage_at: float, objective_s: float) -> Loss:
    written, arrived = _acknowledged(story, store), story.arrived.get(store)
    if arrived is None or not written:
        return Loss(len(written), None, None, None, None, None)
    lost = sorted(written.keys() - arrived)
    there = len(written) - len(lost)
    if not lost:
        return Loss(len(written), there, (), None, 0.0, True)
    oldest = min(written[number] for number in lost)
    seconds = outage_at - oldest
    return Loss(len(written), there, tuple(lost), oldest, seconds, seconds <= objective_s)


def _acknowledged(story: Story, store: str) -> dict[int, float]:
    """Before the outage. What a primary that half lives takes afterwards is not counted."""
    before = Span(float("-inf"), story.moments.get("outage_at", float("inf")))
    return {
        sample.sequence: sample.time
        for sample in story.looks(STORES[store], before)
        if sample.ok and sample.sequence is not None and sample.who in ("", story.run["primary"])
    }
