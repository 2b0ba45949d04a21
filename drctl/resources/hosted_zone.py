"""A public DNS zone of Route 53: one of our own, or an existing one that is only made use of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws.errors import tolerating_absence
from drctl.aws.route53 import absolute, caller_reference, change_records, is_ours, tag, tag_drift
from drctl.engine.resource import Given, Observed, Repeat, Resource, StaysBehind, differences, resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_route53.type_defs import DelegationSetTypeDef, GetHostedZoneResponseTypeDef

    from drctl.aws.clients import Aws


@dataclass(frozen=True)
class HostedZoneOutputs:
    """``name_servers``: what the parent domain has to delegate to, joined by commas."""

    zone_id: str
    name_servers: str


@resource
class HostedZone(Resource[HostedZoneOutputs]):
    """``zone_id``: an existing zone, which is adopted: never tagged, never deleted. None: a zone of our own."""

    kind: ClassVar[str] = "hosted-zone"
    repeat: ClassVar[Repeat] = Repeat.TOKEN
    fixed: ClassVar[frozenset[str]] = frozenset({"domain", "zone"})

    domain: str
    zone_id: str | None = None

    def read(self, aws: Aws, given: Given) -> Observed[HostedZoneOutputs] | None:
        found = self._find(aws, given)
        if found is None:
            return None
        outputs = _outputs(found["HostedZone"]["Id"], found["DelegationSet"])
        if outputs.zone_id == self.zone_id:
            return Observed(outputs)
        drift = differences(
            {"domain": found["HostedZone"]["Name"], "zone": outputs.zone_id},
            {"domain": absolute(self.domain), "zone": self.zone_id or outputs.zone_id},
        )
        tags = tag_drift(aws, given, self, "hostedzone", outputs.zone_id)
        return Observed(outputs, drift={**drift, **tags})

    def create(self, aws: Aws, given: Given) -> HostedZoneOutputs:
        if self.zone_id is not None:
            existing = aws.route53().get_hosted_zone(Id=self.zone_id)
            return _outputs(self.zone_id, existing["DelegationSet"])
        made = aws.route53().create_hosted_zone(
            Name=self.domain,
            CallerReference=caller_reference(given, self),
            HostedZoneConfig={"Comment": f"drctl environment {given.environment}"},
        )
        return _outputs(made["HostedZone"]["Id"], made["DelegationSet"])

    def update(self, aws: Aws, given: Given, observed: Observed[HostedZoneOutputs]) -> None:
        tag(aws, given, self, "hostedzone", observed.outputs.zone_id)

    def delete(self, aws: Aws, outputs: HostedZoneOutputs) -> None:
        """A zone of our own goes with whatever else was put into it: it cannot go otherwise."""
        if outputs.zone_id == self.zone_id:
            raise StaysBehind(f"{self.zone_id} was there before drctl")
        route53 = aws.route53()
        apex = route53.get_hosted_zone(Id=outputs.zone_id)["HostedZone"]["Name"]
        pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=outputs.zone_id)
        left = [
            record
            for page in pages
            for record in page["ResourceRecordSets"]
            if not (record["Name"] == apex and record["Type"] in ("NS", "SOA"))
        ]
        change_records(
            aws, outputs.zone_id, [{"Action": "DELETE", "ResourceRecordSet": each} for each in left]
        )
        route53.delete_hosted_zone(Id=outputs.zone_id)

    def _find(self, aws: Aws, given: Given) -> GetHostedZoneResponseTypeDef | None:
        """The recorded zone if it is ours or wanted, else the wanted one, else one made by a run that crashed."""
        route53, recorded = aws.route53(), given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                found = route53.get_hosted_zone(Id=recorded.zone_id)
                if recorded.zone_id == self.zone_id or self._is_ours(given, found["HostedZone"]):
                    return found
        if self.zone_id is not None:
            with tolerating_absence():
                return route53.get_hosted_zone(Id=self.zone_id)
            return None
        for zone in route53.list_hosted_zones_by_name(DNSName=absolute(self.domain))["HostedZones"]:
            ours = zone["Name"] == absolute(self.domain) and self._is_ours(given, zone)
            if ours and _bare(zone["Id"]) not in given.others:
                with tolerating_absence():
                    return route53.get_hosted_zone(Id=zone["Id"])
        return None

    def _is_ours(self, given: Given, zone: Mapping[str, object]) -> bool:
        return is_ours(given, self, str(zone["CallerReference"]))


def _outputs(id: str, delegation: DelegationSetTypeDef) -> HostedZoneOutputs:
    return HostedZoneOutputs(_bare(id), ",".join(delegation["NameServers"]))


def _bare(id: str) -> str:
    """Route 53 puts ``/hostedzone/`` before the ids it shows."""
    return id.removeprefix("/hostedzone/")
