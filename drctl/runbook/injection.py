"""Outages on purpose, and how each is taken back.

An undo is in the journal before what it undoes is applied; it needs nothing but the journal and the site, so that
another process can do it after a kill; and it can be done twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from drctl.aws import tags
from drctl.aws.clients import GLOBAL_REGION
from drctl.aws.errors import tolerating_absence
from drctl.errors import Diagnostic, SettingsError
from drctl.runbook import capacity
from drctl.runbook.journal import open_undos

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import NetworkAclTypeDef

    from drctl.runbook.recovery import Recovery
    from drctl.runbook.site import Side

GLOBAL = "global"
"""What a RegionSwitch calls the control planes that live in us-east-1."""

METHODS: Mapping[str, str] = {
    "health": "the primary's health check is inverted: Route 53 takes a healthy primary for a sick one",
    "tasks": "every service of the primary is held at zero tasks",
    "network": "the primary's public subnets are cut off by a network ACL that allows nothing",
    "region": "everything of the primary region and the control planes of us-east-1 are down (simulator only)",
}
"""Method -> what it does, in the operator's words."""


def inject(recovery: Recovery) -> None:
    """Begin the outage that the run's method names."""
    BEGIN[recovery.parameters.method](recovery)


def undo_all(recovery: Recovery) -> bool:
    """Take back everything that this run did to the primary on purpose, newest first; whether there was anything."""
    undos = open_undos(recovery.journal.entries)
    for name, arguments in reversed(undos):
        UNDO[name](recovery, arguments)
        recovery.note("undone", name=name)
    return bool(undos)


def _invert(recovery: Recovery) -> None:
    check = recovery.site.health_checks["endpoint-primary"]
    recovery.note("undo", name="health", arguments={"health_check_id": check})
    recovery.aws.route53().update_health_check(HealthCheckId=check, Inverted=True)


def _revert(recovery: Recovery, arguments: Mapping[str, Any]) -> None:
    recovery.aws.route53().update_health_check(HealthCheckId=arguments["health_check_id"], Inverted=False)


def _stop_tasks(recovery: Recovery) -> None:
    capacity.stop(recovery, recovery.aws, recovery.site.primary)


def _start_tasks(recovery: Recovery, arguments: Mapping[str, Any]) -> None:
    capacity.start(recovery.aws, _side(recovery, arguments["region"]), arguments["desired"])


def _cut(recovery: Recovery) -> None:
    """A new network ACL allows nothing ("Network ACL basics", VPC user guide): its subnets are cut off.

    Begun a second time after a kill, it is the same request with the same token, and the same way back.
    """
    side, run = recovery.site.primary, recovery.journal.path.stem
    begun = [arguments for name, arguments in open_undos(recovery.journal.entries) if name == "network"]
    way_back: Mapping[str, Any] = (
        begun[-1]
        if begun
        else {
            "region": side.region,
            "run": run,
            "token": str(uuid.uuid4()),
            "before": {
                subnet: acl["NetworkAclId"]
                for acl in _acls(recovery, side)
                for subnet in _subnets(acl)
                if subnet in side.public_subnets
            },
        }
    )
    if not begun:
        recovery.note("undo", name="network", arguments=way_back)
    made = _make_acl(recovery, side, way_back)
    for acl in _acls(recovery, side):
        _move(recovery, side.region, acl, dict.fromkeys(side.public_subnets, made))


def _acls(recovery: Recovery, side: Side) -> list[NetworkAclTypeDef]:
    """Those that the side's public subnets are associated with now."""
    return recovery.aws.ec2(side.region).describe_network_acls(
        Filters=[{"Name": "association.subnet-id", "Values": list(side.public_subnets)}]
    )["NetworkAcls"]


def _subnets(acl: NetworkAclTypeDef) -> list[str]:
    return [association["SubnetId"] for association in acl["Associations"]]


def _reconnect(recovery: Recovery, arguments: Mapping[str, Any]) -> None:
    """Not by the tag, which is seen late: the same request with the same token tells the ACL's id, made or not."""
    side = _side(recovery, arguments["region"])
    made = _make_acl(recovery, side, arguments)
    for acl in _acls(recovery, side):
        _move(recovery, side.region, acl, arguments["before"])
    with tolerating_absence():
        recovery.aws.ec2(side.region).delete_network_acl(NetworkAclId=made)


def _make_acl(recovery: Recovery, side: Side, arguments: Mapping[str, Any]) -> str:
    marks = {
        "drctl:environment": recovery.site.environment,
        tags.DRILL: arguments["run"],
        "Name": f"{recovery.site.environment} drill",
    }
    made = recovery.aws.ec2(side.region).create_network_acl(
        VpcId=side.vpc,
        ClientToken=arguments["token"],
        TagSpecifications=tags.specification("network-acl", marks),
    )
    return made["NetworkAcl"]["NetworkAclId"]


def _move(recovery: Recovery, region: str, acl: NetworkAclTypeDef, to: Mapping[str, str]) -> None:
    """Each move is sent once, because it gives the association another id: after a lost answer the step looks again."""
    for association in acl["Associations"]:
        target = to.get(association["SubnetId"])
        if target is not None and target != acl["NetworkAclId"]:
            recovery.aws.once.ec2(region).replace_network_acl_association(
                AssociationId=association["NetworkAclAssociationId"], NetworkAclId=target
            )


def _take_out(recovery: Recovery) -> None:
    if recovery.regions is None:
        raise SettingsError(refusal("region"))
    region = recovery.site.primary.region
    gone = [region] if region == GLOBAL_REGION else [region, GLOBAL]
    recovery.note("undo", name="region", arguments={"regions": gone})
    for each in gone:
        recovery.regions.begin(each)


def _bring_back(recovery: Recovery, arguments: Mapping[str, Any]) -> None:
    if recovery.regions is None:
        raise SettingsError(refusal("region"))
    for each in arguments["regions"]:
        recovery.regions.end(each)


def refusal(method: str) -> Diagnostic:
    """A region cannot be taken out on AWS."""
    return Diagnostic(
        f"--method {method} needs the embedded simulator",
        cause="AWS has no switch that takes a whole region out",
        remedy="put --sim before the command, or choose --method health, tasks or network",
    )


def _side(recovery: Recovery, region: str) -> Side:
    return next(side for side in recovery.site.sides if side.region == region)


BEGIN: Mapping[str, Callable[[Recovery], None]] = {
    "health": _invert,
    "tasks": _stop_tasks,
    "network": _cut,
    "region": _take_out,
}

UNDO: Mapping[str, Callable[[Recovery, Mapping[str, Any]], None]] = {
    "health": _revert,
    "tasks": _start_tasks,
    "network": _reconnect,
    "region": _bring_back,
}
