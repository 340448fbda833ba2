"""The command line: `monitor serve`, `monitor viewers`, `monitor check-config`, `monitor config`.

Each command imports what it needs, so that the small ones answer at once.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from monitor import __version__

if TYPE_CHECKING:
    from monitor.config import ConfigError, Settings

WRONG = 2
"""Exit status for a wrong command line or configuration."""

DOCUMENTS = {
    "default": "config.yaml, with every setting at its default",
    "schema": "its JSON Schema, for editors",
    "reference": "its documentation, in Markdown",
}

log = logging.getLogger("monitor")


class Parser(argparse.ArgumentParser):
    """Its errors say where to read on."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(WRONG, f"{self.prog}: {message}\nFor all there is to say, run: {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    options = parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def parser() -> Parser:
    whole = Parser(prog="monitor", description="One command shows this host live in a browser.")
    whole.add_argument("--version", action="version", version=f"monitor {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_serve(commands.add_parser("serve", help="watch this host and show it in browsers"))
    add_viewers(commands.add_parser("viewers", help="list who watches a running service, or cut one"))
    check = commands.add_parser("check-config", help="say everything that is wrong with a config file")
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(run=check_config)
    config = commands.add_parser("config", help="print what there is to configure")
    documents = config.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, text in DOCUMENTS.items():
        documents.add_parser(name, help=text).set_defaults(run=print_document, document=name)
    return whole


def add_serve(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", type=Path, metavar="FILE", help="config.yaml; without it, the defaults")
    command.add_argument("--listen", metavar="HOST:PORT", help="short for --set server.listen=HOST:PORT")
    path = "KEY.PATH=VALUE"
    command.add_argument(
        "--set", type=assignment, action="append", default=[], metavar=path, help="override one setting"
    )
    command.set_defaults(run=serve)


def add_viewers(command: argparse.ArgumentParser) -> None:
    url = "http://127.0.0.1:8844"
    command.add_argument("--url", default=url, help=f"where the page of the service is; {url} if not given")
    once = command.add_mutually_exclusive_group()
    once.add_argument("--watch", action="store_true", help="list them anew every second")
    once.add_argument("--cut", metavar="SESSION", help="end the connection of one of them")
    command.set_defaults(run=list_viewers)


def assignment(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected KEY.PATH=VALUE, as collect.interval=5s")
    return key, value


def serve(options: argparse.Namespace) -> int:
    from monitor import config
    from monitor.log import set_up

    flags = {"server.listen": options.listen} if options.listen else {}
    try:
        settings = config.load(options.config, os.environ, flags | dict(options.set)).settings
    except config.ConfigError as error:
        sys.stderr.write(f"{error}\nmonitor: not started: {advice(error)}\n")
        return WRONG
    set_up(settings.log.level, settings.log.format)
    if options.config is None:
        log.info("no config file given: using the defaults")
    return start(settings)


def start(settings: Settings) -> int:
    from monitor import app

    try:
        return app.serve(settings)
    except app.StartError as error:
        sys.stderr.write(f"monitor: {error}\n")
        return 1


def list_viewers(options: argparse.Namespace) -> int:
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
        sys.stderr.write(f"monitor: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def check_config(options: argparse.Namespace) -> int:
    from monitor import config
    from monitor.footprint import footprint, judge, memory_limit

    try:
        settings = config.load(options.file, os.environ, {}).settings
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


def advice(error: ConfigError) -> str:
    """What to do next."""
    count = len(error.problems)
    problems = "problem" if count == 1 else "problems"
    return f"{count} {problems} to correct; every setting is explained by: monitor config reference"


def print_document(options: argparse.Namespace) -> int:
    from monitor.config.example import example
    from monitor.config.reference import reference
    from monitor.config.schema import schema_text

    texts = {"default": example, "schema": schema_text, "reference": reference}
    sys.stdout.write(texts[options.document]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
