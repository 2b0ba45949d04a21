"""A sample of ``make torture``: one of its cycles, with fewer kills. tests/torture tells what it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rehearsal import LONG
from tests.torture.book import COUNTED, Book
from tests.torture.torture import Torture

SEED = 3
"""Its first cycle also kills a destroy half-way, and builds again what is left of it."""

KILLS = 16


@pytest.mark.xdist_group(LONG)
def test_a_sample_of_the_torture_leaves_no_orphan_no_duplicate_and_nothing_to_do_by_hand(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "torture"
    torture = Torture(folder, SEED, per_cycle=KILLS)

    assert torture.run(KILLS // 2, minutes=0.5, everywhere=False), "see the output"

    book = Book(folder)
    assert book.kills().total() >= KILLS // 2
    assert {name: book.total(name) for name in COUNTED if name != "to_the_end"} == {
        "orphans": 0,
        "duplicates": 0,
        "missing": 0,
        "manual": 0,
        "strangers": 0,
    }
    again = Torture(folder, None, resume=True)
    assert (again.book.seed, again.book.next) == (SEED, 2), "a later session goes on from here"
