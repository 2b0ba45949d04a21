"""AWS's own prefix lists, with the weights that count against a security group's quota."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.registry import gap
from drctl.sim.world import World

WEIGHTS = {
    "com.amazonaws.global.cloudfront.origin-facing": 55,
    "com.amazonaws.{region}.route53-healthchecks": 25,
    "com.amazonaws.{region}.s3": 1,
    "com.amazonaws.{region}.dynamodb": 1,
}
"""VPC user guide, "AWS-managed prefix lists": how many rules each counts as."""

HEALTH_CHECKERS = (
    "15.177.0.0/18",
    "54.183.255.128/26",
    "54.228.16.0/26",
    "54.232.40.64/26",
    "54.241.32.64/26",
    "54.243.31.192/26",
    "54.244.52.192/26",
    "54.245.168.0/26",
    "54.248.220.0/26",
    "54.250.253.192/26",
    "54.251.31.128/26",
    "54.252.79.128/26",
    "54.252.254.192/26",
    "54.255.254.192/26",
    "107.23.255.0/26",
    "176.34.159.192/26",
    "177.71.207.128/26",
)
"""ROUTE53_HEALTHCHECKS of AWS's published ip-ranges.json."""


def prefix_lists(account: str, region: str) -> dict[str, Any]:
    """Every prefix list of the region by its id, AWS's own complete and weighted."""
    backend = ec2_backends[account][region]
    known = {known.prefix_list_name for known in backend.managed_prefix_lists.values()}
    health = f"com.amazonaws.{region}.route53-healthchecks"
    if health not in known:
        entries = [{"Cidr": cidr, "Description": "default"} for cidr in HEALTH_CHECKERS]
        backend._create_aws_managed_prefix_list(name=health, address_family="IPv4", entries=entries)
    weights = {name.format(region=region): weight for name, weight in WEIGHTS.items()}
    known_lists: dict[str, Any] = backend.managed_prefix_lists
    for found in known_lists.values():
        if found.prefix_list_name in weights:
            found.max_entries = weights[found.prefix_list_name]
    return dict(known_lists)


@gap("ec2", "DescribeManagedPrefixLists", "DescribePrefixLists", "GetManagedPrefixListEntries")
def describe_prefix_lists(call: Call, world: World, moto: Moto) -> Answer:
    prefix_lists(call.account, call.region)
    return moto(call)
