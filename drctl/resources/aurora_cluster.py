"""An Aurora MySQL cluster, the member of a global database in one region."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.aws.global_database import describe_global_database, find_global_database, region_of
from drctl.engine.resource import Given, Observed, Phase, Resource, Typical, differences, resource
from drctl.resources.db_cluster_parameter_group import DbClusterParameterGroup
from drctl.resources.db_subnet_group import DbSubnetGroup
from drctl.resources.global_cluster import ENGINE, GlobalCluster
from drctl.resources.kms_key import KmsKey
from drctl.resources.log_group import LogGroup
from drctl.resources.secret import Secret
from drctl.resources.security_group import SecurityGroup

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBClusterTypeDef

    from drctl.aws.clients import Aws

PHASES = {
    "available": Phase.READY,
    "deleting": Phase.LEAVING,
    "cloning-failed": Phase.FAILED,
    "failed": Phase.FAILED,
    "inaccessible-encryption-credentials": Phase.FAILED,
    "migration-failed": Phase.FAILED,
}
"""Aurora user guide, "Viewing DB cluster status"; every other status passes."""


@dataclass(frozen=True)
class AuroraClusterOutputs:
    cluster_id: str
    arn: str
    endpoint: str
    reader_endpoint: str


@resource
class AuroraCluster(Resource[AuroraClusterOutputs]):
    """``aws_name`` must differ between the regions (Aurora user guide, "Configuration requirements of a global
    database"). The first cluster of a global database becomes its writer, every later one a secondary; which of them
    writes afterwards is nobody's wish but a failover's. The engine's version is the global cluster's.

    backup_days: how long automated backups are kept, 1 to 35
    database, secret: for the cluster that is made first, and for it alone; None in the other region
    source_region, after: for the other: where the first one is, and an instance of it, without which there is nothing
        to replicate from
    log_groups: ``/aws/rds/cluster/<aws_name>/<type>`` for each type of log to export; RDS would make them itself,
        unencrypted, and leave them behind
    """

    kind: ClassVar[str] = "aurora-cluster"
    fixed: ClassVar[frozenset[str]] = frozenset(
        {"name", "global_cluster", "key", "subnet_group", "database", "username"}
    )
    holds_data: ClassVar[bool] = True
    lets_go: ClassVar[frozenset[str]] = frozenset({"aurora-instance", "global-cluster"})
    typical: ClassVar[Typical] = Typical(ready=45, gone=180)
    secondary: ClassVar[Typical] = Typical(ready=360, gone=180)

    aws_name: str
    global_cluster: GlobalCluster
    key: KmsKey
    subnet_group: DbSubnetGroup
    parameter_group: DbClusterParameterGroup
    security_group: SecurityGroup
    backup_days: int
    database: str | None = None
    secret: Secret | None = None
    source_region: str | None = None
    after: Resource[Any] | None = None
    log_groups: tuple[LogGroup, ...] = ()

    @property
    def usual(self) -> Typical:
        return self.typical if self.after is None else self.secondary

    def read(self, aws: Aws, given: Given) -> Observed[AuroraClusterOutputs] | None:
        cluster = self._find(aws, given)
        if cluster is None:
            return None
        given.claim(self, tags.as_dict(cluster.get("TagList", [])))
        outputs = _outputs(cluster)
        status = cluster["Status"]
        phase = PHASES.get(status, Phase.PENDING)
        if phase is not Phase.READY:
            return Observed(outputs, phase, reason=f"the cluster is {status}")
        database = find_global_database(aws.rds(self.region), outputs.arn)
        actual = {
            "name": outputs.cluster_id,
            "global_cluster": database.identifier if database else None,
            "key": cluster.get("KmsKeyId"),
            "subnet_group": cluster["DBSubnetGroup"],
            "parameter_group": cluster["DBClusterParameterGroup"],
            "security_groups": [group["VpcSecurityGroupId"] for group in cluster["VpcSecurityGroups"]],
            "backup_days": cluster["BackupRetentionPeriod"],
            "iam_authentication": cluster.get("IAMDatabaseAuthenticationEnabled", False),
            "log_exports": sorted(cluster.get("EnabledCloudwatchLogsExports", [])),
        }
        desired = {
            "name": self.aws_name.lower(),
            "global_cluster": given[self.global_cluster].global_cluster_id,
            "key": given[self.key].arn,
            "subnet_group": given[self.subnet_group].name,
            "parameter_group": given[self.parameter_group].name,
            "security_groups": [given[self.security_group].security_group_id],
            "backup_days": self.backup_days,
            "iam_authentication": True,
            "log_exports": self._log_types(),
        }
        if self.secret is not None and "MasterUsername" in cluster:
            actual["username"], desired["username"] = cluster["MasterUsername"], self.secret.username
        if self.database is not None and "DatabaseName" in cluster:
            actual["database"], desired["database"] = cluster["DatabaseName"], self.database
        return Observed(outputs, drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> AuroraClusterOutputs:
        """As the writer if the global database has none, else as a secondary, which takes neither credentials nor a
        database's name (RDS API, CreateDBCluster). The password exists here in memory only."""
        rds, frame = aws.rds(self.region), given[self.global_cluster]
        writer = describe_global_database(rds, frame.global_cluster_id).writer
        role: dict[str, Any] = {}
        if writer is not None:
            role["SourceRegion"] = self.source_region or region_of(writer)
        elif self.secret is not None:
            manager = aws.secretsmanager(self.secret.region)
            content = manager.get_secret_value(SecretId=given[self.secret].arn)["SecretString"]
            credentials = json.loads(content)
            role["MasterUsername"] = credentials["username"]
            role["MasterUserPassword"] = credentials["password"]
            if self.database is not None:
                role["DatabaseName"] = self.database
        cluster = rds.create_db_cluster(
            DBClusterIdentifier=self.aws_name,
            GlobalClusterIdentifier=frame.global_cluster_id,
            Engine=ENGINE,
            EngineVersion=frame.engine_version,
            StorageEncrypted=True,
            KmsKeyId=given[self.key].arn,
            DBSubnetGroupName=given[self.subnet_group].name,
            DBClusterParameterGroupName=given[self.parameter_group].name,
            VpcSecurityGroupIds=[given[self.security_group].security_group_id],
            BackupRetentionPeriod=self.backup_days,
            EnableIAMDatabaseAuthentication=True,
            EnableCloudwatchLogsExports=self._log_types(),
            CopyTagsToSnapshot=True,
            Tags=tags.as_list(given.tags(self)),
            **role,
        )["DBCluster"]
        return _outputs(cluster)

    def update(self, aws: Aws, given: Given, observed: Observed[AuroraClusterOutputs]) -> None:
        rds, name = aws.rds(self.region), observed.outputs.cluster_id
        exported = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        actual, wanted = set(exported.get("EnabledCloudwatchLogsExports", [])), set(self._log_types())
        changes: dict[str, dict[str, Any]] = {
            "parameter_group": {"DBClusterParameterGroupName": given[self.parameter_group].name},
            "security_groups": {"VpcSecurityGroupIds": [given[self.security_group].security_group_id]},
            "backup_days": {"BackupRetentionPeriod": self.backup_days},
            "iam_authentication": {"EnableIAMDatabaseAuthentication": True},
            "log_exports": {
                "CloudwatchLogsExportConfiguration": {
                    "EnableLogTypes": sorted(wanted - actual),
                    "DisableLogTypes": sorted(actual - wanted),
                }
            },
        }
        asked = {key: value for field in observed.drift for key, value in changes[field].items()}
        rds.modify_db_cluster(DBClusterIdentifier=name, ApplyImmediately=True, **asked)

    def delete(self, aws: Aws, outputs: AuroraClusterOutputs) -> None:
        """In stages: a writer first detaches the others, because it may only leave last; then this one detaches itself
        and becomes a cluster of its own (``promoting``); then it goes, while its instances still may be going.

        Aurora user guide, "Deleting an Amazon Aurora global database".
        """
        rds = aws.rds(self.region)
        database = find_global_database(rds, outputs.arn)
        if database is not None:
            others = [member for member in database.members if member != outputs.arn]
            leaving = others if database.writer == outputs.arn and others else [outputs.arn]
            for member in leaving:
                rds.remove_from_global_cluster(
                    GlobalClusterIdentifier=database.identifier, DbClusterIdentifier=member
                )
            return
        cluster = rds.describe_db_clusters(DBClusterIdentifier=outputs.cluster_id)["DBClusters"][0]
        if cluster.get("DeletionProtection"):
            rds.modify_db_cluster(
                DBClusterIdentifier=outputs.cluster_id, DeletionProtection=False, ApplyImmediately=True
            )
            return
        rds.delete_db_cluster(
            DBClusterIdentifier=outputs.cluster_id, SkipFinalSnapshot=True, DeleteAutomatedBackups=True
        )

    def _log_types(self) -> list[str]:
        return sorted(group.aws_name.rpartition("/")[2] for group in self.log_groups)

    def _find(self, aws: Aws, given: Given) -> DBClusterTypeDef | None:
        recorded = given.recorded(self)
        for name in dict.fromkeys((recorded.cluster_id, self.aws_name) if recorded else (self.aws_name,)):
            with tolerating_absence():
                return aws.rds(self.region).describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        return None


def _outputs(cluster: DBClusterTypeDef) -> AuroraClusterOutputs:
    return AuroraClusterOutputs(
        cluster["DBClusterIdentifier"],
        cluster["DBClusterArn"],
        cluster.get("Endpoint", ""),
        cluster.get("ReaderEndpoint", ""),
    )
