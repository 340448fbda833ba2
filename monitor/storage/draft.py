"""The rows that a file is going to be given: made before its transaction, which is short then."""

from __future__ import annotations

import select
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from monitor.model import Floats, Labels, Metric
from monitor.storage.codec import MOST, NOTHING, Cell, encode, pack_whole
from monitor.storage.contents import Contents
from monitor.storage.plan import Places
from monitor.storage.schema import (
    CELL,
    FORMAT,
    METRIC,
    NAMES,
    SLOT,
    STATE,
    TARGET,
    Row,
    Value,
    cell_number,
    pack_labels,
    seal,
    sealed,
)
from monitor.storage.table import STALE
from monitor.storage.tier import Entry, Slab

Ids = dict[Entry, int]
BREATH = 32
"""Series between two moments in which another thread may go on: Python's threads take turns."""


class Column(NamedTuple):
    """What a series is going to have in a slot."""

    number: int
    """The id of its cell."""
    values: Floats
    """(aspects, n)."""
    rows: Places | None
    """Which of the slot's rows these are; None for all."""
    length: int
    """How many the slot has."""

    def whole(self) -> Floats:
        """(aspects, length)."""
        if self.rows is None:
            return self.values
        found = np.full((len(self.values), self.length), STALE)
        found[:, self.rows] = self.values
        return found


class Draft:
    """Gathers slabs.  They replace what their slot had; ids go on where those of the file end."""

    def __init__(self, contents: Contents) -> None:
        self.rows: dict[str, list[Row]] = {table: [] for table in (TARGET, METRIC, NAMES, SLOT)}
        self._version = contents.version + 1
        self._targets = {target: number for number, target in contents.targets.items()}
        self._metrics = {metric: number for number, metric in contents.metrics.items()}
        self._slots = contents.slots
        self._series, self._slot_count = contents.series, contents.slot_count
        self._columns: list[Column] = []

    def add(self, slabs: Sequence[Slab], known: Ids) -> Ids:
        """What a slot has of a target, in slabs of different series.

        Returns the ids of the series: those that are known, and new ones.  Raises ValueError for more rows
        than a slot can have.
        """
        slab = slabs[0]
        times = slab.times if len(slabs) == 1 else np.unique(np.concatenate([each.times for each in slabs]))
        if len(times) > MOST:
            raise ValueError(f"{len(times)} rows in one slot, expected {MOST} at most")
        entries = [entry for each in slabs for entry in each.entries]
        target = self._target(slab.target)
        new = [entry for entry in entries if entry not in known]
        ids = {**known, **self._name(target, slab.target, new)}
        numbers = np.array([ids[entry] for entry in entries], np.int64)
        stored = self._slots.get(slab.target, {}).get(slab.slot)
        if stored is None:
            self._slot_count += 1
        number = stored.number if stored else self._slot_count
        packed = pack_whole(times), pack_whole(np.sort(numbers))
        self.rows[SLOT].append(sealed(SLOT, number, (target, slab.slot, self._version, *packed)))
        given = iter(numbers.tolist())
        for each in slabs:
            rows = None if len(each.times) == len(times) else times.searchsorted(each.times)
            self._columns += [
                Column(cell_number(slab.slot, next(given)), each.values[:, :, place], rows, len(times))
                for place in range(len(each.entries))
            ]
        return {entry: ids[entry] for entry in entries}

    def cells(self) -> Iterator[Row]:
        """The rows of all cells by their ids, the order in which they fill pages."""
        for count, column in enumerate(sorted(self._columns, key=lambda column: column.number)):
            if count % BREATH == 0:
                breathe()
            values = encoded(column.whole())
            yield (column.number, *values, seal(CELL, column.number, values, self._version))

    def state(self) -> Row:
        """What is in the file then."""
        counts = len(self._targets), len(self._metrics), self._series, self._slot_count
        return sealed(STATE, 1, (FORMAT, self._version, *counts))

    def _target(self, target: Labels) -> int:
        number = self._targets.get(target)
        if number is None:
            number = self._targets[target] = len(self._targets) + 1
            self.rows[TARGET].append(sealed(TARGET, number, (pack_labels([target]),)))
        return number

    def _metric(self, name: str, metric: Metric) -> int:
        number = self._metrics.get((name, metric))
        if number is None:
            number = self._metrics[name, metric] = len(self._metrics) + 1
            texts = name, metric.name, metric.kind, metric.unit, metric.help
            values = [text.encode(errors="surrogatepass") for text in texts]
            self.rows[METRIC].append(sealed(METRIC, number, values))
        return number

    def _name(self, number: int, target: Labels, entries: list[Entry]) -> Ids:
        """Give ids to series, those of a metric together."""
        groups: dict[int, list[tuple[Entry, Labels]]] = {}
        given = {"__name__", *dict(target)}
        for count, entry in enumerate(entries):
            if count % BREATH == 0:
                breathe()
            name = next(value for label, value in entry.labels if label == "__name__")
            own = tuple(pair for pair in entry.labels if pair[0] not in given)
            if len(own) + len(given) != len(entry.labels):
                raise ValueError(f"series {entry.labels} lacks labels of its target {target}")
            groups.setdefault(self._metric(name, entry.metric), []).append((entry, own))
        ids: Ids = {}
        for metric, pairs in groups.items():
            first = self._series + 1
            self._series += len(pairs)
            ids.update((entry, first + place) for place, (entry, _) in enumerate(pairs))
            packed = pack_labels([own for _, own in pairs])
            self.rows[NAMES].append(sealed(NAMES, first, (number, metric, len(pairs), packed)))
        return ids


def encoded(columns: Floats) -> list[Value]:
    """The aspects (a, n) of a series in a slot as cells: nothing where one is the same as the first."""
    last, *rest = np.ascontiguousarray(columns)
    return [_cell(last), *(None if _same(last, aspect) else _cell(aspect) for aspect in rest)]


def _cell(column: Floats) -> Cell:
    cell = encode(column)
    return NOTHING if cell is None else cell


def _same(one: Floats, other: Floats) -> bool:
    return bool((one.view(np.int64) == other.view(np.int64)).all())


PAUSE = 1e-5
"""Seconds."""


def breathe() -> None:
    """Let go of the interpreter for a moment.  time.sleep waits until a time, which libfaketime mistakes."""
    select.select((), (), (), PAUSE)
