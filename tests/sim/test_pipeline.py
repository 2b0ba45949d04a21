"""Every request goes through the same pipeline, whatever its protocol."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.conftest import Sim

PROTOCOLS = [
    # service, operation, arguments, region the access log shows
    pytest.param("ec2", "describe_vpcs", {}, "us-west-2", id="ec2"),
    pytest.param("rds", "describe_db_clusters", {}, "us-west-2", id="query"),
    pytest.param("dynamodb", "list_tables", {}, "us-west-2", id="json"),
    pytest.param("cloudwatch", "list_metrics", {}, "us-west-2", id="json-over-query"),
    pytest.param("lambda", "list_functions", {}, "us-west-2", id="rest-json"),
    pytest.param("s3", "list_buckets", {}, "us-west-2", id="rest-xml"),
    pytest.param("route53", "list_hosted_zones", {}, "us-east-1", id="global-route53"),
    pytest.param("cloudfront", "list_distributions", {}, "us-east-1", id="global-cloudfront"),
    pytest.param("iam", "list_roles", {}, "us-east-1", id="global-iam"),
]


@pytest.mark.parametrize(("service", "operation", "arguments", "region"), PROTOCOLS)
def test_a_call_is_known_by_service_operation_and_region(
    sim: Sim, service: str, operation: str, arguments: dict[str, Any], region: str
) -> None:
    made = sim.client(service, "us-west-2")
    getattr(made, operation)(**arguments)

    (entry,) = sim.access_log()
    assert entry["service"] == service
    assert entry["operation"] == made.meta.method_to_api_mapping[operation]
    assert entry["region"] == region
    assert (entry["status"], entry["code"], entry["mutating"]) == (200, None, False)


GAPS = [
    pytest.param("ec2", "describe_fast_launch_images", {}, id="ec2"),
    pytest.param("rds", "describe_reserved_db_instances", {}, id="query"),
    pytest.param("dynamodb", "list_global_tables", {}, id="json"),
    pytest.param("lambda", "list_code_signing_configs", {}, id="rest-json"),
    pytest.param("cloudfront", "list_cache_policies", {}, id="rest-xml"),
    pytest.param("globalaccelerator", "list_accelerators", {}, id="a service moto has not"),
    # moto does not see the ?metrics, and would delete the bucket.
    pytest.param("s3", "delete_bucket_metrics_configuration", {"Bucket": "abc", "Id": "x"}, id="s3"),
]


@pytest.mark.parametrize(("service", "operation", "arguments"), GAPS)
def test_what_nobody_implements_is_one_hard_error_and_sent_once(
    sim: Sim, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    sim.client("s3").create_bucket(Bucket="abc")
    made = sim.client(service, retries={"mode": "standard", "total_max_attempts": 3})
    with pytest.raises(ClientError) as refused:
        getattr(made, operation)(**arguments)

    assert refused.value.response["Error"]["Code"] == "SimulatorGap"
    name = made.meta.method_to_api_mapping[operation]
    assert f"{service} {name}" in refused.value.response["Error"]["Message"]
    assert len(sim.calls(operation=name)) == 1
    sim.client("s3").head_bucket(Bucket="abc")


def test_an_error_of_aws_keeps_its_code_and_is_logged(sim: Sim) -> None:
    with pytest.raises(ClientError, match="does not exist") as refused:
        sim.client("ec2").describe_vpcs(VpcIds=["vpc-00000000000000000"])
    assert refused.value.response["Error"]["Code"] == "InvalidVpcID.NotFound"
    assert sim.access_log()[-1]["code"] == "InvalidVpcID.NotFound"


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        pytest.param("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}, id="ec2"),
        pytest.param("sns", "create_topic", {"Name": "x"}, id="query"),
        pytest.param("kms", "create_key", {}, id="json"),
        pytest.param("lambda", "list_functions", {}, id="rest-json"),
        pytest.param("s3", "create_bucket", {"Bucket": "abc"}, id="rest-xml"),
    ],
)
def test_an_error_fault_answers_as_the_service_would_and_nothing_is_executed(
    sim: Sim, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    sim.fault(
        "error", service=service, code="ThrottlingException", message="Rate exceeded", status=400, times=1
    )
    made = sim.client(service)
    with pytest.raises(ClientError, match="Rate exceeded") as refused:
        getattr(made, operation)(**arguments)
    assert refused.value.response["Error"]["Code"] == "ThrottlingException"

    getattr(made, operation)(**arguments)
    assert [fault["hit"] for fault in sim.faults()] == [1]


def test_a_lost_answer_leaves_the_thing_behind(sim: Sim) -> None:
    sim.fault("lost", operation="CreateVpc")
    ec2 = sim.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    with pytest.raises(ConnectionClosedError):
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
    assert len(ec2.describe_vpcs()["Vpcs"]) == before + 1
    assert [entry["code"] for entry in sim.calls(operation="CreateVpc")] == ["ResponseLost"]

    sim.heal()
    ec2.create_vpc(CidrBlock="10.1.0.0/16")


def test_global_control_planes_fail_with_us_east_1(sim: Sim) -> None:
    sim.fault("error", region="us-east-1", status=503, code="ServiceUnavailable")
    for service, operation in (
        ("iam", "list_roles"),
        ("route53", "list_hosted_zones"),
        ("cloudfront", "list_distributions"),
    ):
        with pytest.raises(ClientError, match="ServiceUnavailable"):
            getattr(sim.client(service, "us-west-2"), operation)()
    sim.client("ec2", "us-west-2").describe_vpcs()


def test_a_seeded_fault_strikes_the_same_calls_again(sim: Sim) -> None:
    def outcomes() -> list[str | None]:
        sim.heal()
        sim.fault("error", service="sts", probability=0.5, skip=2, times=4, seed=7)
        sts = sim.client("sts")
        for _ in range(12):
            try:
                sts.get_caller_identity()
            except ClientError:
                continue
        return [entry["code"] for entry in sim.calls(service="sts")][-12:]

    first = outcomes()
    assert first == outcomes()
    assert first[:2] == [None, None]
    assert first.count("InternalFailure") == 4


def test_moto_is_atomic_behind_the_lock(sim: Sim) -> None:
    dynamodb = sim.client("dynamodb")
    dynamodb.create_table(
        TableName="counter",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    sim.advance(60)
    key = {"id": {"S": "x"}}

    def count() -> None:
        for _ in range(20):
            dynamodb.update_item(
                TableName="counter",
                Key=key,
                UpdateExpression="ADD n :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dynamodb.get_item(TableName="counter", Key=key)["Item"]["n"]["N"] == "160"


def test_what_aws_dates_is_dated_in_simulated_time(sim: Sim) -> None:
    sim.advance(86_400)
    created = sim.client("kms").create_key()["KeyMetadata"]["CreationDate"]
    assert created.timestamp() == pytest.approx(sim.clock.now(), abs=0.5 * sim.clock.speed)
