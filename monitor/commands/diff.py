"""`monitor config diff`: what a reload would change, and what of it needs a restart."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from monitor.commands import WRONG, Commands, add_set, advice, failed


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
            found = changes(old, facts(new))
        else:
            folder = options.state or config.state_directory(new, os.environ)
            service = running.read(folder)
            found = changes(service.facts, facts(new, service.key))
    except config.ConfigError as error:
        sys.stdout.write(f"{error}\n")
        sys.stderr.write(f"monitor: {advice(error)}\n")
        return WRONG
    except running.NotRunningError as error:
        return failed(error)
    sys.stdout.writelines(f"{change}\n" for change in found)
    sys.stdout.write("" if found else "no setting differs\n")
    return 0
