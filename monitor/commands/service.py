"""`monitor service`: the service under systemd, installed, looked at and taken away."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import FAILED, WRONG, Commands, advice, failed

if TYPE_CHECKING:
    from monitor.config import Settings
    from monitor.deploy.install import Step
    from monitor.deploy.units import Deployment

CONFIG = Path("/etc/monitor/config.yaml")
NEXT = (
    "how it does:  monitor service status",
    "to log in:    monitor login-link --state /var/lib/monitor",
)
"""Said after an installation."""


def add(commands: Commands) -> None:
    whole = commands.add_parser("service", help="run it under systemd")
    parts = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command = parts.add_parser("install", help="write the units, and start the service")
    command.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"{CONFIG} if not given")
    add_consent(command)
    command.set_defaults(run=install)
    command = parts.add_parser("uninstall", help="stop the service, and remove its units")
    command.add_argument("--purge", action="store_true", help="remove its configuration and state, too")
    add_consent(command)
    command.set_defaults(run=uninstall)
    command = parts.add_parser("status", help="say how it does")
    command.set_defaults(run=show)
    command = parts.add_parser("units", help="print the units, and change nothing")
    command.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"{CONFIG} if not given")
    command.add_argument("--systemd", type=int, metavar="VERSION", help="for this version; else the one here")
    command.set_defaults(run=print_units)


def add_consent(command: argparse.ArgumentParser) -> None:
    choice = command.add_mutually_exclusive_group()
    choice.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    choice.add_argument("--yes", action="store_true", help="do not ask")


def install(options: argparse.Namespace) -> int:
    from monitor.config import ConfigError
    from monitor.deploy import install, systemctl
    from monitor.deploy.units import PLACES, units

    try:
        systemctl.needed()
        path = options.config.absolute()
        made = deployment(path, systemctl.version())
        files = {PLACES[name]: text for name, text in units(made).items()}
        steps = [*install.installing({**first_config(path), **files}, path)]
        return carry_out(steps, options, NEXT)
    except ConfigError as error:
        sys.stderr.write(f"{error}\nmonitor: not installed: {advice(error)}\n")
        return WRONG
    except (systemctl.CommandError, install.InstallError) as error:
        return failed(error)


def uninstall(options: argparse.Namespace) -> int:
    from monitor.deploy import install, systemctl

    try:
        systemctl.needed()
        steps = [*install.removing(purge=options.purge)]
        return carry_out(steps, options) if steps else say("there is nothing to uninstall")
    except systemctl.CommandError as error:
        return failed(error)


def show(_options: argparse.Namespace) -> int:
    from monitor.deploy import systemctl
    from monitor.deploy.status import status

    try:
        systemctl.needed()
        code, lines = status()
    except systemctl.CommandError as error:
        return failed(error)
    say(*lines)
    return code


def print_units(options: argparse.Namespace) -> int:
    from monitor.config import ConfigError
    from monitor.deploy import install, systemctl
    from monitor.deploy.units import units

    try:
        made = deployment(options.config.absolute(), options.systemd or systemctl.version())
    except ConfigError as error:
        sys.stderr.write(f"{error}\nmonitor: {advice(error)}\n")
        return WRONG
    except (systemctl.CommandError, install.InstallError) as error:
        return failed(error)
    return say(*(f"# {name}\n{text}" for name, text in units(made).items()))


def carry_out(steps: Sequence[Step], options: argparse.Namespace, after: Sequence[str] = ()) -> int:
    """Show the steps, and do them if that is wanted; then say what is left to do.  Raises CommandError."""
    for step in steps:
        say(f"- {step.text}", *([step.detail] if options.dry_run and step.detail else []))
    if options.dry_run:
        return say("nothing was done (--dry-run)")
    if os.geteuid():
        sys.stderr.write("monitor: this needs root: run it with sudo (--dry-run needs nobody)\n")
        return FAILED
    if not options.yes and not agreed():
        sys.stderr.write("monitor: nothing was done; --yes does it without a question\n")
        return FAILED
    for step in steps:
        step.act()
    return say("done", *after)


def agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stdout.write("Do all this? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def first_config(path: Path) -> dict[Path, str]:
    """A configuration for this host to begin with, as `monitor init` writes it, where there is none."""
    from monitor.commands.init import viewers
    from monitor.config.first import first
    from monitor.config.surroundings import surroundings

    return {} if path.exists() else {path: first(surroundings(), viewers())}


def deployment(config: Path, systemd: int) -> Deployment:
    """What the units say on this machine.  Raises ConfigError and InstallError."""
    from monitor import parts
    from monitor.deploy.install import judge_program, judge_way

    settings = installed(config)
    program = command()
    judge_program(program)
    if config.exists():
        judge_way(config, "the configuration")
    return parts.deployment(settings, systemd, str(program), str(config))


def installed(config: Path) -> Settings:
    """What the service will run on: the configuration that is there, or the first.  Raises ConfigError."""
    from monitor.commands.init import viewers
    from monitor.config import load

    if config.exists():
        return load(config, {}, {}).settings
    return load(None, {}, {"server.websocket.max_clients": str(viewers())}).settings


def command() -> Path:
    """The command of the environment that this runs in.  Raises InstallError."""
    from monitor.deploy.install import InstallError

    path = Path(sys.executable).with_name("monitor")
    if not path.is_file():
        raise InstallError(
            f"there is no command {path}: install the package into a virtual environment, as /opt/monitor, "
            "and use the command that is then in its bin/"
        )
    return path


def say(*lines: str) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0
