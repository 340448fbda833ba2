"""`monitor serve`: the service."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import WRONG, Commands, add_set, advice, failed

if TYPE_CHECKING:
    from monitor.config import Origin, Settings

log = logging.getLogger("monitor")


def add(commands: Commands) -> None:
    command = commands.add_parser("serve", help="watch this host and show it in browsers")
    command.add_argument("--config", type=Path, metavar="FILE", help="config.yaml; without it, the defaults")
    command.add_argument("--listen", metavar="HOST:PORT", help="short for --set server.listen=HOST:PORT")
    add_set(command)
    command.set_defaults(run=serve)


def serve(options: argparse.Namespace) -> int:
    # A copy is made of this process, which must have no threads; numpy's are for linear algebra.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from monitor import checking
    from monitor.config import ConfigError, Origin
    from monitor.config.read import Question

    flags = {"server.listen": options.listen} if options.listen else {}
    given = flags | dict(options.set)
    try:
        answered = checking.aside(Question(options.config, given), os.environ)
        from monitor import app as app  # While the configuration is checked.

        read = answered()
    except ConfigError as error:
        sys.stderr.write(f"{error}\nmonitor: not started: {advice(error)}\n")
        return WRONG
    from monitor.log import set_up

    set_up(read.settings.log.level, read.settings.log.format)
    if options.config is None:
        log.info("no config file given: using the defaults")
    return start(read.settings, Origin(options.config, given, read.files, read.fixed, read.told))


def start(settings: Settings, origin: Origin) -> int:
    from monitor import app

    try:
        return app.serve(settings, origin=origin)
    except app.StartError as error:
        return failed(error)
