"""`monitor storage`: history verified, mended, and counted."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.commands import FAILED, Commands
from monitor.commands.kept import counted, print_line, with_history
from monitor.commands.state import add_state

if TYPE_CHECKING:
    from monitor.storage.survey import Share

BIGGEST = 10
"""Metrics that are listed of each resolution."""


def add(commands: Commands) -> None:
    command = commands.add_parser("storage", help="verify, mend or count what is kept of the past")
    kinds = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    checking = kinds.add_parser("check", help="read all of it and say what is damaged")
    repair = "drop what is damaged, and nothing else; the service must not run"
    checking.add_argument("--repair", action="store_true", help=repair)
    checking.set_defaults(run=check)
    counting = kinds.add_parser("stats", help="say what it holds, and what takes the room")
    counting.add_argument("--json", action="store_true", help="for programs")
    counting.set_defaults(run=stats)
    for each in (checking, counting):
        add_state(each)


def check(options: argparse.Namespace) -> int:
    from monitor.storage.backup import BackupError, belong
    from monitor.storage.store import locked
    from monitor.storage.verify import mend, verify
    from monitor.terminal.progress import Bar

    def act(folder: Path) -> int:
        if not folder.is_dir():
            raise BackupError(f"there is no history in {folder}; say with --state or --config where it is")
        lock = locked(folder) if options.repair else None
        try:
            with Bar("checking", sys.stderr) as bar:
                found = verify(folder, lambda damage: print_line(f"damaged: {damage}"), bar)
            result = counted(found.damages, "damage") if found.damages else "all is whole"
            read = f"{counted(found.files, 'file')} and {counted(found.logs, 'log')} verified"
            print_line(f"{read}: {result}")
            if options.repair and (found.broken.files or found.broken.logs):
                mend(folder, found.broken)
                count = len(found.broken.files) + len(found.broken.logs)
                print_line(f"repaired: {count} written anew without what is named above")
                return 0
        finally:
            if lock is not None:
                belong(folder, folder.parent)
                os.close(lock)
        return FAILED if found.damages else 0

    return with_history(options, act, "each file is as it was, or mended")


def stats(options: argparse.Namespace) -> int:
    from monitor.storage.backup import BackupError
    from monitor.storage.survey import survey
    from monitor.terminal.progress import Bar

    def act(folder: Path) -> int:
        if not folder.is_dir():
            raise BackupError(f"there is no history in {folder}; say with --state or --config where it is")
        with Bar("counting", sys.stderr) as bar:
            shares = survey(folder, bar)
        kept = retention(options)
        if options.json:
            sys.stdout.write(
                json.dumps({"retention": kept, "tiers": [figures(share) for share in shares]}) + "\n"
            )
        else:
            sys.stdout.writelines(f"{line}\n" for line in table(shares, kept))
        return 0

    return with_history(options, act, "nothing was changed")


def retention(options: argparse.Namespace) -> dict[str, int]:
    """How long each resolution is kept (s), and how many bytes in all: by the configuration that is named, or
    as the running service has it."""
    from monitor import config
    from monitor.commands.state import state_folder
    from monitor.config import running
    from monitor.config.facts import facts
    from monitor.config.units import DURATION, SIZE

    held = facts(config.load(options.config, os.environ, {}).settings)
    if options.config is None:
        with suppress(running.NotRunningError):
            held = running.read(state_folder(options)).facts
    text = {name: held[f"storage.history.{name}"].text for name in ("raw", "minutes", "hours", "size")}
    size = SIZE.parse(text.pop("size"))
    return {**{name: DURATION.parse(each) // 1000 for name, each in text.items()}, "size": size}


def figures(share: Share) -> dict[str, Any]:
    """One resolution for programs; times in ms."""
    return {
        "tier": share.tier.name,
        "files": share.files,
        "first": share.first,
        "last": share.last,
        "series": share.series,
        "rows": share.rows,
        "samples": share.samples,
        "bytes": share.bytes,
        "log_bytes": share.logged,
        "bytes_per_sample": share.per_sample,
        "metrics": dict(share.metrics.most_common(BIGGEST)),
    }


def table(shares: list[Share], kept: dict[str, int]) -> list[str]:
    """Lines of text."""
    from monitor.terminal.viewers import duration, plain, size

    rows = [
        ("TIER", "KEPT", "FILES", "FROM", "TO", "SERIES", "ROWS", "SAMPLES", "BYTES", "PER SAMPLE", "LOGS")
    ]
    for share, name in zip(shares, ("raw", "minutes", "hours"), strict=True):
        each = "-" if share.per_sample is None else f"{share.per_sample:.3f}"
        rows.append(
            (
                *(
                    name,
                    duration(kept[name] * 1000),
                    str(share.files),
                    moment(share.first),
                    moment(share.last),
                ),
                *(str(share.series), str(share.rows), str(share.samples), size(share.bytes), each),
                size(share.logged),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, cells, widths)).rstrip() for cells in rows]
    whole = sum(share.bytes + share.logged for share in shares)
    lines.append(f"{size(whole)} of at most {size(kept['size'])}")
    for share, name in zip(shares, ("raw", "minutes", "hours"), strict=True):
        if share.metrics:
            biggest = (
                f"{plain(metric)} {size(count)}" for metric, count in share.metrics.most_common(BIGGEST)
            )
            lines.append(f"most of {name}: {', '.join(biggest)}")
    return lines


def moment(time_ms: int | None) -> str:
    return "-" if time_ms is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(time_ms / 1000))
