"""A run's journal, sorted into what measuring needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drctl.probe.sample import Sample

Entry = Mapping[str, Any]
"""One line of a run's journal."""


@dataclass(frozen=True)
class Span:
    """From ``begin`` on, up to but without ``end``."""

    begin: float
    end: float = float("inf")

    def holds(self, time: float) -> bool:
        return self.begin <= time < self.end

    def shared(self, other: Span) -> float:
        """Seconds that are in both."""
        return max(0.0, min(self.end, other.end) - max(self.begin, other.begin))


@dataclass(frozen=True)
class Story:
    """What happened. Of a fact that was written twice (a step taken again after a crash) the first counts.

    run: the journal's first entry
    moments: facts that are times, by name
    arrived: by store, the canaries that the standby held when it was asked
    gaps: while nobody looked, because the process was gone
    samples: by probe, in the order of their times
    """

    run: Entry
    moments: Mapping[str, float]
    arrived: Mapping[str, frozenset[int]]
    gaps: tuple[Span, ...]
    samples: Mapping[str, Sequence[Sample]]

    def looks(self, probe: str, span: Span) -> list[Sample]:
        """The samples of a probe whose looks began in this span."""
        return [sample for sample in self.samples.get(probe, ()) if span.holds(sample.time)]


def read(entries: Iterable[Entry]) -> Story:
    """Sort a journal's entries. Raises ValueError when the run itself is missing."""
    run: Entry | None = None
    moments: dict[str, float] = {}
    arrived: dict[str, frozenset[int]] = {}
    gaps: list[Span] = []
    samples: dict[str, list[Sample]] = {}
    for entry in entries:
        kind = entry["kind"]
        if kind == "run":
            run = entry
        elif kind == "samples":
            for sample in map(Sample.from_row, entry["rows"]):
                samples.setdefault(sample.probe, []).append(sample)
        elif kind == "fact":
            name, value = entry["name"], entry["value"]
            if name == "canary":
                arrived.setdefault(value["store"], frozenset(value["arrived"]))
            elif name == "gap":
                gaps.append(Span(value["from"], value["to"]))
            elif name.endswith("_at") and value is not None:
                moments.setdefault(name, float(value))
    if run is None:
        raise ValueError("a journal without its first entry")
    for rows in samples.values():
        rows.sort(key=lambda sample: sample.time)
    return Story(run, moments, arrived, tuple(gaps), samples)
