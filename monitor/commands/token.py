"""`monitor token`: tokens for programs, made, listed and revoked while the service runs or not."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitor.commands import Commands, Parser
from monitor.commands.state import add_state, with_folder

if TYPE_CHECKING:
    from monitor.access import Folder
    from monitor.access.tokens import Token

ROLES = ("viewer", "operator", "admin")
SCOPES = ("view", "metrics", "viewers")
NEVER = "never"
DAY = 86400


def add(commands: Commands) -> None:
    command = commands.add_parser("token", help="make, list or revoke tokens for programs")
    kinds = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_create(kinds.add_parser("create", help="make a token and print it, this once"))
    listing = kinds.add_parser("list", help="list them, without what they are")
    listing.set_defaults(run=show)
    revoking = kinds.add_parser("revoke", help="end a token; who uses it is cut within seconds")
    revoking.add_argument("name", metavar="NAME")
    revoking.set_defaults(run=revoke)
    for each in (listing, revoking):
        add_state(each)


def add_create(command: Parser) -> None:
    command.add_argument("name", metavar="NAME", help="what it is for")
    command.add_argument("--role", choices=ROLES, default="viewer", help="viewer if not given")
    scope = "only this of what the role may; may be given again"
    command.add_argument("--scope", choices=SCOPES, action="append", default=[], help=scope)
    lasts = f"how long it is good: 30d, 12h, or {NEVER}; 90d if not given"
    command.add_argument("--expires", type=seconds, default=90 * DAY, metavar="DURATION", help=lasts)
    add_state(command)
    command.set_defaults(run=create)


def seconds(text: str) -> int | None:
    """How long a token is good; None for ever."""
    from monitor.config.units import DURATION

    if text == NEVER:
        return None
    try:
        found = DURATION.parse(text) // 1000
    except ValueError:
        found = 0
    if not 1 <= found <= 3650 * DAY:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected 30d or 12h, or {NEVER}")
    return found


def create(options: argparse.Namespace) -> int:
    from monitor.access import Permission, Role, tokens

    def make(folder: Folder) -> None:
        now = int(time.time())
        expires = None if options.expires is None else now + options.expires
        scope = [Permission(each) for each in options.scope]
        made = tokens.create(folder, options.name, Role(options.role), scope, now, expires)
        sys.stdout.write(f"{made}\n")
        sys.stderr.write("monitor: this is shown once; send it as: Authorization: Bearer TOKEN\n")

    return with_folder(options, make)


def show(options: argparse.Namespace) -> int:
    from monitor.access import tokens

    def listed(folder: Folder) -> None:
        sys.stdout.writelines(f"{line}\n" for line in table(tokens.read(folder), time.time()))

    return with_folder(options, listed)


def revoke(options: argparse.Namespace) -> int:
    from monitor.access import tokens

    def end(folder: Folder) -> None:
        tokens.revoke(folder, options.name)
        sys.stdout.write(f"revoked {options.name}\n")

    return with_folder(options, end)


def table(held: Sequence[Token], now: float) -> list[str]:
    """Lines of text."""
    rows = [("NAME", "ROLE", "SCOPE", "CREATED", "EXPIRES"), *(row(token, now) for token in held)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    drawn = ["  ".join(map(str.ljust, cells, widths)) for cells in rows]
    return [line.rstrip() for line in drawn]


def row(token: Token, now: float) -> tuple[str, str, str, str, str]:
    scope = ",".join(token.scope) or "all"
    expires = NEVER if token.expires is None else "expired" if token.is_over(now) else day(token.expires)
    return token.name, token.role.value, scope, day(token.created), expires


def day(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
