"""What stands in front of both regions: names, certificates, health checks, the failover records, CloudFront."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drctl.aws.clients import GLOBAL_REGION
from drctl.resources.certificate import Certificate
from drctl.resources.distribution import Distribution
from drctl.resources.health_check import AlarmCheck, CalculatedCheck, EndpointCheck, HealthCheck
from drctl.resources.hosted_zone import HostedZone
from drctl.resources.origin_access_control import OriginAccessControl
from drctl.resources.output_of import OutputOf
from drctl.resources.record_set import RecordSet
from drctl.resources.s3_bucket_policy import S3BucketPolicy
from drctl.topology.scope import GLOBAL, Graph, Role, Scope, Side

if TYPE_CHECKING:
    from drctl.resources.alarm import Alarm
    from drctl.topology.compute import Site
    from drctl.topology.data import Stores
    from drctl.topology.foundation import Foundation


@dataclass(frozen=True)
class Domain:
    """The zone, and a certificate for the domain in each region that needs one: both, and CloudFront's us-east-1."""

    name: str
    zone: HostedZone
    certificates: dict[str, Certificate]


@dataclass(frozen=True)
class Checks:
    """The primary counts as healthy when its endpoint is and nobody has thrown the switch."""

    primary: HealthCheck
    standby: HealthCheck


def names(graph: Graph, scope: Scope) -> Domain | None:
    """The hosted zone and the certificates; None in a trial without a domain."""
    wanted = scope.settings.domain
    if wanted is None:
        return None
    zone = graph.add(HostedZone(name="main", region=GLOBAL, domain=wanted.name, zone_id=wanted.zone_id))
    regions = sorted({scope.primary.region, scope.standby.region, GLOBAL_REGION})
    return Domain(
        wanted.name,
        zone,
        {
            region: graph.add(Certificate(name="main", region=region, domain=wanted.name, zone=zone))
            for region in regions
        },
    )


def health_checks(graph: Graph, scope: Scope, sites: Mapping[Role, Site], switch: Alarm) -> Checks:
    """Per region on the region's own name; the switch, watched through its alarm; and the two of P combined.

    The switch is on the data plane of the standby: to throw it, publish a metric there. No Route 53 change is needed.
    """
    endpoint = {side.role: _endpoint(graph, scope, side, sites[side.role]) for side in scope.sides}
    switched = graph.add(HealthCheck(name="switch", region=GLOBAL, checks=AlarmCheck(switch)))
    combined = CalculatedCheck(children=(endpoint["primary"], switched), threshold=2)
    return Checks(graph.add(HealthCheck(name="primary", region=GLOBAL, checks=combined)), endpoint["standby"])


def edge(
    graph: Graph,
    scope: Scope,
    base: Foundation,
    stores: Stores,
    sites: Mapping[Role, Site],
    domain: Domain | None,
    checks: Checks,
) -> None:
    """Names that follow the failover, and CloudFront, which fails over reads by itself."""
    if domain is not None:
        _records(graph, scope, sites, domain, checks)
    control = graph.add(OriginAccessControl(name="assets", region=GLOBAL, aws_name=scope.named("assets")))
    assets = stores.buckets[0]
    distribution = graph.add(
        Distribution(
            name="main",
            region=GLOBAL,
            comment=f"{scope.settings.environment}, by drctl",
            aliases=(domain.name,) if domain else (),
            certificate=domain.certificates[GLOBAL_REGION] if domain else None,
            primary=sites["primary"].load_balancer,
            standby=sites["standby"].load_balancer,
            primary_host=scope.host(scope.primary),
            standby_host=scope.host(scope.standby),
            failover_host=scope.failover_host,
            assets=(assets["primary"], assets["standby"]),
            oac=control,
            log_bucket=base.log_buckets["primary"],
            price_class=scope.settings.edge.price_class,
            web_acl_arn=scope.settings.edge.web_acl_arn,
        )
    )
    for pair in stores.buckets:
        reader = distribution if pair is assets else None
        for bucket in pair.values():
            graph.add(
                S3BucketPolicy(name=bucket.name, region=bucket.region, bucket=bucket, distribution=reader)
            )
    if domain is not None:
        for record_type in ("A", "AAAA"):
            graph.add(
                RecordSet(
                    name=f"domain-{record_type.lower()}",
                    region=GLOBAL,
                    zone=domain.zone,
                    record_name=domain.name,
                    type=record_type,
                    alias=distribution,
                    evaluate_target_health=False,
                    failover=None,
                    health_check=None,
                )
            )


def _endpoint(graph: Graph, scope: Scope, side: Side, site: Site) -> HealthCheck:
    host, settings = scope.host(side), scope.settings
    check = EndpointCheck(
        host=host or OutputOf(site.load_balancer, "dns_name"),
        port=443 if host else 80,
        path=settings.services[0].health_path,
        https=host is not None,
        interval=settings.health_check.interval,
        threshold=settings.health_check.threshold,
    )
    return graph.add(HealthCheck(name=f"endpoint-{side.role}", region=GLOBAL, checks=check))


def _records(graph: Graph, scope: Scope, sites: Mapping[Role, Site], domain: Domain, checks: Checks) -> None:
    by_role = {"primary": checks.primary, "standby": checks.standby}
    for side in scope.sides:
        balancer = sites[side.role].load_balancer
        graph.add(
            RecordSet(
                name=f"region-{side.role}",
                region=GLOBAL,
                zone=domain.zone,
                record_name=scope.host(side) or "",
                type="A",
                alias=balancer,
                evaluate_target_health=False,
                failover=None,
                health_check=None,
            )
        )
        graph.add(
            RecordSet(
                name=f"failover-{side.role}",
                region=GLOBAL,
                zone=domain.zone,
                record_name=scope.failover_host or "",
                type="A",
                alias=balancer,
                evaluate_target_health=True,
                failover="PRIMARY" if side.role == "primary" else "SECONDARY",
                health_check=by_role[side.role],
            )
        )
