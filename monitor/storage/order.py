"""The order in which a log has the series of a target, beside that of the columns in memory."""

from __future__ import annotations

import numpy as np

from monitor.model import Floats, Kind, Labels
from monitor.storage.register import Legend, as_slice
from monitor.storage.table import STALE
from monitor.storage.tier import Entry

RESET = {Kind.COUNTER, Kind.HISTOGRAM}
"""Kinds of metrics whose values fall only when what counts begins anew."""


class Order:
    """Series only ever join, at the end, while the columns in memory come, go and move."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._places: dict[Labels, int] = {}
        self._legend: Legend | None = None
        self._columns = np.empty(0, np.intp)
        self._absent = np.empty(0, np.intp)

    def arranged(self, row: Floats, legend: Legend) -> Floats:
        """A row of the columns in memory in this order, stale where there is no column any more."""
        if legend is not self._legend:
            self._adapt(legend)
        values: Floats = row.take(self._columns)
        if len(self._absent):
            values[self._absent] = STALE
        return values

    def _adapt(self, legend: Legend) -> None:
        places: list[int] = []
        for labels, column in legend.columns.items():
            place = self._places.setdefault(labels, len(self.entries))
            if place == len(self.entries):
                self.entries.append(Entry(labels, legend.metrics[column]))
            places.append(place)
        columns = np.full(len(self.entries), -1, np.intp)
        columns[places] = list(legend.columns.values())
        self._legend, self._absent = legend, np.flatnonzero(columns < 0)
        self._columns = np.maximum(columns, 0)


class Shape:
    """The series of a legend as they are rolled up and closed."""

    def __init__(self, legend: Legend) -> None:
        self.legend = legend
        columns = sorted(legend.columns.items(), key=lambda item: item[1])
        self.columns = as_slice([column for _, column in columns])
        self.entries = [Entry(labels, legend.metrics[column]) for labels, column in columns]
        self.counters = np.array([entry.metric.kind in RESET for entry in self.entries], np.bool_)
