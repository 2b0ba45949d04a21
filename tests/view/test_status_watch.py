"""``drctl status --watch``: block after block on a pipe, in place on a terminal, until Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import pytest

from tests.environment import TIMEOUT, Installation

pytestmark = pytest.mark.xdist_group("fresh")

PART = ("--target", "us-west-2/alarm/heartbeat")
HEAD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC  every 60 s; Ctrl-C ends it")


@pytest.fixture
def part(fresh: Installation) -> Installation:
    """A part of an environment: looked at in no time, with nobody who serves or writes."""
    fresh.ok("up", "--yes", *PART)
    return fresh


def test_a_pipe_gets_one_plain_block_after_the_other_and_ctrl_c_is_no_failure(part: Installation) -> None:
    child = part.start("--sim", "status", "--watch", "60")
    assert child.stdout is not None
    written = ""
    while len(HEAD.findall(written)) < 3:
        line = child.stdout.readline()
        assert line, written
        written += line
    child.send_signal(signal.SIGINT)
    rest, err = child.communicate(timeout=TIMEOUT)
    assert (child.returncode, err) == (0, "")
    assert "\x1b" not in written + rest
    first, second, _ = re.split(HEAD, written)[1:]
    assert "the resources are being looked at" in first
    assert re.search(r"^us-west-2 +\d+ ", second, re.MULTILINE)
    assert "serves       unknown" in second
    assert "breaker      unknown" in second


def test_a_terminal_is_redrawn_in_place(part: Installation) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = {"TERM": "xterm-256color", "NO_COLOR": "1"}
    child = part.start(
        *("--sim", "status", "--watch", "60"),
        environment=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.STDOUT,
    )
    os.close(theirs)
    written, asked = "", False
    try:
        while piece := os.read(ours, 65536):
            written += piece.decode(errors="replace")
            if not asked and len(HEAD.findall(re.sub(r"\x1b\[\d*m", "", written))) >= 3:
                child.send_signal(signal.SIGINT)
                asked = True
    except OSError:
        pass  # the other end is closed: the program has ended
    os.close(ours)
    assert child.wait(TIMEOUT) == 0
    assert re.search(r"\x1b\[1A\x1b\[2K", written), "it goes up over what it has drawn"
    assert "Traceback" not in written


def test_what_has_no_end_is_no_document(part: Installation) -> None:
    refused = part.on_sim("status", "--watch")
    assert refused.code == 5
    assert "--output json" in refused.json["errors"][0]["summary"]
    assert part.run("--sim", "status", "60").code == 5, "how often without --watch"
