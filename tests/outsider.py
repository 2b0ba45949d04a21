"""Somebody outside AWS who watches a drill with tools of their own: a program of the standard library and ``dig``.

Nothing of drctl's is in here, and no library that it uses: what this sees is held against what drctl reports. It reads
its settings from its argument (JSON, see ``Settings``), begins at the first line of its standard input, and prints what
it sees as JSON lines: ``{"probe", "time", "ended", "ok", "who", "detail", "sequence"}``, times in simulated seconds. As
soon as the standby has taken a write it asks there what has arrived of the writes before (``"audit"``). When its
standard input ends it removes what it wrote and ends.

Looks, each once in ``interval_s``: ``dns`` (dig), ``read-name`` and ``write-name`` (over a cache that keeps an address
for its TTL), ``read-distribution`` and ``write-distribution``.
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

PATIENCE = 5.0
"""Real seconds until a user gives up: what is out hangs up at once, so this is for busy machines only."""

DIG = shutil.which("dig")


@dataclass(frozen=True)
class Settings:
    """now, at, speed: a reading of simulated time, and the monotonic moment it is for
    name_server: host and port; https: the port that stands for 443
    name, distribution: where users go; own: region -> its load balancer's own name
    standby: the region that takes over
    """

    now: float
    at: float
    speed: float
    name_server: tuple[str, int]
    https: int
    trust: str
    name: str
    distribution: str
    own: dict[str, str]
    standby: str
    interval_s: float = 1.0

    def clock(self) -> float:
        return self.now + (time.monotonic() - self.at) * self.speed


class Outsider:
    """One user with a resolver of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._trust = ssl.create_default_context(cafile=settings.trust)
        self._kept: dict[str, tuple[str, float]] = {}
        self._written: dict[str, dict[int, float]] = {"write-name": {}, "write-distribution": {}}
        self._numbers = {"write-name": 0, "write-distribution": 0}
        self._guard, self._speaking = threading.Lock(), threading.Lock()
        self._audited = False
        self._stopping = threading.Event()
        self._regions = {self._ask(name)[0]: region for region, name in settings.own.items()}

    def watch(self) -> None:
        """Look until standard input ends, then clean up."""
        settings = self._settings
        looks: dict[str, Callable[[], dict[str, Any]]] = {
            "dns": self._dig,
            "read-name": lambda: self._read(settings.name),
            "write-name": lambda: self._write("write-name", settings.name),
            "read-distribution": lambda: self._read(settings.distribution),
            "write-distribution": lambda: self._write("write-distribution", settings.distribution),
        }
        threads = [threading.Thread(target=self._repeat, args=look) for look in looks.items()]
        for thread in threads:
            thread.start()
        sys.stdin.read()
        self._stopping.set()
        for thread in threads:
            thread.join()
        self._remove()

    def _repeat(self, probe: str, look: Callable[[], dict[str, Any]]) -> None:
        clock, due = self._settings.clock, self._settings.clock()
        while not self._stopping.is_set():
            began = clock()
            try:
                seen = look()
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                seen = {"ok": False, "detail": f"{type(error).__name__}: {error}"}
            self._say(probe=probe, time=began, ended=clock(), **{"who": "", "sequence": None, **seen})
            if probe.startswith("write-") and seen["ok"] and seen.get("who") == self._settings.standby:
                self._audit()
            due = max(due + self._settings.interval_s, clock())
            self._stopping.wait((due - clock()) / self._settings.speed)

    def _read(self, name: str) -> dict[str, Any]:
        status, region = self._request("GET", name, self._address(name), "/sessions")
        return {"ok": status == 200, "who": region, "detail": str(status)}

    def _write(self, probe: str, name: str) -> dict[str, Any]:
        self._numbers[probe] += 1
        number, began = self._numbers[probe], self._settings.clock()
        path = f"/api/sessions/{self._id(probe, number)}"
        seen = {"ok": False, "sequence": number}
        try:
            status, region = self._request("PUT", name, self._address(name), path, b'{"by": "an outsider"}')
        except (OSError, ValueError) as error:
            return {**seen, "detail": f"{type(error).__name__}: {error}"}
        if status == 200 and region != self._settings.standby:
            self._written[probe][number] = began
        return {**seen, "ok": status == 200, "who": region, "detail": str(status)}

    def _audit(self) -> None:
        """Once: which rows and sessions of those that the lost region had taken the standby has."""
        with self._guard:
            if self._audited:
                return
            self._audited = True
        host = self._settings.own[self._settings.standby]
        address, _ = self._ask(host)
        written = [(probe, number) for probe, numbers in self._written.items() for number in list(numbers)]
        for kind in ("records", "sessions"):

            def held(one: tuple[str, int], kind: str = kind) -> int:
                return self._request("GET", host, address, f"/api/{kind}/{self._id(*one)}")[0]

            with ThreadPoolExecutor(8) as threads:
                statuses = dict(zip(written, threads.map(held, written), strict=True))
            self._say(
                audit=kind,
                time=self._settings.clock(),
                statuses=[[*one, status] for one, status in statuses.items()],
            )

    def _remove(self) -> None:
        name = self._settings.name
        address, _ = self._ask(name)
        for probe, last in self._numbers.items():
            for number in range(1, last + 1):
                self._request("DELETE", name, address, f"/api/sessions/{self._id(probe, number)}")
        self._say(removed=True)

    def _id(self, probe: str, number: int) -> str:
        return f"outsider-{probe}-{number}"

    def _request(self, method: str, name: str, address: str, path: str, body: bytes = b"") -> tuple[int, str]:
        """Status and X-Region, over a connection of its own. Raises OSError, ValueError when it is not HTTP."""
        with (
            socket.create_connection((address, self._settings.https), timeout=PATIENCE) as plain,
            self._trust.wrap_socket(plain, server_hostname=name) as line,
        ):
            head = (
                f"{method} {path} HTTP/1.1",
                f"Host: {name}",
                "Connection: close",
                f"Content-Length: {len(body)}",
            )
            line.sendall("\r\n".join((*head, "", "")).encode() + body)
            said = b""
            while part := line.recv(65_536):
                said += part
        if not said:
            raise ConnectionError("no answer")
        lines = said.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        headers = {
            key.lower(): value.strip() for key, _, value in (each.partition(":") for each in lines[1:])
        }
        return int(lines[0].split()[1]), headers.get("x-region", "")

    def _address(self, name: str) -> str:
        """Kept for the TTL."""
        with self._guard:
            address, until = self._kept.get(name, ("", 0.0))
            if self._settings.clock() >= until:
                address, ttl = self._ask(name)
                self._kept[name] = address, self._settings.clock() + ttl
            return address

    def _ask(self, name: str) -> tuple[str, float]:
        """An address and its TTL, by a packet of our own making (RFC 1035, 4.1). Raises OSError, ValueError."""
        number = secrets.randbelow(65_536)
        labels = b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split("."))
        question = struct.pack("!6H", number, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.settimeout(PATIENCE)
            server.connect(self._settings.name_server)
            server.send(question)
            said = server.recv(65_535)
        answered, flags, _, answers = struct.unpack("!4H", said[:8])
        if answered != number or flags & 0x000F or not answers:
            raise ValueError(f"the name server has no address for {name}")
        at = len(question)
        while True:
            while said[at] and said[at] < 0xC0:
                at += 1 + said[at]
            at += 2 if said[at] >= 0xC0 else 1
            kind, _, ttl, length = struct.unpack("!2HIH", said[at : at + 10])
            if kind == 1:
                return socket.inet_ntoa(said[at + 10 : at + 14]), float(ttl)
            at += 10 + length

    def _dig(self) -> dict[str, Any]:
        """What the name server says, by the program that an operator would use."""
        if DIG is None:
            address, ttl = self._ask(self._settings.name)
        else:
            host, port = self._settings.name_server
            asked = [
                DIG,
                f"@{host}",
                "-p",
                str(port),
                "+noall",
                "+answer",
                "+norecurse",
                "+tries=1",
                "+time=2",
            ]
            ran = subprocess.run(
                [*asked, self._settings.name, "A"], capture_output=True, text=True, timeout=10
            )
            (line,) = (line for line in ran.stdout.splitlines() if not line.startswith(";"))
            _, seconds, _, _, address = line.split()
            ttl = float(seconds)
        return {"ok": True, "who": self._regions.get(address, address), "detail": f"{ttl:.0f}"}

    def _say(self, **seen: Any) -> None:
        with self._speaking:
            print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    outsider = Outsider(Settings(**{**given, "name_server": tuple(given["name_server"])}))
    sys.stdin.readline()
    outsider.watch()
