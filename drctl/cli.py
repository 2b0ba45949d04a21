"""The command line: arguments in, exit code out. What is promised here is a contract; scripts rely on it."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from drctl.invocation import Answer, Invocation, Options, following, measuring, run, with_yes
from drctl.view import text

GARBAGE_AFTER = 100_000
"""New objects after which Python looks for garbage. Most of what a command makes are boto3's models, which stay:
looking through them after every few hundred, as Python does by itself, is a fifth of what a short command takes."""

app = typer.Typer(
    help="Build, rehearse and remove an active-passive disaster-recovery environment over two AWS regions.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
state_app = typer.Typer(
    help="Look into the state, break its lock, move it, rebuild it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
sim_app = typer.Typer(help="The embedded simulator of AWS.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(state_app, name="state")
app.add_typer(sim_app, name="sim")


class Output(StrEnum):
    """How results are printed."""

    HUMAN = "human"
    JSON = "json"


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Targets = Annotated[
    list[str], typer.Option("--target", metavar="GLOB", help="Only these addresses; repeatable.")
]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"drctl {version('drctl')}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option(envvar="DRCTL_CONFIG", help="The settings.")] = Path("drctl.toml"),
    state_dir: Annotated[Path, typer.Option(envvar="DRCTL_STATE_DIR", help="Where the state is.")] = Path(
        "state"
    ),
    sim: Annotated[
        bool, typer.Option("--sim", envvar="DRCTL_SIM", help="Use the embedded simulator.")
    ] = False,
    profile: Annotated[str | None, typer.Option(help="A profile of the AWS configuration.")] = None,
    output: Annotated[Output, typer.Option(help="How results are printed.")] = Output.HUMAN,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
    verbose: Annotated[int, typer.Option("-v", count=True, help="Say more; -vv shows tracebacks.")] = 0,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Global options stand before the command."""
    color = not (no_color or os.environ.get("NO_COLOR"))
    ctx.obj = Options(config, state_dir, sim, profile, output is Output.JSON, color, verbose)


@app.command()
def init(ctx: typer.Context) -> None:
    """Write a commented drctl.toml."""

    def body(invocation: Invocation) -> Answer:
        from drctl import settings

        path = invocation.options.config
        settings.write(path)
        lines = [[(f"wrote {path}: look through it, then run `drctl plan`", "")]]
        return Answer(settings.Settings.default().environment, {"path": str(path)}, lines)

    options: Options = ctx.obj
    raise typer.Exit(run(Options(options.config, options.state_dir, json=options.json), "init", body))


@app.command()
def plan(
    ctx: typer.Context,
    target: Targets = [],  # noqa: B006 - typer reads the default, nobody changes it
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 when there are differences.")
    ] = False,
) -> None:
    """Show what `up` would do; change nothing."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands.plan import plan

        result = plan(invocation.context, tuple(target))
        code = 2 if detailed_exitcode and result.differences else 0
        return Answer(result.environment, result.as_json(), text.plan(result), code)

    raise typer.Exit(run(ctx.obj, "plan", body))


@app.command()
def up(ctx: typer.Context, yes: Yes = False, target: Targets = []) -> None:  # noqa: B006
    """Build the environment, or bring it where the settings want it."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands.up import up

        result = up(invocation.context, invocation.approve_plan, tuple(target))
        done = [*text.counts(result.summary), (f" in {text.duration(result.seconds)}", "dim")]
        lines = [*text.pairs(result.outputs), [], done]
        return Answer(result.environment, result.as_json(), lines)

    raise typer.Exit(run(with_yes(ctx.obj, yes), "up", body))


@app.command()
def status(
    ctx: typer.Context,
    every: Annotated[
        float | None, typer.Argument(metavar="SECONDS", min=1, help="With --watch: how often. [default: 5]")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again; Ctrl-C ends it.")] = False,
) -> None:
    """The environment at a glance."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands import status
        from drctl.view.status import lines, watched

        if not watch:
            result = status.status(invocation.context)
            return Answer(result.environment, result.as_json(), lines(result))
        status.refuse_json(invocation.options.json)
        with suppress(KeyboardInterrupt):
            for result in status.watch(invocation.context, every or 5):
                invocation.view.redraw(watched(result, every or 5))
        return Answer(invocation.context.named, {})

    if every and not watch:
        raise typer.BadParameter("SECONDS goes with --watch")
    raise typer.Exit(run(following(ctx.obj) if watch else ctx.obj, "status", body))


@app.command()
def drift(ctx: typer.Context) -> None:
    """What is otherwise on AWS than it was made; exit code 2 when something is."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands.drift import drift

        result = drift(invocation.context)
        return Answer(result.environment, result.as_json(), text.drift(result), 2 if result.drift else 0)

    raise typer.Exit(run(ctx.obj, "drift", body))


@app.command()
def outputs(ctx: typer.Context) -> None:
    """The addresses a person needs."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands.outputs import outputs

        result = outputs(invocation.context)
        return Answer(result.environment, result.as_json(), text.pairs(result.outputs))

    raise typer.Exit(run(ctx.obj, "outputs", body))


Method = Literal["health", "tasks", "network", "region"]
Trigger = Literal["operator", "automatic"]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the one that was interrupted.")]
Abort = Annotated[bool, typer.Option("--abort", help="Take the one that was interrupted back.")]
ReportFolder = Annotated[Path | None, typer.Option("--report", metavar="DIR", help="Where the report goes.")]


@app.command()
def drill(
    ctx: typer.Context,
    simulate_outage: Annotated[
        bool, typer.Option("--simulate-outage", help="Yes, break the primary on purpose.")
    ] = False,
    method: Annotated[
        Method | None, typer.Option(help="How. [default: region on the simulator, else tasks]")
    ] = None,
    trigger: Annotated[Trigger, typer.Option(help="Who throws the failover switch.")] = "operator",
    force: Annotated[bool, typer.Option("--force", help="Although the environment is not steady.")] = False,
    report: ReportFolder = None,
    resume: Resume = False,
    abort: Abort = False,
    yes: Yes = False,
) -> None:
    """Rehearse the loss of the primary region, measure, fail back, report."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands import drill

        context, approve = invocation.context, invocation.approve_run
        if resume or abort:
            result = (drill.abort if abort else drill.resume)(context, approve)
        else:
            drill.refuse_unless(simulate_outage)
            result = drill.begin(context, approve, method, trigger, forced=force)
        return invocation.reported(result, report)

    _refuse_both(resume, abort)
    raise typer.Exit(run(measuring(ctx.obj, yes), "drill", body))


@app.command()
def failover(
    ctx: typer.Context,
    report: ReportFolder = None,
    resume: Resume = False,
    abort: Abort = False,
    yes: Yes = False,
) -> None:
    """The real thing: the standby takes over."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands import failover

        act = failover.resume if resume else failover.abort if abort else failover.begin
        return invocation.reported(act(invocation.context, invocation.approve_run), report)

    _refuse_both(resume, abort)
    raise typer.Exit(run(measuring(ctx.obj, yes), "failover", body))


@app.command()
def failback(
    ctx: typer.Context,
    report: ReportFolder = None,
    resume: Resume = False,
    abort: Abort = False,
    yes: Yes = False,
) -> None:
    """The way home after a failover, always graceful."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands import failback

        act = failback.resume if resume else failback.abort if abort else failback.begin
        return invocation.reported(act(invocation.context, invocation.approve_run), report)

    _refuse_both(resume, abort)
    raise typer.Exit(run(measuring(ctx.obj, yes), "failback", body))


def _refuse_both(resume: bool, abort: bool) -> None:
    if resume and abort:
        raise typer.BadParameter("--resume goes on, --abort takes back: choose one")


@app.command()
def report(
    ctx: typer.Context,
    run_id: Annotated[str | None, typer.Argument(metavar="[RUN]", help="[default: the last]")] = None,
    folder: ReportFolder = None,
) -> None:
    """Show, and write anew, the report of a drill, failover or failback."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands.report import report
        from drctl.view.report import lines

        result = report(invocation.context, run_id, folder)
        return Answer(result.environment, result.as_json(), lines(result))

    raise typer.Exit(run(ctx.obj, "report", body))


@app.command()
def destroy(ctx: typer.Context, yes: Yes = False, target: Targets = []) -> None:  # noqa: B006
    """Remove all that the state says is ours, and nothing else."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands.destroy import destroy

        result = destroy(invocation.context, invocation.approve_removal, tuple(target))
        left = f"{len(result.left)} left" if result.left else "nothing is left"
        deleted = f"{result.summary['delete']} deleted"
        done = [(deleted, "delete"), (f" in {text.duration(result.seconds)}", "dim"), (f"; {left}", "")]
        return Answer(result.environment, result.as_json(), [done])

    raise typer.Exit(run(with_yes(ctx.obj, yes), "destroy", body))


@state_app.command("list")
def state_list(ctx: typer.Context) -> None:
    """Every record: address, phase, id."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands.state import list_records

        result = list_records(invocation.context)
        rows = [(r.address, r.phase, next(iter(r.outputs.values()), "")) for r in result.records]
        return Answer(result.environment, result.as_json(), text.table(rows, ("address", "phase", "id")))

    raise typer.Exit(run(ctx.obj, "state list", body))


@state_app.command("show")
def state_show(ctx: typer.Context, address: str) -> None:
    """One record, whole."""

    def body(invocation: Invocation) -> Answer:
        import json

        from drctl.commands.state import show_record

        result = show_record(invocation.context, address)
        lines = [[(line, "")] for line in json.dumps(result.records[0].as_json(), indent=2).splitlines()]
        return Answer(result.environment, result.as_json(), lines)

    raise typer.Exit(run(ctx.obj, "state show", body))


@state_app.command("unlock")
def state_unlock(ctx: typer.Context) -> None:
    """Break the lock of a run that is gone."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands.state import unlock

        result = unlock(invocation.context)
        said = f"broke the lock of {result.holder}" if result.holder else "the state is not locked"
        return Answer(result.environment, result.as_json(), [[(said, "")]])

    raise typer.Exit(run(ctx.obj, "state unlock", body))


@state_app.command("move")
def state_move(
    ctx: typer.Context,
    to: Annotated[Literal["file", "s3"], typer.Option(help="Files of this machine, or the team's bucket.")],
) -> None:
    """Take the state elsewhere; set [state] store afterwards."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands.state_move import move

        result = move(invocation.context, to)
        lines = [[(f"{result.records} records went from {result.source} to {result.target}", "")]]
        lines += (
            [[(f"now set {result.set_to} in {invocation.options.config}", "warning")]]
            if result.set_to
            else []
        )
        return Answer(result.environment, result.as_json(), lines)

    raise typer.Exit(run(ctx.obj, "state move", body))


@state_app.command("rebuild")
def state_rebuild(ctx: typer.Context, yes: Yes = False) -> None:
    """Record anew what is on AWS, when the state is lost or damaged; change nothing there."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands.rebuild import rebuild
        from drctl.view.rebuild import rebuilt

        result = rebuild(invocation.context, invocation.approve_rebuild)
        return Answer(result.environment, result.as_json(), rebuilt(result))

    raise typer.Exit(run(with_yes(ctx.obj, yes), "state rebuild", body))


def _sim(ctx: typer.Context, command: str, act: str, **arguments: float | str | bool | None) -> None:
    def body(invocation: Invocation) -> Answer:
        from drctl.commands import simulator
        from drctl.view.simulator import shown

        result = getattr(simulator, act)(invocation.options.state_dir, **arguments)
        return Answer("", result, shown(result))

    options: Options = ctx.obj
    raise typer.Exit(run(Options(options.config, options.state_dir, json=options.json), command, body))


@sim_app.command("start")
def sim_start(
    ctx: typer.Context,
    speed: Annotated[float | None, typer.Option(help="Simulated seconds per real one.")] = None,
) -> None:
    """Start it, or find the one that runs for this state directory."""
    _sim(ctx, "sim start", "start", speed=speed)


@sim_app.command("stop")
def sim_stop(ctx: typer.Context) -> None:
    """Stop it; what it holds is saved."""
    _sim(ctx, "sim stop", "stop")


@sim_app.command("status")
def sim_status(ctx: typer.Context) -> None:
    """Whether it runs, where, how fast, with which faults."""
    _sim(ctx, "sim status", "status")


@sim_app.command("reset")
def sim_reset(ctx: typer.Context) -> None:
    """Empty it."""
    _sim(ctx, "sim reset", "reset")


@sim_app.command("outage")
def sim_outage(
    ctx: typer.Context,
    region: Annotated[
        str, typer.Argument(help="The region, or global: the control planes of IAM, Route 53 and CloudFront.")
    ],
) -> None:
    """Take a region out: nothing in it answers, and nothing leaves it, until it is healed."""
    _sim(ctx, "sim outage", "outage", region=region)


@sim_app.command("fault")
def sim_fault(
    ctx: typer.Context,
    kind: Annotated[
        str,
        typer.Argument(help="error, throttle, lost, latency, hang, reset, down, iam-delay or unseen."),
    ],
    service: Annotated[
        str | None, typer.Option(metavar="GLOB", help="As boto3 calls it. [default: any]")
    ] = None,
    operation: Annotated[
        str | None, typer.Option(metavar="GLOB", help="As in CreateVpc. [default: any]")
    ] = None,
    region: Annotated[str | None, typer.Option(metavar="GLOB", help="[default: any]")] = None,
    code: Annotated[str | None, typer.Option(help="Of an error. [default: InternalFailure]")] = None,
    status: Annotated[int | None, typer.Option(help="Of an error: HTTP's. [default: 500]")] = None,
    message: Annotated[str | None, typer.Option(help="Of an error.")] = None,
    probability: Annotated[float | None, typer.Option(help="Of hitting a call, 0 to 1. [default: 1]")] = None,
    times: Annotated[
        int | None, typer.Option(help="Hit no more calls than this. [default: no limit]")
    ] = None,
    skip: Annotated[int | None, typer.Option(help="Let so many calls pass first. [default: 0]")] = None,
    seed: Annotated[int | None, typer.Option(help="The same one hits the same calls. [default: 0]")] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Of a latency or a delay, simulated; of a hang, real.")
    ] = None,
    acts: Annotated[
        bool | None, typer.Option("--acts", help="Of error, hang and reset: AWS carries the call out first.")
    ] = None,
) -> None:
    """Let calls fail, from now on until it is healed or reset. docs/simulator.md tells what each kind does."""
    _sim(
        ctx,
        "sim fault",
        "fault",
        kind=kind,
        service=service,
        operation=operation,
        region=region,
        code=code,
        status=status,
        message=message,
        probability=probability,
        times=times,
        skip=skip,
        seed=seed,
        seconds=seconds,
        acts=acts,
    )


@sim_app.command("heal")
def sim_heal(
    ctx: typer.Context,
    region: Annotated[
        str | None, typer.Argument(help="Only this one. [default: all that are out, and all faults]")
    ] = None,
) -> None:
    """Bring back what is out, where what had waited goes on, and take all faults away."""
    _sim(ctx, "sim heal", "heal", region=region)


USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""What any wrong argument raises. Typer exports the kind for one parameter only; where its parent lives, in click or
inside of typer, depends on typer's version."""


def main() -> None:
    """The entry point of the `drctl` program. A wrong argument is exit code 5, as cli.md says."""
    gc.set_threshold(GARBAGE_AFTER, 20, 100)
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        code = 130
    except typer.Exit as leaving:
        code = leaving.exit_code
    except USAGE_ERROR as error:
        error.show()  # type: ignore[attr-defined]
        code = 5
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    # Everything is closed and flushed: taking boto3's models apart again, object by object, would be half a second.
    os._exit(code or 0)
