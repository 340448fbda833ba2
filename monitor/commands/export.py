"""`monitor export` and `monitor import`: history given to other programs, and taken from them."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from monitor.commands import FAILED, Commands
from monitor.commands.kept import counted, print_line, with_history
from monitor.commands.state import add_state

if TYPE_CHECKING:
    from monitor.storage.staging import Staging
    from monitor.storage.unload import Unload, Wanted
    from monitor.terminal.progress import Bar

FORMATS = ("openmetrics", "csv", "parquet")
STEPS = ("raw", "minutes", "hours")


def add(commands: Commands) -> None:
    command = commands.add_parser("export", help="write history to a file, for other programs")
    command.add_argument("file", metavar="FILE", help="where to; - is standard output")
    command.add_argument("--format", choices=FORMATS, required=True)
    which = 'only these series, as up{job="node"}; may be given again; all if not given'
    command.add_argument("--match", action="append", default=[], metavar="SELECTOR", help=which)
    command.add_argument("--step", choices=STEPS, default="raw", help="which resolution; raw if not given")
    when = "as 2026-11-23T13:00:00Z, Unix seconds, or 2h for two hours ago"
    for name, text in (("--start", "from when on"), ("--end", "until when")):
        command.add_argument(name, type=moment, metavar="TIME", help=f"{text}, {when}")
    add_state(command)
    command.set_defaults(run=export)


def moment(text: str) -> int:
    """Milliseconds since 1970."""
    from datetime import datetime

    from monitor.config.units import DURATION

    try:
        return round(time.time() * 1000) - DURATION.parse(text)
    except ValueError:
        pass
    try:
        if "T" in text:
            return round(datetime.fromisoformat(text).timestamp() * 1000)
        return round(float(text) * 1000)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"found {text!r}, expected 2026-11-23T13:00:00Z, 1795438800 or 2h"
        ) from None


def wanted(options: argparse.Namespace) -> Wanted:
    """What is asked for.  Raises BackupError for a selector that is none."""
    from monitor.promql import QueryError
    from monitor.promql.nodes import Selector
    from monitor.promql.parse import parse
    from monitor.storage.backup import BackupError
    from monitor.storage.tier import TIERS
    from monitor.storage.unload import FIRST, LAST, Wanted

    selectors = []
    for text in options.match:
        try:
            root = parse(text).root
        except QueryError as error:
            raise BackupError(f"--match {text}: {error}") from error
        if not isinstance(root, Selector) or root.offset or root.at is not None:
            raise BackupError(f'--match {text}: expected a selector of series, as up{{job="node"}}')
        selectors.append(root.matchers)
    start = FIRST if options.start is None else options.start
    end = LAST if options.end is None else options.end
    return Wanted(TIERS[STEPS.index(options.step)], selectors, start, end)


@contextmanager
def written(name: str) -> Iterator[BinaryIO]:
    """A file that is there when it is whole, or standard output."""
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = Path(f"{name}.part")
    try:
        # Nobody else's to read, as history is not.
        made = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(made, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(name)
    finally:
        part.unlink(missing_ok=True)


def give(form: str, unload: Unload, out: BinaryIO, bar: Bar) -> int:
    """Write it all; how many samples."""
    from monitor.formats import comma, openmetrics, parquet

    groups = unload.groups(bar)
    if form == "openmetrics":
        return openmetrics.write(groups, out)
    write = comma.write if form == "csv" else parquet.write
    return write(groups, unload.labels(), unload.columns, out)


def export(options: argparse.Namespace) -> int:
    from monitor.storage.backup import BackupError
    from monitor.storage.unload import Unload
    from monitor.terminal.progress import Bar

    def act(folder: Path) -> int:
        if not folder.is_dir():
            raise BackupError(f"there is no history in {folder}; say with --state or --config where it is")
        unload = Unload(folder, wanted(options))
        try:
            with written(options.file) as out, Bar("exporting", sys.stderr) as bar:
                count = give(options.format, unload, out, bar)
        finally:
            unload.close()
        sys.stderr.write(f"monitor: {counted(count, 'sample')} written\n")
        if unload.damage:
            sys.stderr.write("monitor: some of it is damaged and left out; see: monitor storage check\n")
        return FAILED if unload.damage else 0

    return with_history(options, act, "no file was written")


def add_import(commands: Commands) -> None:
    command = commands.add_parser("import", help="take samples from a file into history")
    command.add_argument("file", type=Path, metavar="FILE", help="with samples as they came, and their times")
    command.add_argument("--format", choices=FORMATS, required=True)
    add_state(command)
    command.set_defaults(run=take)


def take(options: argparse.Namespace) -> int:
    from monitor.storage.backup import belong
    from monitor.storage.load import load
    from monitor.storage.staging import Staging, named
    from monitor.storage.store import locked
    from monitor.terminal.progress import Bar

    def act(folder: Path) -> int:
        with options.file.open("rb") as file:
            lock = locked(folder)
            try:
                with Staging(folder / "import.part") as staging:
                    with Bar("reading", sys.stderr) as bar:
                        read(options.format, file, str(options.file), staging, bar)
                    with Bar("importing", sys.stderr) as bar:
                        loaded = load(folder, staging, bar)
            finally:
                belong(folder, folder.parent)
                os.close(lock)
        print_line(f"{counted(loaded.samples, 'sample')} taken in")
        for target, count in loaded.left_out.items():
            why = "of a quarter of an hour that is not over for it"
            next_step = "start the service, and import the file again after a quarter of an hour"
            print_line(f"left out: {counted(count, 'sample')} of {named(target)}, {why}; {next_step}")
        return FAILED if loaded.left_out else 0

    return with_history(options, act, "run it again to go on: nothing is taken in twice")


def read(form: str, file: BinaryIO, name: str, staging: Staging, bar: Bar) -> None:
    """Have all samples of a file staged.  Raises TrackError."""
    from monitor.formats import comma, openmetrics, parquet

    now = round(time.time() * 1000)
    total = os.fstat(file.fileno()).st_size
    reader: openmetrics.Reader | comma.Reader | parquet.Reader
    if form == "openmetrics":
        reader = openmetrics.Reader(file, name, now)
    else:
        reader = (comma if form == "csv" else parquet).Reader(file, name, now)
    for track in reader.tracks():
        staging.add(track)
        bar(file.tell(), total)
