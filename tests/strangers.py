"""What other people have on the account: things of every kind, with names and tags that look like drctl's.

They stand before drctl comes and must stand there untouched when it has gone. ``settle`` makes them;
``photograph`` describes each of them in AWS's own words, to be compared before and after.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.census import Client
from tests.environment import DOMAIN, Installation, P
from tests.stranger import ANOTHER, COPIED, View, upper
from tests.stranger_network import Network

VOLATILE = frozenset({"ResponseMetadata", "LatestRestorableTime", "EarliestRestorableTime"})
REST = 1800.0
"""Simulated seconds after which nothing of a stranger changes by itself."""
AURORA = {"Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.08.2"}


def settle(place: Installation) -> list[View]:
    """Make strangers of every kind and let them come to rest; the answer tells how to look at them."""
    strangers = Strangers(place.client, place.sim.advance)
    strangers.network()
    strangers.web()
    strangers.stores()
    strangers.database()
    strangers.functions()
    strangers.monitoring()
    strangers.edge()
    place.sim.advance(REST)
    return strangers.views


@contextmanager
def bystanders(place: Installation) -> Iterator[None]:
    """Strangers stand there, each of which must be afterwards as it was before."""
    views = settle(place)
    untouched = photograph(place.client, views)
    yield
    assert differences(untouched, photograph(place.client, views)) == {}


def photograph(client: Client, views: list[View]) -> dict[str, Any]:
    """Each stranger as AWS describes it now, field by field, so that a difference says what differs."""
    found: dict[str, Any] = {}
    for number, view in enumerate(views):
        shown = getattr(client(view.service, view.region), view.operation)(**view.parameters)
        found |= dict(_fields(f"{number} {view.service} {view.operation}", shown))
    return found


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs between two photographs."""
    return {
        field: (before.get(field), after.get(field))
        for field in before.keys() | after.keys()
        if before.get(field) != after.get(field)
    }


def _fields(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in VOLATILE:
                yield from _fields(f"{path}.{key}", each)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _fields(f"{path}[{index}]", each)
    else:
        yield path, value


class Strangers(Network):
    """Everything beyond the network."""

    def stores(self) -> None:
        """A key, a secret, a table, and a bucket with two versions of an object."""
        kms, secrets = self.client("kms", P), self.client("secretsmanager", P)
        dynamodb, s3 = self.client("dynamodb", P), self.client("s3", P)
        born = [{"TagKey": key, "TagValue": value} for key, value in ANOTHER.items()]
        key = kms.create_key(Tags=born)["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/demo-x", TargetKeyId=key)
        kms.enable_key_rotation(KeyId=key)
        secrets.create_secret(Name="demo/database-x", SecretString="theirs", Tags=upper(COPIED))
        dynamodb.create_table(
            TableName="demo-sessions-x",
            AttributeDefinitions=[{"AttributeName": "sessionId", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "sessionId", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=upper(COPIED),
        )
        bucket = "demo-assets-x-123456789012-us-east-1"
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": upper(COPIED)})
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for text in (b"one", b"two"):
            s3.put_object(Bucket=bucket, Key="theirs", Body=text)
        self.see("kms", P, "describe_key", KeyId="alias/demo-x")
        self.see("kms", P, "get_key_rotation_status", KeyId=key)
        self.see("kms", P, "get_key_policy", KeyId=key, PolicyName="default")
        self.see("secretsmanager", P, "get_secret_value", SecretId="demo/database-x")
        self.see("dynamodb", P, "describe_table", TableName="demo-sessions-x")
        self.see("s3", P, "list_object_versions", Bucket=bucket)
        self.see("s3", P, "get_bucket_tagging", Bucket=bucket)
        self.see("s3", P, "get_bucket_versioning", Bucket=bucket)

    def database(self) -> None:
        """A global cluster with its one cluster and instance, and their groups."""
        rds = self.client("rds", P)
        rds.create_db_subnet_group(
            DBSubnetGroupName="demo-primary-x",
            DBSubnetGroupDescription="theirs",
            SubnetIds=self.subnets,
            Tags=upper(ANOTHER),
        )
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName="demo-primary-x",
            DBParameterGroupFamily="aurora-mysql8.0",
            Description="theirs",
        )
        rds.create_global_cluster(GlobalClusterIdentifier="demo-global-x", **AURORA)
        self.advance(60)
        rds.create_db_cluster(
            DBClusterIdentifier="demo-primary-x",
            GlobalClusterIdentifier="demo-global-x",
            MasterUsername="theirs",
            MasterUserPassword="correct-horse-battery",
            DBSubnetGroupName="demo-primary-x",
            VpcSecurityGroupIds=[self.group],
            Tags=upper(COPIED),
            **AURORA,
        )
        rds.create_db_instance(
            DBInstanceIdentifier="demo-primary-x-1",
            DBInstanceClass="db.r6g.large",
            Engine="aurora-mysql",
            DBClusterIdentifier="demo-primary-x",
            Tags=upper(COPIED),
        )
        self.see("rds", P, "describe_db_subnet_groups", DBSubnetGroupName="demo-primary-x")
        self.see(
            "rds", P, "describe_db_cluster_parameter_groups", DBClusterParameterGroupName="demo-primary-x"
        )
        self.see("rds", P, "describe_global_clusters", GlobalClusterIdentifier="demo-global-x")
        self.see("rds", P, "describe_db_clusters", DBClusterIdentifier="demo-primary-x")
        self.see("rds", P, "describe_db_instances", DBInstanceIdentifier="demo-primary-x-1")

    def functions(self) -> None:
        """A role with a policy, a function that it runs, a log group, and a rule that calls the function."""
        iam, functions, events = self.client("iam", P), self.client("lambda", P), self.client("events", P)
        role = iam.create_role(
            RoleName="demo-task-x",
            AssumeRolePolicyDocument=_trust("lambda.amazonaws.com"),
            Tags=upper(ANOTHER),
        )["Role"]["Arn"]
        allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::theirs/*"}
        iam.put_role_policy(
            RoleName="demo-task-x",
            PolicyName="task",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
        )
        self.client("logs", P).create_log_group(logGroupName="/ecs/demo-app-x", tags=COPIED)
        flow_role = iam.create_role(
            RoleName="demo-flow-logs-x", AssumeRolePolicyDocument=_trust("vpc-flow-logs.amazonaws.com")
        )["Role"]["Arn"]
        self.advance(60)
        name = "demo-health-monitor-x"
        function = functions.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="handler.handler",
            Role=role,
            Code={"ZipFile": _package()},
            Tags=ANOTHER,
        )["FunctionArn"]
        rule = events.put_rule(Name=name, ScheduleExpression="rate(1 day)", Tags=upper(COPIED))["RuleArn"]
        events.put_targets(Rule=name, Targets=[{"Id": "health-monitor", "Arn": function}])
        functions.add_permission(
            FunctionName=name,
            StatementId="health-monitor",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule,
        )
        flows = self.client("ec2", P).create_flow_logs(
            ResourceType="VPC",
            ResourceIds=[self.vpc],
            TrafficType="ALL",
            LogGroupName="/ecs/demo-app-x",
            DeliverLogsPermissionArn=flow_role,
        )["FlowLogIds"]
        self.see("ec2", P, "describe_flow_logs", FlowLogIds=flows)
        self.see("iam", P, "get_role", RoleName="demo-task-x")
        self.see("iam", P, "get_role_policy", RoleName="demo-task-x", PolicyName="task")
        self.see("lambda", P, "get_function_configuration", FunctionName=name)
        self.see("lambda", P, "get_policy", FunctionName=name)
        self.see("events", P, "describe_rule", Name=name)
        self.see("events", P, "list_targets_by_rule", Rule=name)
        self.see("logs", P, "describe_log_groups", logGroupNamePrefix="/ecs/demo-app-x")

    def monitoring(self) -> None:
        """A topic that somebody listens to, an alarm and a dashboard."""
        sns, cloudwatch = self.client("sns", P), self.client("cloudwatch", P)
        topic = sns.create_topic(Name="demo-alerts-x", Tags=upper(COPIED))["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="somebody@example.net")
        cloudwatch.put_metric_alarm(
            AlarmName="demo-heartbeat-x",
            Namespace="theirs",
            MetricName="Heartbeat",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="LessThanThreshold",
            AlarmActions=[topic],
            Tags=upper(ANOTHER),
        )
        text = {"type": "text", "width": 6, "height": 3, "properties": {"markdown": "theirs"}}
        cloudwatch.put_dashboard(
            DashboardName="demo-us-east-1-x", DashboardBody=json.dumps({"widgets": [text]})
        )
        self.see("sns", P, "get_topic_attributes", TopicArn=topic)
        self.see("sns", P, "list_subscriptions_by_topic", TopicArn=topic)
        self.see("cloudwatch", P, "describe_alarms", AlarmNames=["demo-heartbeat-x"])
        self.see("cloudwatch", P, "get_dashboard", DashboardName="demo-us-east-1-x")

    def edge(self) -> None:
        """A zone of the very same domain with a record, a certificate for it, a health check, a distribution."""
        route53, cloudfront, acm = (
            self.client("route53", P),
            self.client("cloudfront", P),
            self.client("acm", P),
        )
        zone = route53.create_hosted_zone(Name=DOMAIN, CallerReference="theirs")["HostedZone"]["Id"]
        record = {
            "Name": f"app.{DOMAIN}",
            "Type": "A",
            "TTL": 60,
            "ResourceRecords": [{"Value": "192.0.2.1"}],
        }
        route53.change_resource_record_sets(
            HostedZoneId=zone,
            ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
        )
        check = route53.create_health_check(
            CallerReference="theirs",
            HealthCheckConfig={"Type": "HTTPS", "FullyQualifiedDomainName": "app.example.net", "Port": 443},
        )["HealthCheck"]["Id"]
        certificate = acm.request_certificate(DomainName=DOMAIN, ValidationMethod="DNS", Tags=upper(ANOTHER))[
            "CertificateArn"
        ]
        self._validate(acm, route53, certificate, zone)
        control = cloudfront.create_origin_access_control(
            OriginAccessControlConfig={
                "Name": "demo-assets-x",
                "SigningProtocol": "sigv4",
                "SigningBehavior": "always",
                "OriginAccessControlOriginType": "s3",
            }
        )["OriginAccessControl"]["Id"]
        origin = {
            "Id": "theirs",
            "DomainName": "origin.example.net",
            "CustomOriginConfig": {
                "HTTPPort": 80,
                "HTTPSPort": 443,
                "OriginProtocolPolicy": "https-only",
            },
        }
        distribution = cloudfront.create_distribution_with_tags(
            DistributionConfigWithTags={
                "DistributionConfig": {
                    "CallerReference": "theirs",
                    "Comment": "demo, by drctl",
                    "Enabled": True,
                    "Origins": {"Quantity": 1, "Items": [origin]},
                    "DefaultCacheBehavior": {
                        "TargetOriginId": "theirs",
                        "ViewerProtocolPolicy": "https-only",
                        "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
                    },
                },
                "Tags": {"Items": upper(COPIED)},
            }
        )["Distribution"]["Id"]
        self.see("route53", P, "get_hosted_zone", Id=zone)
        self.see("route53", P, "list_resource_record_sets", HostedZoneId=zone)
        self.see("route53", P, "get_health_check", HealthCheckId=check)
        self.see("acm", P, "describe_certificate", CertificateArn=certificate)
        self.see("cloudfront", P, "get_origin_access_control", Id=control)
        self.see("cloudfront", P, "get_distribution_config", Id=distribution)

    def _validate(self, acm: Any, route53: Any, certificate: str, zone: str) -> None:
        """Publish its record. It is the same for every certificate of that name on an account (ACM user guide, "DNS
        validation"), so that ours would otherwise issue theirs."""
        self.advance(60)
        shown = acm.describe_certificate(CertificateArn=certificate)["Certificate"]
        wanted = shown["DomainValidationOptions"][0]["ResourceRecord"]
        record = {
            "Name": wanted["Name"],
            "Type": wanted["Type"],
            "TTL": 300,
            "ResourceRecords": [{"Value": wanted["Value"]}],
        }
        route53.change_resource_record_sets(
            HostedZoneId=zone,
            ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
        )


def _trust(service: str) -> str:
    who = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [who]})


def _package() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", "def handler(event, context):\n    return None\n")
    return content.getvalue()
