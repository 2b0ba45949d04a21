"""What AWS has of a resource that nobody remembers: the same read as ever, and the record that belongs to it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass

from drctl.engine.pace import Pause
from drctl.engine.patience import Patience
from drctl.engine.resource import DependsOnUnknown, NotOurs, Phase
from drctl.engine.run import AnyResource, Run
from drctl.engine.unknown import unknown_outputs
from drctl.ledger.model import Record


@dataclass(frozen=True)
class Recognised:
    """What was found at an address.

    record: None when nothing of ours is there
    why: it counts as missing; what is being removed has its record nevertheless: its removal may take another stage,
        and what it needs goes after it
    """

    address: str
    record: Record | None
    why: str = ""


def recognise(run: Run, resource: AnyResource) -> Generator[Pause, None, Recognised]:
    """Look, change nothing, record nothing: what differs from the settings is for the next plan to say.

    Raises ResourceFailed when AWS cannot be asked.
    """
    patience, address = Patience(run, resource, "read"), resource.address
    while True:
        why = "AWS has none"
        try:
            observed = run.look(resource)
            break
        except DependsOnUnknown:
            observed, why = None, "what it depends on is not there"
            break
        except NotOurs as error:
            observed, why = None, str(error)
            break
        except Exception as error:
            yield patience.judge(error)[1]
    if observed is None:
        run.seen[address] = unknown_outputs(resource.outputs_type, address)
        return Recognised(address, None, why)
    run.seen[address] = observed.outputs
    phase = observed.phase
    record = run.describe(resource, run.record(resource), outputs=asdict(observed.outputs), phase=phase.value)
    return Recognised(address, record, "being removed" if phase is Phase.LEAVING else "")
