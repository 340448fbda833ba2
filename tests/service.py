"""The real service, in a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from tests.surroundings import slowness

SERVE = (sys.executable, "-m", "monitor", "serve")
PATIENCE = 60
"""Seconds until a service that says nothing is given up."""


class Service:
    """`monitor serve` at an address that stays the same over restarts.

    It runs in `folder` and leaves its log there.  Settings are its environment variables without their
    prefix: `COLLECT__INTERVAL="2s"`.
    """

    def __init__(self, folder: Path, command: Sequence[str] = SERVE, **settings: str) -> None:
        place = held_port()
        weakref.finalize(self, place.close)
        port = place.getsockname()[1]
        scheme = "https" if "SERVER__TLS__CERTIFICATE" in settings else "http"
        self.url = f"{scheme}://127.0.0.1:{port}/"
        self.log = folder / "service.log"
        self.folder = folder
        self.command = command
        listen = {"SERVER__LISTEN": f"127.0.0.1:{port}", "STORAGE__PATH": str(folder / "state")}
        if "--config" not in command:
            listen["BOARDS"] = "[overview]"  # And not what this machine has.
        listen["ACCESS__ANONYMOUS"] = "operator"  # Most tests are about something else than who may look.
        self.environment = {f"MONITOR_{name}": value for name, value in {**listen, **settings}.items()}
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Return when the service has printed its address, which it does when it listens."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout
        with ended_after(PATIENCE, self.process):
            said = any(self.url in line for line in self.process.stdout)
        if not said:
            self.process.communicate()
            self.process = None
        assert said, f"the service did not start:\n{self.log.read_text()}"

    def stop(self) -> None:
        """End it as systemd does."""
        self.send(signal.SIGTERM)
        if self.process:
            with ended_after(PATIENCE, self.process):
                self.process.communicate()
            assert self.process.returncode == 0, self.log.read_text()
        self.process = None

    def send(self, number: signal.Signals) -> None:
        if self.process:
            self.process.send_signal(number)


def held_port() -> socket.socket:
    """A port of 127.0.0.1 that nobody is given while it is held, though one who asks for it may listen on it:
    Linux lets two have a port of which only one listens, if both say SO_REUSEADDR (socket(7))."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


@contextmanager
def ended_after(seconds: float, process: subprocess.Popen[str]) -> Iterator[None]:
    """Kill a process that takes longer than this, so that no read of its output waits for ever."""
    timer = Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def running(folder: Path, command: Sequence[str] = SERVE, **settings: str) -> Iterator[Service]:
    """A started service, stopped at the end; its log may hold no warning, but that this machine is slow."""
    service = Service(folder, command, **settings)
    service.start()
    try:
        yield service
    finally:
        service.send(signal.SIGCONT)
        service.stop()
    warnings = [line for line in service.log.read_text().splitlines() if "WARNING" in line or "ERROR" in line]
    assert not [line for line in warnings if not slowness(line)]
