"""What every store must do, whatever it is made of: nothing known is lost, and a former holder changes nothing.

A store's own test binds it: a subclass of ``StoreContract`` with a fixture ``place``.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Protocol

import pytest

from drctl.errors import DrctlError, LockedError
from drctl.ledger import ledger as ledger_module
from drctl.ledger.journal import Entry
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import Intent, Record
from drctl.ledger.store import Hold, HoldLost, StateDamaged, Store

ENVIRONMENT = "demo"

NEVER = 3600.0
"""Real seconds between two renewals of a holder that does not renew while a test lasts."""


class Place(Protocol):
    """Somewhere a ledger can be kept, where nothing is yet. Every store it gives is another machine's."""

    lease_s: float
    """Real seconds: a lease so short that a test can wait for its end."""

    stride: int
    """Of so many points at which something can happen, about one is tried; with DRCTL_EVERY_POINT set, all are."""

    def store(self, lease_s: float = 60.0, renew_s: float = 15.0) -> Store:
        """A store for ENVIRONMENT."""

    def watched(self, before: Callable[[], None]) -> Store:
        """One that calls ``before`` before every single thing it does with what is kept there, looks included, in
        the thread that does it; its holds do not renew. What ``before`` raises is not caught."""

    def written(self) -> int:
        """Bytes that all stores of this place have written so far."""


def points(place: Place, *seed: object) -> Iterator[int]:
    """Numbers of operations, without end: a sample by chance, the same every time for the same seed."""
    stride = 1 if "DRCTL_EVERY_POINT" in os.environ else place.stride
    chance = random.Random(repr(seed))
    number = chance.randrange(stride)
    while True:
        yield number
        number += chance.randint(1, 2 * stride - 1)


class Died(BaseException):
    """The process ends here: nothing of it happens any more."""


def a_record(address: str = "us-east-1/vpc/main", **changes: object) -> Record:
    region, kind, name = address.split("/")
    values = {"phase": "ready", "outputs": {"vpc_id": "vpc-1"}, **changes}
    return Record(address, kind, region, name, **values)  # type: ignore[arg-type]


def numbered(number: int) -> Record:
    return a_record(f"us-east-1/vpc/{number}", outputs={"vpc_id": f"vpc-{number}"})


def seen(place: Place) -> Ledger:
    """As somebody reads it who comes new."""
    return Ledger(place.store(), ENVIRONMENT)


@contextmanager
def writing(store: Store, command: str = "up") -> Iterator[Ledger]:
    hold = store.hold(command)
    try:
        yield Ledger(store, ENVIRONMENT, hold)
    finally:
        hold.release()


def opened(store: Store, command: str = "up") -> tuple[Hold, Ledger]:
    hold = store.hold(command)
    try:
        return hold, Ledger(store, ENVIRONMENT, hold)
    except DrctlError:
        hold.release()
        raise


def until_free(place: Place, lease_s: float) -> tuple[Hold, Ledger]:
    """Take over as soon as it can be done: what a person does who tries again."""
    while True:
        with suppress(LockedError):
            return opened(place.store(lease_s, lease_s / 30), "successor")
        time.sleep(lease_s / 10)


class Dying:
    """Dies before its n-th operation."""

    def __init__(self, operations: int) -> None:
        self._left = operations

    def __call__(self) -> None:
        if self._left <= 0:
            raise Died
        self._left -= 1


class Succession:
    """While the former holder is about to do its n-th operation, another one takes over.

    It writes at once, while the former one sleeps, or when that has woken; erased: it removes all there was, and begins
    anew.
    """

    def __init__(self, place: Place, operations: int, *, at_once: bool = True, erased: bool = False) -> None:
        self._place, self._left, self._at_once, self._erased = place, operations, at_once, erased
        self.run: tuple[Hold, Ledger] | None = None

    def __call__(self) -> None:
        self._left -= 1
        if self._left == -1:
            self._place.store().break_hold()
            if self._erased:
                clear(self._place)
            self.run = self._begin()
            if self._at_once:
                self.write()

    def _begin(self) -> tuple[Hold, Ledger]:
        """What was being set aside may be damaged: that is ended."""
        with suppress(StateDamaged):
            return opened(self._place.store(), "successor")
        hold = self._place.store().hold("successor")
        hold.set_aside(f"successors-{time.monotonic_ns()}")
        return hold, Ledger(self._place.store(), ENVIRONMENT, hold)

    def write(self) -> None:
        assert self.run is not None
        _, ledger = self.run
        ledger.put(a_record("us-west-2/vpc/before"))
        assert seen(self._place).records() == ledger.records()
        ledger.fold(5.0)
        ledger.put(a_record("us-west-2/vpc/after"))


class Folding:
    """While a reader is about to do its n-th operation, the writer folds and goes on writing."""

    def __init__(self, ledger: Ledger, operations: int) -> None:
        self._ledger, self._number, self._left = ledger, 2 * operations + 1, operations

    def __call__(self) -> None:
        self._left -= 1
        if self._left == -1:
            self._ledger.fold(1.0)
            self._ledger.put(numbered(self._number))

    @property
    def done(self) -> bool:
        return self._left < 0


class Sleeper:
    """A run that does one thing. ``wrote``: whether it was told that its entry is durable and the hold its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._run: tuple[Hold, Ledger] | None = None
        self.wrote = False

    def does(self, deed: str) -> None:
        self._run = hold, ledger = opened(self._store, "sleeper")
        if deed in ("begin", "append"):
            ledger.put(a_record("eu-west-1/vpc/mine"))
            self.wrote = True
        elif deed == "set aside":
            hold.set_aside(f"mine-{time.monotonic_ns()}")
        elif deed == "fold":
            ledger.fold(3.0)
        else:
            ledger.erase()
        hold.check()

    def wakes(self, *, told: bool = True) -> None:
        """told: whether each thing that it does must tell it that the hold is lost"""
        if self._run is not None:
            hold, ledger = self._run
            for deed in (
                partial(ledger.put, numbered(9)),
                partial(ledger.fold, 9.0),
                ledger.erase,
                hold.check,
            ):
                with pytest.raises(HoldLost) if told else suppress(HoldLost):
                    deed()
            hold.release()


def clear(place: Place) -> None:
    """Whatever there is, there is nothing of it afterwards."""
    hold = place.store().hold("destroy")
    with suppress(StateDamaged):
        Ledger(place.store(), ENVIRONMENT, hold)
        hold.erase()
    hold.release()


class StoreContract:
    """The conformance suite of stores."""

    def test_an_environment_never_seen_before_is_empty(self, place: Place) -> None:
        assert seen(place).records() == {}
        hold = place.store().hold("up")
        assert seen(place).records() == {}
        hold.release()
        assert seen(place).records() == {}
        assert place.store().where

    def test_what_was_put_is_there_without_a_fold(self, place: Place) -> None:
        record = a_record(intent=Intent("create", "f" * 32, 12.5), depends_on=("us-east-1/kms-key/main",))
        with writing(place.store()) as ledger:
            ledger.put(record)
            assert seen(place).get(record.address) == record
        assert seen(place).get(record.address) == record
        assert seen(place).meta.lineage == ledger.meta.lineage

    def test_forgetting_and_condemning_stay(self, place: Place) -> None:
        with writing(place.store()) as ledger:
            old, new = a_record(), a_record(outputs={})
            ledger.put(old)
            ledger.condemn(old, new)
            ledger.put(a_record("us-west-2/vpc/main"))
            ledger.forget("us-west-2/vpc/main")
        again = seen(place)
        assert set(again.records()) == {"us-east-1/vpc/main", "us-east-1/vpc/main~1"}
        assert again.condemned("us-east-1/vpc/main")[0].outputs == {"vpc_id": "vpc-1"}

    def test_a_fold_keeps_everything_and_so_does_what_comes_after_it(self, place: Place) -> None:
        with writing(place.store()) as ledger:
            ledger.put(a_record())
            ledger.describe(account="123456789012", regions=("us-east-1", "us-west-2"))
            ledger.fold(now=100.0)
            assert not place.store().load().entries
            ledger.put(a_record("us-west-2/vpc/main"))
            assert len(place.store().load().entries) == 1
        again = seen(place)
        assert set(again.records()) == {"us-east-1/vpc/main", "us-west-2/vpc/main"}
        assert (again.meta.account, again.meta.regions) == ("123456789012", ("us-east-1", "us-west-2"))
        assert again.meta.written_at == 100.0

    def test_many_runs_one_after_the_other_go_on_from_each_other(self, place: Place) -> None:
        for number in range(12):
            with writing(place.store()) as ledger:
                ledger.put(numbered(number))
                if number % 3 == 0:
                    ledger.fold(float(number))
        assert set(seen(place).records()) == {numbered(number).address for number in range(12)}

    def test_threads_of_one_run_write_side_by_side(self, place: Place) -> None:
        with writing(place.store()) as ledger, ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda number: ledger.put(numbered(number)), range(40)))
            list(threads.map(lambda number: ledger.forget(numbered(number).address), range(10)))
        assert set(seen(place).records()) == {numbered(number).address for number in range(10, 40)}

    def test_a_second_run_is_told_who_holds_it(self, place: Place) -> None:
        hold = place.store().hold("up")
        holder = place.store().holder()
        assert holder is not None
        assert (holder.pid, holder.command) == (os.getpid(), "up")
        with pytest.raises(LockedError) as caught:
            place.store().hold("destroy")
        said = caught.value.diagnostics[0]
        assert f"process {os.getpid()}" in said.cause
        assert "drctl up" in said.cause
        assert "drctl state unlock" in said.remedy
        hold.check()
        hold.release()
        assert place.store().holder() is None
        place.store().hold("destroy").release()

    def test_of_many_that_come_at_once_one_holds_it(self, place: Place) -> None:
        for _ in range(5):
            assert len(winners(place.store)) == 1

    def test_a_hold_that_was_broken_changes_nothing_more(self, place: Place) -> None:
        hold, ledger = opened(place.store())
        ledger.put(a_record())
        place.store().break_hold()
        assert place.store().holder() is None
        self.is_shut_out(place, hold, ledger, opened(place.store(), "destroy"))

    def test_a_hold_whose_lease_is_over_is_taken_over(self, place: Place) -> None:
        lease_s = place.lease_s * 2  # so long that a busy machine renews the successor's
        hold, ledger = opened(place.store(lease_s, NEVER))
        ledger.put(a_record())
        time.sleep(lease_s * 1.2)
        assert place.store(lease_s).holder() is None
        run = opened(place.store(lease_s, lease_s / 30), "destroy")
        self.is_shut_out(place, hold, ledger, run)

    def is_shut_out(self, place: Place, hold: Hold, ledger: Ledger, run: tuple[Hold, Ledger]) -> None:
        """A successor is not disturbed by the former holder, nor by its end."""
        successor_hold, successor = run
        successor.put(numbered(1))
        successor.fold(7.0)
        successor.put(numbered(2))
        view = successor.records()
        assert a_record().address in view
        with pytest.raises(HoldLost):
            ledger.put(a_record("eu-west-1/vpc/main"))
        with pytest.raises(HoldLost):
            ledger.check_lock()  # a store may learn of it only by a write or a renewal
        with pytest.raises(HoldLost):
            ledger.fold(now=1.0)
        with pytest.raises(HoldLost):
            ledger.erase()
        with pytest.raises(HoldLost):
            hold.append(Entry(99, {}))
        with pytest.raises(HoldLost):
            hold.erase()
        hold.release()
        successor_hold.check()
        successor.put(numbered(3))
        assert seen(place).records() == {**view, numbered(3).address: numbered(3)}
        successor_hold.release()

    def test_a_hold_that_is_renewed_is_not_taken_over(self, place: Place) -> None:
        lease_s = place.lease_s * 3  # so long that a busy machine does not miss it
        with writing(place.store(lease_s, lease_s / 30)) as ledger:
            end = time.monotonic() + lease_s * 1.5
            while time.monotonic() < end:
                time.sleep(lease_s / 10)
                with pytest.raises(LockedError):
                    place.store(lease_s).hold("destroy")
            ledger.put(a_record())
        assert seen(place).get(a_record().address)

    def test_of_many_that_take_over_at_once_one_holds_it(self, place: Place) -> None:
        lease_s = place.lease_s * 3  # so long that who wins on a busy machine is not taken over in turn
        stale = place.store(lease_s, NEVER).hold("up")
        time.sleep(lease_s * 1.2)
        found = winners(partial(place.store, lease_s, lease_s / 20))
        assert len(found) <= 1  # a store may want to look twice before it believes that a holder is dead
        hold, _ = until_free(place, lease_s)
        with pytest.raises(HoldLost):
            stale.check()
        stale.release()
        hold.check()
        hold.release()

    def test_a_reader_never_sees_less_than_was_there_when_it_began(self, place: Place) -> None:
        """A snapshot from before a fold with a journal from after it would lack what was folded."""
        with writing(place.store()) as ledger:
            ledger.put(numbered(0))
            stop = threading.Event()

            def write() -> None:
                for number in itertools.count(1):
                    if stop.is_set():
                        return
                    ledger.put(numbered(number))
                    if number % 2:
                        ledger.fold(0.0)

            writer = threading.Thread(target=write)
            writer.start()
            try:
                for _ in range(200 // (1 + place.stride)):
                    before = len(ledger.records())
                    assert len(seen(place).records()) >= before
            finally:
                stop.set()
                writer.join()

    def test_a_reader_between_any_two_of_whose_steps_others_fold(self, place: Place) -> None:
        with writing(place.store()) as ledger:
            for operations in itertools.count():
                ledger.put(numbered(2 * operations))
                before = ledger.records()
                folding = Folding(ledger, operations)
                found = Ledger(place.watched(folding), ENVIRONMENT).records()
                assert before.items() <= found.items() <= ledger.records().items(), f"operation {operations}"
                if not folding.done:
                    break
            assert operations > 1

    def test_an_erased_environment_is_one_never_seen_before(self, place: Place) -> None:
        with writing(place.store()) as ledger:
            ledger.put(a_record())
            ledger.fold(1.0)
            ledger.forget(a_record().address)
            ledger.erase()
            assert seen(place).records() == {}
        assert place.store().load().snapshot is None
        with writing(place.store()) as again:
            assert again.meta.lineage != ledger.meta.lineage
            again.put(numbered(1))
        assert set(seen(place).records()) == {numbered(1).address}

    def test_a_ledger_writes_again_after_its_erasure(self, place: Place) -> None:
        with writing(place.store()) as ledger:
            ledger.put(a_record())
            ledger.forget(a_record().address)
            ledger.erase()
            ledger.put(numbered(1))
        assert set(seen(place).records()) == {numbered(1).address}

    def test_a_run_that_dies_at_any_point_leaves_what_was_acknowledged(self, place: Place) -> None:
        """Taking the hold, the first put of all, puts, folds and letting go."""
        known: dict[str, Record] = {}
        for operations in points(place, "run"):
            under_way: Record | None = None
            number = itertools.count(1000 * operations)
            try:
                with_death = place.watched(Dying(operations))
                hold, ledger = opened(with_death)
                for fold in (False, True, False, True):
                    under_way = numbered(next(number))
                    ledger.put(under_way)
                    known[under_way.address] = under_way
                    under_way = None
                    if fold:
                        ledger.fold(1.0)
                hold.release()
                break
            except Died:
                pass
            place.store().break_hold()
            found = dict(seen(place).records())
            if under_way is not None and found.get(under_way.address) == under_way:
                known[under_way.address] = under_way
            assert found == known, f"died before operation {operations}"
            with writing(place.store()) as ledger:
                ledger.put(a_record(f"us-west-2/vpc/{operations}"))
                if operations % 4 == 0:
                    ledger.fold(2.0)  # where reading an entry is an operation, they must not grow for ever
            known[f"us-west-2/vpc/{operations}"] = a_record(f"us-west-2/vpc/{operations}")
        assert seen(place).records() == known
        assert operations > 8

    def test_an_erasure_that_dies_at_any_point_leaves_an_empty_environment(self, place: Place) -> None:
        """Not a damaged one, and not what was in an earlier snapshot."""
        for operations in points(place, "erasure"):
            with writing(place.store()) as ledger:
                ledger.put(a_record())
                ledger.fold(1.0)
                ledger.forget(a_record().address)
            try:
                hold, ledger = opened(place.watched(Dying(operations)), "destroy")
                ledger.erase()
                hold.release()
                break
            except Died:
                place.store().break_hold()
            assert seen(place).records() == {}, f"died before operation {operations}"
            with writing(place.store()) as ledger:
                ledger.put(numbered(1))
                assert set(seen(place).records()) == {numbered(1).address}
                ledger.forget(numbered(1).address)
        assert place.store().load().snapshot is None
        assert operations > 4

    def test_a_state_that_is_set_aside_is_one_never_seen_before(self, place: Place) -> None:
        with writing(place.store()) as ledger:
            ledger.put(a_record())
            ledger.fold(1.0)
            ledger.put(numbered(1))
        hold = place.store().hold("state rebuild")
        kept = hold.set_aside("replaced-1")
        assert kept
        assert all(name.endswith("replaced-1") for name in kept)
        assert seen(place).records() == {}
        ledger = Ledger(place.store(), ENVIRONMENT, hold, anew=[numbered(2)])
        ledger.fold(3.0)
        assert set(seen(place).records()) == {numbered(2).address}
        ledger.put(numbered(3))
        hold.release()
        assert set(seen(place).records()) == {numbered(2).address, numbered(3).address}

    def test_setting_aside_that_dies_at_any_point_never_leaves_an_earlier_state(self, place: Place) -> None:
        for operations in points(place, "set aside"):
            with writing(place.store()) as ledger:
                ledger.put(a_record())
                ledger.fold(1.0)
                ledger.put(numbered(1))
                ledger.fold(2.0)
                ledger.put(numbered(2))
                known = ledger.records()
            try:
                hold = place.watched(Dying(operations)).hold("state rebuild")
                hold.set_aside(f"replaced-{operations}")
                hold.release()
                break
            except Died:
                place.store().break_hold()
            with suppress(StateDamaged):
                assert seen(place).records() in ({}, known), f"died before operation {operations}"
            hold = place.store().hold("state rebuild")
            hold.set_aside(f"damaged-{operations}")
            hold.release()
            assert seen(place).records() == {}
        assert seen(place).records() == {}

    @pytest.mark.parametrize("way", ["succeeded", "being succeeded", "erased and begun anew"])
    @pytest.mark.parametrize("deed", ["begin", "append", "fold", "erase", "set aside"])
    def test_a_holder_that_slept_at_any_point_changes_nothing_when_it_wakes(
        self, place: Place, deed: str, way: str
    ) -> None:
        """It is succeeded between any two operations of what it does, and goes on afterwards."""
        at_once, erased = way != "being succeeded", way == "erased and begun anew"
        for operations in points(place, deed, way):
            if deed != "begin":
                with writing(place.store()) as ledger:
                    ledger.put(a_record())
                    ledger.fold(1.0)
                    ledger.forget(a_record().address)
            succession = Succession(place, operations, at_once=at_once, erased=erased)
            sleeper = Sleeper(place.watched(succession))
            with suppress(HoldLost, LockedError):
                sleeper.does(deed)
            if succession.run is None:
                break
            assert erased or not sleeper.wrote, f"as if it still held it, after operation {operations}"
            sleeper.wakes(told=not erased)  # what it writes to a life that is over may be lost without a word
            if not at_once:
                succession.write()
            hold, ledger = succession.run
            found = seen(place)
            assert found.meta.lineage == ledger.meta.lineage
            assert found.records() == ledger.records(), f"slept before operation {operations}"
            hold.check()
            hold.release()
            with writing(place.store()) as ledger:
                for address in ledger.records():
                    ledger.forget(address)
                ledger.erase()
        assert operations > 4

    def test_the_bytes_written_grow_with_the_entries_not_with_the_state(self, place: Place) -> None:
        """A thousand records cost a thousand appends, not a thousand rewrites."""
        with writing(place.store()) as ledger:
            ledger.put(numbered(1000))
            costs = []
            for hundred in range(3):
                before = place.written()
                for number in range(100):
                    ledger.put(numbered(1001 + 100 * hundred + number))
                costs.append(place.written() - before)
        assert costs[0] > 100
        assert costs[2] < 1.2 * costs[0]
        assert ledger_module.FOLD_AFTER > 1000


def winners(store: Callable[[], Store]) -> list[Hold]:
    """Eight machines try at the same moment; the holds that were given, released."""
    start = threading.Barrier(8)

    def attempt(_: int) -> Hold | None:
        mine = store()
        start.wait()
        try:
            return mine.hold("up")
        except LockedError:
            return None

    with ThreadPoolExecutor(8) as threads:
        found = [hold for hold in threads.map(attempt, range(8)) if hold is not None]
    for hold in found:
        hold.check()
        hold.release()
    return found
