"""`monitor viewers`: who watches a running service, and the way to cut one."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from monitor.commands import Commands, failed
from monitor.commands.state import add_state


def add(commands: Commands) -> None:
    command = commands.add_parser("viewers", help="list who watches a running service, or cut one")
    url = "http://127.0.0.1:8844"
    command.add_argument("--url", default=url, help=f"where the page of the service is; {url} if not given")
    once = command.add_mutually_exclusive_group()
    once.add_argument("--watch", action="store_true", help="list them anew every second")
    once.add_argument("--cut", metavar="SESSION", help="end the connection of one of them")
    file = "a file with a token; else that of MONITOR_TOKEN, else the key of this machine's service"
    command.add_argument("--token-file", type=Path, metavar="FILE", help=file)
    add_state(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from monitor.terminal import viewers
    from monitor.terminal.service import ServiceError

    try:
        shown = credential(options)
        if options.cut is not None:
            viewers.cut(options.url, options.cut, sys.stdout, shown)
        elif options.watch:
            viewers.watch(options.url, sys.stdout, shown=shown)
        else:
            viewers.show(options.url, sys.stdout, shown)
    except (ServiceError, OSError) as error:
        return failed(error)
    except KeyboardInterrupt:
        return 0
    return 0


def credential(options: argparse.Namespace) -> Callable[[], str]:
    """What to show to the service.  Raises OSError for a file that cannot be read."""
    if options.token_file is not None:
        token = options.token_file.read_text().strip()
        return lambda: token
    if os.environ.get("MONITOR_TOKEN"):
        return lambda: os.environ["MONITOR_TOKEN"]
    return of_this_machine(options) if is_here(options.url) else lambda: ""


def is_here(url: str) -> bool:
    """Whether this is an address of this machine alone: no other gets to see what its key makes."""
    from urllib.parse import urlsplit

    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host in {"localhost", "::1"} or host.startswith("127.")


def of_this_machine(options: argparse.Namespace) -> Callable[[], str]:
    """Codes made with the key of the service, where this user can read it."""
    from monitor.access import AccessError
    from monitor.access.access import command_code
    from monitor.commands.state import access_folder
    from monitor.config import ConfigError

    try:
        folder = access_folder(options)
        command_code(folder, time.time())
    except (AccessError, ConfigError):
        return lambda: ""
    return lambda: command_code(folder, time.time())
