"""drctl's ``plan``, ``up`` or ``destroy`` in a process of its own, with the engine's events written to a file.

``python -m bench.recorded {plan|up|destroy} STATE_DIR CONFIG EVENTS`` is ``drctl --sim --output json COMMAND --yes``:
the same settings, the same view, the same exit code. The file gets a JSON line for each event but the waiting.
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import IO

from drctl.cli import app  # noqa: F401 - what the program imports is part of what it costs
from drctl.engine.events import Event, Finished, Started, Walking
from drctl.invocation import Answer, Invocation, Options, run


def main(command: str, state_dir: str, config: str, events: str) -> int:
    """The command's exit code."""

    def body(invocation: Invocation) -> Answer:
        with Path(events).open("w", encoding="utf-8") as file:
            context = replace(invocation.context, emit=lambda event: _write(file, event))
            if command == "plan":
                from drctl.commands.plan import plan

                planned = plan(context)
                return Answer(planned.environment, planned.as_json())
            if command == "up":
                from drctl.commands.up import up

                made = up(context, invocation.approve_plan)
                return Answer(made.environment, made.as_json())
            from drctl.commands.destroy import destroy

            removed = destroy(context, invocation.approve_removal)
            return Answer(removed.environment, removed.as_json())

    options = Options(Path(config), Path(state_dir), sim=True, json=True, color=False, yes=True)
    return run(options, command, body)


def _write(file: IO[str], event: Event) -> None:
    if isinstance(event, (Walking, Started, Finished)):
        line = {"event": type(event).__name__, "time": event.time, "address": event.address}
        with _WRITING:
            file.write(json.dumps(line) + "\n")


_WRITING = threading.Lock()
"""The engine tells from the threads that make its calls."""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
