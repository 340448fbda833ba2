"""`monitor backup` and `monitor restore`: all of history copied while the service runs, and brought back."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from monitor.commands import FAILED, Commands
from monitor.commands.kept import counted, print_line, with_history
from monitor.commands.state import add_state


def add(commands: Commands) -> None:
    command = commands.add_parser("backup", help="copy all of history, while the service runs or not")
    folder = "an empty folder, a new one, or an earlier backup, of which only what changed is copied"
    command.add_argument("folder", type=Path, metavar="FOLDER", help=folder)
    add_state(command)
    command.set_defaults(run=back_up)


def add_restore(commands: Commands) -> None:
    command = commands.add_parser("restore", help="put a backup in the place of history")
    command.add_argument("folder", type=Path, metavar="FOLDER", help="what `monitor backup` made")
    add_state(command)
    command.set_defaults(run=restore)


def back_up(options: argparse.Namespace) -> int:
    from monitor.storage import backup
    from monitor.terminal.progress import Bar
    from monitor.terminal.viewers import size

    def act(folder: Path) -> int:
        with Bar("copying", sys.stderr) as bar:
            copied = backup.back_up(folder, options.folder, bar)
        changed = f"{copied.changed} of them copied"
        print_line(f"{options.folder}: {counted(copied.files, 'file')}, {size(copied.size)}; {changed}")
        return 0

    return with_history(options, act, "what was copied before is whole; run it again to go on")


def restore(options: argparse.Namespace) -> int:
    from monitor.storage import backup
    from monitor.storage.verify import verify
    from monitor.terminal.progress import Bar

    def act(folder: Path) -> int:
        with Bar("copying", sys.stderr) as bar:
            aside = backup.restore(options.folder, folder, bar)
        if aside:
            print_line(f"what was there is in {aside}")
        with Bar("checking", sys.stderr) as bar:
            checked = verify(folder, lambda damage: print_line(f"damaged in the backup: {damage}"), bar)
        read = f"{counted(checked.files, 'file')} and {counted(checked.logs, 'log')} verified"
        print_line(f"{folder}: restored, {read}")
        return FAILED if checked.damages else 0

    return with_history(options, act, "history is as it was, or as the backup has it, whole")
