"""`monitor viewers`: who watches a running service, and the way to cut one."""

from __future__ import annotations

import argparse
import sys

from monitor.commands import Commands, failed


def add(commands: Commands) -> None:
    command = commands.add_parser("viewers", help="list who watches a running service, or cut one")
    url = "http://127.0.0.1:8844"
    command.add_argument("--url", default=url, help=f"where the page of the service is; {url} if not given")
    once = command.add_mutually_exclusive_group()
    once.add_argument("--watch", action="store_true", help="list them anew every second")
    once.add_argument("--cut", metavar="SESSION", help="end the connection of one of them")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from monitor.terminal import viewers
    from monitor.terminal.service import ServiceError

    try:
        if options.cut is not None:
            viewers.cut(options.url, options.cut, sys.stdout)
        elif options.watch:
            viewers.watch(options.url, sys.stdout)
        else:
            viewers.show(options.url, sys.stdout)
    except ServiceError as error:
        return failed(error)
    except KeyboardInterrupt:
        return 0
    return 0
