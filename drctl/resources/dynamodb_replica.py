"""A replica of a DynamoDB table in another region (global tables, version 2019.11.21)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Phase, Resource, Typical, differences, resource
from drctl.resources.dynamodb_table import DynamodbTable, make_recoverable, recoverable
from drctl.resources.kms_key import KmsKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ReplicaDescriptionTypeDef

    from drctl.aws.clients import Aws

PHASES = {
    "ACTIVE": Phase.READY,
    "ARCHIVED": Phase.FAILED,
    "CREATION_FAILED": Phase.FAILED,
    "DELETING": Phase.LEAVING,
    "INACCESSIBLE_ENCRYPTION_CREDENTIALS": Phase.FAILED,
    "REGION_DISABLED": Phase.FAILED,
    "REPLICATION_NOT_AUTHORIZED": Phase.FAILED,
}
"""ReplicaStatus in the DynamoDB API reference; every other status passes."""


@dataclass(frozen=True)
class DynamodbReplicaOutputs:
    table_name: str
    arn: str


@resource
class DynamodbReplica(Resource[DynamodbReplicaOutputs]):
    """Its region is the replica's, ``key`` is of that region; the table's region makes it and takes it away.

    It is ours because its table is; tags and point-in-time recovery do not follow the table and are set on it.
    """

    kind: ClassVar[str] = "dynamodb-replica"
    fixed: ClassVar[frozenset[str]] = frozenset({"key"})
    holds_data: ClassVar[bool] = True
    typical: ClassVar[Typical] = Typical(ready=180, gone=120)

    table: DynamodbTable
    key: KmsKey

    def read(self, aws: Aws, given: Given) -> Observed[DynamodbReplicaOutputs] | None:
        recorded = given.recorded(self)
        name = recorded.table_name if recorded else given[self.table].table_name
        replica = self._find(aws, name)
        if replica is None:
            return None
        outputs = DynamodbReplicaOutputs(name, self._arn(given, name))
        status = replica["ReplicaStatus"]
        phase = PHASES.get(status, Phase.PENDING)
        if phase is not Phase.READY:
            reason = replica.get("ReplicaStatusDescription") or f"the replica is {status}"
            return Observed(outputs, phase, reason=reason)
        dynamodb = aws.dynamodb(self.region)
        found = tags.as_dict(dynamodb.list_tags_of_resource(ResourceArn=outputs.arn).get("Tags", []))
        actual = {
            "key": replica.get("KMSMasterKeyId"),
            "tags": given.is_ours(self, found),
            "point_in_time_recovery": recoverable(dynamodb, name),
        }
        desired = {"key": given[self.key].arn, "tags": True, "point_in_time_recovery": True}
        return Observed(outputs, drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> DynamodbReplicaOutputs:
        name = given[self.table].table_name
        aws.dynamodb(self.table.region).update_table(
            TableName=name,
            ReplicaUpdates=[{"Create": {"RegionName": self.region, "KMSMasterKeyId": given[self.key].arn}}],
        )
        return DynamodbReplicaOutputs(name, self._arn(given, name))

    def update(self, aws: Aws, given: Given, observed: Observed[DynamodbReplicaOutputs]) -> None:
        dynamodb, outputs = aws.dynamodb(self.region), observed.outputs
        if "tags" in observed.drift:
            dynamodb.tag_resource(ResourceArn=outputs.arn, Tags=tags.as_list(given.tags(self)))
        if "point_in_time_recovery" in observed.drift:
            make_recoverable(dynamodb, outputs.table_name)

    def delete(self, aws: Aws, outputs: DynamodbReplicaOutputs) -> None:
        aws.dynamodb(self.table.region).update_table(
            TableName=outputs.table_name, ReplicaUpdates=[{"Delete": {"RegionName": self.region}}]
        )

    def _find(self, aws: Aws, table_name: str) -> ReplicaDescriptionTypeDef | None:
        with tolerating_absence():
            table = aws.dynamodb(self.table.region).describe_table(TableName=table_name)["Table"]
            for replica in table.get("Replicas", []):
                if replica["RegionName"] == self.region:
                    return replica
        return None

    def _arn(self, given: Given, table_name: str) -> str:
        return f"arn:{given.partition}:dynamodb:{self.region}:{given.account}:table/{table_name}"
