"""The smallest program that drctl's start-up is measured against: typer with drctl's options, and one command."""

import typer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options() -> None:
    """Nothing."""


@app.command()
def nothing() -> None:
    """Does nothing."""


if __name__ == "__main__":
    app()
