"""The drill: steady state, probes, an outage on purpose, failover, a while on the standby, failback, steady state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drctl.runbook import configuration, failback, failover, injection, steady_state, switch
from drctl.runbook.step import Evidence, Finding, Step

if TYPE_CHECKING:
    from drctl.runbook.recovery import Guard, Recovery

SETTLE_S = 600.0
"""Patience until everything reports what it should: alarms are evaluated and metrics come every minute."""

INJECT_S = 180.0
"""Patience for the outage to begin: cutting off a network takes several calls, each of which may remain unanswered."""

BASELINE_S = 10.0
"""Seconds in which every probe succeeds before anything is broken."""

ALARM_EVERY_S = 20.0
"""Seconds between two looks at the alarms that stop a drill."""


def steps() -> tuple[Step, ...]:
    """In their order: stages ``before``, ``outage``, ``failover``, ``failback``, ``after``."""
    return (
        Step("before.steady-state", "Prove the steady state", prepare, steady, 2 * SETTLE_S, typical_s=60),
        Step("before.probes", "Look from outside as users do", failover.watch, baseline, 120, typical_s=15),
        Step("outage.inject", "Begin the outage", inject, injected, INJECT_S),
        Step("outage.detect", "Detect it", failover.nothing, detected, 900, typical_s=60),
        *failover.steps(),
        Step("outage.hold", "Stay failed over", hold, held, 60, typical_s=60),
        *failback.steps(),
        failover.clean_up(),
        Step(
            "after.steady-state",
            "Prove the steady state again",
            failover.nothing,
            steady_again,
            SETTLE_S,
            typical_s=60,
        ),
    )


def taking_back() -> tuple[Step, ...]:
    """What aborts a drill: end the outage, go home, clean up, prove it."""
    return (
        *failback.steps("abort"),
        failover.clean_up("abort"),
        Step(
            "abort.steady-state",
            "Prove the steady state again",
            failover.nothing,
            steady_again,
            SETTLE_S,
            typical_s=60,
        ),
    )


def prepare(recovery: Recovery) -> None:
    """Remember what everything is like, field by field, to compare with it afterwards."""
    if recovery.fact("digest_before") is None:
        found = configuration.read(recovery)
        recovery.remember("configuration_before", found)
        recovery.remember("digest_before", configuration.digest(found))


def steady(recovery: Recovery) -> Finding:
    """What alarms and checkers may need a minute to say is waited for; the rest is refused, unless forced."""
    wrong = steady_state.look(recovery, "before")
    if not wrong:
        return Finding(True, "steady")
    if recovery.parameters.forced:
        for name, finding in wrong:
            recovery.note(
                "deviation", what=f"not steady: {name}: {finding.detail}", why="forced by the operator"
            )
        return Finding(True, f"forced in spite of {len(wrong)} checks")
    patient = recovery.clock.now() < recovery.journal.entries[0]["time"] + SETTLE_S
    if patient and all(steady_state.may_settle(name) for name, _ in wrong):
        return Finding(False, "; ".join(f"{name}: {finding.detail}" for name, finding in wrong))
    raise steady_state.refusal(wrong)


def baseline(recovery: Recovery) -> Finding:
    """Users are served by the primary, and what is written arrives."""
    return recovery.watch.served_by(recovery.site.primary, for_s=BASELINE_S)


def inject(recovery: Recovery) -> Evidence:
    """From here on nothing may be written to the primary by drctl itself: its canaries write no more there."""
    recovery.watch.hold_canaries(recovery)
    recovery.remember_once("outage_at", recovery.clock.now())
    injection.inject(recovery)
    return {"method": recovery.parameters.method}


def injected(recovery: Recovery) -> Finding:
    """That it is felt is what is to be detected."""
    return Finding(True, injection.METHODS[recovery.parameters.method])


def detected(recovery: Recovery) -> Finding:
    """As long a failure as Route 53's threshold asks for, or name servers that answer with the standby already.

    In automatic mode the monitor's breaker decides, and it is the switch that is waited for.
    """
    check = recovery.settings.health_check
    finding = recovery.watch.lost(recovery.site.primary, for_s=check.interval * check.threshold)
    if finding.ok:
        recovery.remember_once("detected_at", recovery.clock.now())
    if recovery.parameters.trigger != "automatic":
        return finding
    if not switch.is_thrown(recovery.standby, recovery.site):
        return Finding(False, f"the breaker has not thrown the switch ({finding.detail})")
    recovery.remember_once("detected_at", recovery.clock.now())
    recovery.remember_once("switched_at", recovery.clock.now())
    return Finding(True, "the monitor's circuit breaker has thrown the switch")


def hold(recovery: Recovery) -> None:
    """Long enough to see that the standby bears it."""
    recovery.pause(recovery.settings.drill.hold_s)


def held(recovery: Recovery) -> Finding:
    """It still serves."""
    return recovery.watch.served_by(recovery.site.standby)


def steady_again(recovery: Recovery) -> Finding:
    """As before, field by field; what is not is named. What a forced drill began in spite of is not asked for now."""
    waived = failed_before(recovery) if recovery.parameters.forced else set[str]()
    wrong = [(name, finding) for name, finding in steady_state.look(recovery, "after") if name not in waived]
    if wrong:
        return Finding(False, "; ".join(f"{name}: {finding.detail}" for name, finding in wrong))
    before, after = recovery.fact("configuration_before"), configuration.read(recovery)
    recovery.remember("configuration_after", after)
    recovery.remember("digest_after", configuration.digest(after))
    if before is None:
        return Finding(True, "steady")
    changed = configuration.changed(before, after)
    return Finding(not changed, "as before" if not changed else f"not as before: {', '.join(changed[:5])}")


def failed_before(recovery: Recovery) -> set[str]:
    """The checks that did not hold when the drill began."""
    last = {
        e["name"]: e["ok"]
        for e in recovery.journal.entries
        if e["kind"] == "check" and e["stage"] == "before"
    }
    return {name for name, ok in last.items() if not ok}


def guards() -> tuple[Guard, ...]:
    """What stops a drill between its outage and its failback."""
    return (budget_spent, StopAlarms(), standby_lost)


def budget_spent(recovery: Recovery) -> str | None:
    """Users have not been served for longer than the settings allow."""
    unserved, budget = recovery.watch.unserved_s(), recovery.settings.drill.error_budget_s
    return (
        f"users were not served for {unserved:.0f} s; the budget is {budget} s" if unserved > budget else None
    )


def standby_lost(recovery: Recovery) -> str | None:
    """The standby does not answer on its own name either: there is nowhere to fail over to."""
    silent = recovery.watch.standby_silent_s()
    return f"the standby has not answered for {silent:.0f} s" if silent > 60 else None


class StopAlarms:
    """The alarms that the settings name, looked at now and then, in the standby only: the primary may be gone."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, recovery: Recovery) -> str | None:
        names = list(recovery.settings.drill.stop_alarms)
        now = recovery.clock.now()
        if not names or now < self._next:
            return None
        self._next = now + ALARM_EVERY_S
        try:
            found = recovery.standby.cloudwatch(recovery.site.standby.region).describe_alarms(
                AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
        except recovery.failures:
            return None
        alarms = (*found["MetricAlarms"], *found["CompositeAlarms"])
        ringing = [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]
        return f"the alarm {ringing[0]} rings" if ringing else None
