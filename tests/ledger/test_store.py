"""The ledger: nothing known is ever lost, whatever happens to the process or to the files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from drctl.errors import DrctlError, LockedError
from drctl.ledger.ledger import Ledger, StateDamaged
from drctl.ledger.lock import Lock, break_lock, holder
from drctl.ledger.model import Intent, Record


def a_record(address: str = "us-east-1/vpc/main", **changes: object) -> Record:
    region, kind, name = address.split("/")
    values = {"phase": "ready", "outputs": {"vpc_id": "vpc-1"}, **changes}
    return Record(address, kind, region, name, **values)  # type: ignore[arg-type]


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    return Lock(tmp_path / "demo.lock", "up")


def reopened(folder: Path) -> Ledger:
    return Ledger(folder, "demo")


def test_what_was_put_is_there_after_a_crash_without_a_fold(tmp_path: Path, lock: Lock) -> None:
    ledger = Ledger(tmp_path, "demo", lock)
    record = a_record(intent=Intent("create", "f" * 32, 12.5), depends_on=("us-east-1/kms-key/main",))
    ledger.put(record)
    assert reopened(tmp_path).get(record.address) == record


def test_forgetting_and_condemning_survive_too(tmp_path: Path, lock: Lock) -> None:
    ledger = Ledger(tmp_path, "demo", lock)
    old, new = a_record(), a_record(outputs={})
    ledger.put(old)
    ledger.condemn(old, new)
    ledger.put(a_record("us-west-2/vpc/main"))
    ledger.forget("us-west-2/vpc/main")
    again = reopened(tmp_path)
    assert set(again.records()) == {"us-east-1/vpc/main", "us-east-1/vpc/main~1"}
    assert again.condemned("us-east-1/vpc/main")[0].outputs == {"vpc_id": "vpc-1"}


def test_a_fold_keeps_everything_and_empties_the_journal(tmp_path: Path, lock: Lock) -> None:
    ledger = Ledger(tmp_path, "demo", lock)
    ledger.put(a_record())
    ledger.describe(account="123456789012", regions=("us-east-1", "us-west-2"))
    ledger.fold(now=100.0)
    ledger.put(a_record("us-west-2/vpc/main"))
    assert (tmp_path / "demo.journal").read_text().count("\n") == 1
    again = reopened(tmp_path)
    assert set(again.records()) == {"us-east-1/vpc/main", "us-west-2/vpc/main"}
    assert (again.meta.account, again.meta.regions) == ("123456789012", ("us-east-1", "us-west-2"))


def test_a_crash_between_the_snapshot_and_the_emptying_of_the_journal_applies_nothing_twice(
    tmp_path: Path, lock: Lock
) -> None:
    ledger = Ledger(tmp_path, "demo", lock)
    ledger.put(a_record())
    ledger.forget("us-east-1/vpc/main")
    journal = (tmp_path / "demo.journal").read_bytes()
    ledger.fold(now=1.0)
    ledger.close()
    (tmp_path / "demo.journal").write_bytes(journal)
    assert reopened(tmp_path).records() == {}


def test_a_journal_torn_at_any_byte_of_its_last_line_loses_only_that_line(tmp_path: Path, lock: Lock) -> None:
    ledger = Ledger(tmp_path, "demo", lock)
    ledger.put(a_record())
    whole = len((tmp_path / "demo.journal").read_bytes())
    ledger.put(a_record("us-west-2/vpc/main"))
    ledger.close()
    data = (tmp_path / "demo.journal").read_bytes()
    for cut in range(whole, len(data)):
        (tmp_path / "demo.journal").write_bytes(data[:cut])
        assert set(reopened(tmp_path).records()) == {"us-east-1/vpc/main"}
    torn = Ledger(tmp_path, "demo", lock)
    torn.put(a_record("eu-west-1/vpc/main"))
    assert set(reopened(tmp_path).records()) == {"us-east-1/vpc/main", "eu-west-1/vpc/main"}


@pytest.mark.parametrize("position", [0, 12, 40, 100])
def test_a_flipped_byte_in_the_journal_is_an_error_with_a_way_out(
    tmp_path: Path, lock: Lock, position: int
) -> None:
    ledger = Ledger(tmp_path, "demo", lock)
    ledger.put(a_record())
    ledger.put(a_record("us-west-2/vpc/main"))
    ledger.close()
    data = bytearray((tmp_path / "demo.journal").read_bytes())
    data[position] ^= 0x04
    (tmp_path / "demo.journal").write_bytes(data)
    with pytest.raises(StateDamaged) as caught:
        reopened(tmp_path)
    assert "move them away and run `drctl up`" in caught.value.diagnostics[0].remedy


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 1}', '"text"'])
def test_a_damaged_snapshot_is_never_an_empty_environment(tmp_path: Path, lock: Lock, damage: str) -> None:
    ledger = Ledger(tmp_path, "demo", lock)
    ledger.put(a_record())
    ledger.fold(now=1.0)
    ledger.close()
    (tmp_path / "demo.json").write_text(damage)
    with pytest.raises(StateDamaged):
        reopened(tmp_path)


def test_an_edited_snapshot_and_a_missing_one_are_noticed(tmp_path: Path, lock: Lock) -> None:
    ledger = Ledger(tmp_path, "demo", lock)
    ledger.put(a_record())
    ledger.fold(now=1.0)
    ledger.put(a_record("us-west-2/vpc/main"))
    path = tmp_path / "demo.json"
    sound = path.read_text()
    path.write_text(sound.replace("vpc-1", "vpc-2"))
    with pytest.raises(StateDamaged, match="checksum"):
        reopened(tmp_path)
    path.unlink()
    with pytest.raises(StateDamaged, match="the journal is there"):
        reopened(tmp_path)


def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path, lock: Lock) -> None:
    ledger = Ledger(tmp_path, "demo", lock)
    ledger.put(a_record())
    ledger.fold(now=1.0)
    path = tmp_path / "demo.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99}))
    before = path.read_bytes()
    with pytest.raises(DrctlError, match="newer drctl"):
        reopened(tmp_path)
    assert path.read_bytes() == before


def test_files_are_for_their_owner_only_and_the_snapshot_before_is_kept(tmp_path: Path, lock: Lock) -> None:
    ledger = Ledger(tmp_path, "demo", lock)
    ledger.put(a_record())
    ledger.fold(now=1.0)
    ledger.forget("us-east-1/vpc/main")
    ledger.fold(now=2.0)
    assert {path.name for path in tmp_path.iterdir()} >= {"demo.json", "demo.backup", "demo.lock"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())
    backup = json.loads((tmp_path / "demo.backup").read_text())
    assert list(backup["records"]) == ["us-east-1/vpc/main"]


def test_a_second_run_is_told_who_holds_the_lock(tmp_path: Path, lock: Lock) -> None:
    with pytest.raises(LockedError) as caught:
        Lock(tmp_path / "demo.lock", "destroy")
    assert f"process {os.getpid()}" in caught.value.diagnostics[0].cause
    assert "drctl up" in caught.value.diagnostics[0].cause
    lock.release()
    Lock(tmp_path / "demo.lock", "destroy").release()
    assert holder(tmp_path / "demo.lock") is None


def test_a_killed_run_holds_no_lock(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import pathlib, sys, time
        from drctl.ledger.lock import Lock
        lock = Lock(pathlib.Path({str(tmp_path / "demo.lock")!r}), "up")
        print("held", flush=True)
        sys.stdin.read()
    """)
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(LockedError):
        Lock(tmp_path / "demo.lock", "up")
    child.send_signal(signal.SIGKILL)
    child.wait()
    Lock(tmp_path / "demo.lock", "up").release()


def test_a_holder_whose_lock_was_broken_writes_nothing_more(tmp_path: Path, lock: Lock) -> None:
    ledger = Ledger(tmp_path, "demo", lock)
    ledger.put(a_record())
    break_lock(tmp_path / "demo.lock")
    successor = Lock(tmp_path / "demo.lock", "destroy")
    before = (tmp_path / "demo.journal").read_bytes()
    with pytest.raises(DrctlError, match="broken by somebody else"):
        ledger.put(a_record("us-west-2/vpc/main"))
    with pytest.raises(DrctlError, match="broken by somebody else"):
        ledger.fold(now=1.0)
    assert (tmp_path / "demo.journal").read_bytes() == before
    successor.release()
