"""The simulator's process: ``python -m drctl.sim.server --state-dir DIR``.

It writes DIR/sim/server.json when it answers, saves what it holds every now and then, and leaves by itself
when nobody has asked for anything for a while. drctl.sim.client starts and finds it.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
import warnings
from pathlib import Path
from types import FrameType
from typing import IO

from drctl.sim import layers, moto_cloud, snapshot
from drctl.sim.access_log import AccessLog
from drctl.sim.app import Simulator, preload
from drctl.sim.clock import SimClock
from drctl.sim.control import ControlApi
from drctl.sim.listener import Listener
from drctl.sim.motion.outlets import outlets

SAVE_INTERVAL = 30.0
"""Real seconds between two snapshots while calls change things."""
GARBAGE_AFTER = 100_000
"""New objects after which Python looks for garbage: what there is stays, and it is much to look through."""
TICK_INTERVAL = 0.02
"""Real seconds between two looks at the calendar when no call looks at it anyway."""

log = logging.getLogger("drctl.sim.server")


class Server:
    """Puts the parts together and lets them run until told to stop."""

    def __init__(self, folder: Path, speed: float, port: int, idle_stop: float) -> None:
        """folder: where its files lie. Raises DamagedSnapshot, and OSError when the port is taken."""
        self._folder = folder
        self._idle_stop = idle_stop
        self._stopping = threading.Event()
        clock = SimClock(time.time(), speed)
        moto_cloud.follow(clock.now)
        layers.load()
        self._simulator = Simulator(clock, moto_cloud.MotoCloud(), AccessLog(folder / "access.jsonl"))
        saved = snapshot.load(self._snapshot_path)
        if saved is not None:
            self._simulator.restore(saved.world, saved.now)
        self._saving = threading.Lock()
        self._saved_mutations = 0
        self._saved_last = False
        self._listener = Listener(self._simulator, port)
        self._outlets = outlets(self._simulator, folder, self._listener.endpoint)
        facts = {name: fact for outlet in self._outlets for name, fact in outlet.facts().items()}
        self._listener.control = ControlApi(
            self._simulator, self._listener.endpoint, self._save_and_stop, self._stopping.is_set, facts
        )

    @property
    def _snapshot_path(self) -> Path:
        return self._folder / "snapshot"

    def stop(self) -> None:
        """Ask it to end; safe from any thread and from a signal handler."""
        self._stopping.set()

    def _save_and_stop(self) -> None:
        """Saved while whoever asked still listens: what cannot be saved is told, and it ends nevertheless."""
        try:
            self._save(last=True)
        finally:
            self.stop()

    def run(self) -> None:
        """Serve until stopped or idle, then save."""
        serving = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        for outlet in self._outlets:
            outlet.start()
        self._announce()
        threading.Thread(
            target=preload, args=(self._simulator, moto_cloud.SERVICES), name="preload", daemon=True
        ).start()
        last_save = time.monotonic()
        while not self._stopping.wait(TICK_INTERVAL):
            self._simulator.tick()
            now = time.monotonic()
            if now - last_save >= SAVE_INTERVAL:
                if self._simulator.mutations != self._saved_mutations:
                    self._save_or_log()
                last_save = now
            if now - self._listener.last_request >= self._idle_stop:
                log.info("idle for %.0f s: stopping", self._idle_stop)
                self.stop()
        self._server_file.unlink(missing_ok=True)
        for outlet in self._outlets:
            outlet.stop()
        self._listener.shutdown()
        serving.join()
        if not self._saved_last:
            self._save_or_log(last=True)
        self._simulator.access_log.close()

    def _save_or_log(self, last: bool = False) -> None:
        """A snapshot that fails must not take down the AWS that it was to save."""
        try:
            self._save(last)
        except Exception:
            self._simulator.internal_errors += 1
            log.exception("the snapshot failed; the one before it stays")

    @property
    def _server_file(self) -> Path:
        return self._folder / "server.json"

    def _announce(self) -> None:
        """Say where it is, once it answers."""
        content = json.dumps(
            {
                "pid": os.getpid(),
                "endpoint": self._listener.endpoint,
                "started_at": time.time(),
                "speed": self._simulator.clock.speed,
            }
        )
        temporary = self._server_file.with_name("server.json.tmp")
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(self._server_file)

    def _save(self, last: bool = False) -> None:
        """Write a snapshot; only taking it holds up the calls, not writing it.

        last: from then on no call is answered, because nothing that it did would be kept.
        """
        simulator = self._simulator
        with self._saving:
            with simulator.lock:
                simulator.closed |= last
                content = snapshot.dump(snapshot.Snapshot(simulator.world, simulator.clock.now()))
                self._saved_mutations = simulator.mutations
            snapshot.write(self._snapshot_path, content)
            self._saved_last |= last


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 after a stop, 1 when it cannot start; the reason is the last line on stderr."""
    parser = argparse.ArgumentParser(prog="python -m drctl.sim.server", description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--speed", type=float, default=60.0, help="simulated seconds per real second")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--idle-stop", type=float, default=1800.0, help="seconds without a request")
    options = parser.parse_args(arguments)
    folder: Path = options.state_dir.resolve() / "sim"
    folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    warnings.simplefilter("ignore")
    gc.set_threshold(GARBAGE_AFTER, 20, 100)
    # moto's object graphs are deep, and pickle follows them one call a level.
    sys.setrecursionlimit(20_000)
    lock = _only_server(folder)
    try:
        server = Server(folder, options.speed, options.port, options.idle_stop)
    except (snapshot.DamagedSnapshot, ValueError, OSError) as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1

    def on_signal(number: int, frame: FrameType | None) -> None:
        server.stop()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    server.run()
    lock.close()
    return 0


def _only_server(folder: Path) -> IO[str]:
    """Wait until no other simulator holds this folder: one that is leaving may still be saving its state."""
    lock = (folder / "server.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another simulator to leave {folder}", file=sys.stderr, flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


if __name__ == "__main__":
    sys.exit(main())
