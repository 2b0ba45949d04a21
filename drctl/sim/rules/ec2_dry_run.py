"""DryRun: AWS answers with an error and changes nothing; moto goes ahead."""

from __future__ import annotations

from drctl.sim.call import Call, Refused
from drctl.sim.models import service_model
from drctl.sim.registry import rule
from drctl.sim.world import World

MUTATING = tuple(
    name
    for name in service_model("ec2").operation_names
    if name.startswith(
        (
            "Accept",
            "Allocate",
            "Associate",
            "Attach",
            "Authorize",
            "Create",
            "Delete",
            "Detach",
            "Disassociate",
            "Modify",
            "Release",
            "Replace",
            "Revoke",
        )
    )
)


@rule("ec2", *MUTATING, source="EC2 API reference, common parameters, DryRun: DryRunOperation")
def dry_run_changes_nothing(call: Call, world: World) -> None:
    if call.params.get("DryRun"):
        raise Refused("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
