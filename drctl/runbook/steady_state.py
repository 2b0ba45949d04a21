"""The steady state: what must hold before a drill may begin, and again when it has ended.

Every check is asked, so that all that is wrong is told at once. Chaos engineering's word, because that is its use: an
experiment on a system that is not steady measures nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from drctl.errors import Diagnostic, DrctlError
from drctl.runbook import breaker, capacity, database, switch
from drctl.runbook.step import Finding

if TYPE_CHECKING:
    from drctl.runbook.recovery import Recovery
    from drctl.runbook.site import Side

FARGATE_VCPUS = "L-3032A538"
"""The quota "Fargate On-Demand vCPU resource count" ("Amazon ECS service quotas"); in vCPUs, per region."""

EXPIRES_SOON_S = 14 * 86_400
"""A certificate with less than this left is none for a disaster."""

Check = tuple[str, Callable[["Recovery"], Finding]]


class NotSteady(DrctlError):
    """A drill must not begin."""


def checks(recovery: Recovery) -> Iterator[Check]:
    """Name and question, in the order of the report."""
    for side in recovery.site.sides:
        yield f"{side.region}: tasks", lambda r, side=side: _tasks(r, side)  # type: ignore[misc]
        yield f"{side.region}: load balancer", lambda r, side=side: _targets(r, side)  # type: ignore[misc]
        yield f"{side.region}: answers from outside", lambda r, side=side: _answers(r, side)  # type: ignore[misc]
        yield f"{side.region}: database", lambda r, side=side: _cluster(r, side)  # type: ignore[misc]
        yield f"{side.region}: tables", lambda r, side=side: _tables(r, side)  # type: ignore[misc]
        yield f"{side.region}: certificate", lambda r, side=side: _certificate(r, side)  # type: ignore[misc]
        yield f"{side.region}: key", lambda r, side=side: _key(r, side)  # type: ignore[misc]
        yield f"{side.region}: alarms", lambda r, side=side: _alarms(r, side)  # type: ignore[misc]
    yield "the primary writes", _writer
    yield "the database has caught up", _lag
    yield "health checks", _health
    yield "the switch is not thrown", _switch
    yield "the breaker is shut", _breaker
    yield "the secret is in the standby", _secret
    yield "the standby may run the full load", _quota
    yield "the standby runs the primary's image", _image
    yield "DNS answers with the primary", lambda r: r.watch.dns_points_to(r.site.primary)
    yield "nothing differs from the settings", _no_differences


def look(recovery: Recovery, stage: str) -> list[tuple[str, Finding]]:
    """Ask every check once, write down what each found, and answer with what does not hold."""
    wrong = []
    for name, question in checks(recovery):
        try:
            finding = question(recovery)
        except recovery.failures as error:
            finding = Finding(False, recovery.explain(error, name).cause)
        except DrctlError as error:
            finding = Finding(False, str(error))
        recovery.check(stage, name, finding)
        if not finding.ok:
            wrong.append((name, finding))
    return wrong


def may_settle(name: str) -> bool:
    """Whether a check says something only minutes after it has become so: the rest is refused at once."""
    return name.endswith((": alarms", ": answers from outside")) or name in (
        "health checks",
        "the breaker is shut",
        "DNS answers with the primary",
    )


def refusal(wrong: list[tuple[str, Finding]]) -> NotSteady:
    """All that is wrong, one diagnostic each."""
    return NotSteady(
        Diagnostic(
            f"not steady: {name}",
            cause=finding.detail,
            remedy="`drctl status` shows more; put it right, or drill all the same with --force; the report says so",
        )
        for name, finding in wrong
    )


def _tasks(recovery: Recovery, side: Side) -> Finding:
    """Autoscaling may run more of them."""
    short = capacity.running_too_few(recovery.aws, side, side)
    return Finding(not short, ", ".join(short) or "as many run as should")


def _targets(recovery: Recovery, side: Side) -> Finding:
    """Of a side that runs no tasks in normal times (a pilot light), none is asked for."""
    return capacity.healthy_targets(recovery.aws, side)


def _answers(recovery: Recovery, side: Side) -> Finding:
    if not any(service.tasks for service in side.services):
        return Finding(True, "runs no tasks in normal times")
    ok = recovery.watch.answers(side)
    return Finding(ok, "it answers" if ok else f"{side.host or side.load_balancer} does not answer")


def _cluster(recovery: Recovery, side: Side) -> Finding:
    found = database.own(recovery.aws, side)
    number = len(found["DBClusterMembers"])
    if not number:
        return Finding(
            False, "it has no instance, so it cannot be promoted: see database.standby_instances", 0, 1
        )
    joined = database.joined(recovery.aws, recovery.site, side, side)
    ok = found["Status"] == "available" and joined.ok
    return Finding(ok, f"{found['Status']}, {number} instances, {joined.detail}", number, 1)


def _tables(recovery: Recovery, side: Side) -> Finding:
    states = {
        name: recovery.aws.dynamodb(side.region).describe_table(TableName=name)["Table"]["TableStatus"]
        for name in (*side.tables.values(), recovery.site.breaker_table)
    }
    wrong = [f"{name} is {state}" for name, state in states.items() if state != "ACTIVE"]
    return Finding(not wrong, ", ".join(wrong) or "ACTIVE")


def _certificate(recovery: Recovery, side: Side) -> Finding:
    if side.certificate is None:
        return Finding(True, "none: there is no domain")
    found = recovery.aws.acm(side.region).describe_certificate(CertificateArn=side.certificate)["Certificate"]
    expires = found.get("NotAfter", datetime.fromtimestamp(0, UTC)).timestamp()
    days = int((expires - recovery.clock.now()) / 86_400)
    ok = found["Status"] == "ISSUED" and expires - recovery.clock.now() > EXPIRES_SOON_S
    return Finding(ok, f"{found['Status']}, {days} days left", days, EXPIRES_SOON_S // 86_400)


def _key(recovery: Recovery, side: Side) -> Finding:
    state = recovery.aws.kms(side.region).describe_key(KeyId=side.key)["KeyMetadata"]["KeyState"]
    return Finding(state == "Enabled", state)


def _alarms(recovery: Recovery, side: Side) -> Finding:
    """An alarm without data is not one that rings; one that is not there would never stop a drill."""
    stops = set(recovery.settings.drill.stop_alarms) if side == recovery.site.standby else set[str]()
    pages = recovery.aws.cloudwatch(side.region).get_paginator("describe_alarms")
    states = {
        alarm["AlarmName"]: alarm["StateValue"]
        for page in pages.paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        for alarm in (*page["MetricAlarms"], *page["CompositeAlarms"])
    }
    absent = sorted(stops - states.keys())
    if absent:
        return Finding(False, f"drill.stop_alarms names {', '.join(absent)}, which is not in {side.region}")
    ringing = [name for name in sorted({*side.alarms, *stops}) if states.get(name) == "ALARM"]
    return Finding(not ringing, f"{', '.join(ringing)} rings" if ringing else "none rings")


def _writer(recovery: Recovery) -> Finding:
    site = recovery.site
    found = database.writer(recovery.aws, site, site.standby)
    return Finding(found == site.primary.region, f"{found} writes", found, site.primary.region)


def _lag(recovery: Recovery) -> Finding:
    lag = database.lag_s(recovery.aws, recovery.site.standby, recovery.clock.now())
    limit = recovery.settings.objectives.rpo_s
    if lag is None:
        return Finding(True, "no lag is published yet", None, limit)
    return Finding(lag <= limit, f"{lag:.1f} s behind", round(lag, 3), limit)


def _health(recovery: Recovery) -> Finding:
    """As Route 53's own checkers report: success from more than 18 % of them (Route 53 developer guide).

    Of the regions' endpoints: AWS does not tell the status of a calculated check, DNS does.
    """
    wrong = []
    for name in ("endpoint-primary", "endpoint-standby"):
        answer = recovery.aws.route53().get_health_check_status(
            HealthCheckId=recovery.site.health_checks[name]
        )
        seen = [each["StatusReport"]["Status"] for each in answer["HealthCheckObservations"]]
        if seen and sum(status.startswith("Success") for status in seen) <= 0.18 * len(seen):
            wrong.append(f"{name}: {seen[0]}")
    if recovery.site.standby.services and not any(s.tasks for s in recovery.site.standby.services):
        wrong = [each for each in wrong if not each.startswith("endpoint-standby")]
    return Finding(not wrong, "; ".join(wrong) or "healthy")


def _switch(recovery: Recovery) -> Finding:
    thrown = switch.is_thrown(recovery.aws, recovery.site)
    return Finding(not thrown, "it is thrown: `drctl failback` puts it back" if thrown else "not thrown")


def _breaker(recovery: Recovery) -> Finding:
    """An open one notices no new outage until its timeout is over; only an automatic drill waits for it."""
    site = recovery.site
    found = breaker.read(recovery.aws, site.standby.region, site.breaker_table, site.environment)
    waited_for = recovery.parameters.trigger == "automatic"
    return Finding(found.state == breaker.CLOSED or not waited_for, found.state, found.failures)


def _secret(recovery: Recovery) -> Finding:
    """Asked in the standby, whose replica is what its tasks would read; the value is not."""
    region = recovery.site.standby.region
    name = recovery.site.secret.replace(f":{recovery.site.primary.region}:", f":{region}:")
    found = recovery.aws.secretsmanager(region).describe_secret(SecretId=name)
    return Finding("DeletedDate" not in found, f"{found['Name']} is in {region}")


def _quota(recovery: Recovery) -> Finding:
    region = recovery.site.standby.region
    needed = sum(service.tasks * service.cpu for service in recovery.site.primary.services) / 1024
    quota = recovery.aws.service_quotas(region).get_service_quota(
        ServiceCode="fargate", QuotaCode=FARGATE_VCPUS
    )
    allowed = quota["Quota"]["Value"]
    return Finding(needed <= allowed, f"{needed:g} of {allowed:g} Fargate vCPUs", needed, allowed)


def _image(recovery: Recovery) -> Finding:
    images = []
    for side in recovery.site.sides:
        definitions = [
            recovery.aws.ecs(side.region).describe_task_definition(taskDefinition=arn)["taskDefinition"]
            for arn in side.task_definitions
        ]
        images.append(sorted(c["image"] for d in definitions for c in d["containerDefinitions"]))
    same = images[0] == images[1]
    return Finding(
        same, ", ".join(images[1]) if same else f"{images[0]} in the primary, {images[1]} in the standby"
    )


def _no_differences(recovery: Recovery) -> Finding:
    found = recovery.compare().differences
    return Finding(not found, f"`drctl plan` shows {len(found)}: {', '.join(found[:3])}" if found else "none")
