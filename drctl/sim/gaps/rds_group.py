"""Parameters of parameter groups with their source and their defaults, and tags of global clusters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from moto.ec2.models import ec2_backends

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.gaps.rds_engine import page
from drctl.sim.lifecycle.rds import backend, find_global
from drctl.sim.registry import after, gap
from drctl.sim.world import World

STATIC = {
    "binlog_format",
    "enforce_gtid_consistency",
    "gtid-mode",
    "lower_case_table_names",
    "performance_schema",
}
PARAMETERS: dict[str, str | None] = {
    "aurora_parallel_query": "OFF",
    "aurora_replica_read_consistency": None,
    "binlog_backup": "1",
    "binlog_format": "OFF",
    "binlog_replication_globaldb": "1",
    "binlog_row_image": None,
    "character_set_client": None,
    "character_set_connection": None,
    "character_set_database": None,
    "character_set_results": None,
    "character_set_server": None,
    "collation_connection": None,
    "collation_server": None,
    "connect_timeout": None,
    "default_password_lifetime": "0",
    "enforce_gtid_consistency": "OFF",
    "event_scheduler": "ON",
    "general_log": None,
    "gtid-mode": "OFF_PERMISSIVE",
    "innodb_lock_wait_timeout": None,
    "innodb_print_all_deadlocks": None,
    "interactive_timeout": None,
    "log_bin_trust_function_creators": None,
    "log_output": "FILE",
    "long_query_time": None,
    "lower_case_table_names": "0",
    "max_allowed_packet": None,
    "max_connections": "GREATEST({log(DBInstanceClassMemory/805306368)*45},1000)",
    "performance_schema": None,
    "require_secure_transport": "OFF",
    "server_audit_events": None,
    "server_audit_excl_users": None,
    "server_audit_incl_users": None,
    "server_audit_logging": "0",
    "server_audit_logs_upload": None,
    "slow_query_log": None,
    "sql_mode": None,
    "ssl_cipher": None,
    "time_zone": None,
    "tls_version": "TLSv1.2,TLSv1.3",
    "transaction_isolation": None,
    "wait_timeout": None,
}
"""The parameters of aurora-mysql8.0 an operator is likely to set, and their defaults: not the whole of some 400."""


@gap("rds", "DescribeDBClusterParameters", "DescribeDBParameters")
def describe_parameters(call: Call, world: World, moto: Moto) -> Answer:
    """What was set has Source ``user``; the rest is ``engine-default`` (moto shows the set ones, without source)."""
    name = call.params.get("DBClusterParameterGroupName") or call.params["DBParameterGroupName"]
    source = call.params.get("Source")
    chosen: dict[str, Any] = {}
    if not name.startswith("default."):
        chosen = {parameter["ParameterName"]: parameter for parameter in moto(call)["Parameters"]}
    rows = []
    for parameter, default in PARAMETERS.items():
        row: dict[str, Any] = {
            "ParameterName": parameter,
            "Source": "engine-default",
            "ApplyType": "static" if parameter in STATIC else "dynamic",
            "DataType": "string",
            "IsModifiable": True,
            "ApplyMethod": "pending-reboot",
            "SupportedEngineModes": ["provisioned"],
        }
        if parameter in chosen:
            row |= {**chosen[parameter], "Source": "user"}
        elif default is not None:
            row["ParameterValue"] = default
        if source in (None, row["Source"]):
            rows.append(row)
    return page(call, "Parameters", rows)


@gap("rds", "ListTagsForResource", "AddTagsToResource", "RemoveTagsFromResource")
def tags(call: Call, world: World, moto: Moto) -> Answer:
    """moto answers an empty list for what does not exist, and does not know global clusters."""
    arn = call.params["ResourceName"]
    if ":global-cluster:" not in arn:
        require_resource(call, arn)
        return moto(call)
    record = find_global(world, call.account, arn)
    if record is None:
        raise Refused("GlobalClusterNotFoundFault", f"Global cluster {arn} not found", 404)
    if call.operation == "ListTagsForResource":
        return {"TagList": record["TagList"]}
    removed = set(call.params.get("TagKeys", [])) | {t["Key"] for t in call.params.get("Tags", [])}
    kept = [t for t in record["TagList"] if t["Key"] not in removed]
    record["TagList"] = kept + list(call.params.get("Tags", []))
    return {}


NOT_FOUND = {
    "cluster": "DBClusterNotFoundFault",
    "cluster-pg": "DBParameterGroupNotFound",
    "pg": "DBParameterGroupNotFound",
    "db": "DBInstanceNotFound",
    "subgrp": "DBSubnetGroupNotFoundFault",
}


def require_resource(call: Call, arn: str) -> None:
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "rds":
        raise Refused("InvalidParameterValue", f"Invalid resource name: {arn}")
    if parts[3] != call.region:
        raise Refused(
            "InvalidParameterValue",
            f"The specified resource name does not match an RDS resource in this region: {arn}",
        )
    found = backend(call.account, call.region)._find_resource(parts[5], parts[6])
    if found is None and parts[5] in NOT_FOUND:
        raise Refused(NOT_FOUND[parts[5]], f"{parts[6]} not found.", 404)


@gap("rds", "ModifyDBSubnetGroup")
def modify_subnet_group(call: Call, world: World, moto: Moto) -> Answer:
    """moto loses the group it modifies."""
    name = call.params["DBSubnetGroupName"]
    group = backend(call.account, call.region).subnet_groups.get(name)
    if group is None:
        raise Refused("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.", 404)
    store = ec2_backends[call.account][call.region]
    group.subnets = [store.get_subnet(identifier) for identifier in call.params["SubnetIds"]]
    group.description = call.params.get("DBSubnetGroupDescription", group.description)
    asked = replace(call, operation="DescribeDBSubnetGroups", params={"DBSubnetGroupName": name})
    return {"DBSubnetGroup": moto(asked)["DBSubnetGroups"][0]}


@after("rds", "CreateDBSubnetGroup", "ModifyDBSubnetGroup", "DescribeDBSubnetGroups")
def subnet_group_fields(call: Call, world: World, answer: Answer) -> None:
    """AWS names the supported network types; moto leaves them out."""
    groups = answer["DBSubnetGroups"] if "DBSubnetGroups" in answer else [answer["DBSubnetGroup"]]
    for group in groups:
        group.setdefault("SupportedNetworkTypes", ["IPV4"])
