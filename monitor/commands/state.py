"""Where the service of this machine keeps what commands need of it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import WRONG, Parser, advice, failed

if TYPE_CHECKING:
    from monitor.access import Folder

SYSTEM = Path("/var/lib/monitor")
"""The state folder of a service that systemd runs (systemd.exec(5), StateDirectory)."""


def add_state(command: Parser) -> None:
    """The flags `--config` and `--state`."""
    command.add_argument("--config", type=Path, metavar="FILE", help="the config.yaml of the service")
    command.add_argument("--state", type=Path, metavar="FOLDER", help="the state folder of the service")


def with_folder(options: argparse.Namespace, act: Callable[[Folder], None]) -> int:
    """Do something with what the service keeps secret; the exit status."""
    from monitor.access import AccessError
    from monitor.config import ConfigError

    try:
        act(access_folder(options))
    except ConfigError as error:
        sys.stderr.write(f"{error}\nmonitor: {advice(error)}\n")
        return WRONG
    except AccessError as error:
        return failed(error)
    return 0


def access_folder(options: argparse.Namespace) -> Folder:
    """The folder of the service that was named, or of the one that runs.  Raises ConfigError."""
    from monitor.access import FOLDER, Folder

    return Folder(state_folder(options) / FOLDER)


def state_folder(options: argparse.Namespace) -> Path:
    """Where the service that was named, or the one that runs, keeps its state.  Raises ConfigError."""
    from monitor import config

    if options.state is not None:
        return Path(options.state)
    settings = config.load(options.config, os.environ, {}).settings
    state = config.state_directory(settings, os.environ)
    if options.config is None and not runs(state) and runs(SYSTEM):
        return SYSTEM
    return state


def runs(state: Path) -> bool:
    """Whether a service is known to run on a state folder."""
    from monitor.config import running

    try:
        running.read(state)
    except running.NotRunningError:
        return False
    return True
