"""A process that a function runs in, kept warm between invocations; what it runs is runtime.py."""

from __future__ import annotations

import io
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from drctl.sim.access_log import FUNCTION
from drctl.sim.clock import SimClock
from drctl.sim.motion.invocations import Deployed, Invocation

RUNTIME = Path(__file__).with_name("runtime.py")

LEAST_TIMEOUT = 20.0
"""Real seconds that an invocation has however fast simulated time runs: the machine may be busy."""

START_TIMEOUT = 60.0
"""Real seconds for a process to start and import the function."""

GLANCE = 0.1
"""Real seconds between two looks at the clock while a function runs."""


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended. ``result``: JSON, unless it failed. ``seconds``: simulated."""

    seconds: float
    result: str | None = None
    error: Mapping[str, Any] | None = None


class Sandbox:
    """One process, for one function as it is deployed. After ``worn`` it is of no more use and to be closed."""

    def __init__(
        self, function: Deployed, clock: SimClock, folder: Path, endpoint: str, facts: Mapping[str, Any]
    ) -> None:
        """folder: for the code and the log; endpoint: the simulated AWS; facts: of the outlets.

        Raises OSError or BadZipFile when it cannot be made.
        """
        self.function = function
        self.invocations = 0
        self.used_at = time.monotonic()
        self._clock = clock
        self._said = b""
        self.log = folder / f"{function.region}-{function.name}.log"
        self._code = Path(tempfile.mkdtemp(prefix=f"{function.name}-", dir=folder))
        zipfile.ZipFile(io.BytesIO(function.package)).extractall(self._code)
        self._reading = self._read_clock()
        settings = {
            "handler": function.handler,
            "arn": function.arn,
            "code": str(self._code),
            "clock": self._reading,
            "name_server": facts.get("name_server"),
            "ports": facts.get("ports", {}),
        }
        with self.log.open("ab") as log:
            # -P: this folder's modules are none of the function's; -u: what it printed is logged, however it ends.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
                [sys.executable, "-P", "-u", str(RUNTIME), json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._code,
                env=environment(function, endpoint, facts, self._code),
                start_new_session=True,
            )
        self._ready = False

    @property
    def worn(self) -> bool:
        """Whether its process has ended, by itself or after a timeout."""
        return self._process.poll() is not None

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run it and wait for its end; a timeout ends the process."""
        self.invocations += 1
        if not self._ready and not self._become_ready():
            return self._failed(
                self._clock.now(), "Runtime.ExitError", "Runtime exited before it was initialized"
            )
        timeout, began, begun_at = self.function.timeout, self._clock.now(), time.monotonic()
        wish = {"id": invocation.id, "event": invocation.event, "deadline": began + timeout}
        self._tell({"clock": self._read_clock(), "invoke": wish})
        while True:
            answer = self._hear(GLANCE)
            if answer is not None:
                break
            if self._process.poll() is not None:
                return self._failed(began, "Runtime.ExitError", "Runtime exited without providing a reason")
            if self._clock.now() - began > timeout and time.monotonic() - begun_at > LEAST_TIMEOUT:
                return self._failed(began, "Sandbox.Timedout", f"Task timed out after {timeout:.2f} seconds")
            self._keep_time()
        self.used_at = time.monotonic()
        return Outcome(self._clock.now() - began, answer.get("result"), answer.get("error"))

    def close(self) -> None:
        """End the process and remove its files; again: nothing happens."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self._code, ignore_errors=True)

    def _failed(self, began: float, kind: str, message: str) -> Outcome:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"{kind}: {message}\n")
        return Outcome(self._clock.now() - began, error={"errorType": kind, "errorMessage": message})

    def _become_ready(self) -> bool:
        deadline = time.monotonic() + START_TIMEOUT
        while self._hear(GLANCE) is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                return False
        self._ready = True
        return True

    def _tell(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        # A process that has ended is noticed by whoever waits for its answer.
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            self._process.stdin.flush()

    def _hear(self, seconds: float) -> dict[str, Any] | None:
        """The next line, or None when there is none within so many real seconds."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + seconds
        while b"\n" not in self._said:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                return None
            part = os.read(self._process.stdout.fileno(), 65_536)
            if not part:
                time.sleep(max(0.0, min(left, GLANCE)))
                return None
            self._said += part
        line, _, self._said = self._said.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _read_clock(self) -> dict[str, float]:
        self._reading = {"now": self._clock.now(), "speed": self._clock.speed, "at": time.monotonic()}
        return self._reading

    def _keep_time(self) -> None:
        """Tell the process when simulated time has jumped or runs at another speed."""
        known = self._reading
        expected = known["now"] + (time.monotonic() - known["at"]) * known["speed"]
        if self._clock.speed != known["speed"] or abs(self._clock.now() - expected) > known["speed"] * GLANCE:
            self._tell({"clock": self._read_clock()})


def environment(function: Deployed, endpoint: str, facts: Mapping[str, Any], code: Path) -> dict[str, str]:
    """The function's own variables and those of the runtime (developer guide, "Defined runtime environment variables").

    Nothing of ours but what the interpreter needs: a proxy or a profile would lead the function out of the simulator.
    """
    stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
    given = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": str(code),
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": f"{FUNCTION}{function.name}",
        "AWS_SECRET_ACCESS_KEY": "simulated",
        "AWS_SESSION_TOKEN": "simulated",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": str(code),
        "_HANDLER": function.handler,
    }
    if facts.get("ca_bundle"):
        given["SSL_CERT_FILE"] = str(facts["ca_bundle"])
    if "LD_LIBRARY_PATH" in os.environ:
        given["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return {**function.variables, **given}
