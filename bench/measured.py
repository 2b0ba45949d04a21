"""A process, run to its end and measured: time, processor, memory, bytes written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LIMIT = 1200.0
"""Real seconds after which a command is taken to hang."""


class Absent(Exception):
    """A figure cannot be had here; the message says why."""


@dataclass(frozen=True)
class Usage:
    """What a process used.

    wall, cpu: real seconds; cpu includes the children it waited for
    memory: peak resident bytes of the process or of one of its children, whichever is larger
    written: bytes written to files; None where the system does not tell (needs Linux's /proc)
    """

    wall: float
    cpu: float
    memory: int
    written: int | None
    code: int
    out: str
    err: str


def measure(
    command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None, limit: float = LIMIT
) -> Usage:
    """Run a command to its end; after ``limit`` real seconds it is asked to end, as by Ctrl-C."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        asking = threading.Timer(limit, process.send_signal, [signal.SIGINT])
        asking.daemon = True
        asking.start()
        written = _written_by(process.pid)
        asking.cancel()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (out, err):
            said = file.tell()
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
            written = written - said if written is not None else None
    return Usage(
        wall,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        written,
        process.returncode,
        *texts,
    )


def processor_seconds(pid: int) -> float | None:
    """What a running process has used of the processor so far; None where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _written_by(pid: int) -> int | None:
    """Wait for the end of a process, leaving it to be collected, and read what it passed to write(2).

    Sockets are not among it: Python sends with send(2), which the kernel does not count here.
    """
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        lines = Path(f"/proc/{pid}/io").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar:"))
