"""A step of a runbook, and the one way in which steps are run.

A step may be begun more than once: a run that was killed between ``begun`` and ``done`` begins it again. Therefore
``act`` looks first and does only what is still to be done, and ``proof`` tells from the world outside, never from what
``act`` remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drctl.engine.events import Failed, Finished, Started, Waiting, Walking
from drctl.errors import Diagnostic, DrctlError

if TYPE_CHECKING:
    from drctl.runbook.recovery import Recovery

Evidence = Mapping[str, Any]

LOOK_S = 2.0
"""Seconds of the environment's time between two looks at a proof."""


@dataclass(frozen=True)
class Finding:
    """What a look at the world showed. ``value`` and ``limit`` where it was measured against something."""

    ok: bool
    detail: str
    value: Any = None
    limit: Any = None


@dataclass(frozen=True)
class Step:
    """name: ``<stage>.<what>``, unique in its runbook; it stands in the journal
    title: what it does, for the one who watches
    act: do it; what it returns is written into the journal
    proof: asked again and again until it is ok; a step whose proof does not come in ``patience_s`` has failed
    typical_s: how long it usually takes, for the time that is left
    """

    name: str
    title: str
    act: Callable[[Recovery], Evidence | None]
    proof: Callable[[Recovery], Finding]
    patience_s: float
    typical_s: float = 5.0


class StepFailed(DrctlError):
    """A step could not be done, or its proof did not come."""


def walk(recovery: Recovery, steps: Sequence[Step]) -> None:
    """Run the steps that the journal does not call done, each after the one before it.

    Raises StepFailed, and Stopped when a stop condition or the operator says so between two looks.
    """
    done = recovery.done
    recovery.tell(Walking(recovery.clock.now(), "", _jobs(steps)))
    for step in steps:
        if step.name in done:
            recovery.tell(Finished(recovery.clock.now(), step.name, "unchanged"))
        else:
            _run(recovery, step)


def _run(recovery: Recovery, step: Step) -> None:
    recovery.stop_if_asked()
    recovery.note("step", step=step.name, title=step.title, state="begun", detail="", evidence={})
    recovery.tell(Started(recovery.clock.now(), step.name, "step", step.typical_s))
    try:
        evidence = _act(recovery, step)
        finding = recovery.wait_for(step.proof, step.patience_s, step.name)
    except DrctlError as error:
        _failed(recovery, step, error.diagnostics[0])
        raise
    except recovery.failures as error:
        said = recovery.explain(error, step.name)
        _failed(recovery, step, said)
        raise StepFailed(said) from error
    except Exception as error:
        # Whatever it is, a drill that broke the primary must still take itself back.
        said = Diagnostic(
            "drctl has a defect", step.name, f"{type(error).__name__}: {error}", "-vv shows where; report it"
        )
        _failed(recovery, step, said)
        raise StepFailed(said) from error
    if not finding.ok:
        said = Diagnostic(
            f"{step.title}: not proven",
            step.name,
            finding.detail,
            f"it was waited for {step.patience_s:.0f} s",
        )
        _failed(recovery, step, said)
        raise StepFailed(said)
    recovery.note(
        "step", step=step.name, title=step.title, state="done", detail=finding.detail, evidence=dict(evidence)
    )
    recovery.tell(Finished(recovery.clock.now(), step.name, "step"))


def _act(recovery: Recovery, step: Step) -> Evidence:
    """Do it; while AWS says or may mean "in a moment", again, because an act looks first and does what is left. Once
    more at least: a single call may wait for its answer longer than the step's patience."""
    began = recovery.clock.now()
    again = False
    while True:
        try:
            return step.act(recovery) or {}
        except recovery.failures as error:
            tried = recovery.clock.now() - began
            if (again and tried >= step.patience_s) or not recovery.may_pass(error, tried):
                raise
            recovery.tell(Waiting(recovery.clock.now(), step.name, recovery.explain(error, step.name).cause))
        again = True
        recovery.pause(LOOK_S)


def _failed(recovery: Recovery, step: Step, said: Diagnostic) -> None:
    recovery.note(
        "step",
        step=step.name,
        title=step.title,
        state="failed",
        detail=str(said.cause or said.summary),
        evidence={},
    )
    recovery.tell(Failed(recovery.clock.now(), step.name, said))


def _jobs(steps: Sequence[Step]) -> dict[str, tuple[float, tuple[str, ...]]]:
    """As the views want them: usual seconds, and the step before."""
    names = ["", *(step.name for step in steps)]
    return {
        step.name: (step.typical_s, (before,) if before else ())
        for step, before in zip(steps, names, strict=False)
    }
