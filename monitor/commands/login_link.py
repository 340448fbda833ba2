"""`monitor login-link`: a link that logs in whoever opens it first."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from monitor.commands import Commands
from monitor.commands.state import add_state, runs, with_folder

if TYPE_CHECKING:
    from monitor.access import Folder


def add(commands: Commands) -> None:
    text = "print a link that logs in, once and within ten minutes"
    command = commands.add_parser("login-link", help=text)
    add_state(command)
    where = "the page's address as the browser has it; what the service said at its start if not given"
    command.add_argument("--url", metavar="URL", help=where)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from monitor.access.invitation import link

    def show(folder: Folder) -> None:
        sys.stdout.write(f"{link(folder, options.url or address(folder), time.time())}\n")

    return with_folder(options, show)


def address(folder: Folder) -> str:
    """Where the page of the service is that runs.  Raises AccessError where none does: who would take the
    port that it left would be shown the code."""
    from monitor.access import AccessError
    from monitor.access.invitation import told_address

    url = told_address(folder)
    if not runs(folder.path.parent):
        raise AccessError(
            f"nobody listens at {url} now: the service of the state folder {folder.path.parent} has ended; "
            "start it, or say with --url where its page is"
        )
    return url
