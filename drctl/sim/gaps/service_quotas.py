"""Quotas that moto does not know: it knows those of EC2's VPCs only."""

from __future__ import annotations

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.registry import gap
from drctl.sim.world import World

FARGATE_VCPUS = "L-3032A538"

QUOTAS: dict[tuple[str, str], tuple[str, float]] = {
    ("fargate", FARGATE_VCPUS): ("Fargate On-Demand vCPU resource count", 6.0),
}
"""(service, code) -> name and value: the defaults of a new account ("Amazon ECS endpoints and quotas")."""


@gap("service-quotas", "GetServiceQuota")
def get_service_quota(call: Call, world: World, moto: Moto) -> Answer:
    service, code = call.params["ServiceCode"], call.params["QuotaCode"]
    known = QUOTAS.get((service, code))
    if known is None:
        return moto(call)
    name, value = known
    return {
        "Quota": {
            "ServiceCode": service,
            "ServiceName": "AWS Fargate",
            "QuotaArn": f"arn:aws:servicequotas:{call.region}:{call.account}:{service}/{code}",
            "QuotaCode": code,
            "QuotaName": name,
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
    }
