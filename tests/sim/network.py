"""A VPC with what a web application needs of it, made over the API like everything in these tests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Sim


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


class Network:
    """Two public and two private subnets in two zones, an internet gateway and a security group."""

    def __init__(self, sim: Sim, region: str = "us-east-1", second: int = 0) -> None:
        sim.set_speed(1)
        self.sim = sim
        self.region = region
        self.ec2 = sim.client("ec2", region)
        self.vpc = self.ec2.create_vpc(CidrBlock=f"10.{second}.0.0/16")["Vpc"]["VpcId"]
        self.gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        self.public = [self.subnet(f"10.{second}.{third}.0/24", third) for third in (0, 1)]
        self.private = [self.subnet(f"10.{second}.{third}.0/24", third % 2) for third in (2, 3)]
        self.group = self.make_group("service")
        self.see()

    def see(self) -> None:
        """Let fresh ids become visible."""
        self.sim.advance(1)

    def subnet(self, cidr: str, zone: int) -> str:
        zone_name = f"{self.region}{'ab'[zone]}"
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=zone_name)
        return str(made["Subnet"]["SubnetId"])

    def make_group(self, name: str) -> str:
        made = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)
        return str(made["GroupId"])

    def route_table(self) -> str:
        return str(self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"])

    def address(self) -> str:
        return str(self.ec2.allocate_address(Domain="vpc")["AllocationId"])

    def interfaces(self) -> list[dict[str, Any]]:
        listed = self.ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])
        return list(listed["NetworkInterfaces"])


def make_role(sim: Sim, name: str, service: str) -> str:
    """A role that the service can assume, after the time IAM takes to tell everybody."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    made = sim.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    sim.advance(60)
    return str(made["Role"]["Arn"])


class Web(Network):
    """A network with a load balancer that listens on port 80 and forwards to a target group of addresses."""

    def __init__(self, sim: Sim, region: str = "us-east-1") -> None:
        super().__init__(sim, region)
        self.elbv2 = sim.client("elbv2", region)
        self.balancer_wish: dict[str, Any] = {
            "Name": "web",
            "Subnets": self.public,
            "SecurityGroups": [self.group],
        }
        self.balancer = self.elbv2.create_load_balancer(**self.balancer_wish)["LoadBalancers"][0][
            "LoadBalancerArn"
        ]
        self.target_wish: dict[str, Any] = {
            "Name": "web",
            "Protocol": "HTTP",
            "Port": 8080,
            "VpcId": self.vpc,
            "TargetType": "ip",
            "HealthCheckPath": "/health",
        }
        self.targets = self.elbv2.create_target_group(**self.target_wish)["TargetGroups"][0]["TargetGroupArn"]

    def listen(self, port: int = 80, **more: Any) -> str:
        wish = {
            "Protocol": "HTTP",
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": self.targets}],
            **more,
        }
        made = self.elbv2.create_listener(LoadBalancerArn=self.balancer, Port=port, **wish)
        return str(made["Listeners"][0]["ListenerArn"])

    def health(self) -> list[str]:
        shown = self.elbv2.describe_target_health(TargetGroupArn=self.targets)["TargetHealthDescriptions"]
        return sorted(str(target["TargetHealth"]["State"]) for target in shown)
