"""The rows that a file is going to be given: made before its transaction, which is short then."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from monitor.model import Floats, Labels, Metric
from monitor.storage.codec import MOST, NOTHING, Cell, encode, pack_whole
from monitor.storage.contents import Contents
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
from monitor.storage.tier import Entry, Slab

Ids = dict[Entry, int]
BREATH = 32
"""Series between two moments in which another thread may go on: Python's threads take turns."""


class Draft:
    """Gathers slabs.  A slab replaces what its slot had; ids go on where those of the file end."""

    def __init__(self, contents: Contents) -> None:
        self.rows: dict[str, list[Row]] = {table: [] for table in (TARGET, METRIC, NAMES, SLOT)}
        self._version = contents.version + 1
        self._targets = {target: number for number, target in contents.targets.items()}
        self._metrics = {metric: number for number, metric in contents.metrics.items()}
        self._slots = contents.slots
        self._series, self._slot_count = contents.series, contents.slot_count
        self._cells: list[tuple[int, Floats]] = []

    def add(self, slab: Slab, known: Ids) -> Ids:
        """Returns the ids of the slab's series: those that are known, and new ones.

        Raises ValueError for more rows than a slot can have.
        """
        if len(slab.times) > MOST:
            raise ValueError(f"{len(slab.times)} rows in one slot, expected {MOST} at most")
        target = self._target(slab.target)
        new = [entry for entry in slab.entries if entry not in known]
        ids = {**known, **self._name(target, slab.target, new)}
        numbers = np.array([ids[entry] for entry in slab.entries], np.int64)
        stored = self._slots.get(slab.target, {}).get(slab.slot)
        if stored is None:
            self._slot_count += 1
        number = stored.number if stored else self._slot_count
        packed = pack_whole(slab.times), pack_whole(np.sort(numbers))
        self.rows[SLOT].append(sealed(SLOT, number, (target, slab.slot, self._version, *packed)))
        self._cells += [
            (cell_number(slab.slot, series), slab.values[:, :, place])
            for place, series in enumerate(numbers.tolist())
        ]
        return {entry: ids[entry] for entry in slab.entries}

    def cells(self) -> Iterator[Row]:
        """The rows of all cells by their ids, the order in which they fill pages."""
        for count, (number, columns) in enumerate(sorted(self._cells, key=lambda cell: cell[0])):
            if count % BREATH == 0:
                time.sleep(PAUSE)
            values = encoded(columns)
            yield (number, *values, seal(CELL, number, values, self._version))

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
                time.sleep(PAUSE)
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
"""Seconds of such a breath; none at all is an error where a library fakes the clock."""
