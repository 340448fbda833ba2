"""What a service runs on, in its state folder: for `config diff`, and for whoever looks at the machine.

The file is readable by its owner alone, and holds no secret (monitor/config/facts.py).  It is written anew by
every start and reload, and believed only while the process that wrote it lives.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .change import Fact, Told

NAME = "running.json"


class NotRunningError(Exception):
    """No service runs on a state folder; the message says what to do."""


class Running(NamedTuple):
    """A service, and what it runs on."""

    pid: int
    key: bytes
    """Of the digests."""
    facts: dict[str, Fact]
    fixed: dict[str, str]
    """By key path, the variable or flag that it was started with and that overrides every file."""


def write(folder: Path, told: Told, fixed: Mapping[str, str]) -> None:
    """Tell what this process runs on.  Raises OSError."""
    held = {
        "pid": os.getpid(),
        "started": started(os.getpid()),
        "key": told.key.hex(),
        "settings": told.facts,
        "fixed": dict(fixed),
    }
    temporary = folder / f".{NAME}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  (a descriptor has no path)
        json.dump(held, file)
    temporary.replace(folder / NAME)


def remove(folder: Path) -> None:
    """Tell that this process does not run any more."""
    (folder / NAME).unlink(missing_ok=True)


def read(folder: Path) -> Running:
    """What the service of a state folder runs on.  Raises NotRunningError."""
    path = folder / NAME
    advice = "say with --state where its state folder is, or compare two files with --against FILE"
    try:
        held = json.loads(path.read_bytes())
        told = {name: Fact(*fact) for name, fact in held["settings"].items()}
        found = Running(int(held["pid"]), bytes.fromhex(held["key"]), told, dict(held["fixed"]))
        lives = started(found.pid) == held["started"]
    except FileNotFoundError as error:
        raise NotRunningError(f"no service runs on the state folder {folder}; {advice}") from error
    except OSError as error:
        raise NotRunningError(
            f"{path} cannot be read: {error.strerror}; run this as the user of the service"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise NotRunningError(f"{path} is not of this version of monitor; {advice}") from error
    if not lives:
        raise NotRunningError(f"the service of the state folder {folder} has ended; {advice}")
    return found


def started(pid: int) -> str:
    """When a process began, in clock ticks from boot (proc(5), stat, field 22); empty where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # The name in field 2 may hold spaces and brackets; nothing after its last bracket does.
    return text.rpartition(")")[2].split()[19]
