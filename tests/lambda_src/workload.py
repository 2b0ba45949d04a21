"""What a function watches, made on the simulator as AWS requires it to be."""

from __future__ import annotations

from typing import Any

DATABASE = {"Engine": "aurora-mysql", "DBSubnetGroupName": "shop"}
CREDENTIALS = {"MasterUsername": "admin", "MasterUserPassword": "not-a-secret"}


def network(sim: Any, region: str) -> list[str]:
    """Two subnets, and the database subnet group over them."""
    ec2 = sim.client("ec2", region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{region}{zone}")
        for number, zone in enumerate("ab")
    ]
    identifiers = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    sim.client("rds", region).create_db_subnet_group(
        DBSubnetGroupName="shop", DBSubnetGroupDescription="shop", SubnetIds=identifiers
    )
    return identifiers


def cluster_and_tasks(sim: Any, region: str) -> None:
    """The ECS cluster ``shop`` and the task definition ``web``."""
    ecs = sim.client("ecs", region)
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(
        family="web",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="1024",
        memory="2048",
        containerDefinitions=[{"name": "web", "image": "web"}],
    )


def service(sim: Any, region: str, name: str, subnets: list[str], desired: int) -> None:
    sim.client("ecs", region).create_service(
        cluster="shop",
        serviceName=name,
        taskDefinition="web",
        desiredCount=desired,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets}},
    )


def database_instance(sim: Any, region: str, cluster: str) -> None:
    sim.client("rds", region).create_db_instance(
        DBInstanceIdentifier=f"{cluster}-1",
        DBClusterIdentifier=cluster,
        Engine="aurora-mysql",
        DBInstanceClass="db.r6g.large",
    )
