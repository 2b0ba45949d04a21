"""What an environment is like at a moment, field by field: compared before and after a drill.

Beside what the settings decide (each resource's ids and differences) it holds what they leave to operations: who
writes, how many tasks run within which bounds, whether a health check is inverted, which network ACL a subnet has.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from drctl.runbook import database, switch

if TYPE_CHECKING:
    from drctl.runbook.recovery import Recovery
    from drctl.runbook.site import Side


def read(recovery: Recovery) -> dict[str, Any]:
    """By address, or by the name of a role."""
    site = recovery.site
    found: dict[str, Any] = dict(recovery.compare().configuration)
    found["writer"] = database.writer(recovery.aws, site, site.standby)
    found["switch"] = switch.is_thrown(recovery.aws, site)
    for name, check in site.health_checks.items():
        config = recovery.aws.route53().get_health_check(HealthCheckId=check)["HealthCheck"][
            "HealthCheckConfig"
        ]
        found[f"health check {name}"] = [config.get("Inverted", False), config.get("Disabled", False)]
    for side in site.sides:
        found |= _tasks(recovery, side) | _subnets(recovery, side)
    return found


def digest(configuration: Mapping[str, Any]) -> str:
    """SHA-256 of it as canonical JSON, in hexadecimal."""
    return hashlib.sha256(
        json.dumps(configuration, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The names whose value is another one, in order."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _tasks(recovery: Recovery, side: Side) -> dict[str, Any]:
    scaling, ecs = recovery.aws.application_autoscaling(side.region), recovery.aws.ecs(side.region)
    found: dict[str, Any] = {}
    for service in side.services:
        (seen,) = ecs.describe_services(cluster=service.cluster, services=[service.arn])["services"]
        targets = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[service.scalable_id])
        bounds = [
            (t["MinCapacity"], t["MaxCapacity"], any(t.get("SuspendedState", {}).values()))
            for t in targets["ScalableTargets"]
        ]
        # More of them is autoscaling's affair; fewer would be ours.
        found[f"{side.region} tasks {service.name}"] = [
            min(seen["desiredCount"], service.tasks),
            *map(list, bounds),
        ]
    return found


def _subnets(recovery: Recovery, side: Side) -> dict[str, Any]:
    acls = recovery.aws.ec2(side.region).describe_network_acls(
        Filters=[{"Name": "vpc-id", "Values": [side.vpc]}]
    )
    return {
        f"{side.region} network ACL of {association['SubnetId']}": acl["NetworkAclId"]
        for acl in acls["NetworkAcls"]
        for association in acl["Associations"]
    }
