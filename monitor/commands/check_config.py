"""`monitor check-config`: everything that is wrong with a config file, and what it would cost."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from monitor.commands import WRONG, Commands, advice


def add(commands: Commands) -> None:
    command = commands.add_parser("check-config", help="say everything that is wrong with a config file")
    command.add_argument("file", type=Path, metavar="FILE")
    command.set_defaults(run=check_config)


def check_config(options: argparse.Namespace) -> int:
    from monitor import config, queries
    from monitor.footprint import footprint, judge, memory_limit

    try:
        settings = config.load(options.file, os.environ, {}, queries.judge).settings
    except config.ConfigError as error:
        sys.stdout.write(f"{error}\n")
        sys.stderr.write(f"monitor: {advice(error)}\n")
        return WRONG
    judged = judge(footprint(settings), memory_limit())
    if not judged.fits:
        sys.stderr.write(f"monitor: {judged.text}\n")
        return WRONG
    sys.stdout.write(f"{options.file}: ok\n{judged.text}\n")
    return 0
