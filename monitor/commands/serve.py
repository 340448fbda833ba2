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
    from monitor import config, queries
    from monitor.log import set_up

    flags = {"server.listen": options.listen} if options.listen else {}
    try:
        given = flags | dict(options.set)
        loaded = config.load(options.config, os.environ, given, queries.judge)
    except config.ConfigError as error:
        sys.stderr.write(f"{error}\nmonitor: not started: {advice(error)}\n")
        return WRONG
    settings = loaded.settings
    set_up(settings.log.level, settings.log.format)
    if options.config is None:
        log.info("no config file given: using the defaults")
    return start(settings, config.Origin(options.config, given, loaded.files, loaded.fixed))


def start(settings: Settings, origin: Origin) -> int:
    from monitor import app

    try:
        return app.serve(settings, origin=origin)
    except app.StartError as error:
        return failed(error)
