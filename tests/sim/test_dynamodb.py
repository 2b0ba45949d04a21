"""DynamoDB of the simulator: global tables whose replicas are tables, take time, and share what is written."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Sim

P, S = "us-east-1", "us-west-2"
DAY = 86_400.0


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


class Tables:
    """A key in each region, and the table ``sessions``."""

    def __init__(self, sim: Sim) -> None:
        sim.set_speed(1)
        self.sim = sim
        self.at = {region: sim.client("dynamodb", region) for region in (P, S)}
        self.keys = {r: sim.client("kms", r).create_key()["KeyMetadata"]["Arn"] for r in (P, S)}

    def make(self, **more: Any) -> dict[str, Any]:
        settings = {
            "TableName": "sessions",
            "AttributeDefinitions": [{"AttributeName": "sessionId", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "sessionId", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": self.keys[P]},
            "Tags": [{"Key": "drctl:environment", "Value": "demo"}],
            **more,
        }
        return dict(self.at[P].create_table(**settings)["TableDescription"])

    def replicate(self, **more: Any) -> dict[str, Any]:
        create = {"RegionName": S, "KMSMasterKeyId": self.keys[S], **more}
        create = {name: value for name, value in create.items() if value is not None}
        updates = [{"Create": create}]
        return dict(self.at[P].update_table(TableName="sessions", ReplicaUpdates=updates)["TableDescription"])

    def build(self) -> None:
        self.make()
        self.sim.advance(60)
        self.replicate()
        self.sim.advance(300)

    def describe(self, region: str) -> dict[str, Any]:
        return dict(self.at[region].describe_table(TableName="sessions")["Table"])

    def put(self, region: str, value: str, **more: Any) -> None:
        item = {"sessionId": {"S": "1"}, "value": {"S": value}}
        self.at[region].put_item(TableName="sessions", Item=item, **more)

    def value(self, region: str, key: str = "1") -> str | None:
        found = self.at[region].get_item(TableName="sessions", Key={"sessionId": {"S": key}}).get("Item")
        return found["value"]["S"] if found else None


@pytest.fixture
def tables(sim: Sim) -> Tables:
    return Tables(sim)


def test_a_table_takes_time_in_both_directions(tables: Tables) -> None:
    assert tables.make(DeletionProtectionEnabled=True)["TableStatus"] == "CREATING"
    for early in (
        lambda: tables.make(),
        lambda: tables.replicate(),
        lambda: tables.at[P].delete_table(TableName="sessions"),
    ):
        with pytest.raises(ClientError) as refused:
            early()
        assert refusal(refused) == "ResourceInUseException"
    item = {"sessionId": {"S": "1"}}
    for early in (
        lambda: tables.put(P, "early"),
        lambda: tables.at[P].scan(TableName="sessions"),
        lambda: tables.at[P].batch_get_item(RequestItems={"sessions": {"Keys": [item]}}),
        lambda: tables.at[P].transact_write_items(
            TransactItems=[{"Delete": {"TableName": "sessions", "Key": item}}]
        ),
    ):
        with pytest.raises(ClientError) as refused:
            early()
        assert refusal(refused) == "ResourceNotFoundException"
    pitr = {"TableName": "sessions", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
    with pytest.raises(ClientError) as refused:
        tables.at[P].update_continuous_backups(**pitr)
    assert refusal(refused) == "ContinuousBackupsUnavailableException"
    tables.sim.advance(60)
    shown = tables.describe(P)
    assert shown["TableStatus"] == "ACTIVE"
    assert shown["SSEDescription"]["KMSMasterKeyArn"] == tables.keys[P]
    tables.at[P].update_continuous_backups(**pitr)
    backups = tables.at[P].describe_continuous_backups(TableName="sessions")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    with pytest.raises(ClientError, match="protected against deletion"):
        tables.at[P].delete_table(TableName="sessions")
    tables.at[P].update_table(TableName="sessions", DeletionProtectionEnabled=False)
    assert tables.at[P].delete_table(TableName="sessions")["TableDescription"]["TableStatus"] == "DELETING"
    assert tables.describe(P)["TableStatus"] == "DELETING"
    tables.sim.advance(60)
    with pytest.raises(ClientError) as refused:
        tables.describe(P)
    assert refusal(refused) == "ResourceNotFoundException"


def test_what_a_replica_may_not_be_made_with(tables: Tables) -> None:
    with pytest.raises(ClientError, match="KMS key"):
        tables.make(SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": tables.keys[S]})
    tables.make()
    tables.sim.advance(60)
    for wrong, words in (
        ({"KMSMasterKeyId": None}, "KMSMasterKeyId must be specified for each replica"),
        ({"KMSMasterKeyId": tables.keys[P]}, "KMS key"),
        ({"RegionName": P, "KMSMasterKeyId": tables.keys[P]}, "local region"),
        ({"RegionName": "us-moon-1"}, "Region us-moon-1"),
    ):
        with pytest.raises(ClientError, match=words):
            tables.replicate(**wrong)
    removal = [{"Delete": {"RegionName": S}}]
    with pytest.raises(ClientError, match="was not found"):
        tables.at[P].update_table(TableName="sessions", ReplicaUpdates=removal)
    with pytest.raises(ClientError, match="Exactly one replica update"):
        tables.at[P].update_table(TableName="sessions", ReplicaUpdates=removal * 2)
    with pytest.raises(ClientError, match="cannot be combined"):
        tables.at[P].update_table(
            TableName="sessions", ReplicaUpdates=removal, DeletionProtectionEnabled=True
        )
    plain = {
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    schema = [{"AttributeName": "k", "KeyType": "HASH"}]
    tables.at[P].create_table(TableName="plain", KeySchema=schema, **plain)
    tables.at[S].create_table(TableName="sessions", KeySchema=schema, **plain)
    tables.sim.advance(60)
    with pytest.raises(ClientError, match="NEW_AND_OLD_IMAGES"):
        tables.at[P].update_table(TableName="plain", ReplicaUpdates=[{"Create": {"RegionName": S}}])
    with pytest.raises(ClientError, match="already existed as tables"):
        tables.replicate()


def test_a_replica_is_a_table_that_shows_the_other_regions(tables: Tables) -> None:
    tables.make()
    tables.sim.advance(60)
    tables.put(P, "before")
    assert tables.replicate()["TableStatus"] == "UPDATING"
    assert tables.describe(S)["TableStatus"] == "CREATING"
    assert [(r["RegionName"], r["ReplicaStatus"]) for r in tables.describe(P)["Replicas"]] == [
        (S, "CREATING")
    ]
    with pytest.raises(ClientError) as refused:
        tables.at[P].update_table(TableName="sessions", ReplicaUpdates=[{"Delete": {"RegionName": S}}])
    assert refusal(refused) == "ResourceInUseException"
    tables.put(P, "during")
    tables.sim.advance(300)
    for here, there in ((P, S), (S, P)):
        shown = tables.describe(here)
        assert (shown["TableStatus"], shown["GlobalTableVersion"]) == ("ACTIVE", "2019.11.21")
        (replica,) = shown["Replicas"]
        assert (replica["RegionName"], replica["ReplicaStatus"]) == (there, "ACTIVE")
        assert replica["KMSMasterKeyId"] == tables.keys[there]
    assert tables.describe(S)["SSEDescription"]["KMSMasterKeyArn"] == tables.keys[S]
    assert tables.value(S) == "during"
    assert tables.at[S].list_tags_of_resource(ResourceArn=tables.describe(S)["TableArn"])["Tags"] == []
    with pytest.raises(ClientError, match="KMSMasterKeyId must be specified"):
        update = {"RegionName": S, "KMSMasterKeyId": tables.keys[S]}
        tables.at[P].update_table(TableName="sessions", ReplicaUpdates=[{"Update": update}])


def test_what_is_written_in_one_region_reaches_the_other_in_under_a_second(tables: Tables) -> None:
    tables.build()
    tables.sim.set_speed(0.01)
    first = {"ConditionExpression": "attribute_not_exists(sessionId)"}
    tables.put(P, "p", **first)
    assert tables.value(S) is None
    tables.put(S, "s", **first)
    tables.sim.advance(1)
    assert tables.value(P) == tables.value(S) == "s"
    with pytest.raises(ClientError) as refused:
        tables.put(P, "p", **first)
    assert refusal(refused) == "ConditionalCheckFailedException"
    key = {"sessionId": {"S": "2"}}
    tables.at[S].transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "sessions", "Item": {**key, "value": {"S": "two"}}}},
            {"ConditionCheck": {"TableName": "sessions", "Key": {"sessionId": {"S": "9"}}, **first}},
        ]
    )
    tables.at[S].update_item(
        TableName="sessions",
        Key={"sessionId": {"S": "1"}},
        UpdateExpression="SET #v = :v",
        ExpressionAttributeNames={"#v": "value"},
        ExpressionAttributeValues={":v": {"S": "updated"}},
    )
    item = {"sessionId": {"S": "3"}, "value": {"S": "three"}}
    tables.at[S].batch_write_item(RequestItems={"sessions": [{"PutRequest": {"Item": item}}]})
    tables.sim.advance(1)
    assert [tables.value(P, key) for key in "123"] == ["updated", "two", "three"]
    tables.at[P].delete_item(TableName="sessions", Key={"sessionId": {"S": "1"}})
    assert tables.value(S) == "updated"
    tables.sim.advance(1)
    assert tables.value(S) is None
    query = tables.at[S].query(
        TableName="sessions",
        KeyConditionExpression="sessionId = :k",
        ExpressionAttributeValues={":k": {"S": "2"}},
    )
    assert query["Count"] == 1


def test_the_source_of_a_replica_stays_until_the_replica_is_gone(tables: Tables) -> None:
    tables.build()
    with pytest.raises(ClientError, match="acted as a source region"):
        tables.at[P].delete_table(TableName="sessions")
    with pytest.raises(ClientError, match="acted as a source region"):
        tables.at[S].update_table(TableName="sessions", ReplicaUpdates=[{"Delete": {"RegionName": P}}])
    tables.at[S].update_table(TableName="sessions", DeletionProtectionEnabled=True)
    removal = {"TableName": "sessions", "ReplicaUpdates": [{"Delete": {"RegionName": S}}]}
    with pytest.raises(ClientError, match="protected against deletion"):
        tables.at[P].update_table(**removal)
    tables.at[S].update_table(TableName="sessions", DeletionProtectionEnabled=False)
    tables.at[P].update_table(**removal)
    assert tables.describe(P)["TableStatus"] == "UPDATING"
    assert tables.describe(P)["Replicas"][0]["ReplicaStatus"] == "DELETING"
    assert tables.describe(S)["TableStatus"] == "DELETING"
    tables.sim.advance(300)
    assert "Replicas" not in tables.describe(P)
    with pytest.raises(ClientError) as refused:
        tables.describe(S)
    assert refusal(refused) == "ResourceNotFoundException"
    tables.at[P].delete_table(TableName="sessions")


def test_a_day_later_the_source_itself_can_be_removed(tables: Tables) -> None:
    tables.build()
    tables.sim.advance(DAY)
    tables.at[S].update_table(TableName="sessions", ReplicaUpdates=[{"Delete": {"RegionName": P}}])
    tables.sim.advance(300)
    assert "Replicas" not in tables.describe(S)


def test_time_to_live_is_shared_and_changes_slowly(tables: Tables) -> None:
    tables.build()
    change = {
        "TableName": "sessions",
        "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "expires"},
    }
    tables.at[P].update_time_to_live(**change)
    with pytest.raises(ClientError, match="multiple times"):
        tables.at[P].update_time_to_live(**change)
    shown = tables.at[S].describe_time_to_live(TableName="sessions")["TimeToLiveDescription"]
    assert shown["TimeToLiveStatus"] == "ENABLING"
    tables.sim.advance(60)
    shown = tables.at[S].describe_time_to_live(TableName="sessions")["TimeToLiveDescription"]
    assert (shown["TimeToLiveStatus"], shown["AttributeName"]) == ("ENABLED", "expires")
    with pytest.raises(ClientError, match="already enabled"):
        tables.at[P].update_time_to_live(**change)
