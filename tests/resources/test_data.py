"""The kinds that hold data, each through its whole life, and the ways a global database can be taken down."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drctl.commands.records import rebuilt, removals
from drctl.engine.run import ResourceFailed
from drctl.engine.walk import Interrupt, walk
from drctl.resources.aurora_cluster import AuroraCluster
from drctl.resources.aurora_instance import AuroraInstance
from drctl.resources.db_cluster_parameter_group import DbClusterParameterGroup
from drctl.resources.db_subnet_group import DbSubnetGroup
from drctl.resources.dynamodb_replica import DynamodbReplica
from drctl.resources.dynamodb_table import DynamodbTable
from drctl.resources.global_cluster import GlobalCluster
from drctl.resources.iam_role import IamRole, ServiceTrust
from drctl.resources.iam_role_policy import IamRolePolicy, Statement
from drctl.resources.kms_key import KmsKey
from drctl.resources.log_group import LogGroup
from drctl.resources.output_of import OutputOf
from drctl.resources.s3_bucket import S3Bucket
from drctl.resources.s3_bucket_policy import S3BucketPolicy
from drctl.resources.s3_replication import S3Replication
from drctl.resources.secret import Secret
from drctl.resources.security_group import SecurityGroup
from drctl.resources.subnet import Subnet
from drctl.resources.vpc import Vpc
from tests.contract import Crash, Doom, Trial, assert_unchanged, in_order, whole_life

if TYPE_CHECKING:
    from tests.conftest import Sim

EAST, WEST = "us-east-1", "us-west-2"
KEYS = {region: KmsKey(name="main", region=region, alias="trial") for region in (EAST, WEST)}

SECRET = Secret(
    name="database",
    region=EAST,
    aws_name="trial/database",
    key=KEYS[EAST],
    replica_region=WEST,
    replica_key=KEYS[WEST],
    username="dbadmin",
)


def test_a_secret(sim: Sim, tmp_path: Path) -> None:
    manager = sim.client("secretsmanager")

    def schedule_deletion(secret: Any) -> None:
        lose_copy(secret)
        manager.delete_secret(SecretId=secret.arn, RecoveryWindowInDays=7)

    def lose_copy(secret: Any) -> None:
        manager.remove_regions_from_replication(SecretId=secret.arn, RemoveReplicaRegions=[WEST])

    def copy_under_another_key(secret: Any) -> None:
        lose_copy(secret)
        sim.advance(10)
        manager.replicate_secret_to_regions(SecretId=secret.arn, AddReplicaRegions=[{"Region": WEST}])
        sim.advance(10)

    def use_another_key(secret: Any) -> None:
        manager.update_secret(SecretId=secret.arn, KmsKeyId="alias/aws/secretsmanager")

    whole_life(
        sim,
        tmp_path,
        SECRET,
        {"replica": copy_under_another_key, "key": use_another_key, "deletion": schedule_deletion},
    )


def test_a_strangers_secret_of_that_name_stays_as_it_is(sim: Sim, tmp_path: Path) -> None:
    manager = sim.client("secretsmanager")
    manager.create_secret(Name=SECRET.aws_name, SecretString="theirs")
    with Trial(sim, tmp_path) as trial:
        with pytest.raises(ResourceFailed):
            trial.ensure(SECRET)
        trial.remove_all(SECRET)
    assert manager.get_secret_value(SecretId=SECRET.aws_name)["SecretString"] == "theirs"


# The database. Two regions, the first with the credentials.

GLOBAL = GlobalCluster(
    name="main", region="global", aws_name="trial-global", engine_version="", home=EAST, standby=WEST
)
MONITORING = IamRole(
    name="database-monitoring",
    region="global",
    aws_name="trial-monitoring",
    trust=ServiceTrust("monitoring.rds.amazonaws.com"),
    description="RDS publishes enhanced monitoring",
)


def network(region: str, number: int) -> tuple[tuple[Subnet, ...], SecurityGroup]:
    vpc = Vpc(name="main", region=region, cidr=f"10.{number}.0.0/16")
    subnets = tuple(
        Subnet(name=f"isolated-{zone}", region=region, vpc=vpc, cidr=f"10.{number}.{part}.0/24", zone=zone)
        for part, zone in enumerate("ab")
    )
    group = SecurityGroup(
        name="database", region=region, vpc=vpc, aws_name="trial-database", description="the database"
    )
    return subnets, group


def subnet_group(region: str, subnets: tuple[Subnet, ...]) -> DbSubnetGroup:
    return DbSubnetGroup(name="main", region=region, aws_name="trial", subnets=subnets)


def parameter_group(region: str) -> DbClusterParameterGroup:
    return DbClusterParameterGroup(name="main", region=region, aws_name="trial", family="aurora-mysql8.0")


def cluster(region: str, number: int, after: AuroraInstance | None = None) -> AuroraCluster:
    subnets, group = network(region, number)
    name = f"trial-{number}"
    log_group = LogGroup(
        name="database-error",
        region=region,
        aws_name=f"/aws/rds/cluster/{name}/error",
        key=KEYS[region],
        retention_days=7,
    )
    return AuroraCluster(
        name="main",
        region=region,
        aws_name=name,
        global_cluster=GLOBAL,
        key=KEYS[region],
        subnet_group=subnet_group(region, subnets),
        parameter_group=parameter_group(region),
        security_group=group,
        backup_days=7,
        database=None if after else "app",
        secret=None if after else SECRET,
        source_region=EAST if after else None,
        after=after,
        log_groups=(log_group,),
    )


def instance(of: AuroraCluster, number: int) -> AuroraInstance:
    return AuroraInstance(
        name=str(number),
        region=of.region,
        aws_name=f"{of.aws_name}-{number}",
        cluster=of,
        instance_class="db.r6g.large",
        monitoring_role=MONITORING,
        key=KEYS[of.region],
    )


PRIMARY = cluster(EAST, 0)
WRITER = instance(PRIMARY, 1)
SECONDARY = cluster(WEST, 1, after=WRITER)
STANDBY = instance(SECONDARY, 1)
DATABASE = (WRITER, STANDBY)


def test_a_subnet_group(sim: Sim, tmp_path: Path) -> None:
    rds, ec2 = sim.client("rds"), sim.client("ec2")
    subnets, _ = network(EAST, 0)

    def put_elsewhere(group: Any) -> None:
        (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"]
        others = [
            ec2.create_subnet(
                VpcId=vpc["VpcId"], CidrBlock=f"10.0.{part}.0/24", AvailabilityZone=f"{EAST}{zone}"
            )
            for part, zone in ((8, "a"), (9, "b"))
        ]
        ids = [other["Subnet"]["SubnetId"] for other in others]
        rds.modify_db_subnet_group(DBSubnetGroupName=group.name, SubnetIds=ids)
        for each in ids:
            ec2.delete_subnet(SubnetId=each)

    whole_life(sim, tmp_path, subnet_group(EAST, subnets), {"subnets": put_elsewhere})


def test_a_parameter_group_lets_nobody_in_without_tls(sim: Sim, tmp_path: Path) -> None:
    rds = sim.client("rds")

    def allow_plain_text(group: Any) -> None:
        off = {
            "ParameterName": "require_secure_transport",
            "ParameterValue": "OFF",
            "ApplyMethod": "immediate",
        }
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=group.name, Parameters=[off])

    whole_life(sim, tmp_path, parameter_group(EAST), {"require_secure_transport": allow_plain_text})


def test_a_global_cluster_takes_the_newest_version_both_regions_offer(sim: Sim, tmp_path: Path) -> None:
    whole_life(sim, tmp_path, GLOBAL)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(GLOBAL)
        assert trial.outputs(GLOBAL).engine_version == "8.0.mysql_aurora.3.10.1"


@pytest.fixture
def database(sim: Sim, tmp_path: Path) -> Path:
    """A state with the whole database in it."""
    with Trial(sim, tmp_path) as trial:
        assert trial.ensure(*DATABASE) == "create"
    return tmp_path


def writer(sim: Sim) -> str:
    (found,) = sim.client("rds").describe_global_clusters()["GlobalClusters"]
    (writes,) = [each for each in found["GlobalClusterMembers"] if each["IsWriter"]]
    return str(writes["DBClusterArn"].split(":")[3])


def switch_over(sim: Sim) -> None:
    (found,) = sim.client("rds", WEST).describe_db_clusters()["DBClusters"]
    sim.client("rds").switchover_global_cluster(
        GlobalClusterIdentifier=GLOBAL.aws_name, TargetDbClusterIdentifier=found["DBClusterArn"]
    )
    sim.advance(60)


def detach_secondary(sim: Sim) -> None:
    (found,) = sim.client("rds", WEST).describe_db_clusters()["DBClusters"]
    sim.client("rds", WEST).remove_from_global_cluster(
        GlobalClusterIdentifier=GLOBAL.aws_name, DbClusterIdentifier=found["DBClusterArn"]
    )
    sim.advance(120)


def protect(sim: Sim) -> None:
    for region, name in ((EAST, PRIMARY.aws_name), (WEST, SECONDARY.aws_name)):
        sim.client("rds", region).modify_db_cluster(
            DBClusterIdentifier=name, DeletionProtection=True, ApplyImmediately=True
        )
    sim.client("rds").modify_global_cluster(GlobalClusterIdentifier=GLOBAL.aws_name, DeletionProtection=True)
    sim.advance(60)


def destroy(sim: Sim, folder: Path, doom: Doom | None = None) -> None:
    """All that is recorded, as the command does it."""
    with Trial(sim, folder, doom) as trial:
        jobs = removals(trial.run, trial.run.ledger.records().values())
        result = walk(jobs, sim.clock, trial.events.append, Interrupt())
        assert not result.failed, result.failed
        assert dict(trial.run.ledger.records()) == {}


def assert_no_database(sim: Sim) -> None:
    for region in (EAST, WEST):
        rds = sim.client("rds", region)
        assert rds.describe_db_instances()["DBInstances"] == []
        assert rds.describe_db_clusters()["DBClusters"] == []
        assert rds.describe_db_subnet_groups()["DBSubnetGroups"] == []
    assert sim.client("rds").describe_global_clusters()["GlobalClusters"] == []
    assert sim.client("secretsmanager").list_secrets()["SecretList"] == []


def test_a_database_is_made_once_repaired_and_removed(sim: Sim, database: Path) -> None:
    rds = sim.client("rds", WEST)
    with Trial(sim, database) as trial:
        for each in DATABASE:
            assert trial.ensure(each) == "unchanged"
        rds.modify_db_cluster(
            DBClusterIdentifier=SECONDARY.aws_name,
            BackupRetentionPeriod=1,
            EnableIAMDatabaseAuthentication=False,
            CloudwatchLogsExportConfiguration={"EnableLogTypes": ["general"], "DisableLogTypes": ["error"]},
            ApplyImmediately=True,
        )
        rds.modify_db_instance(
            DBInstanceIdentifier=STANDBY.aws_name,
            DBInstanceClass="db.r6g.xlarge",
            MonitoringInterval=0,
            EnablePerformanceInsights=False,
            ApplyImmediately=True,
        )
        sim.advance(60)
        assert trial.inspect(SECONDARY).fields.keys() == {"backup_days", "iam_authentication", "log_exports"}
        found = trial.inspect(STANDBY).fields.keys()
        assert found == {"instance_class", "monitoring", "performance_insights"}
        assert trial.ensure(STANDBY) == "update"
        assert_unchanged(trial, STANDBY)
    assert_password_is_in_no_file(sim, database)
    protect(sim)
    destroy(sim, database)
    assert_no_database(sim)


def assert_password_is_in_no_file(sim: Sim, folder: Path) -> None:
    content = sim.client("secretsmanager").get_secret_value(SecretId=SECRET.aws_name)["SecretString"]
    password = json.loads(content)["password"].encode()
    files = [path for path in folder.iterdir() if path.is_file()]
    assert files
    assert [path for path in files if password in path.read_bytes()] == []


def test_after_a_switchover_nothing_is_moved_back(sim: Sim, database: Path) -> None:
    """A primary that was lost comes back as a secondary: who joins where somebody writes brings no credentials."""
    switch_over(sim)
    with Trial(sim, database) as trial:
        with trial.mutations() as mutations:
            for each in DATABASE:
                assert_unchanged(trial, each)
                assert trial.ensure(each) == "unchanged"
        assert mutations == []
        trial.remove(WRITER)
        trial.remove(PRIMARY)
        assert trial.ensure(WRITER) == "create"
        assert_unchanged(trial, PRIMARY)
        assert_unchanged(trial, SECONDARY)
    assert writer(sim) == WEST


def test_a_database_goes_after_a_switchover(sim: Sim, database: Path) -> None:
    """The other cluster must be detached before the last instance of the one that writes may go."""
    switch_over(sim)
    destroy(sim, database)
    assert_no_database(sim)


def test_a_cluster_that_was_promoted_on_its_own_is_not_thrown_away(sim: Sim, database: Path) -> None:
    """Not by ``up``: it may hold the only good copy. ``destroy`` finds the way from there, too."""
    detach_secondary(sim)
    with Trial(sim, database) as trial:
        with pytest.raises(ResourceFailed, match="what it holds would be lost"):
            trial.ensure(SECONDARY)
        with pytest.raises(ResourceFailed, match="what it holds would be lost"):
            trial.inspect(SECONDARY)
    destroy(sim, database)
    assert_no_database(sim)


def test_a_cluster_that_a_killed_destroy_had_detached_is_made_anew(sim: Sim, database: Path) -> None:
    """Its removal was asked for, and it cannot go back into its global database: `up` does not wait for a person."""
    with Trial(sim, database) as trial:
        for each in (STANDBY, SECONDARY):
            asked = replace(trial.run.record(each), intent=trial.run.intend("delete"), phase="leaving")
            trial.run.ledger.put(asked)
    sim.client("rds", WEST).delete_db_instance(DBInstanceIdentifier=STANDBY.aws_name, SkipFinalSnapshot=True)
    detach_secondary(sim)
    with Trial(sim, database) as trial:
        assert trial.inspect(SECONDARY).action == "replace"
        trial.run.seen.clear()
        assert trial.ensure(SECONDARY, alone=True) == "replace"
        assert trial.ensure(STANDBY, alone=True) == "create"
        assert_unchanged(trial, SECONDARY)
        assert trial.run.record(SECONDARY).phase == "ready"


def test_an_empty_global_cluster_goes(sim: Sim, tmp_path: Path) -> None:
    with Trial(sim, tmp_path) as trial:
        trial.ensure(GLOBAL)
    destroy(sim, tmp_path)
    assert_no_database(sim)


def test_kills_leave_one_half_built_database_and_then_none(sim: Sim, tmp_path: Path) -> None:
    with Trial(sim, tmp_path) as trial:
        for need in PRIMARY.needs:
            trial.ensure(need)
    for when in ("before", "after"):
        with pytest.raises(Crash), Trial(sim, tmp_path, Doom(1, when)) as trial:
            trial.ensure(PRIMARY)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(SECONDARY)
        assert_unchanged(trial, SECONDARY)
    assert len(sim.client("rds").describe_db_clusters()["DBClusters"]) == 1
    for call in (1, 2, 3):
        with pytest.raises(Crash):
            destroy(sim, tmp_path, Doom(call, "before"))
    destroy(sim, tmp_path)
    assert_no_database(sim)


def test_records_become_the_same_resources_again(sim: Sim, tmp_path: Path) -> None:
    with Trial(sim, tmp_path) as trial:
        for each in in_order(*DATABASE):
            trial.run.ledger.put(trial.run.describe(each, trial.run.record(each)))
        again = rebuilt(trial.run.ledger)
    for each in in_order(*DATABASE):
        needs = [need.address for need in again[each.address].needs]
        assert needs == [need.address for need in each.needs]


def test_a_pinned_version_is_reached_by_an_upgrade_with_the_writer_last(sim: Sim, tmp_path: Path) -> None:
    def pinned(version: str) -> GlobalCluster:
        return GlobalCluster(
            name="main",
            region="global",
            aws_name=GLOBAL.aws_name,
            engine_version=version,
            home=EAST,
            standby=WEST,
        )

    old, new = "8.0.mysql_aurora.3.08.2", "8.0.mysql_aurora.3.10.0"
    with Trial(sim, tmp_path) as trial:
        trial.ensure(pinned(old))
        trial.ensure(SECONDARY)
        assert trial.inspect(pinned(new)).fields["engine_version"] == ([old, old], [new, new])
        with pytest.raises(
            ResourceFailed
        ):  # it takes longer than one run waits, and the next goes on waiting
            trial.ensure(pinned(new))
        trial.ensure(pinned(new))
        assert_unchanged(trial, pinned(new))
        assert_unchanged(trial, GLOBAL)
    upgrades = sim.calls(operation="ModifyDBCluster")
    assert [each["region"] for each in upgrades] == [WEST, EAST]


# Tables

TABLE = DynamodbTable(
    name="sessions", region=EAST, aws_name="trial-sessions", hash_key="sessionId", key=KEYS[EAST]
)
REPLICA = DynamodbReplica(name="sessions", region=WEST, table=TABLE, key=KEYS[WEST])


def forget_recovery(sim: Sim, region: str) -> Callable[[Any], None]:
    def damage(table: Any) -> None:
        sim.client("dynamodb", region).update_continuous_backups(
            TableName=table.table_name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
        )

    return damage


def test_a_table(sim: Sim, tmp_path: Path) -> None:
    dynamodb = sim.client("dynamodb")

    def stop_stream(table: Any) -> None:
        dynamodb.update_table(TableName=table.table_name, StreamSpecification={"StreamEnabled": False})
        sim.advance(30)

    def use_another_key(table: Any) -> None:
        dynamodb.update_table(TableName=table.table_name, SSESpecification={"Enabled": False})
        sim.advance(30)

    whole_life(
        sim,
        tmp_path,
        TABLE,
        {
            "point_in_time_recovery": forget_recovery(sim, EAST),
            "stream": stop_stream,
            "key": use_another_key,
        },
    )


def test_a_replica(sim: Sim, tmp_path: Path) -> None:
    there = sim.client("dynamodb", WEST)

    def untag(replica: Any) -> None:
        there.untag_resource(ResourceArn=replica.arn, TagKeys=["drctl:address"])

    whole_life(sim, tmp_path, REPLICA, {"point_in_time_recovery": forget_recovery(sim, WEST), "tags": untag})


def test_a_crash_leaves_one_replica(sim: Sim, tmp_path: Path) -> None:
    there = sim.client("dynamodb", WEST)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(TABLE, KEYS[WEST])
    for when in ("before", "after"):
        with pytest.raises(Crash), Trial(sim, tmp_path, Doom(1, when)) as trial:
            trial.ensure(REPLICA)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(REPLICA)
        assert_unchanged(trial, REPLICA)
        assert there.list_tables()["TableNames"] == [TABLE.aws_name]
        trial.remove_all(REPLICA)
    assert there.list_tables()["TableNames"] == []


def test_a_protected_table_goes(sim: Sim, tmp_path: Path) -> None:
    with Trial(sim, tmp_path) as trial:
        trial.ensure(TABLE)
        sim.client("dynamodb").update_table(TableName=TABLE.aws_name, DeletionProtectionEnabled=True)
        trial.remove_all(TABLE)
    assert sim.client("dynamodb").list_tables()["TableNames"] == []


# Buckets


def log_bucket(region: str) -> S3Bucket:
    return S3Bucket(
        name="logs",
        region=region,
        aws_name=f"trial-logs-{region}",
        key=None,
        versioned=False,
        logs=None,
        expire_days=90,
        owner="BucketOwnerPreferred",
    )


def bucket(region: str, logs: S3Bucket | None = None) -> S3Bucket:
    return S3Bucket(
        name="assets",
        region=region,
        aws_name=f"trial-assets-{region}",
        key=KEYS[region],
        versioned=True,
        logs=logs,
        expire_days=None,
    )


HERE, THERE = bucket(EAST), bucket(WEST)


def test_a_bucket(sim: Sim, tmp_path: Path) -> None:
    s3 = sim.client("s3")
    logs = log_bucket(EAST)
    policy = S3BucketPolicy(name="logs", region=EAST, bucket=logs, receives_logs=True)
    logged = bucket(EAST, logs)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(policy)
        trial.ensure(logged)
        for each in (logs, policy, logged):
            assert_unchanged(trial, each)
        s3.delete_bucket_lifecycle(Bucket=logged.aws_name)
        s3.put_bucket_logging(Bucket=logged.aws_name, BucketLoggingStatus={})
        s3.delete_public_access_block(Bucket=logged.aws_name)
        assert trial.inspect(logged).fields.keys() == {"lifecycle", "access_logs", "public_access_blocked"}
        assert trial.ensure(logged) == "update"
        assert_unchanged(trial, logged)
        trial.remove(policy)
        trial.remove_all(logged)

    def suspend(made: Any) -> None:
        s3.put_bucket_versioning(Bucket=made.bucket, VersioningConfiguration={"Status": "Suspended"})

    def use_another_key(made: Any) -> None:
        s3.delete_bucket_encryption(Bucket=made.bucket)

    def share(made: Any) -> None:
        controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        s3.put_bucket_ownership_controls(Bucket=made.bucket, OwnershipControls=controls)

    whole_life(sim, tmp_path, HERE, {"versioning": suspend, "encryption": use_another_key, "owner": share})


def test_a_bucket_goes_with_versions_markers_and_uploads(sim: Sim, tmp_path: Path) -> None:
    s3 = sim.client("s3", WEST)
    with Trial(sim, tmp_path) as trial:
        trial.ensure(THERE)
        for number in range(30):
            s3.put_object(Bucket=THERE.aws_name, Key=str(number % 10), Body=b"content")
        for number in range(5):
            s3.delete_object(Bucket=THERE.aws_name, Key=str(number))
        s3.create_multipart_upload(Bucket=THERE.aws_name, Key="unfinished")
        trial.remove_all(THERE)
    assert s3.list_buckets()["Buckets"] == []


def test_a_strangers_bucket_is_neither_changed_nor_emptied(sim: Sim, tmp_path: Path) -> None:
    s3 = sim.client("s3")
    s3.create_bucket(Bucket=HERE.aws_name)
    s3.put_object(Bucket=HERE.aws_name, Key="theirs", Body=b"precious")
    with Trial(sim, tmp_path) as trial:
        with pytest.raises(ResourceFailed, match="could not make"):
            trial.ensure(HERE)
        trial.remove_all(HERE)
    assert s3.get_object(Bucket=HERE.aws_name, Key="theirs")["Body"].read() == b"precious"
    assert "Status" not in s3.get_bucket_versioning(Bucket=HERE.aws_name)


def test_a_bucket_policy(sim: Sim, tmp_path: Path) -> None:
    s3 = sim.client("s3")
    policy = S3BucketPolicy(name="logs", region=EAST, bucket=log_bucket(EAST), receives_logs=True)

    def open_up(made: Any) -> None:
        document = json.loads(s3.get_bucket_policy(Bucket=made.bucket)["Policy"])
        document["Statement"] = document["Statement"][1:]
        s3.put_bucket_policy(Bucket=made.bucket, Policy=json.dumps(document))

    whole_life(
        sim,
        tmp_path,
        policy,
        {"statements": open_up, "absent": lambda made: s3.delete_bucket_policy(Bucket=made.bucket)},
    )


ROLE = IamRole(
    name="replication",
    region="global",
    aws_name="trial-replication",
    trust=ServiceTrust("s3.amazonaws.com"),
    description="S3 replicates",
)
REPLICATION = S3Replication(
    name="assets",
    region=EAST,
    source=HERE,
    destination=THERE,
    destination_key=KEYS[WEST],
    role=ROLE,
    role_policy=IamRolePolicy(
        name="replication",
        region="global",
        role=ROLE,
        aws_name="replicate",
        statements=(Statement(("s3:ReplicateObject",), (OutputOf(THERE, "arn", suffix="/*"),)),),
    ),
    replica_modifications=True,
)


def test_a_replication_keeps_its_rule(sim: Sim, tmp_path: Path) -> None:
    s3 = sim.client("s3")

    def leave_encrypted_objects_out(made: Any) -> None:
        held = s3.get_bucket_replication(Bucket=made.bucket)["ReplicationConfiguration"]
        (rule,) = held["Rules"]
        rule["DeleteMarkerReplication"]["Status"] = "Disabled"
        del rule["SourceSelectionCriteria"]["SseKmsEncryptedObjects"]
        del rule["Destination"]["EncryptionConfiguration"]
        s3.put_bucket_replication(Bucket=made.bucket, ReplicationConfiguration=held)

    whole_life(
        sim,
        tmp_path,
        REPLICATION,
        {
            "configuration": leave_encrypted_objects_out,
            "absent": lambda made: s3.delete_bucket_replication(Bucket=made.bucket),
        },
    )
