"""Probes look again and again, whatever happens to one look. No test here measures time: they count and order."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from drctl.engine.clock import WallClock
from drctl.probe.outside import real_timeout
from drctl.probe.prober import Prober
from drctl.probe.sample import Finding, Sample
from tests.probe.world import HandClock

LONG = 60.0


class Sink:
    """Keeps samples, and tells when there are enough."""

    def __init__(self, enough: int) -> None:
        self.samples: list[Sample] = []
        self._enough = enough
        self._event = threading.Event()

    def __call__(self, sample: Sample) -> None:
        self.samples.append(sample)
        if len(self.samples) >= self._enough:
            self._event.set()

    def wait(self) -> None:
        assert self._event.wait(LONG)


def run(probes: dict[str, Callable[[], Finding | None]], sink: Sink, interval_s: float = 0.01) -> Prober:
    prober = Prober(probes, interval_s, WallClock(), sink)
    prober.start()
    sink.wait()
    prober.stop()
    return prober


def test_a_sample_says_what_was_found_and_when_the_look_began() -> None:
    clock, sink = HandClock(), Sink(1)

    def look() -> Finding:
        clock.time += 5
        return Finding(True, "us-east-1", "200", 7)

    prober = Prober({"write-name": look}, LONG, clock, sink)
    began = clock.now()
    prober.start()
    sink.wait()
    prober.stop()
    sample = sink.samples[0]
    assert (sample.time, sample.probe, sample.ok) == (began, "write-name", True)
    assert (sample.who, sample.detail, sample.sequence) == ("us-east-1", "200", 7)
    assert sample.latency_ms >= 0


def test_a_look_that_raises_is_a_failed_one_and_the_next_one_comes() -> None:
    looks = iter([ValueError("no such name"), RuntimeError(), None])

    def look() -> Finding:
        error = next(looks, None)
        if error is not None:
            raise error
        return Finding(True)

    sink = Sink(3)
    run({"dns": look}, sink)
    assert [(s.ok, s.detail) for s in sink.samples[:3]] == [
        (False, "no such name"),
        (False, "RuntimeError"),
        (True, ""),
    ]


def test_the_words_of_an_error_are_few() -> None:
    def look() -> Finding:
        raise ValueError("x" * 10_000)

    sink = Sink(1)
    run({"dns": look}, sink)
    assert len(sink.samples[0].detail) == 120


def test_nothing_to_look_at_is_no_sample() -> None:
    looks = iter([None, None, Finding(True)])
    sink = Sink(1)
    run({"table": lambda: next(looks, None)}, sink)
    assert [s.ok for s in sink.samples] == [True]


def test_a_probe_that_waits_does_not_hold_up_the_others_and_looks_once_at_a_time() -> None:
    release, looking, most = threading.Event(), [0], [0]

    def slow() -> Finding:
        looking[0] += 1
        most[0] = max(most[0], looking[0])
        release.wait(LONG)
        looking[0] -= 1
        return Finding(True)

    sink = Sink(20)
    prober = Prober({"slow": slow, "quick": lambda: Finding(True)}, 0.01, WallClock(), sink)
    prober.start()
    sink.wait()
    assert {s.probe for s in sink.samples} == {"quick"}
    release.set()
    prober.stop()
    assert most == [1]
    assert "slow" in {s.probe for s in sink.samples}


def test_stop_waits_for_the_looks_under_way_and_begins_no_new_one() -> None:
    begun, release = threading.Event(), threading.Event()

    def look() -> Finding:
        begun.set()
        release.wait(LONG)
        return Finding(True)

    sink = Sink(1)
    prober = Prober({"read-name": look}, 0.01, WallClock(), sink)
    prober.start()
    assert begun.wait(LONG)
    stopping = threading.Thread(target=prober.stop)
    stopping.start()
    assert sink.samples == []
    release.set()
    stopping.join(LONG)
    assert not stopping.is_alive()
    assert len(sink.samples) == 1


def test_stop_does_not_wait_for_the_interval() -> None:
    sink = Sink(1)
    prober = run({"dns": lambda: Finding(True)}, sink, interval_s=1e6)
    assert len(sink.samples) == 1
    assert prober is not None


def test_what_was_missed_is_not_made_up_for() -> None:
    """An hour passes during a look, as when the process was paused: one look follows, not 3600."""
    clock, second = HandClock(), threading.Event()
    times: list[float] = []

    def look() -> Finding:
        times.append(clock.now())
        if len(times) == 1:
            clock.time += 3600
        else:
            second.set()
        return Finding(True)

    prober = Prober({"dns": look}, LONG, clock, lambda _: None)
    prober.start()
    assert second.wait(LONG)
    prober.stop()
    assert times == [1_000_000.0, 1_003_600.0]


def test_a_sink_that_fails_is_heard_of_when_the_prober_stops() -> None:
    called = threading.Event()

    def sink(_: Sample) -> None:
        called.set()
        raise OSError("no space left on device")

    prober = Prober({"dns": lambda: Finding(True)}, 0.01, WallClock(), sink)
    prober.start()
    assert called.wait(LONG)
    with pytest.raises(OSError, match="no space"):
        prober.stop()


def test_a_sample_survives_the_journal() -> None:
    sample = Sample(1_000_000.123, "write-name", True, 12.3, "us-east-1", "200", 7)
    assert Sample.from_row(sample.row()) == sample


def test_a_timeout_is_the_environments_time_but_at_least_a_real_second() -> None:
    assert real_timeout(HandClock(1), 5) == 5
    assert real_timeout(HandClock(60), 5) == 1
