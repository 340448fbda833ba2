"""The commands of `monitor`: one file each, whose `add` declares it and whose function runs it.

Each imports what it needs when it runs, so that the small ones answer at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

if TYPE_CHECKING:
    from monitor.config import ConfigError

WRONG = 2
"""Exit status for a wrong command line or configuration."""
FAILED = 1
"""Exit status of a command that could not do what it was asked."""


class Kinds(argparse._SubParsersAction):  # type: ignore[type-arg]  # noqa: SLF001 - argparse has no public name
    """Commands that say in their own `--help`, too, what they do."""

    def add_parser(self, name: str, **told: Any) -> Any:
        text = told.get("help", "")
        told.setdefault("description", f"{text[:1].upper()}{text[1:]}.")
        return super().add_parser(name, **told)


class Parser(argparse.ArgumentParser):
    """Its errors say where to read on."""

    def __init__(self, *names: Any, **told: Any) -> None:
        super().__init__(*names, **told)
        self.register("action", "parsers", Kinds)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(WRONG, f"{self.prog}: {message}\nFor all there is to say, run: {self.prog} --help\n")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001
"""What `add_subparsers` gives; argparse has no public name for it."""
Add: TypeAlias = Callable[[Commands], None]


def add_set(command: Parser) -> None:
    """The flag `--set`, whose pairs are in `options.set`."""
    path, text = "KEY.PATH=VALUE", "override one setting"
    command.add_argument("--set", type=assignment, action="append", default=[], metavar=path, help=text)


def assignment(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected KEY.PATH=VALUE, as collect.interval=5s")
    return key, value


def failed(error: Exception) -> int:
    """Say why a command could not do what it was asked; its exit status."""
    sys.stderr.write(f"monitor: {error}\n")
    return FAILED


def advice(error: ConfigError) -> str:
    """What to do next about a configuration that is wrong."""
    count = len(error.problems)
    problems = "problem" if count == 1 else "problems"
    return f"{count} {problems} to correct; every setting is explained by: monitor config reference"
