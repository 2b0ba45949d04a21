"""A DynamoDB table: on demand, encrypted, with a stream and point-in-time recovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.engine.resource import Given, Observed, Phase, Resource, Typical, differences, resource
from drctl.resources.kms_key import KmsKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

    from drctl.aws.clients import Aws

PHASES = {
    "ACTIVE": Phase.READY,
    "ARCHIVED": Phase.FAILED,
    "DELETING": Phase.LEAVING,
    "INACCESSIBLE_ENCRYPTION_CREDENTIALS": Phase.FAILED,
}
"""TableStatus in the DynamoDB API reference; every other status passes."""

STREAM: Final = "NEW_AND_OLD_IMAGES"
"""What a table must write to its stream for a replica to be made of it (developer guide, "Global tables")."""


@dataclass(frozen=True)
class DynamodbTableOutputs:
    table_name: str
    arn: str
    stream_arn: str


@resource
class DynamodbTable(Resource[DynamodbTableOutputs]):
    """``hash_key``: the name of the partition key, a string."""

    kind: ClassVar[str] = "dynamodb-table"
    fixed: ClassVar[frozenset[str]] = frozenset({"name", "hash_key"})
    holds_data: ClassVar[bool] = True
    typical: ClassVar[Typical] = Typical(ready=9, gone=10)

    aws_name: str
    hash_key: str
    key: KmsKey

    def read(self, aws: Aws, given: Given) -> Observed[DynamodbTableOutputs] | None:
        dynamodb = aws.dynamodb(self.region)
        table = self._find(aws, given)
        if table is None:
            return None
        outputs = _outputs(table)
        found = dynamodb.list_tags_of_resource(ResourceArn=outputs.arn)
        given.claim(self, tags.as_dict(found.get("Tags", [])))
        status = table["TableStatus"]
        phase = PHASES.get(status, Phase.PENDING)
        if phase is not Phase.READY:
            return Observed(outputs, phase, reason=f"the table is {status}")
        stream = table.get("StreamSpecification", {"StreamEnabled": False})
        actual = {
            "name": outputs.table_name,
            "hash_key": next(k["AttributeName"] for k in table["KeySchema"] if k["KeyType"] == "HASH"),
            "billing": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "stream": stream.get("StreamViewType") if stream["StreamEnabled"] else None,
            "key": table.get("SSEDescription", {}).get("KMSMasterKeyArn"),
            "point_in_time_recovery": recoverable(dynamodb, outputs.table_name),
        }
        desired = {
            "name": self.aws_name,
            "hash_key": self.hash_key,
            "billing": "PAY_PER_REQUEST",
            "stream": STREAM,
            "key": given[self.key].arn,
            "point_in_time_recovery": True,
        }
        return Observed(outputs, drift=differences(actual, desired))

    def create(self, aws: Aws, given: Given) -> DynamodbTableOutputs:
        table = aws.dynamodb(self.region).create_table(
            TableName=self.aws_name,
            AttributeDefinitions=[{"AttributeName": self.hash_key, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": self.hash_key, "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": STREAM},
            SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": given[self.key].arn},
            Tags=tags.as_list(given.tags(self)),
        )["TableDescription"]
        return _outputs(table)

    def update(self, aws: Aws, given: Given, observed: Observed[DynamodbTableOutputs]) -> None:
        """One change of the table itself at a time: it is UPDATING afterwards and refuses the next."""
        dynamodb, name = aws.dynamodb(self.region), observed.outputs.table_name
        if "point_in_time_recovery" in observed.drift:
            make_recoverable(dynamodb, name)
        if "stream" in observed.drift:
            dynamodb.update_table(
                TableName=name,
                StreamSpecification={"StreamEnabled": True, "StreamViewType": STREAM}
                if observed.drift["stream"].actual is None
                else {"StreamEnabled": False},  # a stream of another view must be switched off first
            )
        elif "billing" in observed.drift:
            dynamodb.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
        elif "key" in observed.drift:
            dynamodb.update_table(
                TableName=name,
                SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": given[self.key].arn},
            )

    def delete(self, aws: Aws, outputs: DynamodbTableOutputs) -> None:
        dynamodb, name = aws.dynamodb(self.region), outputs.table_name
        if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
            dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
            return
        dynamodb.delete_table(TableName=name)

    def _find(self, aws: Aws, given: Given) -> TableDescriptionTypeDef | None:
        recorded = given.recorded(self)
        for name in dict.fromkeys((recorded.table_name, self.aws_name) if recorded else (self.aws_name,)):
            with tolerating_absence():
                return aws.dynamodb(self.region).describe_table(TableName=name)["Table"]
        return None


def recoverable(dynamodb: DynamoDBClient, table_name: str) -> bool:
    """Whether a table, or the replica of this client's region, can be restored to any second of the last days."""
    backups = dynamodb.describe_continuous_backups(TableName=table_name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    return recovery.get("PointInTimeRecoveryStatus") == "ENABLED"


def make_recoverable(dynamodb: DynamoDBClient, table_name: str) -> None:
    """Turn point-in-time recovery on. A young table refuses it for some seconds."""
    dynamodb.update_continuous_backups(
        TableName=table_name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def _outputs(table: TableDescriptionTypeDef) -> DynamodbTableOutputs:
    return DynamodbTableOutputs(table["TableName"], table["TableArn"], table.get("LatestStreamArn", ""))
