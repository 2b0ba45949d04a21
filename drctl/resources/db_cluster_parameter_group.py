"""Settings of the database engine: connections over TLS only, and the slow query log that is exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Resource, differences, resource

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBClusterParameterGroupTypeDef

    from drctl.aws.clients import Aws

PARAMETERS = {"require_secure_transport": "ON", "slow_query_log": "1"}
"""Both dynamic, so that they apply without a restart (Aurora user guide, "Aurora MySQL configuration parameters")."""


@dataclass(frozen=True)
class DbClusterParameterGroupOutputs:
    name: str


@resource
class DbClusterParameterGroup(Resource[DbClusterParameterGroupOutputs]):
    """``family``: engine and major version, ``aurora-mysql8.0``."""

    kind: ClassVar[str] = "db-cluster-parameter-group"
    fixed: ClassVar[frozenset[str]] = frozenset({"name", "family"})

    aws_name: str
    family: str

    def read(self, aws: Aws, given: Given) -> Observed[DbClusterParameterGroupOutputs] | None:
        group = self._find(aws, given)
        if group is None:
            return None
        rds, name = aws.rds(self.region), group["DBClusterParameterGroupName"]
        found = rds.list_tags_for_resource(ResourceName=group["DBClusterParameterGroupArn"])
        given.claim(self, tags.as_dict(found["TagList"]))
        pages = rds.get_paginator("describe_db_cluster_parameters")
        chosen = {
            parameter["ParameterName"]: parameter.get("ParameterValue")
            for page in pages.paginate(DBClusterParameterGroupName=name, Source="user")
            for parameter in page["Parameters"]
        }
        actual = {"name": name, "family": group["DBParameterGroupFamily"], **chosen}
        desired = {"name": self.aws_name.lower(), "family": self.family, **PARAMETERS}
        return Observed(DbClusterParameterGroupOutputs(name), drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> DbClusterParameterGroupOutputs:
        group = aws.rds(self.region).create_db_cluster_parameter_group(
            DBClusterParameterGroupName=self.aws_name,
            DBParameterGroupFamily=self.family,
            Description=f"drctl environment {given.environment}",
            Tags=tags.as_list(given.tags(self)),
        )["DBClusterParameterGroup"]
        return DbClusterParameterGroupOutputs(group["DBClusterParameterGroupName"])

    def update(self, aws: Aws, given: Given, observed: Observed[DbClusterParameterGroupOutputs]) -> None:
        aws.rds(self.region).modify_db_cluster_parameter_group(
            DBClusterParameterGroupName=observed.outputs.name,
            Parameters=[
                {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "immediate"}
                for name, value in PARAMETERS.items()
                if name in observed.drift
            ],
        )

    def delete(self, aws: Aws, outputs: DbClusterParameterGroupOutputs) -> None:
        aws.rds(self.region).delete_db_cluster_parameter_group(DBClusterParameterGroupName=outputs.name)

    def _find(self, aws: Aws, given: Given) -> DBClusterParameterGroupTypeDef | None:
        rds, recorded = aws.rds(self.region), given.recorded(self)
        for name in dict.fromkeys((recorded.name, self.aws_name) if recorded else (self.aws_name,)):
            with tolerating_absence():
                answer = rds.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=name)
                return answer["DBClusterParameterGroups"][0]
        return None
