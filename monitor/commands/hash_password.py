"""`monitor hash-password`: what stands in config.yaml in place of a password.

The password comes from the terminal or from standard input: what is on a command line, everybody can read.
"""

from __future__ import annotations

import argparse
import getpass
import sys

from monitor.commands import Commands, failed


def add(commands: Commands) -> None:
    text = "print the hash of a password, for access.users; it is asked for, or read from standard input"
    commands.add_parser("hash-password", help=text).set_defaults(run=run)


def run(_options: argparse.Namespace) -> int:
    from monitor.access import AccessError
    from monitor.access.passwords import hashed

    try:
        sys.stdout.write(f"{hashed(password())}\n")
    except (AccessError, UnicodeError) as error:
        return failed(error)
    except (EOFError, KeyboardInterrupt):
        return failed(AccessError("no password was given"))
    return 0


def password() -> str:
    """From the terminal, twice, else the first line of standard input.  Raises AccessError and EOFError."""
    from monitor.access import AccessError

    if not sys.stdin.isatty():
        return sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise AccessError("the two are not the same")
    return first
