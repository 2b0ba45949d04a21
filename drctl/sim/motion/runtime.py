"""What runs in a function's process, as Lambda's Python runtime does: a script that needs nothing of drctl.

Commands come in and answers go out as JSON lines. ``time.time`` and ``time.sleep`` follow simulated time, and names are
looked up at the simulated name server only, whose answers lead to the ports that stand for AWS's.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import queue
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, SupportsIndex

LOOK_UP_TIMEOUT = 2.0
"""Real seconds for an answer of the name server."""

ALIASES = 8
"""How many CNAMEs may follow one another."""


class Clock:
    """Simulated time, from the last reading: its time ``now``, its ``speed``, and the monotonic moment ``at``."""

    def __init__(self, reading: dict[str, float]) -> None:
        self._changed = threading.Condition()
        self._reading = reading

    def set(self, reading: dict[str, float]) -> None:
        """Go on from another reading; sleepers look at the clock again."""
        with self._changed:
            self._reading = reading
            self._changed.notify_all()

    def now(self) -> float:
        """Simulated seconds since the epoch."""
        reading = self._reading
        return reading["now"] + (time.monotonic() - reading["at"]) * reading["speed"]

    def sleep(self, seconds: float | SupportsIndex, /) -> None:
        """So many simulated seconds."""
        length = float(seconds)
        if length < 0:
            raise ValueError("sleep length must be non-negative")
        until = self.now() + length
        with self._changed:
            while (left := until - self.now()) > 0:
                self._changed.wait(left / self._reading["speed"])


class Network:
    """The sandbox's way to names. ``ports``: AWS's port -> the one that stands for it on loopback."""

    def __init__(self, name_server: tuple[str, int] | None, ports: dict[int, int]) -> None:
        self._name_server = name_server
        self._ports = ports
        self._getaddrinfo = socket.getaddrinfo

    def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """Like socket's; addresses are left alone, because only names of the simulated AWS lead to mapped ports."""
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or name == "localhost" or _is_address(name):
            return self._getaddrinfo(host, port, family, type, proto, flags)
        number = (
            socket.getservbyname(port) if isinstance(port, str) and not port.isdigit() else int(port or 0)
        )
        found = []
        for address in self._look_up(name):
            found += self._getaddrinfo(
                address, self._ports.get(number, number), socket.AF_INET, type, proto, 0
            )
        return found

    def _look_up(self, name: str) -> list[str]:
        """The IPv4 addresses of a name. Raises gaierror as the system's resolver does."""
        if self._name_server is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        from dns import exception, message, rdatatype

        for _ in range(ALIASES):
            asked = message.make_query(name, rdatatype.A)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
                server.settimeout(LOOK_UP_TIMEOUT)
                server.connect(self._name_server)
                server.send(asked.to_wire())
                try:
                    answers = message.from_wire(server.recv(65_535)).answer
                except (OSError, exception.DNSException):
                    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution") from None
            addresses = [
                item.to_text() for answer in answers if answer.rdtype == rdatatype.A for item in answer
            ]
            if addresses:
                return addresses
            aliases = [answer[0] for answer in answers if answer.rdtype == rdatatype.CNAME]
            if not aliases:
                break
            name = aliases[-1].target.to_text()
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _is_address(name: str) -> bool:
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


class Context:
    """What the handler is given beside the event (developer guide, "Using the Lambda context object")."""

    def __init__(self, clock: Clock, id: str, deadline: float, arn: str) -> None:
        self._clock = clock
        self._deadline = deadline
        self.aws_request_id = id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None

    def get_remaining_time_in_millis(self) -> int:
        """Until Lambda ends the invocation, in simulated time."""
        return max(0, int((self._deadline - self._clock.now()) * 1000))


class Lines(logging.Handler):
    """Lambda's format of log lines."""

    request_id = ""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def emit(self, record: logging.LogRecord) -> None:
        moment = self._clock.now()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
        text = self.format(record)
        line = f"[{record.levelname}]\t{stamp}.{int(moment % 1 * 1000):03d}Z\t{self.request_id}\t{text}\n"
        sys.stderr.write(line)


def follow(commands: Any, clock: Clock) -> queue.SimpleQueue[dict[str, Any]]:
    """Read the commands, while the handler runs too; the process ends with whoever sends them."""
    invocations: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        for line in commands:
            command = json.loads(line)
            clock.set(command["clock"])
            if "invoke" in command:
                invocations.put(command["invoke"])
        os._exit(0)

    threading.Thread(target=read, name="commands", daemon=True).start()
    return invocations


def load(handler: str) -> Callable[[Any, Context], Any]:
    """The function that ``module.function`` names. Raises whatever importing it does."""
    module, _, name = handler.rpartition(".")
    found: Callable[[Any, Context], Any] = getattr(importlib.import_module(module.replace("/", ".")), name)
    return found


def failure(error: Exception) -> dict[str, Any]:
    """An exception as the answer of an invocation shows it (developer guide, "How error handling works")."""
    return {
        "errorType": type(error).__name__,
        "errorMessage": str(error),
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def main(settings: dict[str, Any]) -> None:
    """settings: ``handler``, ``arn``, ``code`` (folder), ``clock``, ``name_server`` and ``ports``."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    commands = os.fdopen(os.dup(0), encoding="utf-8")
    # What the function prints is log, and it has nothing to read.
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")

    clock = Clock(settings["clock"])
    network = Network(
        tuple(settings["name_server"]) if settings["name_server"] else None,
        {int(port): here for port, here in settings["ports"].items()},
    )
    lines = Lines(clock)
    logging.getLogger().addHandler(lines)
    invocations = follow(commands, clock)
    time.time, time.sleep = clock.now, clock.sleep
    socket.getaddrinfo = network.getaddrinfo
    sys.path.insert(0, settings["code"])
    handler, broken = None, None
    try:
        handler = load(settings["handler"])
    except Exception as error:
        traceback.print_exc()
        broken = failure(error)
    say({"ready": True})
    while True:
        wish = invocations.get()
        lines.request_id = wish["id"]
        print(f"START RequestId: {wish['id']} Version: $LATEST", file=sys.stderr)
        began = clock.now()
        answer: dict[str, Any] = {"error": broken}
        try:
            if handler is not None:
                context = Context(clock, wish["id"], wish["deadline"], settings["arn"])
                answer = {"result": json.dumps(handler(json.loads(wish["event"]), context))}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": failure(error)}
        print(f"END RequestId: {wish['id']}", file=sys.stderr)
        spent = (clock.now() - began) * 1000
        print(f"REPORT RequestId: {wish['id']}\tDuration: {spent:.2f} ms", file=sys.stderr)
        say(answer)
        if handler is None:
            return


if __name__ == "__main__":
    main(json.loads(sys.argv.pop()))
