"""Failback: the way home, always graceful. The primary takes over again only when it is whole and has caught up.

Each step does only what is still to be done, from wherever a failover, a drill or an interrupted failback left things:
therefore the same steps take a run back that is aborted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drctl.aws.silence import silence
from drctl.errors import DrctlError
from drctl.runbook import capacity, database, injection, switch
from drctl.runbook.step import Evidence, Finding, Step

if TYPE_CHECKING:
    from drctl.runbook.recovery import Recovery

REPEAT_S = 20.0
"""Seconds after which the switch is put back once more: see drctl.runbook.switch.publish."""


def steps(stage: str = "failback") -> tuple[Step, ...]:
    """In their order. ``stage``: the first part of their names; a run that is taken back calls them otherwise."""
    return (
        Step(f"{stage}.reach", "Take back what was done to the primary, and reach it", heal, reached, 120),
        Step(
            f"{stage}.capacity",
            "Let the primary run as in normal times",
            restore,
            capacity_back,
            900,
            typical_s=130,
        ),
        Step(f"{stage}.health", "Prove that the primary is healthy", begin, healthy, 900, typical_s=40),
        Step(
            f"{stage}.rejoin",
            "Wait until the primary's data has caught up",
            ready,
            rejoined,
            7200,
            typical_s=60,
        ),
        Step(f"{stage}.database", "Switch the database over to the primary", move, moved, 1800, typical_s=60),
        Step(f"{stage}.traffic", "Put the failover switch back", put_back, traffic, 900, typical_s=120),
        Step(f"{stage}.posture", "Let the standby run as in normal times", lower, lowered, 900, typical_s=60),
    )


def as_before() -> Step:
    """The last step of a failback of its own: nothing differs from the settings any more."""
    return Step(
        "after.plan", "Prove that nothing differs from the settings", ready, no_differences, 300, typical_s=10
    )


def no_differences(recovery: Recovery) -> Finding:
    """What `drctl plan` would show. An operator's role may fail back, and not read everything."""
    try:
        found = recovery.compare().differences
    except DrctlError as error:
        recovery.note("deviation", what="not compared with the settings", why=str(error.diagnostics[0].cause))
        return Finding(True, "could not be compared: run `drctl plan` with the credentials that built it")
    return Finding(
        not found, f"`drctl plan` shows {', '.join(found[:5])}" if found else "`drctl plan` is empty"
    )


def heal(recovery: Recovery) -> None:
    """Everything that was done to the primary on purpose."""
    if injection.undo_all(recovery):
        recovery.remember_once("outage_over_at", recovery.clock.now())


def reached(recovery: Recovery) -> Finding:
    """Its own endpoints answer: where they do not, there is no way home yet, and no use in waiting long for one."""
    side = recovery.site.primary
    why = silence(recovery.aws.once, side.region)
    return Finding(
        why is None, f"{side.region} answers" if why is None else f"{side.region} does not answer: {why}"
    )


def restore(recovery: Recovery) -> Evidence:
    """Its tasks and bounds are brought to their number; more than that stays."""
    side = recovery.site.primary
    for service in side.services:
        capacity.at_least(recovery.aws, side.region, service, service)
    return {service.name: service.tasks for service in side.services}


def capacity_back(recovery: Recovery) -> Finding:
    """The tasks run."""
    side = recovery.site.primary
    short = capacity.running_too_few(recovery.aws, side, side)
    return Finding(not short, "all tasks run" if not short else f"tasks start: {', '.join(short)}")


def begin(recovery: Recovery) -> None:
    """From here on what users see belongs to the failback."""
    recovery.remember_once("failback_at", recovery.clock.now())


def healthy(recovery: Recovery) -> Finding:
    """Its load balancer has as many healthy targets as tasks, and it answers from outside on its own name."""
    side = recovery.site.primary
    targets = capacity.healthy_targets(recovery.aws, side)
    if not targets.ok:
        return targets
    if not recovery.watch.answers(side):
        return Finding(False, f"{side.host or side.load_balancer} does not answer from outside")
    return Finding(True, "targets healthy, and it answers from outside")


def ready(_: Recovery) -> None:
    """Nothing to do but to look: AWS rejoins the old primary by itself."""


def rejoined(recovery: Recovery) -> Finding:
    """Its cluster is a connected member, available, and no further behind than the objective allows."""
    site, side = recovery.site, recovery.site.primary
    if database.writer(recovery.standby, site, site.standby) == side.region:
        return Finding(True, f"{side.region} writes already")
    finding = database.joined(recovery.standby, site, side, site.standby)
    if not finding.ok:
        return finding
    cluster = database.own(recovery.aws, side)
    if cluster["Status"] != "available":
        return Finding(False, f"{side.cluster} is {cluster['Status']}")
    lag, limit = database.lag_s(recovery.aws, side, recovery.clock.now()), recovery.settings.objectives.rpo_s
    if lag is not None and lag > limit:
        return Finding(False, f"{side.cluster} is {lag:.1f} s behind", lag, limit)
    return Finding(True, f"{side.cluster} is connected", lag, limit)


def move(recovery: Recovery) -> Evidence:
    """A switchover: nothing is lost on the way home."""
    return database.move_writer(recovery.aws, recovery.site, recovery.site.primary, loses_data=False)


def moved(recovery: Recovery) -> Finding:
    """Both regions say that the primary writes."""
    site = recovery.site
    finding = database.writes(recovery.aws, site, site.primary, site.primary)
    if not finding.ok:
        move(recovery)  # a move the other way was perhaps still under way when it was asked first
    if finding.ok and recovery.fact("writer") != site.primary.region:
        recovery.remember("writer", site.primary.region)
        recovery.watch.follow_writer(site.primary)
    return finding


def put_back(recovery: Recovery) -> None:
    """The metric says 0 from now on; the alarm and Route 53 follow."""
    switch.publish(recovery.standby, recovery.site, thrown=False)


def traffic(recovery: Recovery) -> Finding:
    """The alarm is silent and stays so, the name servers answer with the primary, users read and write there."""
    site, now = recovery.site, recovery.clock.now()
    if now >= (recovery.put_back_at or 0.0) + REPEAT_S:
        switch.publish(recovery.standby, site, thrown=False)
        recovery.put_back_at = now
    if switch.is_thrown(recovery.standby, site):
        return Finding(False, "the switch's alarm still rings")
    finding = recovery.watch.served_by(site.primary)
    if finding.ok and recovery.fact("serving") != site.primary.region:
        recovery.remember("serving", site.primary.region)
        recovery.remember("traffic_back_at", now)
    if finding.ok and not switch.is_settled(recovery.standby, site, now):
        return Finding(False, "the switch's alarm may still look at the minute in which it was thrown")
    return finding


def lower(recovery: Recovery) -> Evidence:
    """The standby's bounds and tasks as the posture wants them. The primary, which serves, may run more by now."""
    side = recovery.site.standby
    for service in side.services:
        capacity.exactly(recovery.aws, side.region, service)
    return {service.name: service.tasks for service in side.services}


def lowered(recovery: Recovery) -> Finding:
    """Neither region runs too little, nor the standby too much."""
    standby = recovery.site.standby
    wrong = [
        *(
            each
            for side in recovery.site.sides
            for each in capacity.running_too_few(recovery.aws, side, side)
        ),
        *capacity.running_too_many(recovery.aws, standby),
    ]
    return Finding(not wrong, "as in normal times" if not wrong else ", ".join(wrong))
