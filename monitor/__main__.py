"""The command line: `monitor COMMAND`; the commands are in monitor/commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from monitor import __version__
from monitor.commands import (
    Add,
    Parser,
    backup,
    certificate,
    check_config,
    config,
    export,
    hash_password,
    init,
    login_link,
    serve,
    service,
    storage,
    token,
    viewers,
)

COMMANDS: Sequence[Add] = (
    init.add,
    serve.add,
    service.add,
    viewers.add,
    login_link.add,
    token.add,
    hash_password.add,
    check_config.add,
    config.add,
    certificate.add,
    backup.add,
    backup.add_restore,
    storage.add,
    export.add,
    export.add_import,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    options = parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def parser() -> Parser:
    whole = Parser(prog="monitor", description="One command shows this host live in a browser.")
    whole.add_argument("--version", action="version", version=f"monitor {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(commands)
    return whole


if __name__ == "__main__":
    sys.exit(main())
