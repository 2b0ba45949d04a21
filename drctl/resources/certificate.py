"""A TLS certificate of ACM for a domain and the names below it, proven by a record in our zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from drctl.aws import tags
from drctl.aws.errors import tolerating_absence
from drctl.aws.route53 import change_records, records_at
from drctl.engine.resource import (
    Difference,
    Given,
    Observed,
    Phase,
    Repeat,
    Resource,
    Typical,
    differences,
    resource,
)
from drctl.resources.hosted_zone import HostedZone

if TYPE_CHECKING:
    from mypy_boto3_acm.type_defs import CertificateDetailTypeDef, ResourceRecordTypeDef
    from mypy_boto3_route53.type_defs import ResourceRecordSetTypeDef

    from drctl.aws.clients import Aws

PROVEN_IN = "drctl:validation-zone"
"""The tag that names the zone in which *we* made the record. The same record proves every certificate of the account
for this domain, in every region (ACM user guide, "DNS validation"): one that was there before us stays."""

OVER = ("EXPIRED", "VALIDATION_TIMED_OUT")
"""Nothing revives it; a new one takes its place. Validation times out after 72 hours."""

TTL = 300


@dataclass(frozen=True)
class CertificateOutputs:
    arn: str


@resource
class Certificate(Resource[CertificateOutputs]):
    """For ``domain`` and ``*.domain``. Ready once issued, which takes until the zone is delegated to."""

    kind: ClassVar[str] = "certificate"
    repeat: ClassVar[Repeat] = Repeat.TOKEN
    fixed: ClassVar[frozenset[str]] = frozenset({"names", "status"})
    typical: ClassVar[Typical] = Typical(ready=100, gone=1)

    domain: str
    zone: HostedZone

    def read(self, aws: Aws, given: Given) -> Observed[CertificateOutputs] | None:
        found = self._find(aws, given)
        if found is None:
            return None
        outputs, status = CertificateOutputs(found["CertificateArn"]), found["Status"]
        if status in OVER:
            return Observed(outputs, drift={"status": Difference(status, "ISSUED")})
        if status not in ("PENDING_VALIDATION", "ISSUED"):
            reason = f"the certificate is {status} {found.get('FailureReason', '')}"
            return Observed(outputs, Phase.FAILED, reason=reason.rstrip())
        drift = differences(
            {"names": sorted(found.get("SubjectAlternativeNames", []))}, {"names": sorted(self._names)}
        )
        if drift:  # of another domain: it will be replaced, and this zone may be, too
            return Observed(outputs, drift=drift)
        zone_id = given[self.zone].zone_id
        missing = [each["Name"] for each in _records(found) if not _present(aws, zone_id, each)]
        if missing:
            drift["validation"] = Difference("absent", ", ".join(missing))
        phase = Phase.READY if status == "ISSUED" else Phase.PENDING
        return Observed(outputs, phase, drift, "ACM to see the validation record through public DNS")

    def create(self, aws: Aws, given: Given) -> CertificateOutputs:
        made = aws.acm(self.region).request_certificate(
            DomainName=self.domain,
            SubjectAlternativeNames=self._names,
            ValidationMethod="DNS",
            IdempotencyToken=given.token[:32],
            Tags=tags.as_list(given.tags(self)),
        )
        return CertificateOutputs(made["CertificateArn"])

    def update(self, aws: Aws, given: Given, observed: Observed[CertificateOutputs]) -> None:
        """The tag first: a record of ours that nobody knows to be ours would stay for ever."""
        acm, arn, zone_id = aws.acm(self.region), observed.outputs.arn, given[self.zone].zone_id
        found = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        records = [each for each in _records(found) if not _present(aws, zone_id, each)]
        acm.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": PROVEN_IN, "Value": zone_id}])
        change_records(
            aws, zone_id, [{"Action": "UPSERT", "ResourceRecordSet": _set(each)} for each in records]
        )

    def delete(self, aws: Aws, outputs: CertificateOutputs) -> None:
        """The record first, while the certificate can still say which it was."""
        acm, arn = aws.acm(self.region), outputs.arn
        found = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        if not found.get("InUseBy"):
            zone_id = tags.as_dict(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]).get(PROVEN_IN)
            with tolerating_absence():
                for record in _records(found) if zone_id else []:
                    for held in records_at(aws, str(zone_id), record["Name"], "CNAME"):
                        change_records(aws, str(zone_id), [{"Action": "DELETE", "ResourceRecordSet": held}])
        acm.delete_certificate(CertificateArn=arn)

    @property
    def _names(self) -> list[str]:
        return [self.domain, f"*.{self.domain}"]

    def _find(self, aws: Aws, given: Given) -> CertificateDetailTypeDef | None:
        acm, recorded = aws.acm(self.region), given.recorded(self)
        if recorded is not None:
            with tolerating_absence():
                found = acm.describe_certificate(CertificateArn=recorded.arn)["Certificate"]
                given.claim(self, self._tags(aws, recorded.arn))
                return found
        for page in acm.get_paginator("list_certificates").paginate():
            for listed in page["CertificateSummaryList"]:
                arn = listed["CertificateArn"]
                if listed["DomainName"] != self.domain or arn in given.others:
                    continue
                with tolerating_absence():
                    if given.is_ours(self, self._tags(aws, arn)):
                        return acm.describe_certificate(CertificateArn=arn)["Certificate"]
        return None

    def _tags(self, aws: Aws, arn: str) -> dict[str, str]:
        return tags.as_dict(aws.acm(self.region).list_tags_for_certificate(CertificateArn=arn)["Tags"])


def _records(certificate: CertificateDetailTypeDef) -> list[ResourceRecordTypeDef]:
    """The records ACM looks for, each once; none in the first seconds (DomainValidation API reference)."""
    options = certificate.get("DomainValidationOptions", [])
    by_name = {
        each["ResourceRecord"]["Name"]: each["ResourceRecord"] for each in options if "ResourceRecord" in each
    }
    return list(by_name.values())


def _present(aws: Aws, zone_id: str, record: ResourceRecordTypeDef) -> bool:
    held = records_at(aws, zone_id, record["Name"], "CNAME")
    values = [value["Value"] for each in held for value in each.get("ResourceRecords", [])]
    return record["Value"] in values


def _set(record: ResourceRecordTypeDef) -> ResourceRecordSetTypeDef:
    return {
        "Name": record["Name"],
        "Type": "CNAME",
        "TTL": TTL,
        "ResourceRecords": [{"Value": record["Value"]}],
    }
