"""The Aurora global cluster: the frame that holds a database cluster in each region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.aws.global_database import region_of
from drctl.engine.resource import Given, Observed, Phase, Resource, Typical, differences, resource

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import GlobalClusterMemberTypeDef, GlobalClusterTypeDef

    from drctl.aws.clients import Aws

ENGINE = "aurora-mysql"
FAMILY = "aurora-mysql8.0"
"""The major version that is chosen from when none is pinned; the parameter groups must be of the same family."""


@dataclass(frozen=True)
class GlobalClusterOutputs:
    global_cluster_id: str
    arn: str
    engine_version: str


@resource
class GlobalCluster(Resource[GlobalClusterOutputs]):
    """An empty frame at first; the clusters join when they are made. Who of them writes is no desired state.

    engine_version: pinned, or "" for the newest that supports global databases in both regions, chosen once, at
        creation. Unpinned, an upgrade by AWS is no drift: the clusters follow the version in the outputs.
    home, standby: the two regions. ``home`` takes the calls: a global cluster belongs to no region.
    """

    kind: ClassVar[str] = "global-cluster"
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})
    holds_data: ClassVar[bool] = True
    typical: ClassVar[Typical] = Typical(ready=10, gone=30)

    aws_name: str
    engine_version: str
    home: str
    standby: str

    def read(self, aws: Aws, given: Given) -> Observed[GlobalClusterOutputs] | None:
        found = self._find(aws, given)
        if found is None:
            return None
        arn, version = found["GlobalClusterArn"], found["EngineVersion"]
        given.claim(
            self, tags.as_dict(aws.rds(self.home).list_tags_for_resource(ResourceName=arn)["TagList"])
        )
        outputs = GlobalClusterOutputs(found["GlobalClusterIdentifier"], arn, version)
        if found["Status"] != "available":
            phase = Phase.LEAVING if found["Status"] == "deleting" else Phase.PENDING
            return Observed(outputs, phase, reason=f"the global cluster is {found['Status']}")
        actual: dict[str, object] = {"name": outputs.global_cluster_id}
        desired: dict[str, object] = {"name": self.aws_name.lower()}
        if self.engine_version:
            members = [self._version(aws, each["DBClusterArn"]) for each in _members(found)]
            if any(status == "upgrading" for _, status in members):
                return Observed(outputs, Phase.PENDING, reason="a cluster of it is upgrading")
            actual["engine_version"] = [number for number, _ in members] or [version]
            desired["engine_version"] = [self.engine_version] * max(len(members), 1)
        return Observed(outputs, drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> GlobalClusterOutputs:
        made = aws.rds(self.home).create_global_cluster(
            GlobalClusterIdentifier=self.aws_name,
            Engine=ENGINE,
            EngineVersion=self.engine_version or self._newest_version(aws),
            StorageEncrypted=True,
            Tags=tags.as_list(given.tags(self)),
        )["GlobalCluster"]
        return GlobalClusterOutputs(
            made["GlobalClusterIdentifier"], made["GlobalClusterArn"], made["EngineVersion"]
        )

    def update(self, aws: Aws, given: Given, observed: Observed[GlobalClusterOutputs]) -> None:
        """A minor upgrade, the writer last (Aurora user guide, "Upgrading an Amazon Aurora global database").

        ModifyGlobalCluster takes major upgrades only; those, and going back, AWS refuses here in its own words.
        """
        behind = [
            (each["IsWriter"], each["DBClusterArn"])
            for each in _members(self._find(aws, given))
            if self._version(aws, each["DBClusterArn"])[0] != self.engine_version
        ]
        secondaries = [each for each in behind if not each[0]]
        for _, arn in secondaries or behind:
            aws.rds(region_of(arn)).modify_db_cluster(
                DBClusterIdentifier=arn.rpartition(":")[2],
                EngineVersion=self.engine_version,
                ApplyImmediately=True,
            )

    def delete(self, aws: Aws, outputs: GlobalClusterOutputs) -> None:
        """It must be empty: each cluster detaches itself when it goes. A member that is not ours stays, and so does
        this."""
        rds, identifier = aws.rds(self.home), outputs.global_cluster_id
        found = rds.describe_global_clusters(GlobalClusterIdentifier=identifier)["GlobalClusters"][0]
        if found.get("DeletionProtection"):
            rds.modify_global_cluster(GlobalClusterIdentifier=identifier, DeletionProtection=False)
        rds.delete_global_cluster(GlobalClusterIdentifier=identifier)

    def _find(self, aws: Aws, given: Given) -> GlobalClusterTypeDef | None:
        recorded = given.recorded(self)
        names = (recorded.global_cluster_id, self.aws_name) if recorded else (self.aws_name,)
        for name in dict.fromkeys(names):
            with tolerating_absence():
                answer = aws.rds(self.home).describe_global_clusters(GlobalClusterIdentifier=name)
                return answer["GlobalClusters"][0]
        return None

    def _version(self, aws: Aws, arn: str) -> tuple[str, str]:
        """Version and status of a member."""
        name = arn.rpartition(":")[2]
        cluster = aws.rds(region_of(arn)).describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        return cluster["EngineVersion"], cluster["Status"]

    def _newest_version(self, aws: Aws) -> str:
        offers = [self._offered_versions(aws, region) for region in (self.home, self.standby)]
        return max(set.intersection(*offers), key=_number)

    def _offered_versions(self, aws: Aws, region: str) -> set[str]:
        pages = aws.rds(region).get_paginator("describe_db_engine_versions")
        return {
            version["EngineVersion"]
            for page in pages.paginate(Engine=ENGINE, DBParameterGroupFamily=FAMILY)
            for version in page["DBEngineVersions"]
            if version.get("SupportsGlobalDatabases")
        }


def _members(found: GlobalClusterTypeDef | None) -> Sequence[GlobalClusterMemberTypeDef]:
    """Its clusters, always in the same order."""
    members = found.get("GlobalClusterMembers", []) if found else []
    return sorted(members, key=lambda member: member["DBClusterArn"])


def _number(version: str) -> tuple[int, ...]:
    """``8.0.mysql_aurora.3.10.1`` in an order where 3.10 comes after 3.9."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())
