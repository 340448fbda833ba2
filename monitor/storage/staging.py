"""Samples that are to be imported, in a file of their own until all of them have been read and found good."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np

from monitor.model import Floats, Kind, Labels, Metric, Times, Track
from monitor.storage.codec import MOST
from monitor.storage.table import STALE
from monitor.storage.tier import RAW, Entry, Slab

HELD = 1_000_000
"""Samples in memory."""
PIECES = 100_000
"""Runs of samples in memory, and series whose numbers are."""
CELLS = 1 << 25
"""Rows times series of one target in one slot."""
SERIES = 50_000
"""Of one target in one slot."""
TARGET = ("instance", "job")
"""Labels that series of one target have in common."""


class StagingError(Exception):
    """Samples that cannot be kept; the text says which."""


class Place(NamedTuple):
    """Where samples are to go."""

    number: int
    """Of the target."""
    target: Labels
    slot: int


class Staging:
    """A temporary file; it is gone at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: dict[tuple[int, int, int], list[tuple[Times, Floats]]] = {}
        self._samples = 0
        self._numbers: dict[Entry, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        self._discard()
        self._path.touch(mode=0o600)
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        self._connection.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;"
            "CREATE TABLE target (id INTEGER PRIMARY KEY, labels TEXT UNIQUE);"
            "CREATE TABLE series (id INTEGER PRIMARY KEY, target INTEGER, entry TEXT UNIQUE);"
            "CREATE TABLE run (target INTEGER, slot INTEGER, series INTEGER, count INTEGER,"
            " times BLOB, rows BLOB)"
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._discard()

    def add(self, track: Track) -> None:
        """Samples in any order of series and time; of two at one time the first counts."""
        target, series = self._number(Entry(track.labels, track.metric))
        slots = -(-track.times // RAW.slot) - 1
        borders = [0, *(np.flatnonzero(np.diff(slots)) + 1).tolist(), len(slots)]
        for start, end in pairwise(borders):
            key = target, int(slots[start]), series
            self._held.setdefault(key, []).append((track.times[start:end], track.values[0, start:end]))
        self._samples += len(track.times)
        if self._samples > HELD or len(self._held) > PIECES:
            self._flush()

    def finish(self) -> list[Place]:
        """All places that have samples, by target and slot.  Raises StagingError for too many in one."""
        self._flush()
        self._connection.execute("CREATE INDEX place ON run (target, slot)")
        targets = {number: labels_of(text) for number, text in self._all("SELECT id, labels FROM target")}
        places = []
        counted = "SELECT target, slot, sum(count), count(DISTINCT series) FROM run GROUP BY target, slot"
        for number, slot, samples, series in self._all(counted):
            place = Place(number, targets[number], slot)
            rows = samples if samples > MOST or samples * series > CELLS else 0
            rows = len(self._times(place)) if rows else 0
            if series > SERIES or rows > MOST or rows * series > CELLS:
                between = f"between {slot * RAW.slot} and {(slot + 1) * RAW.slot} ms"
                times = f"{rows or samples} different times"
                raise StagingError(
                    f"{named(place.target)} has {series} series and {times} {between}; "
                    f"expected {SERIES} series, and {CELLS} values of them, at most; nothing was imported"
                )
            places.append(place)
        return places

    def count(self, place: Place) -> int:
        """Samples of a place."""
        query = "SELECT sum(count) FROM run WHERE target = ? AND slot = ?"
        [found] = self._connection.execute(query, (place.number, place.slot)).fetchone()
        return int(found)

    def slab(self, place: Place) -> Slab:
        """The rows of a place."""
        times = self._times(place)
        query = (
            "SELECT entry, times, rows FROM run JOIN series ON series.id = run.series "
            "WHERE run.target = ? AND slot = ? ORDER BY run.rowid DESC"
        )
        index: dict[Labels, int] = {}
        entries: list[Entry] = []
        columns: list[Floats] = []
        for text, moments, numbers in self._connection.execute(query, (place.number, place.slot)):
            entry = entry_of(text)
            column = index.setdefault(entry.labels, len(entries))
            if column == len(entries):
                entries.append(entry)
                columns.append(np.full(len(times), STALE))
            rows = times.searchsorted(np.frombuffer(moments, np.int64))
            # From the last to the first, so that what came first stays.
            columns[column][rows[::-1]] = np.frombuffer(numbers, np.float64)[::-1]
        values = np.stack(columns, axis=1)[None]
        return Slab(RAW, place.target, place.slot, times, tuple(entries), values)

    def _times(self, place: Place) -> Times:
        query = "SELECT times FROM run WHERE target = ? AND slot = ?"
        runs = self._connection.execute(query, (place.number, place.slot))
        found: Times = np.zeros(0, np.int64)
        for (run,) in runs:
            found = np.union1d(found, np.frombuffer(run, np.int64))
        return found

    def _number(self, entry: Entry) -> tuple[int, int]:
        """The numbers of the target and of the series."""
        known = self._numbers.get(entry)
        if known is None:
            if len(self._numbers) >= PIECES:
                self._numbers.clear()
            own = tuple(pair for pair in entry.labels if pair[0] in TARGET)
            target = self._id("target", "labels", json.dumps(own))
            metric = entry.metric
            text = json.dumps([entry.labels, metric.name, metric.kind, metric.help, metric.unit])
            known = self._numbers[entry] = target, self._id("series", "entry", text)
        return known

    def _id(self, table: str, column: str, text: str) -> int:
        self._connection.execute(f"INSERT OR IGNORE INTO {table} ({column}) VALUES (?)", (text,))  # noqa: S608
        found = self._connection.execute(f"SELECT id FROM {table} WHERE {column} = ?", (text,))  # noqa: S608
        return int(found.fetchone()[0])

    def _flush(self) -> None:
        rows = []
        for (target, slot, series), runs in self._held.items():
            times = np.concatenate([each for each, _ in runs])
            values = np.concatenate([each for _, each in runs])
            rows.append((target, slot, series, len(times), times.tobytes(), values.tobytes()))
        self._connection.executemany("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._held, self._samples = {}, 0

    def _all(self, query: str) -> Iterator[tuple[int, ...]]:
        yield from self._connection.execute(query).fetchall()

    def _discard(self) -> None:
        self._path.unlink(missing_ok=True)


def labels_of(pairs: object) -> Labels:
    found = json.loads(pairs) if isinstance(pairs, str) else pairs
    assert isinstance(found, list)
    return tuple((name, value) for name, value in found)


def entry_of(text: str) -> Entry:
    labels, name, kind, help_, unit = json.loads(text)
    return Entry(labels_of(labels), Metric(name, Kind(kind), help_, unit))


def named(target: Labels) -> str:
    """A target for people."""
    return ", ".join(f"{name}={value}" for name, value in target) or "what has no instance and no job"
