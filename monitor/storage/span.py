"""One file of history as its writer sees it: what is added at once is one transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path

from monitor.model import Labels
from monitor.storage.contents import Contents, nothing
from monitor.storage.draft import Draft, Ids
from monitor.storage.merge import merge, same
from monitor.storage.schema import CELL, STATE, UNREADABLE, DamagedError, Row, connect, create_tables
from monitor.storage.tier import Slab
from monitor.storage.volume import Intern, Volume


class Span:
    """Adds slabs to a file, which is made where there is none; for one thread.

    Raises DamagedError where something of the file is missing, and sqlite3.Error or OSError where it cannot
    be opened.
    """

    def __init__(self, volume: Volume, intern: Intern) -> None:
        self._volume, self._intern = volume, intern
        self._ids: dict[Labels, Ids] = {}
        path = volume.path
        # A file of no bytes is one that could not be made: the disk was full.
        self._fresh = not path.exists() or path.stat().st_size == 0
        try:
            self._connection = connect(path, volume.tier, write=True, create=self._fresh)
        except UNREADABLE as error:
            raise as_damage(error, path) from error
        try:
            # One wrong byte would make it a file with a write-ahead log.
            self._connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            if not self._fresh:
                # What an interrupted transaction left behind is taken back now, not when somebody reads.
                self._connection.execute(f"SELECT count(*) FROM {STATE}").fetchone()  # noqa: S608
        except UNREADABLE as error:
            self.close()
            raise as_damage(error, path) from error
        volume.changed()
        contents = self._contents()
        if volume.damaged:
            self.close()
            raise DamagedError(path, ", ".join(contents.lost) or "its structure is broken")

    def _contents(self) -> Contents:
        return nothing(self._volume.tier) if self._fresh else self._volume.contents()

    def put(self, slabs: Sequence[Slab], *, anew: bool = False) -> None:
        """Keep rows of the slots of this file, for good when this returns; slabs of one target and slot have
        different series.

        Where a slot has rows of the target they are merged: see `merge`.  `anew` puts the slab, which has all
        of their series, in their place.  Raises ValueError, and
        sqlite3.OperationalError (a full disk) with nothing changed, and DamagedError.
        """
        contents = self._contents()
        draft = Draft(contents)
        ids: dict[Labels, Ids] = {}
        groups: dict[tuple[Labels, int], list[Slab]] = {}
        for slab in slabs:
            groups.setdefault((slab.target, slab.slot), []).append(slab)
        for (target, _), group in groups.items():
            known = ids.get(target, self._ids.get(target, {}))
            wanted, known = self._merged(contents, group, known, anew)
            if wanted:
                ids[target] = draft.add(wanted, known)
        if ids or self._fresh:
            self._write(draft)
            self._ids.update(ids)

    def _merged(
        self, contents: Contents, slabs: list[Slab], known: Ids, anew: bool
    ) -> tuple[list[Slab], Ids]:
        """What the slot is to hold then, nothing where it does already, and the ids of what it held."""
        slot = contents.slots.get(slabs[0].target, {}).get(slabs[0].slot)
        if slot is None:
            return slabs, known
        slab = reduce(merge, slabs)
        stored = self._volume.slab(contents, slab.target, slot, self._intern)
        merged = slab if anew else merge(stored, slab)
        if same(stored, merged):
            return [], known
        entries = contents.entries(slot.series, self._intern)
        return [merged], {entry: number for number, entry in entries.items()}

    def _write(self, draft: Draft) -> None:
        cells = list(draft.cells())
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            if self._fresh:
                # Together with the first rows: pages that a transaction adds are written once.
                create_tables(self._connection, self._volume.tier)
            for table, rows in draft.rows.items():
                self._insert(table, rows)
            self._insert(CELL, cells)
            self._insert(STATE, [draft.state()])
            self._connection.execute("COMMIT")
            self._fresh = False
        except UNREADABLE as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise as_damage(error, self._volume.path) from error
        finally:
            self._volume.changed()

    def _insert(self, table: str, rows: Iterable[Row]) -> None:
        rows = list(rows)
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)  # noqa: S608

    def newest(self) -> dict[Labels, int]:
        """Time of the newest row of each target."""
        slots = self._volume.contents().slots
        return {target: int(known[max(known)].times[-1]) for target, known in slots.items()}

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def as_damage(error: Exception, path: Path) -> Exception:
    """DamagedError for what says that a file is broken; what says that the disk is full stays as it is."""
    passing = (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
    )
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_READONLY and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return DamagedError(path, "it says of itself that it may not be written")
    return error if code is not None and code & 0xFF in passing else DamagedError(path, str(error))
