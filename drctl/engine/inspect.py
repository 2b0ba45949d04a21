"""What ``up`` would do to a resource, found by the same read and the same rules, changing nothing."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from drctl.engine.ensure import failed, refuse_loss
from drctl.engine.pace import Pause
from drctl.engine.patience import Patience
from drctl.engine.resource import DependsOnUnknown, Drift, Phase, identity
from drctl.engine.run import AnyResource, Run
from drctl.engine.unknown import unknown_outputs


@dataclass(frozen=True)
class Change:
    """What would happen at an address: create, update, replace, delete or unchanged, and why (the drift)."""

    address: str
    action: str
    fields: Drift = field(default_factory=dict)
    phase: str = ""


def inspect(run: Run, resource: AnyResource) -> Generator[Pause, None, Change]:
    """Compare. What is about to be made gives its followers placeholders, unless its name tells what they will get.

    Raises ResourceFailed.
    """
    patience = Patience(run, resource, "read")
    address = resource.address
    while True:
        given = run.given(resource)
        try:
            observed = resource.read(run.aws, given)
            break
        except DependsOnUnknown:
            observed = None
            break
        except Exception as error:
            yield patience.judge(error)[1]
    absent = observed is None or identity(observed.outputs) in given.others or observed.phase is Phase.LEAVING
    if observed is None or absent:
        recorded = given.recorded(resource)
        known = recorded if resource.named else None
        run.seen[address] = known or unknown_outputs(resource.outputs_type, address)
        return Change(address, "create", phase="absent")
    record = run.record(resource)
    drift = failed(observed) if observed.phase is Phase.FAILED else observed.drift
    if resource.must_be_replaced(drift):
        refuse_loss(resource, drift, record)
        run.seen[address] = unknown_outputs(resource.outputs_type, address)
        action = "replace"
    else:
        run.seen[address] = observed.outputs
        action = "update" if drift else "unchanged"
    if record.unfinished and observed.phase is not Phase.FAILED:
        action = "create"  # up goes on with what an earlier run has begun
    return Change(address, action, drift, observed.phase.value)
