"""systemctl(1) and journalctl(1), run and read.

The one place that runs commands of others: it belongs to `monitor service`, which a person waits for, and
nothing of the service itself comes here (pyproject.toml says so to the linter).
"""

from __future__ import annotations

import subprocess
from pathlib import Path

PATIENCE = 120
"""Seconds; a service may take 90 to start, by systemd's default."""
MARK = Path("/run/systemd/system")
"""There where systemd is PID 1 (sd_booted(3))."""


class CommandError(Exception):
    """A command is not there or failed; the message says which, why, and what to do."""


def systemctl(*arguments: str) -> str:
    """What it prints.  Raises CommandError."""
    return run("systemctl", *arguments)


def properties(unit: str, *names: str) -> dict[str, str]:
    """Properties of a unit by name; of a unit that is not there, too.  Raises CommandError."""
    text = systemctl("show", unit, "--property", ",".join(names))
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def version() -> int:
    """Of systemd.  Raises CommandError."""
    words = systemctl("--version").split()
    digits = words[1].partition(".")[0].partition("~")[0] if len(words) > 1 else ""
    if not digits.isdigit():
        raise CommandError(f"systemctl --version: found {' '.join(words[:3])!r}, expected `systemd NUMBER`")
    return int(digits)


def errors(unit: str, most: int) -> list[str]:
    """The newest lines that a unit wrote to the journal as errors.  Raises CommandError."""
    lines = run(
        "journalctl", "--unit", unit, "--priority", "err", "--lines", str(most), "--quiet", "--no-pager",
        "--output", "short-iso"
    ).splitlines()  # fmt: skip
    return [line for line in lines if line]


def needed(mark: Path = MARK) -> None:
    """Raises CommandError where this machine is not run by systemd."""
    if not mark.is_dir():
        raise CommandError(
            "this machine is not run by systemd; start `monitor serve` by whatever starts services here"
        )


def run(*command: str) -> str:
    """Standard output of a command.  Raises CommandError."""
    line = " ".join(command)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except FileNotFoundError as error:
        raise CommandError(f"{command[0]} is not on this machine; it comes with systemd") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"`{line}` did not end within {PATIENCE} s") from error
    if done.returncode:
        said = done.stderr.strip() or f"exit status {done.returncode}"
        raise CommandError(f"`{line}` failed: {said}")
    return done.stdout
