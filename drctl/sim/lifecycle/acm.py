"""Validation of ACM certificates: the record to publish, and the wait until it is seen.

A certificate is issued some time after all its records exist in a hosted zone of the account, never before. One
to be validated by e-mail, which is what ACM does unless told otherwise, waits for a person for ever.
"""

from __future__ import annotations

import hashlib
from typing import Any

from moto import settings
from moto.acm.models import acm_backends
from moto.elbv2.models import elbv2_backends

from drctl.sim.call import Answer, Call, Moto
from drctl.sim.gaps.cloudfront import distributions
from drctl.sim.gaps.route53 import moment, zones
from drctl.sim.lifecycle.durations import DURATIONS
from drctl.sim.registry import after, event
from drctl.sim.world import World

settings.ACM_VALIDATION_WAIT = 10**12  # seconds; moto issues after a wait, whatever the DNS says

CHOOSING_RECORDS = 4
"""Seconds until DescribeCertificate shows the ResourceRecord (DomainValidation API reference: "it can take a few
seconds"); not in the table of durations because nothing becomes ready by it."""


def validation_record(account: str, domain: str) -> dict[str, str]:
    """The CNAME that proves a domain: the same in every region and for the wildcard below the domain.

    User guide, "DNS validation": "ACM generates the same record for the same domain and account".
    """
    base = domain.removeprefix("*.")
    digest = hashlib.sha256(f"{account} {base}".encode()).hexdigest()
    return {
        "Name": f"_{digest[:32]}.{base}.",
        "Type": "CNAME",
        "Value": f"_{digest[32:64]}.{letters(digest)}.acm-validations.aws.",
    }


def letters(digest: str) -> str:
    return "".join(
        chr(ord("a") + int(pair, 16) % 26) for pair in (digest[i : i + 2] for i in range(0, 20, 2))
    )


def users_of(world: World, account: str, region: str, arn: str) -> list[str]:
    """ARNs of the load balancers and distributions that present a certificate."""
    balancers = elbv2_backends[account][region].load_balancers.values()
    users = [
        balancer.arn
        for balancer in balancers
        if any(arn in listener_certificates(listener) for listener in balancer.listeners.values())
    ]
    return users + [
        held["arn"]
        for held in distributions(world).values()
        if held["config"]["ViewerCertificate"].get("ACMCertificateArn") == arn
    ]


def listener_certificates(listener: Any) -> list[str]:
    """moto holds a mixture of ARNs and dictionaries here."""
    found = [*(listener.certificates or []), *([listener.certificate] if listener.certificate else [])]
    return [one["CertificateArn"] if isinstance(one, dict) else one for one in found]


def certificate_of(account: str, region: str, arn: str) -> Any:
    return acm_backends[account][region]._certificates.get(arn)


def names_of(certificate: Any) -> list[str]:
    return [certificate.common_name, *sorted(set(certificate.sans) - {certificate.common_name})]


def proven(world: World, account: str, certificate: Any) -> bool:
    """Whether every validation record is in a public zone of the account."""
    published = {
        (key[0], value["Value"].rstrip(".") + ".")
        for (owner, _), held in zones(world).items()
        if owner == account and not held["vpcs"]
        for key, record in held["records"].items()
        if key[1] == "CNAME"
        for value in record.get("ResourceRecords", [])
    }
    wanted = [validation_record(account, name) for name in names_of(certificate)]
    return all((record["Name"], record["Value"]) in published for record in wanted)


def look(world: World, account: str, region: str, certificate: Any) -> None:
    """Let ACM notice, once, that a pending certificate is proven."""
    scheduled = world.section("acm.scheduled")
    by_dns = world.section("acm.requested").get(certificate.arn, {}).get("by") == "DNS"
    waiting = certificate.status == "PENDING_VALIDATION" and certificate.arn not in scheduled
    if by_dns and waiting and proven(world, account, certificate):
        scheduled[certificate.arn] = world.now
        world.later(
            DURATIONS["certificate"].ready, "acm.issue", account=account, region=region, arn=certificate.arn
        )


@after("acm", "RequestCertificate")
def begin_validation(call: Call, world: World, answer: Answer) -> None:
    certificate = certificate_of(call.account, call.region, answer["CertificateArn"])
    request = {"at": world.now, "by": call.params.get("ValidationMethod", "EMAIL")}
    world.section("acm.requested").setdefault(certificate.arn, request)
    look(world, call.account, call.region, certificate)


@after("route53", "ChangeResourceRecordSets")
def notice_new_records(call: Call, world: World, answer: Answer) -> None:
    for region, backend in acm_backends[call.account].items():
        for certificate in backend._certificates.values():
            look(world, call.account, region, certificate)


@event("acm.issue")
def issue(world: World, moto: Moto, data: dict[str, Any]) -> None:
    certificate = certificate_of(data["account"], data["region"], data["arn"])
    world.section("acm.scheduled").pop(data["arn"], None)
    if certificate is not None and proven(world, data["account"], certificate):
        certificate.status = "ISSUED"
        world.section("acm.issued")[data["arn"]] = world.now


@after("acm", "DescribeCertificate")
def describe_as_acm_does(call: Call, world: World, answer: Answer) -> None:
    shown = answer["Certificate"]
    arn = shown["CertificateArn"]
    shown["InUseBy"] = users_of(world, call.account, call.region, arn)
    if shown["Type"] != "AMAZON_ISSUED":
        return
    certificate = certificate_of(call.account, call.region, arn)
    issued = world.section("acm.issued").get(arn)
    shown["SubjectAlternativeNames"] = names_of(certificate)
    shown.pop("IssuedAt", None)
    if issued is None:
        for absent in ("NotBefore", "NotAfter", "Serial", "Issuer"):
            shown.pop(absent, None)
    else:
        shown["IssuedAt"] = moment(issued)
    status = "PENDING_VALIDATION" if issued is None else "SUCCESS"
    request = world.section("acm.requested")[arn]
    known = request["by"] == "DNS" and world.now >= request["at"] + CHOOSING_RECORDS
    shown["DomainValidationOptions"] = [
        {
            "DomainName": name,
            "ValidationDomain": name,
            "ValidationStatus": status,
            "ValidationMethod": request["by"],
            **({"ResourceRecord": validation_record(call.account, name)} if known else {}),
        }
        for name in names_of(certificate)
    ]


@after("acm", "DeleteCertificate")
def forget(call: Call, world: World, answer: Answer) -> None:
    """moto crashes on the idempotency token of a certificate that is gone."""
    arn = call.params["CertificateArn"]
    tokens = acm_backends[call.account][call.region]._idempotency_tokens
    for token in [token for token, held in tokens.items() if held["arn"] == arn]:
        del tokens[token]
    for section in ("acm.requested", "acm.issued", "acm.scheduled"):
        world.section(section).pop(arn, None)
