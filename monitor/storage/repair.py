"""Files verified row by row, and mended: what is intact is written anew, what is not is named."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from monitor.storage.connections import Connections
from monitor.storage.schema import UNREADABLE, Damage
from monitor.storage.span import Span
from monitor.storage.volume import Intern, Volume


class Progress(NamedTuple):
    """How far a file has been verified."""

    done: int
    total: int
    """Slots of targets."""


def check(volume: Volume, intern: Intern) -> Iterator[Progress]:
    """Verify every row of a file; what is lost is told to whom the volume reports.

    Raises OSError where the file cannot be read at all, and NewerError.
    """
    contents = volume.contents()
    slots = [(target, slot) for target, known in contents.slots.items() for slot in known.values()]
    yield Progress(0, len(slots))
    for done, (target, slot) in enumerate(slots, 1):
        volume.slab(contents, target, slot, intern)
        yield Progress(done, len(slots))
    structure(volume)


def structure(volume: Volume) -> bool:
    """Whether SQLite finds the structure of the file sound; damage that lost nothing is told, too."""
    try:
        with closing(sqlite3.connect(f"{volume.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            [said] = connection.execute("PRAGMA integrity_check(1)").fetchone()
        sound = bool(said == "ok")
    except UNREADABLE:
        sound = False
    if not sound:
        volume.report(Damage(volume.path, "its structure is broken; what is not named is still read", None))
    return sound


def take_back(folder: Path) -> None:
    """Undo what a kill cut off in the middle of a commit, which a reader that may not write cannot.

    Where a service is in the middle of one, SQLite lets it be; where this user may not write, it stays.
    """
    for journal in folder.glob("*.db-journal"):
        path = journal.with_name(journal.name.removesuffix("-journal"))
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as db,
        ):
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()


def repair(volume: Volume, intern: Intern) -> None:
    """Put a file with all that is intact in the place of this one, which stays beside it as `.damaged`.

    Raises sqlite3.OperationalError or OSError (a full disk) with nothing changed.
    """
    fresh = volume.path.with_name(volume.path.name + ".mend")
    discard(fresh)
    try:
        _copy(volume, fresh, intern)
        aside = volume.path.with_name(volume.path.name + ".damaged")
        aside.unlink(missing_ok=True)
        os.link(volume.path, aside)
        # Its journal would be taken for the new file's.
        volume.path.with_name(volume.path.name + "-journal").unlink(missing_ok=True)
        fresh.replace(volume.path)
        sync(volume.path.parent)
    finally:
        discard(fresh)


def _copy(volume: Volume, fresh: Path, intern: Intern) -> None:
    contents = volume.contents()
    connections = Connections()
    span = Span(Volume(fresh, volume.tier, connections, volume.report), intern)
    try:
        span.put([])  # A file without rows, where none can be read.
        for slot in sorted({slot for known in contents.slots.values() for slot in known}):
            span.put(
                [
                    volume.slab(contents, target, known[slot], intern)
                    for target, known in contents.slots.items()
                    if slot in known
                ]
            )
    finally:
        span.close()
        connections.close()


def discard(path: Path) -> None:
    """Remove a file and its journal."""
    path.unlink(missing_ok=True)
    path.with_name(path.name + "-journal").unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Make renames in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
