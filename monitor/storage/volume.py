"""One file of history as readers see it: whatever is damaged, the rest is read, and what is lost is named."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Lock

import numpy as np

from monitor.model import Floats, Labels
from monitor.storage.codec import NOTHING, decode
from monitor.storage.connections import Connections
from monitor.storage.contents import Contents, Slot, Tables, read_tables, understand, whole
from monitor.storage.schema import (
    CELL,
    FORMAT,
    STATE,
    UNREADABLE,
    Damage,
    NewerError,
    Row,
    cell_number,
    columns,
    intact,
)
from monitor.storage.tier import Entry, Slab, Tier
from monitor.storage.wreck import Wreck

Report = Callable[[Damage], None]
Intern = Callable[[Labels], Labels]
BATCH = 500
"""Cells that one statement asks for."""


class ChangedError(Exception):
    """The file was written since its contents were read: what is asked for is no more what it was."""


class Volume:
    """Reads one file; safe to use from many threads."""

    def __init__(self, path: Path, tier: Tier, connections: Connections, report: Report) -> None:
        self.path, self.tier = path, tier
        self._connections, self.report = connections, report
        self._lock = Lock()
        self._changes = 0
        self._contents: Contents | None = None
        self._wreck: Wreck | None = None

    def contents(self) -> Contents:
        """What the file holds.  Raises FileNotFoundError where it is gone, OSError, and NewerError."""
        contents = self._contents
        if contents is None:
            with self._lock:
                changes = self._changes
                contents = self._contents or self._load()
                # What was read before a commit is not kept after it.
                self._contents = contents if changes == self._changes else None
        return contents

    @property
    def damaged(self) -> bool:
        """Whether something of the file was missing when it was read last."""
        return self._wreck is not None

    def changed(self) -> None:
        """The file was written, or another stands in its place."""
        self._changes += 1
        self._contents = self._wreck = None

    def _load(self) -> Contents:
        if not self.path.stat().st_size:
            raise FileNotFoundError(f"{self.path} is empty: there was no room for it yet")
        tables: Tables = {}
        try:
            with self._connections.lend(self.path, self.tier) as connection:
                tables = read_tables(connection)
        except UNREADABLE as error:
            refuse_passing(error, self.path)
        if not tables or not whole(tables):
            self._wreck = Wreck(self.path, self.tier)
            tables = self._wreck.complete(tables)
        state = tables[STATE].get(1)
        if state and state[1] > FORMAT:
            raise NewerError(self.path, state[1])
        contents = understand(tables, self.tier)
        for what in contents.lost:
            self.report(Damage(self.path, what, self._span(contents)))
        return contents

    def _span(self, contents: Contents) -> tuple[int, int] | None:
        slots = [slot for known in contents.slots.values() for slot in known]
        return (min(slots) * self.tier.slot, (max(slots) + 1) * self.tier.slot) if slots else None

    def cells(self, contents: Contents, wanted: dict[int, int]) -> dict[int, Row]:
        """The intact ones of these cells, given with the version that they are of, by id.

        Raises ChangedError where the contents are no more what the file holds, and OSError.
        """
        found: dict[int, Row] = {}
        if not wanted:
            return found
        try:
            with self._connections.lend(self.path, self.tier) as connection:
                self._check_version(connection, contents)
                found = {row[0]: row for row in self._fetch(connection, wanted)}
        except UNREADABLE as error:
            self._check_there()
            refuse_passing(error, self.path)
        if len(found) < len(wanted):
            left = {number: written for number, written in wanted.items() if number not in found}
            found.update((row[0], row) for row in self._seek(left))
        return found

    def _check_version(self, connection: sqlite3.Connection, contents: Contents) -> None:
        row = connection.execute(f"SELECT * FROM {STATE} WHERE id = 1").fetchone()  # noqa: S608
        if row and intact(STATE, row) and row[2] != contents.version and not contents.lost:
            self.changed()
            raise ChangedError

    def _check_there(self) -> None:
        if not self.path.exists():
            self.changed()

    def _fetch(self, connection: sqlite3.Connection, wanted: Mapping[int, int]) -> Iterator[Row]:
        names = ", ".join(columns(CELL, self.tier))
        ids = list(wanted)
        for start in range(0, len(ids), BATCH):
            some = ",".join(map(str, ids[start : start + BATCH]))
            rows = connection.execute(f"SELECT id, {names}, crc FROM {CELL} WHERE id IN ({some})").fetchall()  # noqa: S608
            yield from (row for row in rows if row[0] in wanted and intact(CELL, row, wanted[row[0]]))

    def _seek(self, wanted: dict[int, int]) -> Iterator[Row]:
        with self._lock:
            wreck = self._wreck = self._wreck or Wreck(self.path, self.tier)
        return wreck.cells(wanted)

    def name_lost(self, slot: int, labels: Labels) -> None:
        """Report a cell that was not to be had."""
        named = dict(labels)
        name = named.pop("__name__", "a series whose name is lost")
        pairs = ", ".join(f'{label}="{value}"' for label, value in named.items())
        when = (slot * self.tier.slot, (slot + 1) * self.tier.slot)
        self.report(Damage(self.path, f"{name}{{{pairs}}}" if pairs else name, when))

    def slab(self, contents: Contents, target: Labels, slot: Slot, intern: Intern) -> Slab:
        """All rows of a target in a slot, less what is lost."""
        times, ids = slot.times, slot.series
        entries = contents.entries(ids, intern)
        wanted = {cell_number(slot.slot, number): slot.written for number in entries}
        cells = self.cells(contents, wanted)
        kept: list[tuple[Entry, Row]] = []
        for number in ids.tolist():
            row = cells.get(cell_number(slot.slot, number))
            if number in entries and row is not None:
                kept.append((entries[number], row))
            else:
                self.name_lost(slot.slot, entries[number].labels if number in entries else ())
        values = np.empty((len(self.tier.aspects), len(times), len(kept)))
        for place, (_, row) in enumerate(kept):
            for aspect in range(len(self.tier.aspects)):
                values[aspect, :, place] = column(row, aspect, len(times))
        return Slab(self.tier, target, slot.slot, times, tuple(entry for entry, _ in kept), values)


def column(row: Row, aspect: int, rows: int) -> Floats:
    """One aspect of a cell; where nothing is stored for it, it is the same as the last samples."""
    cell = row[1] if row[1 + aspect] is None else row[1 + aspect]
    return decode(None if cell == NOTHING else cell, rows)


def refuse_passing(error: Exception, path: Path) -> None:
    """Raise OSError for what is no damage: a file that is gone, and one that another process holds."""
    if not path.exists():
        raise FileNotFoundError(f"{path} is gone") from error
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise OSError(f"{path} is held by another process: {error}") from error
