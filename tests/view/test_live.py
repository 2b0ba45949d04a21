"""The live view, on a real terminal: it shows what is under way, and leaves a clean screen with the result."""

from __future__ import annotations

import os
import pty
import re
import struct
import termios
from fcntl import ioctl

import pytest

from tests.environment import Installation

pytestmark = pytest.mark.xdist_group("fresh")

ROLES = ("--target", "us-west-2/dynamodb-replica/sessions")
"""With its table, its keys and a minute or three of waiting: something to look at."""


def on_a_terminal(installation: Installation, *arguments: str, color: bool = True) -> tuple[int, str]:
    """The exit code, and everything that the program wrote to a terminal of 120 columns and 40 rows."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = {"TERM": "xterm-256color", **({} if color else {"NO_COLOR": "1"})}
    child = installation.start(
        "--sim", *arguments, environment=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed: the program has ended
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    return child.wait(), written.decode()


def test_a_terminal_sees_what_is_under_way_and_then_only_the_result(fresh: Installation) -> None:
    code, written = on_a_terminal(fresh, "up", "--yes", *ROLES)
    assert code == 0
    assert re.search(r"us-west-2/dynamodb-replica/sessions.*usually 3 min 00 s", written)
    assert re.search(r"about \d+ (min|s)", written)
    last = written.rsplit("\x1b[2K", 1)[-1]  # after the last line that the live view erased
    assert re.search(r"\d+ created", last)
    assert "usually" not in last


def test_a_terminal_without_colours_gets_none(fresh: Installation) -> None:
    _, written = on_a_terminal(fresh, "plan", *ROLES, color=False)
    assert "to create" in written
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", written)
