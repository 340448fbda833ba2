"""A server in a process of its own: pinned to one core, watched from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

PATIENCE = 30
"""Seconds until a server that does not answer is given up."""
ROOT = Path(__file__).resolve().parent.parent


class Server:
    """A running server, on a loopback port of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, started: float) -> None:
        self.process, self.pid, self.port = process, process.pid, port
        self.started = started
        """On the monotonic clock, seconds."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """CPU seconds of all its threads (proc(5), schedstat)."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def resident(self) -> int:
        """Bytes of resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")

    def waiting(self) -> int:
        """Bytes that wait in the kernel on its connections, until they are acknowledged (proc(5))."""
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        fields = (line.split() for line in lines)
        ours, listening = f":{self.port:04X}", "0A"
        return sum(
            int(each[4].split(":")[0], 16)
            for each in fields
            if each[1].endswith(ours) and each[3] != listening
        )

    def wait_until(self, path: str) -> float:
        """Seconds from the start until a GET of the path is answered with 200."""
        while time.monotonic() - self.started < PATIENCE:
            try:
                with urlopen(self.url + path, timeout=PATIENCE) as answer:
                    answer.read(1)
                    return time.monotonic() - self.started
            except (URLError, ConnectionError):
                self._check()
                time.sleep(0.002)
        raise TimeoutError(f"{self.process.args!r}: no answer for {path} in {PATIENCE} s")

    def wait_for_port(self) -> None:
        """Return when it listens."""
        while time.monotonic() - self.started < PATIENCE:
            with socket.socket() as attempt:
                if not attempt.connect_ex(("127.0.0.1", self.port)):
                    return
            self._check()
            time.sleep(0.01)
        raise TimeoutError(f"{self.process.args!r}: does not listen on port {self.port} in {PATIENCE} s")

    def _check(self) -> None:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.process.args!r}: ended with status {self.process.returncode}")


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """The command on one of the cores that we may use, where there is more than one."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[core % len(cores)]), *command] if len(cores) > 1 else [*command]


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def compiled() -> Iterator[dict[str, str]]:
    """Variables under which Python finds every module compiled, as it does those of an installed package."""
    with TemporaryDirectory(prefix="bench-") as folder:
        # Empty counts as not set.
        environment = {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        modules = "monitor.__main__, monitor.app, monitor.config.loaded, monitor.config.merge"
        command = [sys.executable, "-c", f"import {modules}"]
        subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, check=True)
        yield environment


@contextmanager
def running(
    command: Sequence[str], port: int, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server started on the first core, and ended; its output goes to `server.log` in the folder."""
    started = time.monotonic()
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            pinned(0, command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        )
    try:
        yield Server(process, port, started)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def monitor(
    folder: Path,
    websocket: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    config: Path | None = None,
) -> Iterator[Server]:
    """The service on its defaults or a file, but open to any number of viewers from one address.

    Further settings are those of `server.websocket`.
    """
    port = free_port()
    live = {"per_address": "100000", "max_clients": "15000", **(websocket or {})}
    settings = {
        "server.listen": f"127.0.0.1:{port}",
        "storage.path": str(folder / "state"),
        "access.anonymous": "operator",
        **{f"server.websocket.{name}": value for name, value in live.items()},
    }
    flags = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    if config is not None:
        flags += ["--config", str(config)]
    with running([sys.executable, "-m", "monitor", "serve", *flags], port, folder, environment) as server:
        yield server
