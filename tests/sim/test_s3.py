"""S3 of the simulator: today's defaults for new buckets, refusals, and replication that takes a moment."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Sim

P, S = "us-east-1", "us-west-2"
SOURCE, TARGET = "app-assets-p", "app-assets-s"


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(principal: Any, bucket: str, **more: Any) -> dict[str, Any]:
    resource = f"arn:aws:s3:::{bucket}/*"
    return {"Effect": "Allow", "Principal": principal, "Action": "s3:PutObject", "Resource": resource, **more}


class Buckets:
    """Two versioned buckets encrypted with their region's key, and a role for replication."""

    def __init__(self, sim: Sim) -> None:
        sim.set_speed(1)
        self.sim = sim
        self.p, self.s = sim.client("s3", P), sim.client("s3", S)
        self.p.create_bucket(Bucket=SOURCE)
        self.s.create_bucket(Bucket=TARGET, CreateBucketConfiguration={"LocationConstraint": S})
        trust = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
        made = sim.client("iam").create_role(RoleName="replication", AssumeRolePolicyDocument=policy(trust))
        self.role = made["Role"]["Arn"]

    def prepare(self) -> None:
        """Versioning and encryption on both; the role has become usable."""
        self.keys = {r: self.sim.client("kms", r).create_key()["KeyMetadata"]["Arn"] for r in (P, S)}
        for client, bucket, region in ((self.p, SOURCE, P), (self.s, TARGET, S)):
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
            default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self.keys[region]}
            rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
            client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        self.sim.advance(60)

    def rule(self, **more: Any) -> dict[str, Any]:
        rule = {
            "ID": "everything",
            "Status": "Enabled",
            "Priority": 1,
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Enabled"},
            "SourceSelectionCriteria": {
                "SseKmsEncryptedObjects": {"Status": "Enabled"},
                "ReplicaModifications": {"Status": "Enabled"},
            },
            "Destination": {
                "Bucket": f"arn:aws:s3:::{TARGET}",
                "EncryptionConfiguration": {"ReplicaKmsKeyID": self.keys[S]},
                "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
                "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}},
            },
            **more,
        }
        return {name: value for name, value in rule.items() if value is not None}

    def replicate(self, **more: Any) -> None:
        configuration = {"Role": self.role, "Rules": [self.rule(**more)]}
        self.p.put_bucket_replication(Bucket=SOURCE, ReplicationConfiguration=configuration)


@pytest.fixture
def buckets(sim: Sim) -> Buckets:
    return Buckets(sim)


def test_a_new_bucket_is_encrypted_private_and_owned(buckets: Buckets) -> None:
    for client, bucket in ((buckets.p, SOURCE), (buckets.s, TARGET)):
        (rule,) = client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
        block = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert len(block) == 4 and all(block.values())
        ownership = client.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
        assert ownership["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    buckets.p.put_public_access_block(
        Bucket=SOURCE, PublicAccessBlockConfiguration={"BlockPublicAcls": False}
    )
    buckets.p.create_bucket(Bucket=SOURCE)
    block = buckets.p.get_public_access_block(Bucket=SOURCE)["PublicAccessBlockConfiguration"]
    assert block["BlockPublicAcls"] is False
    buckets.p.delete_bucket_encryption(Bucket=SOURCE)
    buckets.p.get_bucket_encryption(Bucket=SOURCE)


@pytest.mark.parametrize(
    ("region", "constraint", "name", "expected"),
    [
        (P, P, "fresh", "InvalidLocationConstraint"),
        (S, None, "fresh", "IllegalLocationConstraintException"),
        (S, "eu-west-1", "fresh", "IllegalLocationConstraintException"),
        (P, None, "Upper", "InvalidBucketName"),
        (S, S, TARGET, "BucketAlreadyOwnedByYou"),
    ],
)
def test_where_and_how_a_bucket_may_be_made(
    buckets: Buckets, region: str, constraint: str | None, name: str, expected: str
) -> None:
    more = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    with pytest.raises(ClientError) as refused:
        buckets.sim.client("s3", region).create_bucket(Bucket=name, **more)
    assert refusal(refused) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not json", "MalformedPolicy"),
        (policy(), "MalformedPolicy"),
        (policy({"Effect": "Deny", "Principal": "*"}), "MalformedPolicy"),
        (policy(allow({"AWS": "arn:aws:iam::123456789012:role/nobody"}, SOURCE)), "MalformedPolicy"),
        (policy(allow({"Service": "logging.s3.amazonaws.com"}, "other")), "MalformedPolicy"),
        (policy(allow("*", SOURCE)), "AccessDenied"),
        (
            policy(allow({"AWS": "*"}, SOURCE, Condition={"Bool": {"aws:SecureTransport": "true"}})),
            "AccessDenied",
        ),
    ],
)
def test_policies_must_be_sound_and_not_public(buckets: Buckets, text: str, expected: str) -> None:
    with pytest.raises(ClientError) as refused:
        buckets.p.put_bucket_policy(Bucket=SOURCE, Policy=text)
    assert refusal(refused) == expected


def test_a_tls_only_policy_denies_nobody_who_uses_tls(buckets: Buckets) -> None:
    tls = allow(
        "*", SOURCE, Effect="Deny", Action="s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}}
    )
    buckets.p.put_bucket_policy(Bucket=SOURCE, Policy=policy(tls))
    buckets.p.put_object(Bucket=SOURCE, Key="a", Body=b"x", Metadata={"k": "v"}, ContentType="text/plain")
    found = buckets.p.get_object(Bucket=SOURCE, Key="a")
    assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (b"x", {"k": "v"}, "text/plain")
    assert found["ServerSideEncryption"] == "AES256"
    assert len(buckets.p.delete_objects(Bucket=SOURCE, Delete={"Objects": [{"Key": "a"}]})["Deleted"]) == 1
    assert json.loads(buckets.p.get_bucket_policy(Bucket=SOURCE)["Policy"])["Statement"] == [tls]


def test_access_logs_need_a_bucket_that_lets_the_log_service_write(buckets: Buckets) -> None:
    def log_to(bucket: str) -> None:
        enabled = {"TargetBucket": bucket, "TargetPrefix": "logs/"}
        buckets.p.put_bucket_logging(Bucket=SOURCE, BucketLoggingStatus={"LoggingEnabled": enabled})

    buckets.p.create_bucket(Bucket="logs-p")
    for bucket, expected in (
        ("missing", "InvalidTargetBucketForLogging"),
        (TARGET, "CrossLocationLoggingProhibited"),
        ("logs-p", "InvalidTargetBucketForLogging"),
    ):
        with pytest.raises(ClientError) as refused:
            log_to(bucket)
        assert refusal(refused) == expected
    tls = allow("*", "logs-p", Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})
    service = allow({"Service": ["logging.s3.amazonaws.com"]}, "logs-p", Action=["s3:PutObject"])
    buckets.p.put_bucket_policy(Bucket="logs-p", Policy=policy(tls, service))
    log_to("logs-p")
    shown = buckets.p.get_bucket_logging(Bucket=SOURCE)["LoggingEnabled"]
    assert (shown["TargetBucket"], shown["TargetPrefix"]) == ("logs-p", "logs/")
    buckets.p.put_bucket_logging(Bucket=SOURCE, BucketLoggingStatus={})
    assert "LoggingEnabled" not in buckets.p.get_bucket_logging(Bucket=SOURCE)


def test_an_enforced_owner_takes_no_acl(buckets: Buckets) -> None:
    with pytest.raises(ClientError) as refused:
        buckets.p.put_bucket_acl(Bucket=SOURCE, ACL="log-delivery-write")
    assert refusal(refused) == "AccessControlListNotSupported"
    buckets.p.create_bucket(Bucket="cdn-logs", ObjectOwnership="BucketOwnerPreferred")
    buckets.p.put_bucket_acl(Bucket="cdn-logs", ACL="log-delivery-write")


def test_what_a_replication_configuration_needs(buckets: Buckets) -> None:
    buckets.keys = {P: "unused", S: "unused"}
    with pytest.raises(ClientError, match="Versioning must be 'Enabled' on the bucket"):
        buckets.replicate()
    buckets.prepare()
    destination = buckets.rule()["Destination"]
    buckets.s.put_bucket_versioning(Bucket=TARGET, VersioningConfiguration={"Status": "Suspended"})
    with pytest.raises(ClientError, match="Destination bucket must have versioning enabled"):
        buckets.replicate()
    buckets.s.put_bucket_versioning(Bucket=TARGET, VersioningConfiguration={"Status": "Enabled"})
    metrics_off = {**destination, "Metrics": {"Status": "Disabled"}}
    minutes = {"ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 5}}}
    keyless = {k: v for k, v in destination.items() if k != "EncryptionConfiguration"}
    for wrong, words in (
        ({"Destination": {**destination, "Bucket": "arn:aws:s3:::missing"}}, "Destination bucket must exist"),
        ({"Destination": {**destination, "Bucket": f"arn:aws:s3:::{SOURCE}"}}, "cannot be the same"),
        ({"DeleteMarkerReplication": None}, "DeleteMarkerReplication must be specified"),
        ({"Priority": None}, "Priority must be specified"),
        ({"Destination": keyless}, "ReplicaKmsKeyID must be specified"),
        ({"SourceSelectionCriteria": None}, "SseKmsEncryptedObjects must be specified"),
        ({"Destination": metrics_off}, "Metrics must be enabled"),
        ({"Destination": {**destination, **minutes}}, "must be 15 minutes"),
    ):
        with pytest.raises(ClientError, match=words) as refused:
            buckets.replicate(**wrong)
        assert refusal(refused) == "InvalidRequest"
    role, buckets.role = buckets.role, buckets.role + "-missing"
    with pytest.raises(ClientError, match="can not assume the IAM role"):
        buckets.replicate()
    buckets.role = role
    with pytest.raises(ClientError) as refused:
        buckets.p.get_bucket_replication(Bucket=SOURCE)
    assert refusal(refused) == "ReplicationConfigurationNotFoundError"
    buckets.replicate()
    shown = buckets.p.get_bucket_replication(Bucket=SOURCE)["ReplicationConfiguration"]
    assert shown == {"Role": role, "Rules": [buckets.rule()]}
    with pytest.raises(ClientError) as refused:
        buckets.p.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Suspended"})
    assert refusal(refused) == "InvalidBucketState"
    buckets.p.delete_bucket_replication(Bucket=SOURCE)
    buckets.p.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Suspended"})


def test_s3_asks_for_the_role_when_it_is_named_and_whenever_an_object_is_replicated(buckets: Buckets) -> None:
    buckets.prepare()
    iam = buckets.sim.client("iam")
    role = iam.get_role(RoleName="replication")["Role"]
    iam.delete_role(RoleName="replication")
    iam.create_role(
        RoleName="replication", AssumeRolePolicyDocument=json.dumps(role["AssumeRolePolicyDocument"])
    )
    with pytest.raises(ClientError, match="can not assume the IAM role") as refused:
        buckets.replicate()
    assert refusal(refused) == "InvalidRequest"
    buckets.sim.advance(15)
    buckets.replicate()
    buckets.p.put_object(Bucket=SOURCE, Key="a", Body=b"x")
    iam.delete_role(RoleName="replication")
    buckets.sim.advance(10)
    assert buckets.p.head_object(Bucket=SOURCE, Key="a")["ReplicationStatus"] == "FAILED"
    with pytest.raises(ClientError):
        buckets.s.head_object(Bucket=TARGET, Key="a")


def test_objects_and_delete_markers_reach_the_other_bucket_after_a_moment(buckets: Buckets) -> None:
    buckets.prepare()
    buckets.p.put_object(Bucket=SOURCE, Key="before", Body=b"old")
    buckets.replicate()
    written = buckets.p.put_object(Bucket=SOURCE, Key="a", Body=b"x", Metadata={"k": "v"})
    assert buckets.p.head_object(Bucket=SOURCE, Key="a")["ReplicationStatus"] == "PENDING"
    with pytest.raises(ClientError) as refused:
        buckets.s.head_object(Bucket=TARGET, Key="a")
    assert refusal(refused) == "404"
    buckets.sim.advance(10)
    assert buckets.p.head_object(Bucket=SOURCE, Key="a")["ReplicationStatus"] == "COMPLETED"
    replica = buckets.s.get_object(Bucket=TARGET, Key="a")
    assert (replica["Body"].read(), replica["Metadata"], replica["ReplicationStatus"]) == (
        b"x",
        {"k": "v"},
        "REPLICA",
    )
    assert (replica["VersionId"], replica["ETag"]) == (written["VersionId"], written["ETag"])
    assert (replica["ServerSideEncryption"], replica["SSEKMSKeyId"]) == ("aws:kms", buckets.keys[S])
    assert "ReplicationStatus" not in buckets.p.head_object(Bucket=SOURCE, Key="before")
    buckets.p.copy_object(Bucket=SOURCE, Key="copy", CopySource={"Bucket": SOURCE, "Key": "a"})
    upload = {"Bucket": SOURCE, "Key": "parts", "UploadId": ""}
    upload["UploadId"] = buckets.p.create_multipart_upload(Bucket=SOURCE, Key="parts")["UploadId"]
    part = {"ETag": buckets.p.upload_part(**upload, PartNumber=1, Body=b"whole")["ETag"], "PartNumber": 1}
    whole = buckets.p.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})
    buckets.p.delete_object(Bucket=SOURCE, Key="a")
    buckets.sim.advance(10)
    listed = buckets.s.list_objects_v2(Bucket=TARGET)["Contents"]
    assert {found["Key"]: found["ETag"] for found in listed} == {
        "copy": written["ETag"],
        "parts": whole["ETag"],
    }
    gone = buckets.s.list_object_versions(Bucket=TARGET)["DeleteMarkers"]
    mine = buckets.p.list_object_versions(Bucket=SOURCE)["DeleteMarkers"]
    assert [(m["Key"], m["VersionId"]) for m in gone] == [(m["Key"], m["VersionId"]) for m in mine]
    buckets.p.delete_object(
        Bucket=SOURCE, Key="copy", VersionId=buckets.p.head_object(Bucket=SOURCE, Key="copy")["VersionId"]
    )
    buckets.sim.advance(10)
    buckets.s.head_object(Bucket=TARGET, Key="copy")


def test_encrypted_objects_replicate_only_when_selected_and_fail_without_a_usable_key(
    buckets: Buckets,
) -> None:
    buckets.prepare()
    destination = {"Bucket": f"arn:aws:s3:::{TARGET}"}
    buckets.replicate(
        Destination=destination, SourceSelectionCriteria=None, DeleteMarkerReplication={"Status": "Disabled"}
    )
    buckets.p.put_object(Bucket=SOURCE, Key="sealed", Body=b"x")
    buckets.p.put_object(Bucket=SOURCE, Key="plain", Body=b"x", ServerSideEncryption="AES256")
    buckets.p.put_object(Bucket=SOURCE, Key="short", Body=b"x", ServerSideEncryption="AES256")
    buckets.sim.advance(10)
    buckets.p.delete_objects(Bucket=SOURCE, Delete={"Objects": [{"Key": "short"}]})
    buckets.sim.advance(10)
    assert "ReplicationStatus" not in buckets.p.head_object(Bucket=SOURCE, Key="sealed")
    assert [found["Key"] for found in buckets.s.list_objects_v2(Bucket=TARGET)["Contents"]] == [
        "plain",
        "short",
    ]
    buckets.replicate()
    buckets.sim.client("kms", S).disable_key(KeyId=buckets.keys[S])
    buckets.p.put_object(Bucket=SOURCE, Key="failed", Body=b"x")
    buckets.sim.advance(10)
    assert buckets.p.head_object(Bucket=SOURCE, Key="failed")["ReplicationStatus"] == "FAILED"


def test_objects_follow_the_state_of_their_key(buckets: Buckets) -> None:
    buckets.prepare()
    buckets.p.put_object(Bucket=SOURCE, Key="a", Body=b"x")
    buckets.sim.client("kms", P).disable_key(KeyId=buckets.keys[P])
    for use in (
        lambda: buckets.p.put_object(Bucket=SOURCE, Key="b", Body=b"x"),
        lambda: buckets.p.get_object(Bucket=SOURCE, Key="a"),
    ):
        with pytest.raises(ClientError) as refused:
            use()
        assert refusal(refused) == "KMS.DisabledException"


def test_a_bucket_goes_only_when_no_version_or_marker_is_left(buckets: Buckets) -> None:
    buckets.prepare()
    buckets.p.put_object(Bucket=SOURCE, Key="a", Body=b"x")
    buckets.p.delete_object(Bucket=SOURCE, Key="a")
    found = buckets.p.list_object_versions(Bucket=SOURCE)
    for kind in ("Versions", "DeleteMarkers"):
        with pytest.raises(ClientError) as refused:
            buckets.p.delete_bucket(Bucket=SOURCE)
        assert refusal(refused) == "BucketNotEmpty"
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found[kind]]
        buckets.p.delete_objects(Bucket=SOURCE, Delete={"Objects": objects})
    buckets.p.create_multipart_upload(Bucket=SOURCE, Key="unfinished")
    buckets.p.delete_bucket(Bucket=SOURCE)


def test_what_moto_would_take_for_another_request_is_a_gap(buckets: Buckets) -> None:
    with pytest.raises(ClientError) as refused:
        buckets.p.put_bucket_metrics_configuration(
            Bucket="missing", Id="all", MetricsConfiguration={"Id": "all"}
        )
    assert refusal(refused) == "SimulatorGap"
    assert "missing" not in [b["Name"] for b in buckets.p.list_buckets()["Buckets"]]
