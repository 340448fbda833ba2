"""`monitor init`: a first configuration for this host."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from monitor.commands import Commands, failed

MODE = 0o640
"""Its owner writes, its group reads, others do not."""
SMALLEST = 10
"""Viewers, however little memory there is."""


def add(commands: Commands) -> None:
    command = commands.add_parser("init", help="write a first configuration for this host")
    default = Path("config.yaml")
    command.add_argument("file", type=Path, nargs="?", default=default, metavar="FILE", help=str(default))
    command.add_argument("--force", action="store_true", help="replace the file that is there")
    command.set_defaults(run=init)


def init(options: argparse.Namespace) -> int:
    from monitor.config.first import first
    from monitor.config.surroundings import surroundings

    path: Path = options.file
    try:
        write(path, first(surroundings(), viewers()), replace=options.force)
    except FileExistsError:
        return failed(FileExistsError(f"{path} is there already; to replace it, add --force"))
    except OSError as error:
        return failed(OSError(f"{path} cannot be written: {error.strerror}"))
    sys.stdout.write(
        f"wrote {path}\n"
        "next:\n"
        f"  monitor check-config {path}\n"
        f"  monitor serve --config {path}\n"
        f"or, to have it run under systemd: monitor service install --config {path.absolute()}\n"
    )
    return 0


def viewers() -> int:
    """How many viewers half of the memory is enough for, at most as many as are let in by default."""
    from monitor.config import load
    from monitor.footprint import footprint, judge, memory_limit

    limit = memory_limit()
    key = "server.websocket.max_clients"
    settings = load(None, {}, {}).settings
    count = settings.server.websocket.max_clients
    while count > SMALLEST and not judge(footprint(load(None, {}, {key: str(count)}).settings), limit).roomy:
        count = max(SMALLEST, count // 2)
    return count


def write(path: Path, text: str, replace: bool) -> None:
    """Whole or not at all.  Raises OSError: FileExistsError for a file that is not to be replaced."""
    temporary = path.with_name(f".{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, MODE)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  (a descriptor has no path)
            os.fchmod(descriptor, MODE)
            file.write(text)
        if replace:
            temporary.replace(path)
        else:
            path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)
