"""Strangers in the network, and what answers requests there: see tests/strangers.py."""

from __future__ import annotations

from typing import Any

from tests.environment import P, S
from tests.stranger import ANOTHER, COPIED, Neighbourhood, lower, upper


def born(kind: str, tags: dict[str, str]) -> dict[str, Any]:
    """EC2's way of giving tags at birth."""
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": upper(tags)}]}


class Network(Neighbourhood):
    """The same address ranges as ours, the same group names; load balancer, cluster and service in it."""

    def network(self) -> None:
        """The same address range, the same names; one VPC tagged by another environment, one with copied tags."""
        self.subnets = self._vpc(P, ANOTHER)
        ec2 = self.client("ec2", P)
        self.vpc = ec2.describe_subnets(SubnetIds=self.subnets[:1])["Subnets"][0]["VpcId"]
        far = self.client("ec2", S)
        there = far.describe_subnets(SubnetIds=self._vpc(S, COPIED)[:1])["Subnets"][0]["VpcId"]
        gateway = ec2.create_internet_gateway(**born("internet-gateway", COPIED))["InternetGateway"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=self.vpc)
        address = ec2.allocate_address(Domain="vpc", **born("elastic-ip", ANOTHER))["AllocationId"]
        nat = ec2.create_nat_gateway(
            SubnetId=self.subnets[0], AllocationId=address, **born("natgateway", ANOTHER)
        )["NatGateway"]["NatGatewayId"]
        table = ec2.create_route_table(VpcId=self.vpc, **born("route-table", COPIED))["RouteTable"]
        table_id = table["RouteTableId"]
        ec2.create_route(
            RouteTableId=table_id,
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId=gateway["InternetGatewayId"],
        )
        ec2.associate_route_table(RouteTableId=table_id, SubnetId=self.subnets[0])
        endpoint = ec2.create_vpc_endpoint(
            VpcId=self.vpc,
            ServiceName=f"com.amazonaws.{P}.s3",
            VpcEndpointType="Gateway",
            RouteTableIds=[table_id],
            **born("vpc-endpoint", ANOTHER),
        )["VpcEndpoint"]["VpcEndpointId"]
        self.group = ec2.create_security_group(
            GroupName="demo-edge", Description="somebody's", VpcId=self.vpc, **born("security-group", COPIED)
        )["GroupId"]
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[rule])
        peering = ec2.create_vpc_peering_connection(
            VpcId=self.vpc, PeerVpcId=there, PeerRegion=S, **born("vpc-peering-connection", ANOTHER)
        )["VpcPeeringConnection"]["VpcPeeringConnectionId"]
        self.see("ec2", P, "describe_internet_gateways", InternetGatewayIds=[gateway["InternetGatewayId"]])
        self.see("ec2", P, "describe_addresses", AllocationIds=[address])
        self.see("ec2", P, "describe_nat_gateways", NatGatewayIds=[nat])
        self.see("ec2", P, "describe_route_tables", RouteTableIds=[table_id])
        self.see("ec2", P, "describe_vpc_endpoints", VpcEndpointIds=[endpoint])
        self.see("ec2", P, "describe_security_groups", GroupIds=[self.group])
        self.see(
            "ec2", P, "describe_security_group_rules", Filters=[{"Name": "group-id", "Values": [self.group]}]
        )
        self.see("ec2", P, "describe_vpc_peering_connections", VpcPeeringConnectionIds=[peering])

    def _vpc(self, region: str, tags: dict[str, str]) -> list[str]:
        cidr = {P: "10.0", S: "10.9"}[region]
        ec2 = self.client("ec2", region)
        vpc = ec2.create_vpc(CidrBlock=f"{cidr}.0.0/16", **born("vpc", tags))["Vpc"]["VpcId"]
        self.advance(5)
        subnets = [
            ec2.create_subnet(
                VpcId=vpc,
                CidrBlock=f"{cidr}.{number}.0/24",
                AvailabilityZone=f"{region}{zone}",
                **born("subnet", tags),
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate("ab")
        ]
        self.advance(5)
        self.see("ec2", region, "describe_vpcs", VpcIds=[vpc])
        self.see("ec2", region, "describe_subnets", SubnetIds=subnets)
        return subnets

    def web(self) -> None:
        """A load balancer with a target group, a listener and a rule; a cluster with a service of no task."""
        elbv2, ecs = self.client("elbv2", P), self.client("ecs", P)
        balancer = elbv2.create_load_balancer(
            Name="demo-main-x", Subnets=self.subnets, SecurityGroups=[self.group], Tags=upper(COPIED)
        )["LoadBalancers"][0]["LoadBalancerArn"]
        group = elbv2.create_target_group(
            Name="demo-app-x",
            Protocol="HTTP",
            Port=80,
            VpcId=self.vpc,
            TargetType="ip",
            Tags=upper(ANOTHER),
        )["TargetGroups"][0]["TargetGroupArn"]
        forward = [{"Type": "forward", "TargetGroupArn": group}]
        listener = elbv2.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward, Tags=upper(COPIED)
        )["Listeners"][0]["ListenerArn"]
        path = {"Field": "path-pattern", "Values": ["/reports/*"]}
        elbv2.create_rule(ListenerArn=listener, Priority=100, Conditions=[path], Actions=forward)
        ecs.create_cluster(clusterName="demo-main-x", tags=lower(COPIED))
        definition = ecs.register_task_definition(
            family="demo-app",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[
                {"name": "app", "image": "nginx:1.27", "portMappings": [{"containerPort": 80}]}
            ],
            tags=lower(COPIED),
        )["taskDefinition"]["taskDefinitionArn"]
        ecs.create_service(
            cluster="demo-main-x",
            serviceName="demo-app",
            taskDefinition=definition,
            desiredCount=0,
            launchType="FARGATE",
            networkConfiguration={
                "awsvpcConfiguration": {"subnets": self.subnets, "securityGroups": [self.group]}
            },
            tags=lower(COPIED),
        )
        scaling = self.client("application-autoscaling", P)
        target = {
            "ServiceNamespace": "ecs",
            "ResourceId": "service/demo-main-x/demo-app",
            "ScalableDimension": "ecs:service:DesiredCount",
        }
        scaling.register_scalable_target(**target, MinCapacity=0, MaxCapacity=2)
        scaling.put_scaling_policy(
            **target,
            PolicyName="demo-app-cpu",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 50.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
            },
        )
        self.see("elbv2", P, "describe_load_balancers", LoadBalancerArns=[balancer])
        self.see("elbv2", P, "describe_target_groups", TargetGroupArns=[group])
        self.see("elbv2", P, "describe_listeners", LoadBalancerArn=balancer)
        self.see("elbv2", P, "describe_rules", ListenerArn=listener)
        self.see("ecs", P, "describe_clusters", clusters=["demo-main-x"], include=["TAGS", "SETTINGS"])
        self.see(
            "ecs", P, "describe_services", cluster="demo-main-x", services=["demo-app"], include=["TAGS"]
        )
        self.see("ecs", P, "describe_task_definition", taskDefinition=definition, include=["TAGS"])
        self.see("application-autoscaling", P, "describe_scaling_policies", **target)
        service = {"ServiceNamespace": "ecs", "ResourceIds": [target["ResourceId"]]}
        self.see("application-autoscaling", P, "describe_scalable_targets", **service)
