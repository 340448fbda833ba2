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

DEFAULT = "http://127.0.0.1:8844"
LOOPBACK = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - who listens everywhere listens here


def add(commands: Commands) -> None:
    command = commands.add_parser("viewers", help="list who watches a running service, or cut one")
    url = f"where the page of the service is; what it said at its start if not given, else {DEFAULT}"
    command.add_argument("--url", help=url)
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

    if options.url is None:
        options.url = said(options) or DEFAULT
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
    return of_this_machine(options) if is_here(options.url) and is_meant(options) else lambda: ""


def said(options: argparse.Namespace) -> str:
    """Where the service of this machine says that its page is; empty where this user may not know it."""
    from monitor.access import AccessError
    from monitor.access.invitation import told_address
    from monitor.commands.state import access_folder
    from monitor.config import ConfigError

    try:
        url = told_address(access_folder(options))
    except (AccessError, ConfigError):
        return ""
    for everywhere, here in LOOPBACK.items():
        url = url.replace(f"//{everywhere}:", f"//{here}:", 1)
    return url


def is_here(url: str) -> bool:
    """Whether this is an address of this machine alone: no other gets to see what its key makes."""
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_meant(options: argparse.Namespace) -> bool:
    """Whether the service at the address is the one of the folder: another does not know its key."""
    from urllib.parse import urlsplit

    named = options.state is not None or options.config is not None
    return named or urlsplit(said(options)).netloc == urlsplit(options.url).netloc


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
