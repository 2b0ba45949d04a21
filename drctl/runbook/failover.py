"""Failover: the standby takes over, by calls to its own regional endpoints and data planes alone.

Nothing here calls Route 53, CloudFront, IAM or anything else whose control plane lives in us-east-1, nor the lost
region (system.md, "What a failover may call"): ``recovery.standby`` is a door that refuses to. The one exception is the
fence, and only where the primary still answers users. The switch is thrown first, because everything waits for DNS;
capacity is asked for before the database moves, because tasks take long; what took effect is proven from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drctl.errors import Diagnostic, DrctlError
from drctl.runbook import capacity, database, switch
from drctl.runbook.step import LOOK_S, Evidence, Finding, Step

if TYPE_CHECKING:
    from drctl.runbook.recovery import Recovery

SERVED_LOOKS = 12
"""Looks in a row that must succeed: one more than measuring asks for before it says "served again"."""

FENCE_S = 20.0
"""Seconds for which a primary that refuses for haste is asked again before the failover goes on without a fence."""

SERVES_S = 900.0
"""Patience until the standby has all it needs and users reach it."""


def steps(stage: str = "failover") -> tuple[Step, ...]:
    """In their order. ``stage``: the first part of their names."""
    return (
        Step(f"{stage}.switch", "Throw the failover switch", throw, thrown_or_asked, 300),
        Step(f"{stage}.lag", "Read and record how far the standby is behind", record_lag, any_lag, 30),
        Step(f"{stage}.fence", "Fence the primary, if it can be reached", fence, fenced, 30),
        Step(
            f"{stage}.capacity",
            "Ask for the full number of tasks in the standby",
            raise_capacity,
            raised,
            120,
        ),
        Step(f"{stage}.promote", "Promote the standby's database", promote, promoted, 1800, typical_s=60),
        Step(f"{stage}.serve", "Prove that the standby serves", nothing, serves, SERVES_S, typical_s=90),
    )


def watching() -> tuple[Step, ...]:
    """Look from outside as users do, from the beginning; that they are served is not expected."""
    return (Step("before.probes", "Look from outside as users do", watch_outage, looks, 30),)


def clean_up(stage: str = "after") -> Step:
    """Take away what the probes wrote."""
    return Step(f"{stage}.cleanup", "Remove what the probes wrote", remove, removed, 300, typical_s=10)


def watch(recovery: Recovery) -> None:
    """The probes look from now on."""
    recovery.watch.start(recovery)


def watch_outage(recovery: Recovery) -> None:
    """When an outage that nobody staged began is not known here: it counts from now."""
    if recovery.parameters.runbook == "failover":
        recovery.remember_once("outage_at", recovery.clock.now())
    recovery.watch.start(recovery)


def looks(_: Recovery) -> Finding:
    """What they see is for the report."""
    return Finding(True, "the probes look")


def remove(recovery: Recovery) -> None:
    """The probes stop, and all they wrote goes, as far as it can be reached."""
    recovery.watch.stop()
    recovery.watch.remove_canaries(recovery)
    replaced = recovery.journal.entries[0].get("replaced")
    if replaced and recovery.fact("failback_at") is not None:  # both regions are there to be cleaned up
        try:
            recovery.watch_of(replaced).remove_canaries(recovery)
        except DrctlError as error:
            recovery.note(
                "deviation", what=f"what the probes of {replaced} wrote could not be removed", why=str(error)
            )


def removed(recovery: Recovery) -> Finding:
    """Nothing of this run is left in the tables and buckets, not even what was still on its way to the other region."""
    left = recovery.watch.sweep(recovery)
    if left:
        return Finding(False, f"{left} canaries were left", left, 0)
    return Finding(
        recovery.watch.swept,
        "nothing is left, seen more than once" if recovery.watch.swept else "nothing is left",
        0,
        0,
    )


def nothing(_: Recovery) -> None:
    """A step that only proves."""


def record_lag(recovery: Recovery) -> Evidence:
    """What was not in the standby when it took over is lost, if the primary is."""
    try:
        lag = database.lag_s(recovery.standby.brief, recovery.site.standby, recovery.clock.now())
    except recovery.failures as error:
        recovery.note("deviation", what="the lag is not known", why=recovery.explain(error, "").cause)
        lag = None
    recovery.remember("lag_before", {"database_s": lag})
    return {"database_s": lag}


def any_lag(recovery: Recovery) -> Finding:
    """It is written down, whatever it is: a standby that is behind is still the better one now."""
    lag = recovery.fact("lag_before")["database_s"]
    return Finding(
        True, "the database publishes no lag" if lag is None else f"database {lag:.1f} s behind", lag
    )


def fence(recovery: Recovery) -> Evidence:
    """So that a primary that half lives takes no more writes. Whether it lives is asked on its data plane only.

    Where there is no emergency, the primary lives, and its database stops taking writes by the switchover.
    """
    if recovery.parameters.runbook != "failover":
        return {
            "fenced": False,
            "why": "not an emergency: the switchover makes the primary's database read-only",
        }
    host = recovery.site.primary.host
    if not recovery.watch.answers(recovery.site.primary):
        return {"fenced": False, "why": f"{host or recovery.site.primary.load_balancer} does not answer"}
    return stop_primary(recovery)


def stop_primary(recovery: Recovery) -> Evidence:
    """Whether it could be, and why not. Only what is refused for haste is asked for again: whoever refuses lives."""
    until = recovery.clock.now() + FENCE_S
    while True:
        try:
            stopped = capacity.stop(recovery, recovery.aws.brief, recovery.site.primary)
            return {"fenced": True, "services": stopped}
        except recovery.failures as error:
            if not recovery.is_haste(error) or recovery.clock.now() >= until:
                return {"fenced": False, "why": recovery.explain(error, "").cause}
        recovery.pause(LOOK_S)


def fenced(_: Recovery) -> Finding:
    """Nothing more to wait for: traffic is fenced off by the switch, writes by the promotion."""
    return Finding(True, "the switch and the promotion fence off what is left of the primary")


def throw(recovery: Recovery) -> Evidence:
    """By the operator; or, in automatic mode, by the monitor's breaker, which has done so when this step begins."""
    if recovery.parameters.trigger == "automatic":
        return {"by": "the monitor's circuit breaker"}
    # Without looking first: it may be thrown twice, and looking may be what does not work.
    switch.publish(recovery.standby, recovery.site, thrown=True)
    recovery.remember_once("switched_at", recovery.clock.now())
    return {"by": "drctl"}


def thrown_or_asked(_: Recovery) -> Finding:
    """CloudWatch has taken the metric; its alarm follows within a minute, and is proven with everything else."""
    return Finding(True, "CloudWatch in the standby has taken it")


def raise_capacity(recovery: Recovery) -> Evidence:
    """The standby gets the floor and the number of tasks that the primary has in normal times."""
    raised_to: dict[str, Any] = {}
    for there, here in zip(recovery.site.primary.services, recovery.site.standby.services, strict=True):
        capacity.at_least(recovery.standby, recovery.site.standby.region, here, there)
        raised_to[here.name] = there.tasks
    return raised_to


def raised(recovery: Recovery) -> Finding:
    """ECS and Application Auto Scaling have taken it; that the tasks run is proven with everything else."""
    short = capacity.asked_too_little(recovery.standby, recovery.site.standby, recovery.site.primary)
    return Finding(not short, "asked for" if not short else f"too few are asked for: {', '.join(short)}")


def promote(recovery: Recovery) -> Evidence:
    """A switchover where both regions live; where one is lost, a failover that gives up what had not arrived."""
    side = recovery.site.standby
    if not database.instances(recovery.standby, side):
        raise DrctlError(
            Diagnostic(
                "the standby's database has no instance to promote",
                cause=f"{side.cluster} holds the data, and database.standby_instances is 0",
                remedy=f"set it to 1, `drctl up --target '{side.region}/aurora-instance/*'`, then --resume",
            )
        )
    recovery.remember_once("promotion_at", recovery.clock.now())
    return _move(recovery)


def _move(recovery: Recovery) -> Evidence:
    return database.move_writer(
        recovery.standby if recovery.parameters.loses_data else recovery.aws,
        recovery.site,
        recovery.site.standby,
        loses_data=recovery.parameters.loses_data,
    )


def promoted(recovery: Recovery) -> Finding:
    """The global cluster names the standby's cluster its writer, and that cluster is available."""
    finding = database.writes(recovery.standby, recovery.site, recovery.site.standby, recovery.site.standby)
    if not finding.ok:
        _move(recovery)  # a move the other way was perhaps still under way when it was asked first
    if finding.ok and recovery.fact("promoted_at") is None:
        now = recovery.clock.now()
        recovery.watch.count_arrivals(recovery)
        recovery.remember("writer", recovery.site.standby.region)
        recovery.remember("promoted_at", now)
        recovery.watch.follow_writer(recovery.site.standby)
    return finding


def serves(recovery: Recovery) -> Finding:
    """Seen from outside: DNS, reads and writes; and the sticky switch, and the tasks."""
    site = recovery.site
    if not switch.is_thrown(recovery.standby, site):
        switch.publish(recovery.standby, site, thrown=True)
        return Finding(False, "the switch's alarm does not ring yet")
    short = capacity.running_too_few(recovery.standby, site.standby, site.primary)
    if short:
        return Finding(False, f"tasks start: {', '.join(short)}")
    finding = recovery.watch.served_by(site.standby, for_s=SERVED_LOOKS * recovery.settings.drill.interval_s)
    if finding.ok and recovery.fact("serving") != site.standby.region:
        recovery.remember("serving", site.standby.region)
    return finding
