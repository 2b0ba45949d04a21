"""An alias record of Route 53, alone or one half of a failover pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from drctl.aws.errors import tolerating_absence
from drctl.aws.route53 import absolute, change_records, records_at
from drctl.engine.resource import Given, NotOurs, Observed, Resource, differences, resource
from drctl.resources.distribution import Distribution
from drctl.resources.health_check import HealthCheck
from drctl.resources.hosted_zone import HostedZone
from drctl.resources.load_balancer import LoadBalancer

if TYPE_CHECKING:
    from mypy_boto3_route53.type_defs import ResourceRecordSetTypeDef

    from drctl.aws.clients import Aws

CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
"""The zone of every distribution's name (AliasTarget API reference, HostedZoneId)."""

RecordType = Literal["A", "AAAA", "CNAME"]


@dataclass(frozen=True)
class RecordSetOutputs:
    """``record_id``: ``name|type|set identifier``, the last empty for a record alone of its name and type."""

    record_id: str
    zone_id: str


@resource
class RecordSet(Resource[RecordSetOutputs]):
    """Records carry no tags. Ours is the one we recorded, one that has our set identifier, or one that is word for
    word what we want (a crash can have come before the recording); any other of the name is somebody else's.

    evaluate_target_health must be False for a distribution (AliasTarget API reference).
    """

    kind: ClassVar[str] = "record-set"
    fixed: ClassVar[frozenset[str]] = frozenset({"record", "zone"})

    zone: HostedZone
    record_name: str
    type: RecordType
    alias: LoadBalancer | Distribution
    evaluate_target_health: bool
    failover: Literal["PRIMARY", "SECONDARY"] | None = None
    health_check: HealthCheck | None = None

    def read(self, aws: Aws, given: Given) -> Observed[RecordSetOutputs] | None:
        recorded = given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                for record in _same(aws, recorded):
                    return self._observed(given, recorded, record)
        outputs = self._outputs(given)
        with tolerating_absence():
            for record in records_at(aws, outputs.zone_id, self.record_name, self.type):
                if record.get("SetIdentifier", "") == self._set_identifier(given):
                    observed = self._observed(given, outputs, record)
                    if self.failover is None and observed.drift:
                        raise NotOurs(f"{self.record_name} has a record {self.type} that drctl did not make")
                    return observed
                if not record.get("SetIdentifier", "").startswith(_mark(given)):
                    raise NotOurs(f"{self.record_name} has a record {self.type} that drctl did not make")
        return None

    def create(self, aws: Aws, given: Given) -> RecordSetOutputs:
        outputs = self._outputs(given)
        record = self._record(given)
        change_records(aws, outputs.zone_id, [{"Action": "CREATE", "ResourceRecordSet": record}])
        return outputs

    def update(self, aws: Aws, given: Given, observed: Observed[RecordSetOutputs]) -> None:
        record = self._record(given)
        change_records(aws, observed.outputs.zone_id, [{"Action": "UPSERT", "ResourceRecordSet": record}])

    def delete(self, aws: Aws, outputs: RecordSetOutputs) -> None:
        """Route 53 wants to hear the record as it is."""
        for record in _same(aws, outputs):
            change_records(aws, outputs.zone_id, [{"Action": "DELETE", "ResourceRecordSet": record}])

    def _observed(
        self, given: Given, outputs: RecordSetOutputs, record: ResourceRecordSetTypeDef
    ) -> Observed[RecordSetOutputs]:
        wanted = self._outputs(given)
        drift = differences(
            {"record": outputs.record_id, "zone": outputs.zone_id, **_settings(record)},
            {"record": wanted.record_id, "zone": wanted.zone_id, **_settings(self._record(given))},
        )
        return Observed(outputs, drift=drift)

    def _outputs(self, given: Given) -> RecordSetOutputs:
        record_id = "|".join((absolute(self.record_name), self.type, self._set_identifier(given)))
        return RecordSetOutputs(record_id, given[self.zone].zone_id)

    def _set_identifier(self, given: Given) -> str:
        return f"{_mark(given)}{self.failover.lower()}" if self.failover else ""

    def _record(self, given: Given) -> ResourceRecordSetTypeDef:
        if isinstance(self.alias, Distribution):
            target, zone_id = given[self.alias].domain_name, CLOUDFRONT_ZONE
        else:
            target, zone_id = given[self.alias].dns_name, given[self.alias].canonical_zone_id
        record: ResourceRecordSetTypeDef = {
            "Name": absolute(self.record_name),
            "Type": self.type,
            "AliasTarget": {
                "HostedZoneId": zone_id,
                "DNSName": absolute(target),
                "EvaluateTargetHealth": self.evaluate_target_health,
            },
        }
        if self.failover is not None:
            record["SetIdentifier"] = self._set_identifier(given)
            record["Failover"] = self.failover
        if self.health_check is not None:
            record["HealthCheckId"] = given[self.health_check].health_check_id
        return record


def _mark(given: Given) -> str:
    """What the set identifiers of an environment begin with; they are unique only within their name and type."""
    return f"drctl-{given.environment}-"


def _same(aws: Aws, outputs: RecordSetOutputs) -> list[ResourceRecordSetTypeDef]:
    """The record these outputs speak of, if it is there."""
    name, record_type, set_identifier = outputs.record_id.split("|")
    found = records_at(aws, outputs.zone_id, name, record_type)  # type: ignore[arg-type]
    return [each for each in found if each.get("SetIdentifier", "") == set_identifier]


def _settings(record: ResourceRecordSetTypeDef) -> dict[str, object]:
    """What may differ: the target in one piece, and what else Route 53 goes by."""
    values = [value["Value"] for value in record.get("ResourceRecords", [])]
    return {
        "target": record.get("AliasTarget", values),
        "failover": record.get("Failover"),
        "health_check": record.get("HealthCheckId"),
        "weighted": record.get("Weight"),
    }
