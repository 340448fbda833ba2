"""`monitor config diff`: what a reload would change, and what of it needs a restart."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import WRONG, Commands, add_set, advice, failed
from monitor.commands.state import SYSTEM, runs

if TYPE_CHECKING:
    from monitor.config.change import Change


def add(commands: Commands) -> None:
    command = commands.add_parser("diff", help="say what a running service would make of a file")
    command.add_argument("file", type=Path, metavar="FILE", help="the file that would be loaded")
    other = "compare with this file, and not with the service that runs"
    command.add_argument("--against", type=Path, metavar="FILE", help=other)
    folder = "the service's state folder, where it is not the one of FILE"
    command.add_argument("--state", type=Path, metavar="FOLDER", help=folder)
    add_set(command)
    command.set_defaults(run=diff)


def diff(options: argparse.Namespace) -> int:
    from monitor import config, queries
    from monitor.config import running
    from monitor.config.facts import changes, facts

    try:
        new = config.load(options.file, os.environ, dict(options.set), queries.judge).settings
        if options.against is not None:
            old = facts(config.load(options.against, os.environ, dict(options.set)).settings)
            found, fixed = changes(old, facts(new)), dict[str, str]()
        else:
            service = running.read(options.state or state_folder(config.state_directory(new, os.environ)))
            found, fixed = changes(service.facts, facts(new, service.key)), service.fixed
    except config.ConfigError as error:
        sys.stdout.write(f"{error}\n")
        sys.stderr.write(f"monitor: {advice(error)}\n")
        return WRONG
    except running.NotRunningError as error:
        return failed(error)
    lines = [line(change, fixed) for change in found]
    sys.stdout.write("".join(lines) or "no setting differs\n")
    return 0


def line(change: Change, fixed: Mapping[str, str]) -> str:
    """A change, or why there is none."""
    by = fixed.get(change.path)
    return f"{change}\n" if by is None else f"{change.path}: stays, as the service was started with {by}\n"


def state_folder(own: Path) -> Path:
    """That of the configuration, unless only the service that systemd runs is there."""
    return SYSTEM if not runs(own) and runs(SYSTEM) else own
