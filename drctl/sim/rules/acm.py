"""What ACM refuses and moto accepts."""

from __future__ import annotations

from drctl.sim.call import Call, Refused
from drctl.sim.lifecycle.acm import users_of
from drctl.sim.registry import rule
from drctl.sim.world import World


@rule("acm", "DeleteCertificate", source='ResourceInUseException "Certificate ... in account ... is in use."')
def certificate_in_use_stays(call: Call, world: World) -> None:
    arn = call.params["CertificateArn"]
    if users_of(world, call.account, call.region, arn):
        raise Refused("ResourceInUseException", f"Certificate {arn} in account {call.account} is in use.")
