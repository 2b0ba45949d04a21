"""A state that was lost or is damaged, made again from AWS and the settings; nothing on AWS is changed."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drctl.commands.context import Context, identify
from drctl.commands.inspection import starting
from drctl.engine.recognise import Recognised, recognise
from drctl.engine.walk import After, Job, walk
from drctl.errors import Diagnostic, DrctlError, Interrupted
from drctl.ledger.ledger import Ledger
from drctl.ledger.model import CONDEMNED, GONE, Record, successor
from drctl.ledger.store import StateDamaged

if TYPE_CHECKING:
    from drctl.aws.clients import Aws, Identity
    from drctl.aws.tagging import Tagged
    from drctl.engine.run import AnyResource, Run
    from drctl.settings import Settings

UNLISTED = "IAM roles that the settings do not name were not looked for: the tagging API does not list them"


@dataclass(frozen=True)
class Found:
    """What AWS has of an environment.

    records: of all that was recognised, and what only a sound state can tell
    missing: what is not there, or is leaving: of the settings, and of the records of a sound state to be replaced
    strays: what carries the environment's tag and belongs to no record
    notices: what could not be looked for, and why; what is kept on record unseen
    before: how many records that sound state has
    """

    environment: str
    account: str
    caller: str
    partition: str
    regions: tuple[str, ...]
    records: tuple[Record, ...]
    missing: tuple[Recognised, ...]
    strays: tuple[Tagged, ...]
    notices: tuple[str, ...]
    before: int


@dataclass(frozen=True)
class Rebuilt:
    """What the new state knows, and under which names what the store held before is kept."""

    environment: str
    found: Found
    set_aside: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """cli.md: records. Beside them what is not there, and what is there and not recorded."""
        found = self.found
        return {
            "records": [record.as_json() for record in found.records],
            "missing": [{"address": each.address, "why": each.why} for each in found.missing],
            "strays": [{"address": each.address, "arn": each.arn} for each in found.strays],
            "notices": list(found.notices),
            "set_aside": list(self.set_aside),
        }


Approve = Callable[[Found], None]
"""Returns when the operator agrees to put this in the place of a sound state; raises otherwise."""


def rebuild(context: Context, approve: Approve) -> Rebuilt:
    """Read all of it on AWS; then keep aside what the store holds, sound or damaged, and record what was found.

    Raises DrctlError when something cannot be read, or when nothing is there; the state is then as it was.
    """
    settings = context.settings()
    store = context.store(settings.environment)
    hold = store.hold(context.command)
    try:
        before, word = None, "damaged"
        with suppress(StateDamaged):
            before, word = Ledger(store, settings.environment, hold), "replaced"
        replaced = before.records() if before else {}
        condemned = [record for address, record in replaced.items() if CONDEMNED in address]
        ledger = Ledger(store, settings.environment, hold, anew=condemned)
        found = _find(context, settings, ledger, before or ledger)
        if found.before:
            approve(found)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        kept = hold.set_aside(f"{word}-{stamp}")
        ledger = Ledger(store, settings.environment, hold, anew=found.records)
        ledger.describe(
            account=found.account,
            partition=found.partition,
            regions=found.regions,
            settings_digest=settings.digest,
        )
        with _naming(kept):
            ledger.fold(context.clock.now())
        return Rebuilt(settings.environment, found, tuple(kept))
    finally:
        hold.release()


def _find(context: Context, settings: Settings, ledger: Ledger, before: Ledger) -> Found:
    """Raises DrctlError when something cannot be read, or when nothing is there."""
    from drctl.topology import build

    aws = context.aws()
    identity = identify(aws, settings.regions.standby, before, settings.account)
    run = context.run(aws, identity, ledger, settings.environment)
    graph = build(settings, identity.account, identity.partition)
    seen = _recognise_all(context, run, graph)
    records = {each.address: each.record for each in seen if each.record is not None}
    if not records:
        raise _nothing_there(settings, identity, ledger.where)
    known, wanted = before.records(), {each.address for each in graph}
    carried = _carried(known, records)
    records |= _gone(run, graph, records) | carried
    missing = [each for each in seen if each.why]
    missing += [_forgotten(known[address]) for address in known.keys() - wanted - carried.keys()]
    regions = settings.regions.primary, settings.regions.standby
    strays, notices = unrecorded(run.aws, regions, settings.environment, records.values())
    if carried:
        notices.append(f"kept on record as the state before had it: {', '.join(sorted(carried))}")
    return Found(
        settings.environment,
        identity.account,
        identity.arn,
        identity.partition,
        regions,
        tuple(records[address] for address in sorted(records)),
        tuple(sorted(missing, key=lambda each: each.address)),
        tuple(strays),
        tuple(notices),
        len(known),
    )


def _recognise_all(context: Context, run: Run, graph: Iterable[AnyResource]) -> list[Recognised]:
    """In the order of the graph."""
    jobs = [
        Job(each.address, starting(recognise, run, each), {need.address: After.DONE for need in each.needs})
        for each in graph
    ]
    result = walk(jobs, context.clock, lambda _: None, context.interrupt)
    if result.interrupted:
        raise Interrupted(Diagnostic("interrupted; nothing was changed"))
    if result.failed:
        raise DrctlError(
            [
                *(result.failed[address] for address in sorted(result.failed)),
                Diagnostic(
                    "the state was not rebuilt",
                    cause="what cannot be read might be there: a state without it would leave it behind",
                    remedy="mend the causes above, then run `drctl state rebuild` again; nothing was changed",
                ),
            ]
        )
    return list(result.done.values())


def unrecorded(
    aws: Aws, regions: Iterable[str], environment: str, records: Iterable[Record]
) -> tuple[list[Tagged], list[str]]:
    """What carries our tag and is not recorded; and where that could not be asked."""
    from botocore.exceptions import BotoCoreError, ClientError

    from drctl.aws.clients import GLOBAL_REGION
    from drctl.aws.errors import classify
    from drctl.aws.reach import RegionSilent
    from drctl.aws.tagging import strays, tagged

    found: list[Tagged] = []
    notices = [UNLISTED]
    for region in dict.fromkeys((*regions, GLOBAL_REGION)):
        try:
            found += tagged(aws, region, environment)
        except (BotoCoreError, ClientError, RegionSilent) as error:
            why = classify(error).cause
            notices.append(f"{region} was not asked for what no settings name any more: {why}")
    known: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.outputs:
            known[successor(record.address)] += record.outputs.values()
    return strays(found, known), notices


def _carried(known: Mapping[str, Record], recognised: Mapping[str, Record]) -> dict[str, Record]:
    """What a look does not find again: what was replaced and waits to go, and what may not be visible yet; with all
    that they refer to."""
    carried: dict[str, Record] = {}
    rest = [record for address, record in known.items() if CONDEMNED in address or record.unfinished]
    while rest:
        record = rest.pop()
        if record.address not in recognised and record.address not in carried:
            carried[record.address] = record
            rest += [known[need] for need in record.depends_on if need in known]
    return carried


def _gone(run: Run, graph: Sequence[AnyResource], recognised: Mapping[str, Record]) -> dict[str, Record]:
    """What is not there, and what is there refers to: no record can be understood without those it refers to."""
    gone: dict[str, Record] = {}
    needed: set[str] = set()
    for each in reversed(graph):  # whoever refers to a thing comes after it
        if each.address in needed and each.address not in recognised:
            gone[each.address] = run.describe(each, run.record(each), phase=GONE)
        if each.address in recognised or each.address in gone:
            needed |= {need.address for need in each.needs}
    return gone


@contextmanager
def _naming(kept: Iterable[str]) -> Iterator[None]:
    """Whatever fails from here on says where the state of before is."""
    try:
        yield
    except DrctlError as error:
        aside = Diagnostic(
            "the state of before is kept aside",
            cause=", ".join(kept),
            remedy="mend the cause above, then run `drctl state rebuild` again, or give these their old names back",
        )
        raise type(error)([*error.diagnostics, aside] if kept else error.diagnostics) from error


def _forgotten(record: Record) -> Recognised:
    known = next(iter(record.outputs.values()), "without an id")
    return Recognised(record.address, None, f"on record before ({known}), and not in the settings")


def _nothing_there(settings: Settings, identity: Identity, where: str) -> DrctlError:
    return DrctlError(
        Diagnostic(
            f"nothing of the environment {settings.environment!r} was found",
            cause=f"account {identity.account}, regions {settings.regions.primary} and {settings.regions.standby}, "
            f"asked as {identity.arn}",
            remedy="check account, regions and the environment's name; nothing was changed. If there is nothing "
            f"indeed, move the state away ({where} and what stands beside it); `drctl up` then builds it anew",
        )
    )
