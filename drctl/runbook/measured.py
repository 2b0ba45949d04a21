"""What was measured, as the verdict of a run's journal holds it (drctl/probe/measure.py wrote it).

All times are seconds since the epoch, all durations seconds; None: it was not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drctl.probe.measure import PATHS, STORES
from drctl.runbook.said import count, mapping, number, truth

PARTS = ("outage", "failback")


@dataclass(frozen=True)
class Route:
    """How clients on one path fared from the outage on. ``seconds`` None: they were not seen to be served again.

    at_most: nobody looked for a while before they were, so that ``seconds`` is the longest it can have been
    """

    path: str
    first_failure: float | None
    served_again: float | None
    seconds: float | None
    never_lost: bool
    at_most: bool
    failed: int
    total: int
    met: bool | None


@dataclass(frozen=True)
class Phase:
    """A part of the recovery, in seconds after the outage began. Phases may overlap."""

    name: str
    from_s: float | None
    to_s: float | None

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return None if self.from_s is None or self.to_s is None else self.to_s - self.from_s


@dataclass(frozen=True)
class Store:
    """Writes the primary had acknowledged before the outage, and those of them the standby had at the promotion.

    arrived, lost: None when the standby was never asked
    seconds: from the oldest write that was lost to the outage
    """

    store: str
    acknowledged: int
    arrived: int | None
    lost: tuple[int, ...] | None
    seconds: float | None
    met: bool | None


@dataclass(frozen=True)
class Unserved:
    """What a path did not serve in one part of the run. ``unwatched_s``: nobody looked then."""

    path: str
    part: str
    failed: int
    total: int
    seconds: float | None
    unwatched_s: float | None


def routes(results: Mapping[str, Any]) -> tuple[Route, ...]:
    """The paths, in the order they were measured."""
    paths = mapping(mapping(results.get("rto")).get("paths"))
    return tuple(
        Route(
            path,
            number(said.get("first_failure")),
            number(said.get("served_again")),
            number(said.get("seconds")),
            said.get("never_lost") is True,
            said.get("at_most") is True,
            count(said.get("failed")),
            count(said.get("total")),
            truth(said.get("met")),
        )
        for path, said in _in_order(paths, PATHS)
    )


def phases(results: Mapping[str, Any], facts: Mapping[str, Any]) -> tuple[Phase, ...]:
    """Where the time went, in the order of the runbook."""
    rto = mapping(mapping(results.get("rto")).get("phases"))
    outage = number(facts.get("outage_at"))

    def since_outage(fact: str) -> float | None:
        at = number(facts.get(fact))
        return None if at is None or outage is None else at - outage

    detected, switched = since_outage("detected_at"), since_outage("switched_at")
    found = (
        Phase("detect", 0.0, number(rto.get("detect_s"))),
        Phase("decide", detected, switched),
        Phase("dns", 0.0, number(rto.get("dns_s"))),
        Phase("promote", since_outage("promotion_at"), since_outage("promoted_at")),
        Phase("first read", 0.0, number(rto.get("first_read_s"))),
        Phase("first write", 0.0, number(rto.get("first_write_s"))),
    )
    return tuple(each for each in found if each.seconds is not None)


def stores(results: Mapping[str, Any]) -> tuple[Store, ...]:
    """The data stores."""
    return tuple(_stores(mapping(mapping(results.get("rpo")).get("stores"))))


def _stores(said: Mapping[str, Any]) -> Iterator[Store]:
    for name, store in _in_order(said, tuple(STORES)):
        arrived, lost = number(store.get("arrived")), store.get("lost")
        yield Store(
            name,
            count(store.get("acknowledged")),
            None if arrived is None else int(arrived),
            tuple(count(each) for each in lost) if isinstance(lost, list) else None,
            number(store.get("seconds")),
            truth(store.get("met")),
        )


def unserved(results: Mapping[str, Any]) -> tuple[Unserved, ...]:
    """By path and part of the run: outage, failback."""
    found = []
    for part, paths in _in_order(mapping(results.get("availability")), PARTS):
        for path, said in _in_order(paths, PATHS):
            found.append(
                Unserved(
                    path,
                    part,
                    count(said.get("failed")),
                    count(said.get("total")),
                    number(said.get("seconds")),
                    number(said.get("unwatched_s")),
                )
            )
    return tuple(found)


def _in_order(said: Mapping[str, Any], order: Sequence[str]) -> list[tuple[str, Mapping[str, Any]]]:
    """Those of the order first, as journals sort the names in them."""
    names = sorted(said, key=lambda name: (order.index(name) if name in order else len(order), name))
    return [(name, mapping(said[name])) for name in names]
