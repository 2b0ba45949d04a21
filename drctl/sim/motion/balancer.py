"""Application load balancers at work: listener, rules, a healthy target, and the application on it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends

from drctl.sim.call import Moto
from drctl.sim.lifecycle import elbv2
from drctl.sim.lifecycle.acm import certificate_of, listener_certificates, names_of
from drctl.sim.motion import application, network_acl, outage
from drctl.sim.motion.http import Request, Response
from drctl.sim.motion.pattern import covers, matches
from drctl.sim.world import World

TRAFFIC = "balancer-traffic"
"""World's section: (load balancer ARN, target group ARN or "") -> CloudWatch's name of a metric -> how often so far."""

OWN = {"Server": "awselb/2.0", "Content-Type": "text/html"}
"""The headers of what a load balancer answers by itself."""


def answer(world: World, moto: Moto, arn: str, port: int, request: Request) -> Response | None:
    """What a load balancer answers on a port; None: nobody is there, or the request cannot get there."""
    listener = listening(world, arn, port)
    if listener is None or (listener.protocol == "HTTPS") != request.secure:
        return None
    action = _action(listener, request)
    if action["Type"] == "redirect":
        return _redirect(action["RedirectConfig"], request, port)
    if action["Type"] == "fixed-response":
        return _fixed(action["FixedResponseConfig"])
    group = _target_group(action)
    account, region = _place(arn)
    target = healthy_target(world, account, region, group)
    if target is None:
        _count(world, arn, "", "HTTPCode_ELB_5XX_Count", "HTTPCode_ELB_503_Count")
        return Response(503, OWN, b"<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>")
    response = application.answer(world, moto, account, region, group, target, request)
    for seen_by in ("", group):
        _count(world, arn, seen_by, "RequestCount", f"HTTPCode_Target_{response.status // 100}XX_Count")
    return response


def listening(world: World, arn: str, port: int) -> Any | None:
    """moto's listener on a port, if it can be reached from the internet; None: nobody is there.

    The region is out, the load balancer is gone or not ready yet, or the network ACLs of all its subnets deny.
    """
    account, region = _place(arn)
    balancer = elbv2_backends[account][region].load_balancers.get(arn)
    if balancer is None or outage.is_out(world, region) or world.status(elbv2.PROVISIONING, arn) is not None:
        return None
    if balancer.scheme == "internal":
        return None
    listener = next((each for each in balancer.listeners.values() if int(each.port) == port), None)
    network = ec2_backends[account][region]
    if not any(network_acl.admits(network, subnet.id, port) for subnet in balancer.subnets):
        return None
    return listener


def certificate(world: World, arn: str, port: int, host: str) -> tuple[str, ...] | None:
    """The names of the certificate that a listener presents for a host; None: it has none that fits."""
    listener = listening(world, arn, port)
    if listener is None or listener.protocol != "HTTPS":
        return None
    account, region = _place(arn)
    for held in listener_certificates(listener):
        found = certificate_of(account, region, held)
        names = tuple(names_of(found)) if found is not None and found.status == "ISSUED" else ()
        if any(covers(name, host) for name in names):
            return names
    return None


def healthy_target(world: World, account: str, region: str, target_group: str) -> str | None:
    """The address of a target that requests may be sent to; always the same while it is healthy."""
    for shown in elbv2.health(world, account, region, target_group):
        if shown["TargetHealth"]["State"] == "healthy":
            return str(shown["Target"]["Id"])
    return None


def _place(arn: str) -> tuple[str, str]:
    """Account and region."""
    _, _, _, region, account, _ = arn.split(":", 5)
    return account, region


def _action(listener: Any, request: Request) -> dict[str, Any]:
    """The deciding action, which is the last one: authentication comes before it and is not done here."""
    rules = [rule for rule in listener.rules.values() if not rule.is_default]
    for rule in sorted(rules, key=lambda rule: int(rule.priority)):
        if all(_holds(condition, request) for condition in rule.conditions):
            return _last(rule.actions)
    return _last(listener.default_actions)


def _last(actions: list[Any]) -> dict[str, Any]:
    data: dict[str, Any] = actions[-1].data
    return data


def _holds(condition: dict[str, Any], request: Request) -> bool:
    """Paths and hosts; a condition on anything else never holds."""
    field = condition["Field"]
    config = condition.get("PathPatternConfig") or condition.get("HostHeaderConfig") or {}
    values = condition.get("Values") or config.get("Values") or []
    if field == "path-pattern":
        return any(matches(value, request.route) for value in values)
    return field == "host-header" and any(matches(value.lower(), request.host) for value in values)


def _target_group(action: dict[str, Any]) -> str:
    """Of several weighted groups, the heaviest gets everything."""
    if "TargetGroupArn" in action:
        return str(action["TargetGroupArn"])
    groups = action["ForwardConfig"]["TargetGroups"]
    return str(max(groups, key=lambda group: int(group.get("Weight", 1)))["TargetGroupArn"])


def _redirect(config: dict[str, Any], request: Request, port: int) -> Response:
    """User guide, "Redirect actions": what is not set is kept from the request, port included."""
    split = urlsplit(request.path)
    kept = {
        "#{protocol}": "https" if request.secure else "http",
        "#{host}": request.host,
        "#{port}": str(port),
        "#{path}": split.path.lstrip("/"),
        "#{query}": split.query,
    }

    def filled(member: str, default: str) -> str:
        text = str(config.get(member) or default)
        for placeholder, value in kept.items():
            text = text.replace(placeholder, value)
        return text

    query = filled("Query", "#{query}")
    location = (
        f"{filled('Protocol', '#{protocol}').lower()}://{filled('Host', '#{host}')}:{filled('Port', '#{port}')}"
        f"{filled('Path', '/#{path}')}{'?' if query else ''}{query}"
    )
    return Response(int(config["StatusCode"].removeprefix("HTTP_")), {**OWN, "Location": location})


def _fixed(config: dict[str, Any]) -> Response:
    headers = {**OWN, "Content-Type": config.get("ContentType") or "text/plain"}
    return Response(int(config["StatusCode"]), headers, str(config.get("MessageBody") or "").encode())


def _count(world: World, arn: str, target_group: str, *metrics: str) -> None:
    counted = world.section(TRAFFIC).setdefault((arn, target_group), {})
    for metric in metrics:
        counted[metric] = counted.get(metric, 0) + 1
