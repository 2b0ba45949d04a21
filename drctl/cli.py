"""The command line: arguments in, exit code out. What is promised here is a contract; scripts rely on it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from drctl.invocation import Answer, Invocation, Options, run, with_yes
from drctl.view import text

app = typer.Typer(
    help="Build, rehearse and remove an active-passive disaster-recovery environment over two AWS regions.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
state_app = typer.Typer(
    help="Look into the state, break its lock.", no_args_is_help=True, rich_markup_mode=None
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
def status(ctx: typer.Context) -> None:
    """The environment at a glance."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands.status import status
        from drctl.view.status import lines

        result = status(invocation.context)
        return Answer(result.environment, result.as_json(), lines(result))

    raise typer.Exit(run(ctx.obj, "status", body))


@app.command()
def outputs(ctx: typer.Context) -> None:
    """The addresses a person needs."""

    def body(invocation: Invocation) -> Answer:
        from drctl.commands.outputs import outputs

        result = outputs(invocation.context)
        return Answer(result.environment, result.as_json(), text.pairs(result.outputs))

    raise typer.Exit(run(ctx.obj, "outputs", body))


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


def _sim(ctx: typer.Context, command: str, act: str, **arguments: float | None) -> None:
    def body(invocation: Invocation) -> Answer:
        from drctl.commands import simulator

        result = getattr(simulator, act)(invocation.options.state_dir, **arguments)
        return Answer("", result, text.pairs(result))

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


USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""What any wrong argument raises. Typer exports the kind for one parameter only; where its parent lives, in click or
inside of typer, depends on typer's version."""


def main() -> None:
    """The entry point of the `drctl` program. A wrong argument is exit code 5, as cli.md says."""
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
