"""A disk that fills up, and a reader that looks while a run writes."""

from __future__ import annotations

import resource
import threading
from pathlib import Path

import pytest

from drctl.errors import DrctlError
from drctl.ledger.ledger import Ledger
from drctl.ledger.lock import Lock
from drctl.ledger.model import Record


def record(number: int) -> Record:
    return Record(f"us-east-1/vpc/{number}", "vpc", "us-east-1", str(number), phase="ready")


def test_a_full_disk_is_told_and_leaves_a_sound_journal(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "trial", Lock(tmp_path / "trial.lock", "test"))
    ledger.put(record(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (tmp_path / "trial.journal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
    try:
        with pytest.raises(DrctlError, match="cannot be written"):
            ledger.put(record(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    ledger.put(record(3))  # as another thread does, when there is room again
    assert set(Ledger(tmp_path, "trial").records()) == {record(1).address, record(3).address}


def test_a_reader_never_sees_less_than_was_there_when_it_began(tmp_path: Path) -> None:
    """A snapshot from before a fold with a journal from after it would lack what was folded."""
    ledger = Ledger(tmp_path, "trial", Lock(tmp_path / "trial.lock", "test"))
    ledger.put(record(0))
    stop = threading.Event()

    def write() -> None:
        number = 1
        while not stop.is_set():
            ledger.put(record(number))
            ledger.fold(0.0)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(200):
            before = len(ledger.records())
            assert len(Ledger(tmp_path, "trial").records()) >= before
    finally:
        stop.set()
        writer.join()
