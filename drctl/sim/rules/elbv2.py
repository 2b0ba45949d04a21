"""What Elastic Load Balancing refuses and moto accepts."""

from __future__ import annotations

import json
import re
from typing import Any

from moto.acm.models import acm_backends
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.elbv2.ssl_policies import SSL_POLICIES
from moto.s3.models import s3_backends

from drctl.sim.call import Call, Refused
from drctl.sim.gaps.elbv2 import subnets_wanted
from drctl.sim.lifecycle.elbv2 import balancers_of
from drctl.sim.lifecycle.iam import principals, statements
from drctl.sim.registry import rule
from drctl.sim.world import World

NAME = re.compile(r"^(?!internal-)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$")
LOG_DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"
LOG_ACCOUNTS = {
    "us-east-1": "127311923021",
    "us-east-2": "033677994240",
    "us-west-1": "027434742980",
    "us-west-2": "797873946194",
    "eu-west-1": "156460612806",
    "eu-central-1": "054676820928",
}
"""Application Load Balancer user guide, "Enable access logs": Elastic Load Balancing's own account by region."""


@rule("elbv2", "CreateLoadBalancer", source="ELBv2 API reference, CreateLoadBalancer: Name")
def balancer_name_is_valid(call: Call, world: World) -> None:
    name = call.params["Name"]
    if not NAME.match(name):
        raise Refused("ValidationError", f"The load balancer name '{name}' is not valid")


@rule("elbv2", "CreateLoadBalancer", source="ELBv2 API reference: SubnetNotFound, InvalidSecurityGroup")
def network_of_balancer_exists(call: Call, world: World) -> None:
    backend = ec2_backends[call.account][call.region]
    known = {identifier for subnets in backend.subnets.values() for identifier in subnets}
    for identifier in subnets_wanted(call):
        if identifier not in known:
            raise Refused("SubnetNotFound", f"The subnet ID '{identifier}' does not exist")
    for identifier in call.params.get("SecurityGroups", []):
        group = backend.get_security_group_from_id(identifier)
        if group is None or group.vpc_id != backend.get_subnet(subnets_wanted(call)[0]).vpc_id:
            raise Refused("InvalidSecurityGroup", f"One or more security groups are invalid: {identifier}")


@rule(
    "elbv2",
    "CreateLoadBalancer",
    source='"At least two subnets in two different Availability Zones must be specified" (ValidationError); '
    '"A load balancer cannot be attached to multiple subnets in the same Availability Zone" '
    "(InvalidConfigurationRequest)",
)
def balancer_spans_two_zones(call: Call, world: World) -> None:
    backend = ec2_backends[call.account][call.region]
    if call.params.get("Type", "application") != "application":
        return
    subnets = [backend.get_subnet(identifier) for identifier in subnets_wanted(call)]
    zones = {subnet.availability_zone for subnet in subnets}
    if len(zones) < len(subnets):
        raise Refused(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if len(zones) < 2:
        raise Refused(
            "ValidationError", "At least two subnets in two different Availability Zones must be specified"
        )


@rule("elbv2", "CreateLoadBalancer", source='"VPC vpc-... has no internet gateway" (InvalidSubnet)')
def internet_facing_needs_an_internet_gateway(call: Call, world: World) -> None:
    backend = ec2_backends[call.account][call.region]
    vpc = backend.get_subnet(subnets_wanted(call)[0]).vpc_id
    attached = any(gateway.vpc and gateway.vpc.id == vpc for gateway in backend.internet_gateways.values())
    if call.params.get("Scheme", "internet-facing") == "internet-facing" and not attached:
        raise Refused("InvalidSubnet", f"VPC {vpc} has no internet gateway")


@rule(
    "elbv2",
    "DeleteLoadBalancer",
    source="\"Load balancer '...' cannot be deleted because deletion protection is enabled\" (OperationNotPermitted)",
)
def deletion_protection_holds(call: Call, world: World) -> None:
    arn = call.params["LoadBalancerArn"]
    balancer = elbv2_backends[call.account][call.region].load_balancers.get(arn)
    if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
        raise Refused(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )


@rule(
    "elbv2",
    "CreateListener",
    "ModifyListener",
    source='"A certificate must be specified for HTTPS listeners" (ValidationError); '
    "ELBv2 API reference: SSLPolicyNotFound, CertificateNotFound",
)
def https_needs_certificate_and_policy(call: Call, world: World) -> None:
    protocol = call.params.get("Protocol")
    if protocol == "HTTPS" and call.operation == "CreateListener" and not call.params.get("Certificates"):
        raise Refused("ValidationError", "A certificate must be specified for HTTPS listeners")
    if protocol == "HTTP" and call.params.get("Certificates"):
        raise Refused("ValidationError", "Certificates cannot be specified for HTTP listeners")
    policy = call.params.get("SslPolicy")
    if policy is not None and policy not in SSL_POLICIES:
        raise Refused("SSLPolicyNotFound", f"SSL policy '{policy}' not found")


@rule(
    "elbv2",
    "CreateListener",
    "ModifyListener",
    "AddListenerCertificates",
    source="\"The certificate '...' must have a fully-qualified domain name, a supported signature, and a supported "
    'key size." (UnsupportedCertificate): ACM certificates must be issued, and in the region',
)
def certificate_is_issued(call: Call, world: World) -> None:
    for wanted in call.params.get("Certificates", []):
        arn = wanted["CertificateArn"]
        if ":acm:" not in arn:
            continue
        if f":acm:{call.region}:" not in arn:
            raise Refused("ValidationError", f"Certificate ARN '{arn}' is not valid")
        certificate = acm_backends[call.account][call.region]._certificates.get(arn)
        if certificate is None:
            raise Refused("CertificateNotFound", f"Certificate '{arn}' not found")
        if certificate.status != "ISSUED":
            raise Refused(
                "UnsupportedCertificate",
                f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a "
                "supported key size.",
            )


@rule(
    "elbv2",
    "CreateListener",
    "CreateRule",
    "ModifyListener",
    "ModifyRule",
    source='"The following target groups cannot be associated with more than one load balancer: ..." '
    "(TargetGroupAssociationLimit)",
)
def target_group_serves_one_balancer(call: Call, world: World) -> None:
    backend = elbv2_backends[call.account][call.region]
    owner = call.params.get("LoadBalancerArn") or call.params.get("ListenerArn") or call.params["RuleArn"]
    own = owner.replace(":listener-rule/", ":loadbalancer/").replace(":listener/", ":loadbalancer/")
    for action in call.params.get("DefaultActions", call.params.get("Actions", [])):
        for arn in backend._get_target_group_arns_from(action_data=action):
            if any(not own.startswith(balancer) for balancer in balancers_of(backend, arn)):
                raise Refused(
                    "TargetGroupAssociationLimit",
                    f"The following target groups cannot be associated with more than one load balancer: {arn}",
                )


@rule(
    "elbv2",
    "DescribeTags",
    "AddTags",
    "RemoveTags",
    source="ELBv2 API reference: LoadBalancerNotFound and friends",
)
def tagged_resource_exists(call: Call, world: World) -> None:
    backend = elbv2_backends[call.account][call.region]
    for arn in call.params["ResourceArns"]:
        try:
            backend._get_resource_by_arn(arn)
        except Exception as error:
            code = str(getattr(error, "code", None) or getattr(error, "error_type", "LoadBalancerNotFound"))
            raise Refused(code, str(getattr(error, "message", error))) from error


@rule(
    "elbv2",
    "ModifyLoadBalancerAttributes",
    source='"Access Denied for bucket: .... Please check S3bucket permission" (InvalidConfigurationRequest); '
    'Application Load Balancer user guide, "Enable access logs": policy of the bucket, SSE-S3 only, same region',
)
def access_log_bucket_can_be_written(call: Call, world: World) -> None:
    backend = elbv2_backends[call.account][call.region]
    balancer = backend.load_balancers.get(call.params["LoadBalancerArn"])
    wanted = {held["Key"]: held["Value"] for held in call.params["Attributes"]}
    if balancer is None or wanted.get("access_logs.s3.enabled") != "true":
        return
    name = wanted.get("access_logs.s3.bucket") or balancer.attrs.get("access_logs.s3.bucket", "")
    bucket = s3_backends[call.account]["aws"].buckets.get(name)
    if bucket is None or bucket.region_name != call.region:
        raise Refused("InvalidConfigurationRequest", f"The bucket '{name}' does not exist in this region")
    if encrypted_by_kms(bucket) or not writable(bucket, call.region):
        raise Refused(
            "InvalidConfigurationRequest",
            f"Access Denied for bucket: {name}. Please check S3bucket permission",
        )


def encrypted_by_kms(bucket: Any) -> bool:
    """The only encryption a log bucket may have is SSE-S3."""
    return "aws:kms" in json.dumps(bucket.encryption or {}, default=str)


def writable(bucket: Any, region: str) -> bool:
    """Whether the bucket's policy lets Elastic Load Balancing put objects."""
    owner = LOG_ACCOUNTS.get(region, "")
    for statement in statements(json.loads(bucket.policy or b"{}")):
        actions = statement.get("Action", [])
        named = principals(statement, "Service") + principals(statement, "AWS")
        puts = {"s3:PutObject", "s3:*", "*"} & set([actions] if isinstance(actions, str) else actions)
        ours = {LOG_DELIVERY, owner, f"arn:aws:iam::{owner}:root", "*"} & set(named)
        if statement.get("Effect") == "Allow" and puts and ours:
            return True
    return False
