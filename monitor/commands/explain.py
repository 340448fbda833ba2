"""`monitor config explain`: each value that holds, and where it comes from."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from monitor.commands import WRONG, Commands, add_set, advice

if TYPE_CHECKING:
    from monitor.config import Loaded


class Line(NamedTuple):
    """One setting."""

    key: str
    value: str
    source: str
    takes: str


def add(commands: Commands) -> None:
    command = commands.add_parser("explain", help="say each value that holds, and where it comes from")
    command.add_argument("file", type=Path, nargs="?", metavar="FILE", help="without it, the defaults")
    prefix = "only settings of this key path or below it; may be given again"
    command.add_argument("--only", action="append", default=[], metavar="KEY", help=prefix)
    command.add_argument("--given", action="store_true", help="only settings that are not at their default")
    command.add_argument("--json", action="store_true", help="as JSON, with what brings a change into effect")
    add_set(command)
    command.set_defaults(run=explain)


def explain(options: argparse.Namespace) -> int:
    from monitor import config

    try:
        every = lines(config.load(options.file, os.environ, dict(options.set)))
    except config.ConfigError as error:
        sys.stdout.write(f"{error}\n")
        sys.stderr.write(f"monitor: {advice(error)}\n")
        return WRONG
    for name in options.only:
        if not any(is_below(line.key, [name]) for line in every):
            sys.stderr.write(
                f"monitor: --only {name}: there is no such setting; see: monitor config reference\n"
            )
            return WRONG
    wanted = [line for line in every if is_below(line.key, options.only or [""])]
    found = [line for line in wanted if line.source != "default" or not options.given]
    sys.stdout.write(as_json(found) if options.json else as_table(found))
    return 0


def lines(loaded: Loaded) -> list[Line]:
    """Every setting, in the order of the file."""
    from monitor.config.facts import facts
    from monitor.config.fields import settings
    from monitor.config.problems import dotted
    from monitor.config.settings import Settings

    told = facts(loaded.settings)
    return [
        Line(path, told[path].text, str(loaded.sources[path]), setting.takes.value)
        for setting in settings(Settings)
        for path in [dotted(setting.key)]
    ]


def is_below(key: str, prefixes: Collection[str]) -> bool:
    return any(not prefix or key == prefix or key.startswith(f"{prefix}.") for prefix in prefixes)


def as_json(found: Sequence[Line]) -> str:
    return json.dumps([line._asdict() for line in found], indent=2) + "\n"


def as_table(found: Sequence[Line]) -> str:
    """Key, source and value; the value last, as some are long."""
    keys = max((len(line.key) for line in found), default=0)
    sources = max((len(line.source) for line in found), default=0)
    return "".join(f"{line.key:{keys}}  {line.source:{sources}}  {line.value}\n" for line in found)
