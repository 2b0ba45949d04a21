"""Real processes that are stopped, killed and woken at any instant, while others take over from them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drctl.errors import LockedError
from drctl.ledger.file_store import FileStore
from drctl.ledger.ledger import Ledger
from tests.ledger.contract import ENVIRONMENT, NEVER, a_record, opened

LEASE_S = 0.3
LOST = 7

WRITER = f"""
import os, pathlib, sys, time
from drctl.errors import LockedError
from drctl.ledger.file_store import FileStore
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import Record
from drctl.ledger.store import HoldLost

folder, deed, number = pathlib.Path(sys.argv[1]), sys.argv[2], 0
store = FileStore(folder, "demo", {LEASE_S}, {LEASE_S} / 4)
while True:
    try:
        hold = store.hold("writer")
    except LockedError:
        time.sleep(0.01)
        continue
    try:
        ledger = Ledger(store, "demo", hold)
        print("held", flush=True)
        for _ in range(10) if deed == "compete" else iter(int, 1):
            number += 1
            name = f"{{os.getpid()}}-{{number}}"
            print("intent", name, flush=True)
            ledger.put(Record(f"us-east-1/vpc/{{name}}", "vpc", "us-east-1", name, "ready"))
            print("done", name, flush=True)
            if deed == "fold" or number % 4 == 0 and deed != "append":
                ledger.fold(float(number))
            if deed == "erase" and number % 3 == 0:
                for address in ledger.records():
                    ledger.forget(address)
                ledger.erase()
                print("erased", flush=True)
    except HoldLost:
        if deed != "compete":
            sys.exit({LOST})
    hold.release()
"""


class Writer:
    """A process that writes and says so: before each entry, and after it."""

    def __init__(self, folder: Path, deed: str, said: Path) -> None:
        self._said = said
        with said.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", WRITER, folder, deed], stdout=out, stderr=out
            )

    def said(self) -> list[list[str]]:
        whole, _, _ = self._said.read_text().rpartition("\n")
        return [line.split() for line in whole.splitlines()]

    def until_it_holds(self) -> None:
        while ["held"] not in self.said():
            assert self.process.poll() is None, self._said.read_text()
            time.sleep(0.01)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def a_writer(folder: Path, deed: str, said: Path) -> Iterator[Writer]:
    writer = Writer(folder, deed, said)
    try:
        yield writer
    finally:
        writer.kill()


@pytest.mark.parametrize("deed", ["append", "fold", "erase"])
def test_a_writer_stopped_at_any_instant_changes_nothing_when_it_wakes(tmp_path: Path, deed: str) -> None:
    chance = random.Random(deed)
    for number in range(12):
        folder = tmp_path / str(number)
        with a_writer(folder, deed, tmp_path / f"{number}.out") as writer:
            writer.until_it_holds()
            time.sleep(chance.uniform(0.0, 0.08))
            writer.stop()
            store = FileStore(folder, ENVIRONMENT, LEASE_S, NEVER)
            while True:
                with contextlib.suppress(LockedError):
                    hold = store.hold("successor")
                    break
                time.sleep(LEASE_S / 10)
            wakes = chance.randrange(5)
            for step in range(5):
                if step == wakes:
                    writer.go_on()
                if step == 0:
                    ledger = Ledger(store, ENVIRONMENT, hold)
                    found = set(ledger.records())
                elif step in (1, 3):
                    ledger.put(a_record(f"us-west-2/vpc/{step}"))
                elif step == 2:
                    ledger.fold(1e9)
            assert writer.process.wait(60) == LOST, writer.said()[-3:]
            read = Ledger(FileStore(folder, ENVIRONMENT), ENVIRONMENT)
            assert (read.meta, read.records()) == (ledger.meta, ledger.records())
            hold.check()
            hold.release()
            told = {f"us-east-1/vpc/{words[1]}" for words in writer.said() if words[0] == "done"}
            assert deed == "erase" or told <= found
            asked = {f"us-east-1/vpc/{words[1]}" for words in writer.said() if words[0] == "intent"}
            assert found <= asked


def test_processes_that_compete_are_killed_and_stopped_and_nothing_told_is_lost(tmp_path: Path) -> None:
    chance = random.Random(3)
    folder, writers, outputs = tmp_path / "state", list[Writer](), list[Path]()

    def another() -> Writer:
        outputs.append(tmp_path / f"{len(outputs)}.out")
        return Writer(folder, "compete", outputs[-1])

    try:
        writers = [another() for _ in range(3)]
        writers[0].until_it_holds()
        for _ in range(25):
            time.sleep(chance.uniform(0.02, 0.2))
            victim = chance.randrange(len(writers))
            if chance.random() < 0.25:
                writers[victim].kill()
                writers[victim] = another()
            else:
                writers[victim].stop()
                time.sleep(chance.uniform(0.0, 2 * LEASE_S))
                writers[victim].go_on()
    finally:
        for writer in writers:
            writer.kill()
    hold, ledger = opened(FileStore(folder, ENVIRONMENT, LEASE_S))
    hold.release()
    lines = [line for out in outputs for line in out.read_text().splitlines()]
    assert not [line for line in lines if "Error" in line]
    told = {line.split()[1] for line in lines if line.startswith("done ")}
    held = {record.name for record in ledger.records().values()}
    assert told <= held <= {line.split()[1] for line in lines if line.startswith("intent ")}
    assert told
