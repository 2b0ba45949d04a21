"""The circuit breaker by itself: a history of probes, a minute apart, and the state that it leads to."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def breaker(package: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(package)
    return importlib.import_module("breaker")


@pytest.mark.parametrize(
    ("history", "states"),
    [
        ("+++", "CLOSED CLOSED CLOSED"),
        ("--+--", "CLOSED CLOSED CLOSED CLOSED CLOSED"),
        ("---", "CLOSED CLOSED OPEN"),
        # Five minutes are not over yet: neither good nor bad probes move it.
        ("---+-+-", "CLOSED CLOSED OPEN OPEN OPEN OPEN OPEN"),
        # Opened at minute 2, so that minute 7 is the first that may half-open it.
        ("---++++++", "CLOSED CLOSED OPEN OPEN OPEN OPEN OPEN HALF_OPEN CLOSED"),
        ("---++++++---", "CLOSED CLOSED OPEN OPEN OPEN OPEN OPEN HALF_OPEN CLOSED CLOSED CLOSED OPEN"),
        # Failing at half open, or when it might have become so, starts the timeout again.
        ("---+++++-++++++", "CLOSED CLOSED" + " OPEN" * 5 + " HALF_OPEN" + " OPEN" * 5 + " HALF_OPEN CLOSED"),
        ("--------++++++", "CLOSED CLOSED" + " OPEN" * 10 + " HALF_OPEN CLOSED"),
    ],
)
def test_history(breaker: ModuleType, history: str, states: str) -> None:
    seen = []
    now = breaker.Breaker()
    for minute, sign in enumerate(history):
        now = breaker.after_probe(now, sign == "+", minute * 60.0, threshold=3, timeout_s=300)
        seen.append(now.state.value)
    assert seen == states.split()


def test_every_opening_is_announced_but_only_a_new_outage_promotes(breaker: ModuleType) -> None:
    """An operator may have failed back between two openings; a promotion loses data, once an outage is enough."""
    acted_upon = breaker.Breaker(state=breaker.State.OPEN, opened_at=0.0, published=True, promoted=True)

    reopened = breaker.after_probe(acted_upon, False, 300.0, threshold=3, timeout_s=300)
    assert (reopened.published, reopened.promoted) == (False, True)

    recovered = acted_upon
    for moment in (300.0, 360.0):
        recovered = breaker.after_probe(recovered, True, moment, threshold=1, timeout_s=300)
    lost_again = breaker.after_probe(recovered, False, 420.0, threshold=1, timeout_s=300)
    assert (lost_again.state, lost_again.published, lost_again.promoted) == ("OPEN", False, False)
