"""The engine versions and instance classes that can be ordered: moto has no list for Aurora MySQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.ec2.models import ec2_backends

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.registry import gap
from drctl.sim.world import World

ENGINE = "aurora-mysql"
LOG_TYPES = ["audit", "error", "general", "instance", "slowquery", "iam-db-auth-error"]


@dataclass(frozen=True)
class EngineVersion:
    """One row of DescribeDBEngineVersions. A deprecated version is listed with IncludeAll only."""

    number: str
    family: str = "aurora-mysql8.0"
    deprecated: bool = False
    default: bool = False

    @property
    def major(self) -> str:
        return self.number.split(".mysql_aurora.")[0]


VERSIONS = (
    # "Database engine updates for Amazon Aurora MySQL version 3"; 3.01 and 3.02 are past their end of life.
    EngineVersion("5.7.mysql_aurora.2.12.5", family="aurora-mysql5.7"),
    EngineVersion("8.0.mysql_aurora.3.01.0", deprecated=True),
    EngineVersion("8.0.mysql_aurora.3.02.0", deprecated=True),
    EngineVersion("8.0.mysql_aurora.3.04.4"),
    EngineVersion("8.0.mysql_aurora.3.05.2", deprecated=True),
    EngineVersion("8.0.mysql_aurora.3.08.2", default=True),
    EngineVersion("8.0.mysql_aurora.3.09.0"),
    EngineVersion("8.0.mysql_aurora.3.10.0"),
    EngineVersion("8.0.mysql_aurora.3.10.1"),
)
DEFAULT_VERSION = next(v.number for v in VERSIONS if v.default)

MEMORY_OPTIMISED = (
    *(
        f"db.{family}.{size}"
        for family in ("r5", "r6g", "r6i", "r7g", "r7i", "r8g", "x2g")
        for size in ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge")
    ),
    "db.serverless",
)
BURSTABLE = ("db.t3.medium", "db.t3.large", "db.t4g.medium", "db.t4g.large")
"""Orderable, but not in a global database: "Configuration requirements of an Amazon Aurora global database"."""


def order(number: str) -> tuple[int, ...]:
    """A version number in an order where 3.10 comes after 3.9."""
    return tuple(int(part) for part in number.replace("mysql_aurora", "0").split("."))


def find_version(number: str) -> EngineVersion | None:
    """A version that can be ordered today, by its full number."""
    return next((v for v in VERSIONS if v.number == number and not v.deprecated), None)


@gap("rds", "DescribeDBEngineVersions")
def describe_engine_versions(call: Call, world: World, moto: Moto) -> Answer:
    wanted = call.params
    listed = [v for v in VERSIONS if wanted.get("Engine", ENGINE) == ENGINE]
    if not wanted.get("IncludeAll"):
        listed = [v for v in listed if not v.deprecated]
    if wanted.get("DefaultOnly"):
        listed = [v for v in listed if v.default]
    if number := wanted.get("EngineVersion"):
        listed = [v for v in listed if number in (v.number, v.major)]
    if family := wanted.get("DBParameterGroupFamily"):
        listed = [v for v in listed if v.family == family]
    rows = [describe(v) for v in listed if matches(v, wanted.get("Filters", []))]
    return page(call, "DBEngineVersions", rows)


def matches(version: EngineVersion, filters: list[dict[str, Any]]) -> bool:
    shown = {
        "db-parameter-group-family": version.family,
        "engine": ENGINE,
        "engine-mode": "provisioned",
        "engine-version": version.number,
        "status": "deprecated" if version.deprecated else "available",
    }
    for one in filters:
        if one["Name"] not in shown:
            raise Refused("InvalidParameterValue", f"Unrecognized filter name: {one['Name']}")
        if shown[one["Name"]] not in one["Values"]:
            return False
    return True


def describe(version: EngineVersion) -> dict[str, Any]:
    newer = [v for v in VERSIONS if order(v.number) > order(version.number) and not v.deprecated]
    return {
        "Engine": ENGINE,
        "MajorEngineVersion": version.major,
        "EngineVersion": version.number,
        "DBParameterGroupFamily": version.family,
        "DBEngineDescription": "Aurora MySQL",
        "DBEngineVersionDescription": f"Aurora MySQL {version.number.split('.mysql_aurora.')[1]}",
        "ValidUpgradeTarget": [
            {
                "Engine": ENGINE,
                "EngineVersion": v.number,
                "Description": f"Aurora MySQL {v.number.split('.mysql_aurora.')[1]}",
                "AutoUpgrade": False,
                "IsMajorVersionUpgrade": v.major != version.major,
                "SupportedEngineModes": ["provisioned"],
                "SupportsGlobalDatabases": True,
            }
            for v in newer
        ],
        "ExportableLogTypes": LOG_TYPES,
        "SupportsLogExportsToCloudwatchLogs": True,
        "SupportsReadReplica": False,
        "SupportedEngineModes": ["provisioned"],
        "SupportedFeatureNames": [],
        "Status": "deprecated" if version.deprecated else "available",
        "SupportsParallelQuery": True,
        "SupportsGlobalDatabases": True,
        "SupportsBabelfish": False,
        "TagList": [],
    }


@gap("rds", "DescribeOrderableDBInstanceOptions")
def describe_orderable_options(call: Call, world: World, moto: Moto) -> Answer:
    wanted = call.params
    if wanted["Engine"] != ENGINE:
        return moto(call)
    zones = ec2_backends[call.account][call.region].describe_availability_zones()
    rows = [
        {
            "Engine": ENGINE,
            "EngineVersion": version.number,
            "DBInstanceClass": name,
            "LicenseModel": "general-public-license",
            "AvailabilityZones": [{"Name": zone.name} for zone in zones],
            "MultiAZCapable": False,
            "ReadReplicaCapable": False,
            "Vpc": True,
            "SupportsStorageEncryption": True,
            "StorageType": "aurora",
            "SupportsIops": False,
            "SupportsEnhancedMonitoring": True,
            "SupportsIAMDatabaseAuthentication": True,
            "SupportsPerformanceInsights": name not in BURSTABLE,
            "SupportedEngineModes": ["provisioned"],
            "SupportsGlobalDatabases": name not in BURSTABLE,
            "SupportsClusters": True,
            "SupportedNetworkTypes": ["IPV4", "DUAL"],
        }
        for version in VERSIONS
        if not version.deprecated and wanted.get("EngineVersion", version.number) == version.number
        for name in (*MEMORY_OPTIMISED, *BURSTABLE)
        if wanted.get("DBInstanceClass", name) == name
    ]
    return page(call, "OrderableDBInstanceOptions", rows)


def page(call: Call, member: str, rows: list[Any]) -> Answer:
    """Marker and MaxRecords (20 to 100, 100 by default) as every RDS list has them."""
    size = int(call.params.get("MaxRecords", 100))
    if not 20 <= size <= 100:
        raise Refused(
            "InvalidParameterValue", f"Invalid value {size} for MaxRecords. Must be between 20 and 100"
        )
    start = int(call.params.get("Marker") or 0)
    answer: Answer = {member: rows[start : start + size]}
    if len(rows) > start + size:
        answer["Marker"] = str(start + size)
    return answer
