"""Where commands find history, and how far they have come."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

from monitor.commands import WRONG, advice, failed
from monitor.commands.state import state_folder

STOPPED = 130
"""Exit status of a command that was stopped by Ctrl-C, as shells have it."""


def counted(count: int, what: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def history_folder(options: argparse.Namespace) -> Path:
    """The history of the service that was named, or of the one that runs.  Raises ConfigError."""
    from monitor.kept import FOLDER

    return state_folder(options) / FOLDER


def with_history(options: argparse.Namespace, act: Callable[[Path], int], stopped: str) -> int:
    """Do something with history; the exit status.  `stopped` says how things are after Ctrl-C."""
    from monitor.config import ConfigError
    from monitor.formats.tracks import TrackError
    from monitor.storage.backup import BackupError
    from monitor.storage.schema import NewerError
    from monitor.storage.staging import StagingError
    from monitor.storage.store import StoreError

    try:
        folder = history_folder(options)
        return act(folder)
    except ConfigError as error:
        sys.stderr.write(f"{error}\nmonitor: {advice(error)}\n")
        return WRONG
    except (BackupError, StoreError, NewerError, TrackError, StagingError, OSError, sqlite3.Error) as error:
        return failed(error)
    except KeyboardInterrupt:
        sys.stderr.write(f"monitor: stopped; {stopped}\n")
        return STOPPED
