"""Which series of a target has which column.

A column is given back when the rows that have a value in it are out of the window, and then used anew.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.model import Labels, Layout, Metric, Series
from monitor.storage import ColumnIndex, Matcher, SeriesSet

REMEMBERED = 256
"""Selectors whose columns are remembered."""

Places = npt.NDArray[np.intp]


class Budget:
    """How many more series all targets together may open, and how many samples found no place."""

    def __init__(self, series: int) -> None:
        self.left = series
        self.refused = 0


class Chosen(NamedTuple):
    """The series that a selector matched, and their columns."""

    series: SeriesSet
    columns: ColumnIndex


class Legend(NamedTuple):
    """Which column each series of a target has, while none comes or goes."""

    columns: dict[Labels, int]
    metrics: dict[int, Metric]
    """By column."""


class Register:
    """Opens, frees and finds columns.  `generation` counts the changes of the set of series."""

    def __init__(self, target: Labels, most: int, budget: Budget) -> None:
        self.generation = 0
        self.metrics: dict[int, Metric] = {}
        self._target, self._most, self._budget = target, most, budget
        self._index: dict[Labels, int] = {}
        self._stored: dict[Series, Labels] = {}
        """What identifies each series here, as layouts come again in parts."""
        self._free: list[int] = []
        self._active: set[int] = set()
        self._left: dict[int, int] = {}
        self._chosen: dict[tuple[Matcher, ...], Chosen] = {}
        self._previous: dict[tuple[Matcher, ...], Chosen] = {}
        self._names: dict[str, list[tuple[Labels, int]]] = {}
        self._indexed = 0
        self._legend = Legend({}, {})
        self._legend_of = 0

    def __len__(self) -> int:
        return len(self._index)

    @property
    def width(self) -> int:
        """Columns in use or free."""
        return len(self._index) + len(self._free)

    def place(self, layout: Layout) -> Places:
        """The column of each series of a layout, opened if need be; -1 where there is no place."""
        entries = zip(layout.metrics, layout.series, strict=True)
        return np.array([self._column(metric, series) for metric, series in entries], np.intp)

    def _column(self, metric: Metric, series: Series) -> int:
        labels = self._stored.get(series) or self._store(series)
        column = self._index.get(labels)
        if column is not None:
            return column
        if len(self._index) >= self._most or self._budget.left <= 0:
            return -1
        self._budget.left -= 1
        self.generation += 1
        column = self._free.pop() if self._free else len(self._index)
        self._index[labels] = column
        self.metrics[column] = metric
        return column

    def _store(self, series: Series) -> Labels:
        if len(self._stored) >= self._most:
            self._stored = {}
        labels = self._stored[series] = stored_labels(series, self._target)
        return labels

    def legend(self) -> Legend:
        """The columns at present, as an object that does not change and is the same while they are."""
        if self._legend_of != self.generation:
            self._legend, self._legend_of = Legend(self._index.copy(), self.metrics.copy()), self.generation
        return self._legend

    def activate(self, columns: set[int], newest: int) -> None:
        """From the next row on these columns have values; `newest` is the time of the row before."""
        self._left.update(dict.fromkeys(self._active - columns, newest))
        for column in columns & self._left.keys():
            del self._left[column]
        self._active = columns

    def expire(self, oldest: int) -> None:
        """Free the columns whose last value is older than this time."""
        gone = {column for column, last in self._left.items() if last < oldest}
        if gone:
            self._index = {labels: column for labels, column in self._index.items() if column not in gone}
            for column in gone:
                del self._left[column], self.metrics[column]
            self._budget.left += len(gone)
            self._free = sorted({*self._free, *gone}, reverse=True)
            self._stored = {}
            self.generation += 1

    def pack(self) -> list[int]:
        """Move the columns in use together; returns where each was before."""
        used = sorted(self._index.values())
        new = {column: place for place, column in enumerate(used)}
        self._index = {labels: new[column] for labels, column in self._index.items()}
        self.metrics = {new[column]: metric for column, metric in self.metrics.items()}
        self._left = {new[column]: last for column, last in self._left.items()}
        self._active = {new[column] for column in self._active}
        self._free = []
        self.generation += 1
        return used

    def close(self) -> None:
        """Give the places of all series back."""
        self._budget.left += len(self._index)

    def choose(self, matchers: tuple[Matcher, ...]) -> Chosen:
        """What all matchers accept: the same object while no series of the target came or went."""
        if self._indexed != self.generation:
            self._reindex()
        chosen = self._chosen.pop(matchers, None)
        if chosen is None:
            chosen = self._match(matchers)
            while len(self._chosen) >= REMEMBERED:
                del self._chosen[next(iter(self._chosen))]
        self._chosen[matchers] = chosen  # The most recently used is the last.
        return chosen

    def _reindex(self) -> None:
        self._indexed = self.generation
        self._previous, self._chosen, self._names = self._chosen, {}, {}
        for labels, column in sorted(self._index.items(), key=lambda item: item[1]):
            name = dict(labels)["__name__"]
            self._names.setdefault(name, []).append((labels, column))

    def _match(self, matchers: tuple[Matcher, ...]) -> Chosen:
        found = [
            (column, labels)
            for labels, column in self._candidates(matchers)
            if all(matcher.accepts(labels) for matcher in matchers)
        ]
        series = SeriesSet(tuple(labels for _, labels in found))
        previous = self._previous.get(matchers)
        if previous is not None and previous.series.labels == series.labels:
            series = previous.series
        return Chosen(series, as_slice([column for column, _ in found]))

    def _candidates(self, matchers: tuple[Matcher, ...]) -> list[tuple[Labels, int]]:
        for matcher in matchers:
            if matcher.label == "__name__" and matcher.operator == "=":
                return self._names.get(matcher.value, [])
        return sorted(self._index.items(), key=lambda item: item[1])


def stored_labels(series: Series, target: Labels) -> Labels:
    """What identifies a series here: the target's labels win, what they hide is kept as `exported_...`."""
    labels = {"__name__": series.name, **dict(target)}
    for name, value in series.labels:
        kept = name
        while kept in labels:
            kept = f"exported_{kept}"
        if value:
            labels[kept] = value
    return tuple(sorted(labels.items()))


def as_slice(columns: list[int]) -> ColumnIndex:
    """Columns as a slice where they are evenly spaced and ascending: reading a slice copies nothing."""
    if not columns:
        return slice(0, 0)
    step = columns[1] - columns[0] if len(columns) > 1 else 1
    if step > 0 and columns == list(range(columns[0], columns[-1] + 1, step)):
        return slice(columns[0], columns[-1] + 1, step)
    return np.array(columns, np.intp)
