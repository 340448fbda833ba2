"""A real journald with folders of its own, in a mount name space of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from monitor.collect import Host

PROGRAM = Path("/usr/lib/systemd/systemd-journald")
MOUNTS = (
    "mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/log && mkdir -p /run/systemd && echo && exec cat"
)
SETTINGS = {"ReadKMsg": "no", "Audit": "no", "RateLimitIntervalSec": "0", "ForwardToWall": "no"}
PATIENCE = 20


def missing() -> str:
    """What is not here; empty where it can be run."""
    if os.geteuid():
        return "root (a mount name space of its own needs it)"
    if not PROGRAM.exists() or not shutil.which("journalctl"):
        return "journald (the Debian package systemd)"
    if not Path("/etc/machine-id").exists() or not Path("/etc/machine-id").read_text().strip():
        return "/etc/machine-id"
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return "" if done.returncode == 0 else f"mount name spaces: {done.stderr.decode().strip()}"


class Journald:
    """Takes messages, and tells when they are in its files."""

    def __init__(self, space: int, notify: Path, environment: Mapping[str, str]) -> None:
        self.root = Path(f"/proc/{space}/root")
        self.host = Host(rootfs=str(self.root))
        self._space, self._notify, self._environment = str(space), notify, environment
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *command: str) -> list[str]:
        """The command that runs another where it is."""
        return ["nsenter", "--target", self._space, "--mount", *command]

    def start(self) -> None:
        """Run it, until it takes messages."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
            self._notify.unlink(missing_ok=True)
            heard.bind(str(self._notify))
            heard.settimeout(PATIENCE)
            places = {"NOTIFY_SOCKET": str(self._notify), **self._environment}
            self._process = subprocess.Popen(
                self.command(str(PROGRAM)),
                env={**os.environ, **places},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while b"READY=1" not in heard.recv(4096):
                pass

    def stop(self, *, kill: bool = False) -> None:
        if self._process:
            (self._process.kill if kill else self._process.terminate)()
            self._process.wait(PATIENCE)

    def say(self, priority: int, count: int = 1, **fields: str) -> None:
        """Have messages written, each with a text of its own, and wait until they are."""
        more = "".join(f"{name}={value}\n" for name, value in fields.items())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as said:
            said.connect(str(self.root / "run/systemd/journal/socket"))
            for number in range(count):
                said.send(f"PRIORITY={priority}\nMESSAGE=text {number}\n{more}".encode())
        self.ask("--sync")

    def ask(self, option: str) -> None:
        """journalctl with an option, such as --rotate."""
        subprocess.run(self.command("journalctl", option), check=True, capture_output=True, timeout=PATIENCE)


@contextmanager
def journald(
    folder: Path, environment: Mapping[str, str] | None = None, **settings: str
) -> Iterator[Journald]:
    """One that runs; its files are gone with it."""
    holder = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNTS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin
    assert holder.stdout
    with holder:
        holder.stdout.readline()
        made = Journald(holder.pid, folder / "notify", environment or {})
        lines = [f"{name}={value}\n" for name, value in (SETTINGS | settings).items()]
        configuration = made.root / "run/systemd/journald.conf.d/test.conf"
        configuration.parent.mkdir()
        configuration.write_text("[Journal]\n" + "".join(lines))
        try:
            made.start()
            yield made
        finally:
            made.stop()
            holder.stdin.close()
