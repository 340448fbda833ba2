"""A Debian whose PID 1 is a real systemd: made by debootstrap, booted by systemd-nspawn, asked by nsenter.

It has a network of its own, with nothing in it but its loopback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
NEEDS = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container", "nsenter": "util-linux"}
"""Debian package by program."""
PACKAGES = "systemd,systemd-sysv,dbus,python3-venv"
PATIENCE = 60
"""Seconds for the machine to be up, or for anything asked of it."""
WHEELS = "wheels"
VENV = "/opt/monitor"
LEGACY = ("systemd.unified_cgroup_hierarchy=0", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1")
"""For systemd 256 and newer, which refuse the old control groups otherwise."""

CLOCK = "adjtimex clock_adjtime"
"""System calls that a machine may make and a container may not: to ask how well the clock is kept."""


class CommandError(Exception):
    """A command failed; the message holds what it said."""


def missing() -> str:
    """What is not here; empty where the machine can be made."""
    if os.geteuid():
        return "root (debootstrap and systemd-nspawn need it)"
    packages = [package for program, package in NEEDS.items() if not shutil.which(program)]
    return f"the Debian packages {' '.join(packages)}" if packages else ""


def make(root: Path, suite: str) -> None:
    """A root folder, unless it is there; with the wheels of this tree and of what it needs, and a venv."""
    if not (root / "sbin/init").exists():
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, str(root))
    for left in ("etc/monitor", "var/lib/private/monitor", "var/lib/monitor"):  # By a run that was cut.
        run("rm", "-rf", str(root / left))
    for unit in (root / "etc/systemd/system").glob("**/monitor.*"):
        unit.unlink()
    wheels = root / WHEELS
    shutil.rmtree(wheels, ignore_errors=True)
    python = (root / "usr/bin/python3").resolve().name.removeprefix("python")
    pip = sys.executable, "-m", "pip", "--quiet"
    build_wheel(wheels)
    run(
        *(*pip, "download", "--require-hashes", "--requirement", "requirements.lock", "--no-deps"),
        *("--only-binary=:all:", "--python-version", python, "--dest", str(wheels)),
    )
    shutil.rmtree(root / VENV[1:], ignore_errors=True)
    run("chroot", str(root), "python3", "-m", "venv", VENV)
    run("chroot", str(root), *upgrade(), *(f"/{WHEELS}/{path.name}" for path in wheels.iterdir()))


def build_wheel(folder: Path) -> None:
    """The wheel of this tree."""
    pip = sys.executable, "-m", "pip", "--quiet"
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), ".")


def upgrade() -> Sequence[str]:
    """The command that installs wheels, whose paths follow."""
    return f"{VENV}/bin/pip", "--quiet", "install", "--no-index", "--no-deps", "--force-reinstall"


class Machine:
    """A machine that has been booted."""

    def __init__(self, root: Path, leader: int) -> None:
        self.root = root
        self.leader = leader

    def command(self, *command: str) -> Sequence[str]:
        """The command that runs another inside."""
        return "nsenter", "--target", str(self.leader), "--all", *command

    def run(self, *command: str) -> str:
        """What a command prints.  Raises CommandError."""
        return run(*self.command(*command))

    def shown(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", "--value", "--property", name, unit).strip()

    def monitor(self, *arguments: str) -> str:
        return self.run(f"{VENV}/bin/monitor", *arguments)

    def path(self, inside: str) -> Path:
        """A path of its root folder, from outside."""
        return self.root / inside.lstrip("/")


@contextmanager
def booted(root: Path) -> Iterator[Machine]:
    console = root.with_suffix(".console")
    command = "systemd-nspawn", "--quiet", "--directory", str(root), "--boot", "--private-network"
    with console.open("w") as out:
        process = subprocess.Popen(
            [*command, f"--system-call-filter={CLOCK}", "--register=no", "--keep-unit", *LEGACY],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        yield up(root, process)
    finally:
        process.terminate()  # It powers the machine off.
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        process.kill()
        process.wait()


def up(root: Path, process: subprocess.Popen[bytes]) -> Machine:
    """The machine, when its systemd has started everything."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        for leader in leaders(process.pid, root):
            machine = Machine(root, leader)
            asked = subprocess.run(
                machine.command("systemctl", "is-system-running"), capture_output=True, text=True, check=False
            )
            if asked.stdout.strip() in {"running", "degraded"}:
                return machine
        time.sleep(0.1)
    raise CommandError(f"the machine did not start:\n{root.with_suffix('.console').read_text()[-2000:]}")


def leaders(parent: int, root: Path) -> Iterator[int]:
    """The process that nspawn started, once it is inside."""
    for word in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        with suppress(OSError):
            if (root / "usr").samefile(f"/proc/{word}/root/usr"):
                yield int(word)


def run(*command: str) -> str:
    """What a command prints.  Raises CommandError."""
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(
            f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}"[-3000:]
        )
    return done.stdout
