"""Aurora global databases of the simulator: what AWS refuses, how long things take, who writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Sim

VERSION = "8.0.mysql_aurora.3.08.2"
P, S = "us-east-1", "us-west-2"
A_DAY = 86_400.0


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


class Aurora:
    """Two regions with subnet groups and keys, and the steps of building a global database."""

    def __init__(self, sim: Sim) -> None:
        sim.set_speed(1)
        self.sim = sim
        self.rds = {region: sim.client("rds", region) for region in (P, S)}
        self.keys = {}
        for region in (P, S):
            ec2 = sim.client("ec2", region)
            vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            self.sim.advance(60)
            subnets = [
                ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=f"{region}{zone}")[
                    "Subnet"
                ]["SubnetId"]
                for i, zone in enumerate("ab")
            ]
            self.sim.advance(60)
            self.rds[region].create_db_subnet_group(
                DBSubnetGroupName="database", DBSubnetGroupDescription="isolated", SubnetIds=subnets
            )
            self.keys[region] = sim.client("kms", region).create_key()["KeyMetadata"]["Arn"]
        self.subnets = subnets

    def make_global(self) -> None:
        self.rds[P].create_global_cluster(
            GlobalClusterIdentifier="world",
            Engine="aurora-mysql",
            EngineVersion=VERSION,
            StorageEncrypted=True,
        )
        self.sim.advance(60)

    def make_primary(self, **more: Any) -> dict[str, Any]:
        settings = {
            "DBClusterIdentifier": "app-p",
            "Engine": "aurora-mysql",
            "EngineVersion": VERSION,
            "GlobalClusterIdentifier": "world",
            "MasterUsername": "drctl",
            "MasterUserPassword": "correct-horse",
            "DatabaseName": "app",
            "DBSubnetGroupName": "database",
            "StorageEncrypted": True,
            "KmsKeyId": self.keys[P],
            **more,
        }
        return dict(self.rds[P].create_db_cluster(**settings)["DBCluster"])

    def make_secondary(self, **more: Any) -> dict[str, Any]:
        settings = {
            "DBClusterIdentifier": "app-s",
            "Engine": "aurora-mysql",
            "EngineVersion": VERSION,
            "GlobalClusterIdentifier": "world",
            "DBSubnetGroupName": "database",
            "KmsKeyId": self.keys[S],
            "SourceRegion": P,
            **more,
        }
        return dict(
            self.rds[S].create_db_cluster(**{k: v for k, v in settings.items() if v is not None})["DBCluster"]
        )

    def make_instance(self, region: str, name: str, cluster: str, **more: Any) -> dict[str, Any]:
        settings = {
            "DBInstanceIdentifier": name,
            "DBClusterIdentifier": cluster,
            "Engine": "aurora-mysql",
            "DBInstanceClass": "db.r6g.large",
            **more,
        }
        return dict(self.rds[region].create_db_instance(**settings)["DBInstance"])

    def build(self) -> None:
        """The whole global database, both sides with one instance, everything available."""
        self.make_global()
        self.make_primary()
        self.make_instance(P, "app-p-1", "app-p")
        self.sim.advance(900)
        self.make_secondary()
        self.make_instance(S, "app-s-1", "app-s")
        self.sim.advance(900)

    def cluster(self, region: str, name: str) -> dict[str, Any]:
        return dict(self.rds[region].describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0])

    def world(self) -> dict[str, Any]:
        return dict(
            self.rds[S].describe_global_clusters(GlobalClusterIdentifier="world")["GlobalClusters"][0]
        )

    def writer(self) -> str:
        return next(
            m["DBClusterArn"].split(":")[3] for m in self.world()["GlobalClusterMembers"] if m["IsWriter"]
        )

    def arn(self, region: str, name: str) -> str:
        return f"arn:aws:rds:{region}:123456789012:cluster:{name}"


@pytest.fixture
def aurora(sim: Sim) -> Aurora:
    return Aurora(sim)


def test_engine_versions_that_support_global_databases_are_listed_and_an_old_one_is_not(
    aurora: Aurora,
) -> None:
    listed = aurora.rds[P].describe_db_engine_versions(Engine="aurora-mysql")["DBEngineVersions"]
    assert VERSION in [v["EngineVersion"] for v in listed if v["SupportsGlobalDatabases"]]
    assert "8.0.mysql_aurora.3.02.0" not in [v["EngineVersion"] for v in listed]
    everything = aurora.rds[P].describe_db_engine_versions(Engine="aurora-mysql", IncludeAll=True)[
        "DBEngineVersions"
    ]
    assert {v["EngineVersion"]: v["Status"] for v in everything}["8.0.mysql_aurora.3.02.0"] == "deprecated"
    default = aurora.rds[P].describe_db_engine_versions(Engine="aurora-mysql", DefaultOnly=True)[
        "DBEngineVersions"
    ]
    assert len(default) == 1
    orderable = aurora.rds[S].describe_orderable_db_instance_options(
        Engine="aurora-mysql", EngineVersion=VERSION, DBInstanceClass="db.r6g.large"
    )["OrderableDBInstanceOptions"]
    assert [o["SupportsGlobalDatabases"] for o in orderable] == [True]


def test_a_global_database_from_creation_to_the_last_removal(aurora: Aurora) -> None:
    sim, rds = aurora.sim, aurora.rds
    aurora.make_global()
    assert aurora.make_primary()["Status"] == "creating"
    assert aurora.make_instance(P, "app-p-1", "app-p")["DBInstanceStatus"] == "creating"
    sim.advance(60)
    assert aurora.cluster(P, "app-p")["Status"] == "available"
    with pytest.raises(ClientError) as refused:
        aurora.make_secondary()
    assert code(refused) == "InvalidDBClusterStateFault"
    sim.advance(600)
    assert aurora.make_secondary()["Status"] == "creating"
    aurora.make_instance(S, "app-s-1", "app-s")
    sim.advance(900)
    primary, secondary = aurora.cluster(P, "app-p"), aurora.cluster(S, "app-s")
    assert primary["ReadReplicaIdentifiers"] == [secondary["DBClusterArn"]]
    assert secondary["ReplicationSourceIdentifier"] == primary["DBClusterArn"]
    assert (secondary["Status"], secondary["KmsKeyId"]) == ("available", aurora.keys[S])
    assert [m["IsClusterWriter"] for m in primary["DBClusterMembers"] + secondary["DBClusterMembers"]] == [
        True,
        False,
    ]
    shown = aurora.world()
    assert shown["Status"] == "available"
    assert shown["GlobalClusterMembers"] == [
        {
            "DBClusterArn": aurora.arn(P, "app-p"),
            "Readers": [aurora.arn(S, "app-s")],
            "IsWriter": True,
            "SynchronizationStatus": "connected",
        },
        {
            "DBClusterArn": aurora.arn(S, "app-s"),
            "Readers": [],
            "IsWriter": False,
            "GlobalWriteForwardingStatus": "disabled",
            "SynchronizationStatus": "connected",
        },
    ]
    with pytest.raises(ClientError) as refused:
        rds[P].remove_from_global_cluster(
            GlobalClusterIdentifier="world", DbClusterIdentifier=aurora.arn(P, "app-p")
        )
    assert code(refused) == "InvalidGlobalClusterStateFault"
    with pytest.raises(ClientError, match="Cannot delete the last instance of the master cluster"):
        rds[P].delete_db_instance(DBInstanceIdentifier="app-p-1", SkipFinalSnapshot=True)
    with pytest.raises(ClientError, match="is a part of a global cluster"):
        rds[S].delete_db_cluster(DBClusterIdentifier="app-s", SkipFinalSnapshot=True)
    rds[S].remove_from_global_cluster(
        GlobalClusterIdentifier="world", DbClusterIdentifier=aurora.arn(S, "app-s")
    )
    assert aurora.cluster(S, "app-s")["Status"] == "promoting"
    assert len(aurora.world()["GlobalClusterMembers"]) == 2
    with pytest.raises(ClientError, match="part of a global cluster"):
        rds[S].delete_db_cluster(DBClusterIdentifier="app-s", SkipFinalSnapshot=True)
    sim.advance(30)
    assert len(aurora.world()["GlobalClusterMembers"]) == 1
    rds[P].remove_from_global_cluster(
        GlobalClusterIdentifier="world", DbClusterIdentifier=aurora.arn(P, "app-p")
    )
    sim.advance(90)
    with pytest.raises(ClientError, match="still contains DB instances in non-deleting state"):
        rds[P].delete_db_cluster(DBClusterIdentifier="app-p", SkipFinalSnapshot=True)
    for region, name in ((P, "app-p"), (S, "app-s")):
        gone = rds[region].delete_db_instance(DBInstanceIdentifier=f"{name}-1", SkipFinalSnapshot=True)
        assert gone["DBInstance"]["DBInstanceStatus"] == "deleting"
        assert (
            rds[region].delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)["DBCluster"][
                "Status"
            ]
            == "deleting"
        )
    rds[P].delete_global_cluster(GlobalClusterIdentifier="world")
    assert aurora.world()["Status"] == "deleting"
    with pytest.raises(ClientError) as refused:
        rds[P].delete_db_subnet_group(DBSubnetGroupName="database")
    assert code(refused) == "InvalidDBSubnetGroupStateFault"
    sim.advance(900)
    for region, name in ((P, "app-p"), (S, "app-s")):
        with pytest.raises(ClientError) as refused:
            aurora.cluster(region, name)
        assert code(refused) == "DBClusterNotFoundFault"
        rds[region].delete_db_subnet_group(DBSubnetGroupName="database")
    with pytest.raises(ClientError) as refused:
        aurora.world()
    assert code(refused) == "GlobalClusterNotFoundFault"


def test_a_deleted_cluster_can_be_made_again_at_once(aurora: Aurora) -> None:
    for _ in range(2):
        aurora.rds[P].create_db_cluster(
            DBClusterIdentifier="again",
            Engine="aurora-mysql",
            MasterUsername="drctl",
            MasterUserPassword="correct-horse",
        )
        aurora.make_instance(P, "again-1", "again")
        aurora.sim.advance(600)
        aurora.rds[P].delete_db_instance(DBInstanceIdentifier="again-1")
        aurora.rds[P].delete_db_cluster(DBClusterIdentifier="again", SkipFinalSnapshot=True)
        aurora.sim.advance(600)
    assert aurora.rds[P].describe_db_clusters()["DBClusters"] == []
    assert aurora.rds[P].describe_db_cluster_snapshots()["DBClusterSnapshots"] == []


@pytest.mark.parametrize("planned", [True, False])
def test_the_writer_moves_over_time_and_only_to_a_secondary(aurora: Aurora, planned: bool) -> None:
    aurora.build()
    target = {"GlobalClusterIdentifier": "world", "TargetDbClusterIdentifier": aurora.arn(S, "app-s")}
    for wrong, expected in (
        ({"TargetDbClusterIdentifier": aurora.arn(P, "app-p")}, "InvalidDBClusterStateFault"),
        ({"TargetDbClusterIdentifier": aurora.arn(S, "other")}, "DBClusterNotFoundFault"),
        ({"GlobalClusterIdentifier": "nowhere"}, "GlobalClusterNotFoundFault"),
        ({"AllowDataLoss": True, "Switchover": True}, "InvalidParameterCombination"),
    ):
        with pytest.raises(ClientError) as refused:
            aurora.rds[S].failover_global_cluster(**{**target, **wrong})
        assert code(refused) == expected
    if planned:
        moving = aurora.rds[P].switchover_global_cluster(**target)["GlobalCluster"]
    else:
        moving = aurora.rds[S].failover_global_cluster(**target, AllowDataLoss=True)["GlobalCluster"]
    assert moving["Status"] == ("switching-over" if planned else "failing-over")
    assert moving["FailoverState"]["ToDbClusterArn"] == aurora.arn(S, "app-s")
    with pytest.raises(ClientError) as refused:
        aurora.rds[S].failover_global_cluster(**target)
    assert code(refused) == "InvalidGlobalClusterStateFault"
    assert aurora.writer() == P
    aurora.sim.advance(130)
    assert aurora.writer() == S
    assert aurora.cluster(S, "app-s")["DBClusterMembers"][0]["IsClusterWriter"] is True
    old = next(m for m in aurora.world()["GlobalClusterMembers"] if not m["IsWriter"])
    assert old["SynchronizationStatus"] == ("connected" if planned else "pending-resync")
    aurora.sim.advance(600)
    aurora.rds[S].switchover_global_cluster(
        GlobalClusterIdentifier="world", TargetDbClusterIdentifier=aurora.arn(P, "app-p")
    )
    aurora.sim.advance(60)
    assert aurora.writer() == P


def test_a_headless_secondary_cannot_take_over(aurora: Aurora) -> None:
    aurora.build()
    aurora.rds[S].delete_db_instance(DBInstanceIdentifier="app-s-1")
    with pytest.raises(ClientError) as refused:
        aurora.rds[S].failover_global_cluster(
            GlobalClusterIdentifier="world",
            TargetDbClusterIdentifier=aurora.arn(S, "app-s"),
            AllowDataLoss=True,
        )
    assert code(refused) == "InvalidDBClusterStateFault"


def test_what_a_cluster_may_not_be_made_with(aurora: Aurora) -> None:
    with pytest.raises(ClientError) as refused:
        aurora.make_primary()
    assert code(refused) == "GlobalClusterNotFoundFault"
    aurora.make_global()
    with pytest.raises(ClientError) as refused:
        aurora.make_global()
    assert code(refused) == "GlobalClusterAlreadyExistsFault"
    sim = aurora.sim
    for wrong, expected in (
        ({"EngineVersion": "8.0.mysql_aurora.3.02.0"}, "InvalidParameterCombination"),
        ({"EngineVersion": "8.0.mysql_aurora.3.10.0"}, "InvalidParameterCombination"),
        ({"KmsKeyId": aurora.keys[S]}, "KMSKeyNotAccessibleFault"),
        ({"DBSubnetGroupName": "missing"}, "DBSubnetGroupNotFoundFault"),
        ({"DBClusterParameterGroupName": "missing"}, "DBClusterParameterGroupNotFound"),
        ({"VpcSecurityGroupIds": ["sg-00000000"]}, "InvalidParameterValue"),
        ({"BackupRetentionPeriod": 0}, "InvalidParameterValue"),
        ({"EnableCloudwatchLogsExports": ["postgresql"]}, "InvalidParameterCombination"),
        ({"DBClusterIdentifier": "bad--name"}, "InvalidParameterValue"),
        ({"StorageEncrypted": False}, "InvalidParameterCombination"),
        ({"ManageMasterUserPassword": True}, "InvalidParameterCombination"),
        ({"MasterUsername": ""}, "InvalidParameterValue"),
    ):
        with pytest.raises(ClientError) as refused:
            aurora.make_primary(**wrong)
        assert code(refused) == expected, wrong
    aurora.make_primary()
    with pytest.raises(ClientError) as refused:
        aurora.make_primary()
    assert code(refused) == "DBClusterAlreadyExistsFault"
    aurora.make_instance(P, "app-p-1", "app-p")
    sim.advance(900)
    with pytest.raises(ClientError, match="already has a DB cluster in region"):
        aurora.make_primary(DBClusterIdentifier="other", MasterUsername="drctl")
    for wrong, words in (
        ({"MasterUsername": "drctl"}, "Cannot specify user name for cross region replication cluster"),
        ({"DatabaseName": "app"}, "Cannot specify database name for cross region replication cluster"),
        ({"KmsKeyId": None}, "kmsKeyId should be explicitly specified"),
        ({"DBClusterIdentifier": "app-p"}, "DBClusterAlreadyExistsFault"),
        ({"KmsKeyId": aurora.keys[P]}, "KMSKeyNotAccessibleFault"),
    ):
        with pytest.raises(ClientError, match=words):
            aurora.make_secondary(**wrong)


def test_instances_inherit_from_their_cluster_and_have_their_own_rules(aurora: Aurora) -> None:
    aurora.make_global()
    aurora.make_primary()
    iam = aurora.sim.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "monitoring.rds.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = iam.create_role(
        RoleName="monitoring",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    monitored = {"MonitoringInterval": 60, "MonitoringRoleArn": role}
    for wrong, words in (
        (monitored, "ENHANCED_MONITORING"),
        ({"MonitoringInterval": 7}, "monitoring interval"),
        ({"MonitoringInterval": 60}, "MonitoringRoleARN value is required"),
        ({"DBInstanceClass": "db.t3.medium"}, "RDS does not support creating a DB instance"),
        ({"MasterUserPassword": "correct-horse"}, "will be a member of a DB Cluster"),
        ({"PerformanceInsightsRetentionPeriod": 8}, "retention period"),
        ({"PromotionTier": 16}, "promotion tier"),
        ({"DBClusterIdentifier": "missing"}, "DBClusterNotFoundFault"),
    ):
        with pytest.raises(ClientError, match=words):
            aurora.make_instance(P, "app-p-1", **{"cluster": "app-p", **wrong})  # type: ignore[arg-type]
    aurora.sim.advance(60)
    for number in (1, 2):
        aurora.make_instance(
            P,
            f"app-p-{number}",
            "app-p",
            **monitored,
            EnablePerformanceInsights=True,
            PerformanceInsightsKMSKeyId=aurora.keys[P],
            PromotionTier=number,
        )
    with pytest.raises(ClientError, match="not in available state"):
        aurora.rds[P].modify_db_instance(DBInstanceIdentifier="app-p-1", PromotionTier=0)
    aurora.sim.advance(600)
    shown = aurora.rds[P].describe_db_instances(DBInstanceIdentifier="app-p-1")["DBInstances"][0]
    assert shown["DBInstanceStatus"] == "available"
    assert shown["StorageEncrypted"] and shown["KmsKeyId"] == aurora.keys[P]
    assert shown["EngineVersion"] == VERSION
    assert shown["DBSubnetGroup"]["DBSubnetGroupName"] == "database"
    assert shown["PerformanceInsightsEnabled"] and shown["PerformanceInsightsKMSKeyId"] == aurora.keys[P]
    assert (shown["MonitoringInterval"], shown["MonitoringRoleArn"]) == (60, role)
    zones = {i["AvailabilityZone"] for i in aurora.rds[P].describe_db_instances()["DBInstances"]}
    assert zones == {f"{P}a", f"{P}b"}
    aurora.rds[P].modify_db_instance(DBInstanceIdentifier="app-p-1", PromotionTier=0, ApplyImmediately=True)
    assert aurora.rds[P].describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "modifying"
    aurora.rds[P].delete_db_instance(DBInstanceIdentifier="app-p-1")
    with pytest.raises(ClientError) as refused:
        aurora.rds[P].delete_db_instance(DBInstanceIdentifier="app-p-1")
    assert code(refused) == "InvalidDBInstanceState"
    writers = [
        m["DBInstanceIdentifier"]
        for m in aurora.cluster(P, "app-p")["DBClusterMembers"]
        if m["IsClusterWriter"]
    ]
    assert writers == ["app-p-2"]


def test_a_cluster_changes_what_it_can_at_once(aurora: Aurora) -> None:
    aurora.make_global()
    aurora.make_primary(DeletionProtection=True)
    rds = aurora.rds[P]
    with pytest.raises(ClientError) as refused:
        rds.modify_db_cluster(DBClusterIdentifier="app-p", BackupRetentionPeriod=7)
    assert code(refused) == "InvalidDBClusterStateFault"
    aurora.sim.advance(60)
    changed = rds.modify_db_cluster(
        DBClusterIdentifier="app-p",
        BackupRetentionPeriod=7,
        CloudwatchLogsExportConfiguration={"EnableLogTypes": ["error", "audit"]},
        EnableIAMDatabaseAuthentication=True,
    )["DBCluster"]
    assert changed["Status"] == "modifying"
    assert changed["BackupRetentionPeriod"] == 7
    assert changed["EnabledCloudwatchLogsExports"] == ["audit", "error"]
    assert changed["PendingModifiedValues"]["IAMDatabaseAuthenticationEnabled"] is True
    rds.modify_db_cluster(
        DBClusterIdentifier="app-p", EnableIAMDatabaseAuthentication=True, ApplyImmediately=True
    )
    aurora.sim.advance(60)
    shown = aurora.cluster(P, "app-p")
    assert shown["IAMDatabaseAuthenticationEnabled"] is True and "PendingModifiedValues" not in shown
    with pytest.raises(ClientError) as refused:
        rds.modify_db_cluster(DBClusterIdentifier="app-p", NewDBClusterIdentifier="other")
    assert code(refused) == "SimulatorGap"
    with pytest.raises(ClientError, match="Cannot delete protected Cluster"):
        rds.delete_db_cluster(DBClusterIdentifier="app-p", SkipFinalSnapshot=True)
    rds.modify_db_cluster(DBClusterIdentifier="app-p", DeletionProtection=False)
    with pytest.raises(ClientError, match="FinalDBSnapshotIdentifier is required"):
        rds.delete_db_cluster(DBClusterIdentifier="app-p")


def test_exported_logs_make_their_groups_once_an_instance_runs(aurora: Aurora) -> None:
    aurora.make_global()
    aurora.make_primary(EnableCloudwatchLogsExports=["audit", "error"])
    logs = aurora.sim.client("logs", P)
    logs.create_log_group(logGroupName="/aws/rds/cluster/app-p/audit")
    logs.put_retention_policy(logGroupName="/aws/rds/cluster/app-p/audit", retentionInDays=7)
    aurora.sim.advance(60)
    assert len(logs.describe_log_groups()["logGroups"]) == 1
    aurora.make_instance(P, "app-p-1", "app-p")
    aurora.sim.advance(600)
    groups = {
        group["logGroupName"]: group.get("retentionInDays")
        for group in logs.describe_log_groups()["logGroups"]
    }
    assert groups == {"/aws/rds/cluster/app-p/audit": 7, "/aws/rds/cluster/app-p/error": None}


def test_subnet_groups_and_parameter_groups(aurora: Aurora) -> None:
    rds = aurora.rds[S]
    group = {"DBSubnetGroupName": "other", "DBSubnetGroupDescription": "x"}
    for subnets, name, expected in (
        (aurora.subnets, "database", "DBSubnetGroupAlreadyExists"),
        (aurora.subnets[:1], "other", "DBSubnetGroupDoesNotCoverEnoughAZs"),
        ([*aurora.subnets, "subnet-00000000"], "other", "InvalidSubnet"),
    ):
        with pytest.raises(ClientError) as refused:
            rds.create_db_subnet_group(**{**group, "DBSubnetGroupName": name}, SubnetIds=subnets)
        assert code(refused) == expected
    rds.modify_db_subnet_group(DBSubnetGroupName="database", SubnetIds=aurora.subnets)
    (kept,) = rds.describe_db_subnet_groups(DBSubnetGroupName="database")["DBSubnetGroups"]
    assert sorted(s["SubnetIdentifier"] for s in kept["Subnets"]) == sorted(aurora.subnets)
    with pytest.raises(ClientError, match="not a valid parameter group family"):
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName="tls", DBParameterGroupFamily="aurora-mysql9.0", Description="x"
        )
    created = rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="tls", DBParameterGroupFamily="aurora-mysql8.0", Description="x"
    )["DBClusterParameterGroup"]
    tls = {"ParameterName": "require_secure_transport", "ParameterValue": "ON", "ApplyMethod": "immediate"}
    for wrong, words in (
        ({**tls, "ParameterName": "no_such"}, "Could not find parameter"),
        ({**tls, "ParameterName": "binlog_format"}, "static parameter"),
    ):
        with pytest.raises(ClientError, match=words):
            rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="tls", Parameters=[wrong])
    rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="tls", Parameters=[tls])
    mine = rds.describe_db_cluster_parameters(DBClusterParameterGroupName="tls", Source="user")["Parameters"]
    assert [(p["ParameterName"], p["ParameterValue"], p["Source"]) for p in mine] == [
        ("require_secure_transport", "ON", "user")
    ]
    assert len(rds.describe_db_cluster_parameters(DBClusterParameterGroupName="tls")["Parameters"]) > 20
    arn = created["DBClusterParameterGroupArn"]
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "drctl:environment", "Value": "demo"}])
    assert rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [
        {"Key": "drctl:environment", "Value": "demo"}
    ]
    with pytest.raises(ClientError) as refused:
        rds.list_tags_for_resource(ResourceName=arn.replace("tls", "none"))
    assert code(refused) == "DBParameterGroupNotFound"
    old = {
        "DBClusterParameterGroupName": "old",
        "DBParameterGroupFamily": "aurora-mysql5.7",
        "Description": "x",
    }
    rds.create_db_cluster_parameter_group(**old)
    with pytest.raises(ClientError, match="can't be used for this instance"):
        aurora.make_secondary(
            DBClusterParameterGroupName="old",
            MasterUsername="drctl",
            MasterUserPassword="correct-horse",
            GlobalClusterIdentifier=None,
            SourceRegion=None,
        )
    rds.create_db_cluster(
        DBClusterIdentifier="user",
        Engine="aurora-mysql",
        MasterUsername="drctl",
        MasterUserPassword="correct-horse",
        DBClusterParameterGroupName="tls",
    )
    with pytest.raises(ClientError) as refused:
        rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName="tls")
    assert code(refused) == "InvalidDBParameterGroupState"


def test_parameter_groups_of_instances(aurora: Aurora) -> None:
    rds = aurora.rds[P]
    rds.create_db_parameter_group(
        DBParameterGroupName="slow", DBParameterGroupFamily="aurora-mysql8.0", Description="x"
    )
    slow = {"ParameterName": "slow_query_log", "ParameterValue": "1", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="slow", Parameters=[slow])
    mine = rds.describe_db_parameters(DBParameterGroupName="slow", Source="user")["Parameters"]
    assert [(p["ParameterName"], p["ParameterValue"]) for p in mine] == [("slow_query_log", "1")]
    with pytest.raises(ClientError, match="more than 20"):
        rds.modify_db_parameter_group(DBParameterGroupName="slow", Parameters=[slow] * 21)
    with pytest.raises(ClientError) as refused:
        rds.delete_db_parameter_group(DBParameterGroupName="default.aurora-mysql8.0")
    assert code(refused) == "InvalidDBParameterGroupState"
    aurora.make_global()
    aurora.make_primary()
    aurora.make_instance(P, "app-p-1", "app-p", DBParameterGroupName="slow")
    with pytest.raises(ClientError) as refused:
        rds.delete_db_parameter_group(DBParameterGroupName="slow")
    assert code(refused) == "InvalidDBParameterGroupState"
    aurora.sim.advance(600)
    rds.delete_db_instance(DBInstanceIdentifier="app-p-1")
    aurora.sim.advance(600)
    rds.delete_db_parameter_group(DBParameterGroupName="slow")


def test_a_global_cluster_keeps_its_tags_and_protection(aurora: Aurora) -> None:
    rds = aurora.rds[P]
    made = rds.create_global_cluster(
        GlobalClusterIdentifier="world",
        Engine="aurora-mysql",
        Tags=[{"Key": "a", "Value": "1"}],
        DeletionProtection=True,
    )["GlobalCluster"]
    assert made["Status"] == "creating"
    arn = made["GlobalClusterArn"]
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "2"}])
    assert rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "a", "Value": "2"}]
    aurora.sim.advance(60)
    for wrong, words in (
        ({"SourceDBClusterIdentifier": "app-p"}, "Malformed db cluster arn"),
        (
            {"SourceDBClusterIdentifier": aurora.arn(P, "app-p"), "Engine": "aurora-mysql"},
            "should not be specified",
        ),
        ({}, "value for engineName should be specified"),
        ({"Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.02.0"}, "Cannot find version"),
    ):
        with pytest.raises(ClientError, match=words):
            rds.create_global_cluster(GlobalClusterIdentifier="other", **wrong)
    with pytest.raises(ClientError, match="Cannot delete protected Global Cluster"):
        rds.delete_global_cluster(GlobalClusterIdentifier="world")
    rds.modify_global_cluster(GlobalClusterIdentifier="world", DeletionProtection=False)
    rds.create_db_cluster(
        DBClusterIdentifier="alone",
        Engine="aurora-mysql",
        MasterUsername="drctl",
        MasterUserPassword="correct-horse",
        GlobalClusterIdentifier="world",
    )
    with pytest.raises(ClientError, match="is not empty"):
        rds.delete_global_cluster(GlobalClusterIdentifier="world")
    aurora.sim.advance(60)
    for wrong in (aurora.arn(P, "other"), aurora.arn(S, "alone")):
        with pytest.raises(ClientError) as refused:
            rds.remove_from_global_cluster(GlobalClusterIdentifier="world", DbClusterIdentifier=wrong)
        assert code(refused) == "DBClusterNotFoundFault"
    rds.remove_from_global_cluster(
        GlobalClusterIdentifier="world", DbClusterIdentifier=aurora.arn(P, "alone")
    )
    aurora.sim.advance(120)
    rds.delete_global_cluster(GlobalClusterIdentifier="world")
    with pytest.raises(ClientError) as refused:
        rds.delete_global_cluster(GlobalClusterIdentifier="world")
    assert code(refused) == "InvalidGlobalClusterStateFault"
    source = {"GlobalClusterIdentifier": "from-cluster", "SourceDBClusterIdentifier": aurora.arn(P, "alone")}
    rds.create_global_cluster(**source)
    assert aurora.cluster(P, "alone")["GlobalClusterIdentifier"] == "from-cluster"


def test_a_global_database_is_upgraded_cluster_by_cluster_the_writer_last(aurora: Aurora) -> None:
    aurora.build()
    newer = "8.0.mysql_aurora.3.10.1"
    with pytest.raises(ClientError, match="only supports Major Version Upgrades"):
        aurora.rds[P].modify_global_cluster(GlobalClusterIdentifier="world", EngineVersion=newer)
    change = {"EngineVersion": newer, "ApplyImmediately": True}
    with pytest.raises(ClientError, match="before the primary"):
        aurora.rds[P].modify_db_cluster(DBClusterIdentifier="app-p", **change)
    for wrong in ("8.0.mysql_aurora.3.04.4", "8.0.mysql_aurora.9.99.9"):
        with pytest.raises(ClientError, match="Cannot find upgrade target"):
            aurora.rds[S].modify_db_cluster(DBClusterIdentifier="app-s", EngineVersion=wrong)
    for region, name in ((S, "app-s"), (P, "app-p")):
        upgraded = aurora.rds[region].modify_db_cluster(DBClusterIdentifier=name, **change)["DBCluster"]
        assert (upgraded["Status"], upgraded["EngineVersion"]) == ("upgrading", newer)
    assert aurora.world()["EngineVersion"] == newer
