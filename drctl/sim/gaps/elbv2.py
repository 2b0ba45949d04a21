"""Elastic Load Balancing as moto lacks it: repeats of the same create, interfaces, and targets with a health."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends

from drctl.sim.call import Answer, Call, Moto, Refused
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.lifecycle.ec2_interfaces import attach
from drctl.sim.lifecycle.elbv2 import PROVISIONING, deregister, health, register
from drctl.sim.registry import after, gap
from drctl.sim.world import World

HOSTED_ZONES = {
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-east-2": "Z3AADJGX6KTTL2",
    "us-west-1": "Z368ELLRRE2KJ0",
    "us-west-2": "Z1H1FL5HABSF5",
    "eu-central-1": "Z215JYRZR1TBD5",
    "eu-west-1": "Z32O12XQLNTSW2",
    "eu-west-2": "ZHURV8PSTC4K8",
    "eu-west-3": "Z3Q77PNBQS71R4",
    "eu-north-1": "Z23TAZ6LKFMNIO",
    "ap-northeast-1": "Z14GRHDCWA56QT",
    "ap-southeast-1": "Z1LMS91P8CMLE5",
    "ap-southeast-2": "Z1GM3OXH4ZPM65",
    "ap-south-1": "ZP97RAFLXTNZK",
    "ca-central-1": "ZQSVJUPU6J1EY",
    "sa-east-1": "Z2P70J7HTTTPLU",
}
"""AWS General Reference, "Elastic Load Balancing endpoints": the zone that an alias record names."""

BALANCER_DEFAULTS = {
    "access_logs.s3.enabled": "false",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
"""ELBv2 API reference, LoadBalancerAttribute: what an application load balancer starts with and moto leaves out."""


@gap("elbv2", "CreateLoadBalancer")
def create_load_balancer(call: Call, world: World, moto: Moto) -> Answer:
    """The same settings return the same load balancer (ELBv2 API reference, CreateLoadBalancer: idempotent)."""
    name = call.params["Name"]
    backend = elbv2_backends[call.account][call.region]
    for balancer in backend.load_balancers.values():
        if balancer.name == name:
            if settings_of(balancer) != settings_wanted(call):
                raise Refused(
                    "DuplicateLoadBalancerName",
                    f"A load balancer with the same name '{name}' exists, but with different settings",
                )
            return moto(as_describe(call, "DescribeLoadBalancers", {"LoadBalancerArns": [balancer.arn]}))
    made = moto(call)["LoadBalancers"][0]
    balancer = backend.load_balancers[made["LoadBalancerArn"]]
    suffix = balancer.arn.rsplit("/", 1)[1]
    balancer.security_groups = sorted(groups_wanted(call))
    balancer.scheme = call.params.get("Scheme", "internet-facing")
    balancer.canonical_hosted_zone_id = HOSTED_ZONES.get(call.region, balancer.canonical_hosted_zone_id)
    prefix = "internal-" if balancer.scheme == "internal" else ""
    balancer.dns_name = f"{prefix}{name}-{int(suffix[:7], 16)}.{call.region}.elb.amazonaws.com"
    balancer.attrs = {**BALANCER_DEFAULTS, **balancer.attrs, "load_balancing.cross_zone.enabled": "true"}
    world.section("elbv2.interfaces")[balancer.arn] = [
        attach(
            call.account,
            call.region,
            subnet.id,
            balancer.security_groups,
            f"ELB app/{name}/{suffix}",
            public=balancer.scheme == "internet-facing",
        )[0]
        for subnet in balancer.subnets
    ]
    world.begin(PROVISIONING, balancer.arn, "provisioning", DURATIONS["load-balancer"].ready)
    return moto(as_describe(call, "DescribeLoadBalancers", {"LoadBalancerArns": [balancer.arn]}))


def as_describe(call: Call, operation: str, params: dict[str, Any]) -> Call:
    return Call(call.service, operation, call.region, call.account, params, call.now)


def groups_wanted(call: Call) -> list[str]:
    """Without a group the load balancer gets the default one of its VPC."""
    if groups := call.params.get("SecurityGroups"):
        return list(groups)
    backend: Any = ec2_backends[call.account][call.region]
    vpc = backend.get_subnet(subnets_wanted(call)[0]).vpc_id
    return [backend.get_default_security_group(vpc).id]


def subnets_wanted(call: Call) -> list[str]:
    mapped = [mapping["SubnetId"] for mapping in call.params.get("SubnetMappings", [])]
    return mapped or list(call.params.get("Subnets", []))


def settings_wanted(call: Call) -> tuple[Any, ...]:
    return (
        call.params.get("Scheme", "internet-facing"),
        call.params.get("Type", "application"),
        call.params.get("IpAddressType", "ipv4"),
        sorted(subnets_wanted(call)),
        sorted(groups_wanted(call)),
    )


def settings_of(balancer: Any) -> tuple[Any, ...]:
    return (
        balancer.scheme,
        balancer.type,
        balancer.ip_address_type,
        sorted(subnet.id for subnet in balancer.subnets),
        sorted(balancer.security_groups),
    )


@gap("elbv2", "DeleteLoadBalancer")
def delete_load_balancer(call: Call, world: World, moto: Moto) -> Answer:
    """Gone at once; its interfaces linger and keep the subnets and groups in use."""
    arn = call.params["LoadBalancerArn"]
    answer = moto(call)
    world.transitions.pop((PROVISIONING, arn), None)
    if interfaces := world.section("elbv2.interfaces").pop(arn, []):
        world.later(
            DURATIONS["load-balancer"].gone,
            "ec2.interfaces-released",
            account=call.account,
            region=call.region,
            interfaces=interfaces,
        )
    return answer


@gap("elbv2", "SetSecurityGroups")
def set_security_groups(call: Call, world: World, moto: Moto) -> Answer:
    answer = moto(call)
    backend = ec2_backends[call.account][call.region]
    for identifier in world.section("elbv2.interfaces").get(call.params["LoadBalancerArn"], []):
        backend.enis[identifier]._group_set = [
            backend.get_security_group_from_id(group) for group in call.params["SecurityGroups"]
        ]
    return answer


GROUP_DEFAULTS = {
    "TargetType": "instance",
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPath": "/",
    "HealthCheckPort": "traffic-port",
    "HealthCheckIntervalSeconds": 30,
    "HealthCheckTimeoutSeconds": 5,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 2,
    "Matcher": {"HttpCode": "200"},
    "ProtocolVersion": "HTTP1",
    "HealthCheckEnabled": True,
}


@gap("elbv2", "CreateTargetGroup")
def create_target_group(call: Call, world: World, moto: Moto) -> Answer:
    """ELBv2 API reference, CreateTargetGroup: the same settings return the same group."""
    name = call.params["Name"]
    for group in elbv2_backends[call.account][call.region].target_groups.values():
        if group.name == name:
            answer = moto(as_describe(call, "DescribeTargetGroups", {"TargetGroupArns": [group.arn]}))
            wanted = {**GROUP_DEFAULTS, **call.params}
            shown = answer["TargetGroups"][0]
            compared = (*GROUP_DEFAULTS, "Protocol", "Port", "VpcId")
            if any(shown.get(setting) != wanted.get(setting) for setting in compared):
                raise Refused(
                    "DuplicateTargetGroupName",
                    f"A target group with the same name '{name}' exists, but with different settings",
                )
            return answer
    return moto(call)


@gap("elbv2", "CreateListener")
def create_listener(call: Call, world: World, moto: Moto) -> Answer:
    """ELBv2 API reference, CreateListener: the same settings on the same port return the same listener."""
    arn = call.params["LoadBalancerArn"]
    balancer = elbv2_backends[call.account][call.region].load_balancers.get(arn)
    for listener in balancer.listeners.values() if balancer is not None else ():
        if int(listener.port) != call.params.get("Port"):
            continue
        answer = moto(as_describe(call, "DescribeListeners", {"ListenerArns": [listener.arn]}))
        shown = answer["Listeners"][0]
        certificates = [held["CertificateArn"] for held in shown.get("Certificates", [])]
        wanted = [held["CertificateArn"] for held in call.params.get("Certificates", [])]
        same = shown["Protocol"] == call.params.get("Protocol") and certificates == wanted
        if same and comparable(shown["DefaultActions"]) == comparable(call.params["DefaultActions"]):
            return answer
        raise Refused(
            "DuplicateListener", f"A listener already exists on this port for this load balancer '{arn}'"
        )
    return moto(call)


def comparable(actions: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Actions without what AWS fills in by itself."""
    return [
        (
            action["Type"],
            action.get("TargetGroupArn"),
            sorted((action.get("RedirectConfig") or {}).items()),
            sorted((action.get("FixedResponseConfig") or {}).items()),
        )
        for action in actions
    ]


@gap("elbv2", "RegisterTargets")
def register_targets(call: Call, world: World, moto: Moto) -> Answer:
    arn = call.params["TargetGroupArn"]
    answer = moto(call)
    default = int(elbv2_backends[call.account][call.region].target_groups[arn].port)
    for target in call.params["Targets"]:
        register(world, call.account, call.region, arn, target["Id"], target.get("Port", default))
    return answer


@gap("elbv2", "DeregisterTargets")
def deregister_targets(call: Call, world: World, moto: Moto) -> Answer:
    answer = moto(call)
    for target in call.params["Targets"]:
        deregister(world, call.account, call.region, call.params["TargetGroupArn"], target["Id"])
    return answer


@gap("elbv2", "DescribeTargetHealth")
def describe_target_health(call: Call, world: World, moto: Moto) -> Answer:
    arn = call.params["TargetGroupArn"]
    shown = {entry["Target"]["Id"]: entry for entry in health(world, call.account, call.region, arn)}
    described = moto(call)["TargetHealthDescriptions"]
    if "Targets" in call.params:
        return {"TargetHealthDescriptions": [shown.get(entry["Target"]["Id"], entry) for entry in described]}
    return {"TargetHealthDescriptions": list(shown.values())}


@after("elbv2", "ModifyTargetGroupAttributes")
def modified_attributes_are_all_shown(call: Call, world: World, answer: Answer) -> None:
    """ELBv2 API reference: the answer holds the group's attributes, not only the changed ones."""
    group = elbv2_backends[call.account][call.region].target_groups[call.params["TargetGroupArn"]]
    answer["Attributes"] = [{"Key": key, "Value": str(value)} for key, value in group.attributes.items()]


@after("elbv2", "DescribeTargetGroups")
def each_balancer_once(call: Call, world: World, answer: Answer) -> None:
    """ELBv2 API reference: the ARNs of the balancers; moto lists one again for each listener and rule."""
    for group in answer["TargetGroups"]:
        group["LoadBalancerArns"] = list(dict.fromkeys(group.get("LoadBalancerArns", [])))
