"""What RDS refuses about subnet groups and parameter groups."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.rds_engine import VERSIONS
from drctl.sim.gaps.rds_group import PARAMETERS, STATIC
from drctl.sim.lifecycle.rds import backend
from drctl.sim.registry import rule
from drctl.sim.world import World


@rule("rds", "CreateDBSubnetGroup", source="DBSubnetGroupAlreadyExists (CreateDBSubnetGroup API reference)")
def subnet_group_name_is_free(call: Call, world: World) -> None:
    name = call.params["DBSubnetGroupName"]
    if name.lower() == "default":
        raise Refused("InvalidParameterValue", "The DBSubnetGroupName default is reserved.")
    if name in backend(call.account, call.region).subnet_groups:
        raise Refused("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")


@rule(
    "rds",
    "CreateDBSubnetGroup",
    "ModifyDBSubnetGroup",
    source="DBSubnetGroupDoesNotCoverEnoughAZs \"The DB subnet group doesn't meet Availability Zone (AZ) coverage "
    'requirement."; InvalidSubnet',
)
def subnets_cover_two_zones_of_one_vpc(call: Call, world: World) -> None:
    store = ec2_backends[call.account][call.region]
    known = {subnet.id: subnet for subnet in store.describe_subnets()}
    wanted = call.params["SubnetIds"]
    missing = [one for one in wanted if one not in known]
    if missing or len({known[one].vpc_id for one in wanted}) > 1:
        raise Refused(
            "InvalidSubnet",
            f"The requested subnet {wanted} is invalid, or multiple subnets were requested that are not all in a "
            "common VPC.",
        )
    zones = sorted({known[one].availability_zone for one in wanted})
    if len(zones) < 2:
        raise Refused(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
            f"{', '.join(zones)}. Add subnets to cover at least 2 AZs.",
        )


@rule(
    "rds",
    "DeleteDBSubnetGroup",
    source='InvalidDBSubnetGroupStateFault "Cannot delete the subnet group ... because at least one database '
    'cluster: ... is still using it."',
)
def subnet_group_is_unused(call: Call, world: World) -> None:
    name = call.params["DBSubnetGroupName"].lower()
    store = backend(call.account, call.region)
    clusters = {one: cluster.db_subnet_group_name or "" for one, cluster in store.clusters.items()}
    instances = {  # moto's own name field of an instance can only be written
        one: getattr(getattr(instance, "db_subnet_group", None), "name", "")
        for one, instance in store.databases.items()
    }
    for kind, groups in (("cluster", clusters), ("instance", instances)):
        for identifier, group in groups.items():
            if group.lower() == name:
                raise Refused(
                    "InvalidDBSubnetGroupStateFault",
                    f"Cannot delete the subnet group '{name}' because at least one database {kind}: {identifier} is "
                    "still using it.",
                )


@rule(
    "rds",
    "DeleteDBClusterParameterGroup",
    "DeleteDBParameterGroup",
    source='InvalidDBParameterGroupState "One or more database instances are still members of this parameter '
    'group ..., so the group cannot be deleted"',
)
def parameter_group_is_unused(call: Call, world: World) -> None:
    store = backend(call.account, call.region)
    name = call.params.get("DBClusterParameterGroupName") or call.params["DBParameterGroupName"]
    if name.startswith("default."):
        raise Refused("InvalidDBParameterGroupState", f"Default DBParameterGroup cannot be deleted: {name}")
    used: list[Any] = (
        [c.db_cluster_parameter_group for c in store.clusters.values()]
        if "DBClusterParameterGroupName" in call.params
        else [i.db_parameter_group_name for i in store.databases.values()]
    )
    if name.lower() in [(other or "").lower() for other in used]:
        raise Refused(
            "InvalidDBParameterGroupState",
            f"One or more database instances are still members of this parameter group {name}, so the group cannot be "
            "deleted",
        )


@rule(
    "rds",
    "CreateDBClusterParameterGroup",
    "CreateDBParameterGroup",
    source='InvalidParameterValue "ParameterGroupFamily ... is not a valid parameter group family"',
)
def family_exists(call: Call, world: World) -> None:
    family = call.params["DBParameterGroupFamily"]
    families = {version.family for version in VERSIONS}
    if family.startswith("aurora-mysql") and family not in families:
        raise Refused(
            "InvalidParameterValue", f"ParameterGroupFamily {family} is not a valid parameter group family"
        )


@rule(
    "rds",
    "ModifyDBClusterParameterGroup",
    "ModifyDBParameterGroup",
    source='InvalidParameterValue "Could not find parameter with name: ..."; InvalidParameterCombination "cannot use '
    'immediate apply method for static parameter"; ModifyDBClusterParameterGroup API reference: 20 a request',
)
def parameters_exist(call: Call, world: World) -> None:
    name = call.params.get("DBClusterParameterGroupName") or call.params["DBParameterGroupName"]
    if name.startswith("default."):
        raise Refused("InvalidDBParameterGroupState", f"Default DBParameterGroup cannot be modified: {name}")
    if len(call.params["Parameters"]) > 20:
        raise Refused("InvalidParameterValue", "Cannot modify more than 20 parameters in one request")
    for parameter in call.params["Parameters"]:
        if parameter["ParameterName"] not in PARAMETERS:
            raise Refused(
                "InvalidParameterValue", f"Could not find parameter with name: {parameter['ParameterName']}"
            )
        if parameter["ParameterName"] in STATIC and parameter.get("ApplyMethod") == "immediate":
            raise Refused(
                "InvalidParameterCombination", "cannot use immediate apply method for static parameter"
            )
