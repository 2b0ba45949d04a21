"""What must survive, as AWS shows it: the global database, the global tables, the replicated buckets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.environment import ENVIRONMENT, Built, P, S

pytestmark = pytest.mark.xdist_group(ENVIRONMENT)
CLUSTER = {P: "demo-primary", S: "demo-standby"}
BUCKET = {region: f"demo-assets-123456789012-{region}" for region in (P, S)}


def test_one_global_database_that_p_writes_and_s_follows(built: Built) -> None:
    (database,) = built.client("rds", S).describe_global_clusters(GlobalClusterIdentifier="demo-global")[
        "GlobalClusters"
    ]
    assert (database["Status"], database["StorageEncrypted"]) == ("available", True)
    members = {member["DBClusterArn"]: member for member in database["GlobalClusterMembers"]}
    arns = {region: _cluster(built, region)["DBClusterArn"] for region in (P, S)}
    assert members.keys() == set(arns.values())
    assert members[arns[P]]["IsWriter"]
    assert members[arns[P]]["Readers"] == [arns[S]]
    assert not members[arns[S]]["IsWriter"]
    for region in (P, S):
        assert _cluster(built, region)["EngineVersion"] == database["EngineVersion"]
        (offered,) = built.client("rds", region).describe_db_engine_versions(
            Engine="aurora-mysql", EngineVersion=database["EngineVersion"]
        )["DBEngineVersions"]
        assert offered["SupportsGlobalDatabases"]


def test_clusters_are_encrypted_under_their_regions_key_and_isolated(built: Built) -> None:
    for region in (P, S):
        cluster = _cluster(built, region)
        assert (cluster["StorageEncrypted"], cluster["KmsKeyId"]) == (True, _key(built, region))
        assert cluster["IAMDatabaseAuthenticationEnabled"]
        assert cluster["BackupRetentionPeriod"] == 7
        assert {"audit", "error", "slowquery"} <= set(cluster["EnabledCloudwatchLogsExports"])
        (group,) = built.client("rds", region).describe_db_subnet_groups(
            DBSubnetGroupName=cluster["DBSubnetGroup"]
        )["DBSubnetGroups"]
        names = set()
        for subnet in group["Subnets"]:
            shown = built.client("ec2", region).describe_subnets(SubnetIds=[subnet["SubnetIdentifier"]])
            names |= {t["Value"] for t in shown["Subnets"][0]["Tags"] if t["Key"] == "drctl:address"}
        assert names == {f"{region}/subnet/isolated-{zone}" for zone in "ab"}
        parameters = built.client("rds", region).describe_db_cluster_parameters(
            DBClusterParameterGroupName=cluster["DBClusterParameterGroup"], Source="user"
        )["Parameters"]
        values = {each["ParameterName"]: each["ParameterValue"] for each in parameters}
        assert values["require_secure_transport"] == "ON"


def test_two_instances_in_p_and_one_in_s_all_watched_closely(built: Built) -> None:
    for region, number in ((P, 2), (S, 1)):
        members = _cluster(built, region)["DBClusterMembers"]
        assert len(members) == number
        for member in members:
            (instance,) = built.client("rds", region).describe_db_instances(
                DBInstanceIdentifier=member["DBInstanceIdentifier"]
            )["DBInstances"]
            assert (instance["DBInstanceStatus"], instance["DBInstanceClass"]) == (
                "available",
                "db.r6g.large",
            )
            assert instance["MonitoringInterval"] == 60
            assert instance["PerformanceInsightsEnabled"]
            assert instance["PerformanceInsightsKMSKeyId"] == _key(built, region)
            assert not instance["PubliclyAccessible"]


@pytest.mark.parametrize(("table", "hash_key"), [("demo-sessions", "sessionId"), ("demo-breaker", "id")])
def test_a_table_in_p_has_a_replica_in_s_each_under_its_own_key_and_recoverable(
    built: Built, table: str, hash_key: str
) -> None:
    there = built.client("dynamodb", P).describe_table(TableName=table)["Table"]
    assert there["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert there["KeySchema"] == [{"AttributeName": hash_key, "KeyType": "HASH"}]
    assert there["AttributeDefinitions"] == [{"AttributeName": hash_key, "AttributeType": "S"}]
    assert there["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert there["GlobalTableVersion"] == "2019.11.21"
    (replica,) = (each for each in there["Replicas"] if each["RegionName"] == S)
    assert replica["ReplicaStatus"] == "ACTIVE"
    for region in (P, S):
        dynamodb = built.client("dynamodb", region)
        shown = dynamodb.describe_table(TableName=table)["Table"]
        assert shown["TableStatus"] == "ACTIVE"
        assert shown["SSEDescription"]["KMSMasterKeyArn"] == _key(built, region)
        backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
        assert recovery == "ENABLED"


def test_an_item_written_in_one_region_is_read_in_the_other(built: Built) -> None:
    here, there = built.client("dynamodb", P), built.client("dynamodb", S)
    key = {"sessionId": {"S": "readback"}}
    here.put_item(TableName="demo-sessions", Item=key)
    built.sim.advance(5)
    assert there.get_item(TableName="demo-sessions", Key=key)["Item"] == key
    there.delete_item(TableName="demo-sessions", Key=key)
    built.sim.advance(5)
    assert "Item" not in here.get_item(TableName="demo-sessions", Key=key)


def test_buckets_are_versioned_encrypted_closed_and_logged(built: Built) -> None:
    for region in (P, S):
        s3, name = built.client("s3", region), BUCKET[region]
        assert s3.head_bucket(Bucket=name)["BucketRegion"] == region
        assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        (rule,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        default = rule["ApplyServerSideEncryptionByDefault"]
        assert (default["SSEAlgorithm"], default["KMSMasterKeyID"]) == ("aws:kms", _key(built, region))
        assert rule["BucketKeyEnabled"]
        block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        assert set(block.values()) == {True}
        assert len(block) == 4
        (owner,) = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
        assert owner["ObjectOwnership"] == "BucketOwnerEnforced"
        logging = s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]
        assert logging["TargetBucket"] == f"demo-logs-123456789012-{region}"
        rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        assert any("NoncurrentVersionExpiration" in each for each in rules)
        assert any("AbortIncompleteMultipartUpload" in each for each in rules)


def test_every_bucket_refuses_what_is_not_tls(built: Built) -> None:
    for region in (P, S):
        for name in (BUCKET[region], f"demo-logs-123456789012-{region}"):
            policy = json.loads(built.client("s3", region).get_bucket_policy(Bucket=name)["Policy"])
            (denied,) = (each for each in policy["Statement"] if each["Effect"] == "Deny")
            assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            assert denied["Principal"] in ("*", {"AWS": "*"})
            assert set(denied["Resource"]) == {f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"}


def test_each_bucket_replicates_to_the_other_encrypted_objects_included(built: Built) -> None:
    for region, other in ((P, S), (S, P)):
        found = built.client("s3", region).get_bucket_replication(Bucket=BUCKET[region])
        (rule,) = found["ReplicationConfiguration"]["Rules"]
        assert rule["Status"] == "Enabled"
        assert rule["DeleteMarkerReplication"] == {"Status": "Enabled"}
        selected = rule["SourceSelectionCriteria"]
        assert selected["SseKmsEncryptedObjects"] == {"Status": "Enabled"}
        assert selected["ReplicaModifications"] == {"Status": "Enabled"}
        to = rule["Destination"]
        assert to["Bucket"] == f"arn:aws:s3:::{BUCKET[other]}"
        assert to["EncryptionConfiguration"]["ReplicaKmsKeyID"] == _key(built, other)
        assert to["ReplicationTime"] == {"Status": "Enabled", "Time": {"Minutes": 15}}
        assert to["Metrics"]["Status"] == "Enabled"


@pytest.mark.parametrize(("here", "there"), [(P, S), (S, P)])
def test_an_object_and_its_deletion_reach_the_other_region(built: Built, here: str, there: str) -> None:
    source, destination = built.client("s3", here), built.client("s3", there)
    source.put_object(Bucket=BUCKET[here], Key="readback", Body=b"content")
    built.sim.advance(900)
    copy = destination.get_object(Bucket=BUCKET[there], Key="readback")
    assert copy["Body"].read() == b"content"
    assert copy["ReplicationStatus"] == "REPLICA"
    assert copy["SSEKMSKeyId"] == _key(built, there)
    source.delete_object(Bucket=BUCKET[here], Key="readback")
    built.sim.advance(900)
    with pytest.raises(ClientError):
        destination.head_object(Bucket=BUCKET[there], Key="readback")


def _cluster(built: Built, region: str) -> dict[str, Any]:
    shown = built.client("rds", region).describe_db_clusters(DBClusterIdentifier=CLUSTER[region])
    return dict(shown["DBClusters"][0])


def _key(built: Built, region: str) -> str:
    return str(built.client("kms", region).describe_key(KeyId="alias/demo")["KeyMetadata"]["Arn"])
