"""Real series of one host, a row a second, and how a recording of an hour goes on for a day.

A recording is played forth and back: gauges then never jump, and no stretch comes again before twice its
length, so that no engine finds in one block what it has packed already.  What never fell while it was
recorded goes on rising, by the same steps in the same order; whole numbers and decimals stay what they are,
to the last bit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from monitor.model import Floats, Kind, Layout, Metric, Series

DIGITS = 9
"""Decimals looked for; what has more is no decimal number."""
EXACT = 2.0**53
"""Up to which a float holds every whole number."""
Entry = tuple[Metric, Series]


class Column(NamedTuple):
    """How the column of a series goes on."""

    rising: bool
    digits: int
    """Decimals of its values; -1 where they are no decimal numbers."""


class Recording:
    """Rows x series as recorded, and any rows after them."""

    def __init__(self, entries: Iterable[Entry], values: Floats, about: Mapping[str, object]) -> None:
        """`values` is (n, k) with n > 1 rows, all finite."""
        self.entries = tuple(entries)
        self.layout = Layout(self.entries)
        self.values = values
        self.about = dict(about)
        """Where and how it was recorded, for people."""
        columns = [column(values[:, place], self.entries[place][0]) for place in range(len(self.entries))]
        self._rising = np.array([one.rising for one in columns], np.bool_)
        self._decimal = np.array([one.digits >= 0 for one in columns], np.bool_)
        self._scale = np.array([10.0 ** max(one.digits, 0) for one in columns])
        units = np.rint(values * self._scale)
        self._units = np.where(self._decimal, units, values)

    def __len__(self) -> int:
        """Series."""
        return len(self.entries)

    @property
    def varying(self) -> int:
        """Series that have more than one value."""
        return int((self.values != self.values[0]).any(axis=0).sum())

    def rows(self, first: int, count: int) -> Floats:
        """(count, k): the rows that many seconds after the first one, recorded or gone on."""
        steps = np.arange(first, first + count)
        last = len(self.values) - 1
        turn, place = np.divmod(steps, last)
        back = turn % 2 == 1
        place = np.where(back, last - place, place)
        units = self._units[place]
        low, high = self._units[0], self._units[-1]
        risen = np.where(back[:, None], high - units, units - low) + (high - low) * turn[:, None] + low
        whole = np.where(self._rising, risen, units)
        played: Floats = np.where(self._decimal, whole / self._scale, whole)
        return played

    def hours(self, hours: float, most: int = 3600) -> Iterator[tuple[int, Floats]]:
        """The first row's number and the rows, in pieces of an hour, for so long."""
        whole = round(hours * 3600)
        for first in range(0, whole, most):
            yield first, self.rows(first, min(most, whole - first))

    def save(self, path: Path) -> None:
        """Write it as one compressed file of numpy's."""
        entries = [
            (metric.name, metric.kind, metric.help, metric.unit, series.name, series.labels)
            for metric, series in self.entries
        ]
        text = json.dumps({"about": self.about, "entries": entries})
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            # A column after the other packs better.
            np.savez_compressed(file, text=np.array(text), columns=np.ascontiguousarray(self.values.T))


def load(path: Path) -> Recording:
    """Read what was saved.  Raises OSError and, for what is no recording, ValueError."""
    try:
        with np.load(path, allow_pickle=False) as held:
            told, columns = json.loads(str(held["text"])), held["columns"]
    except (KeyError, EOFError) as error:
        raise ValueError(f"{path}: no recording; make one with python -m benchmarks.record") from error
    return Recording(map(entry, told["entries"]), np.ascontiguousarray(columns.T), told["about"])


def entry(fields: list[Any]) -> Entry:
    name, kind, text, unit, own, labels = fields
    return Metric(name, Kind(kind), text, unit), Series(own, tuple((key, value) for key, value in labels))


def column(values: Floats, metric: Metric) -> Column:
    """How a series goes on, from what was recorded of it."""
    steps = np.diff(values)
    rising = bool((steps >= 0).all()) and (metric.kind is not Kind.GAUGE or bool((steps > 0).all()))
    return Column(rising, digits(values))


def digits(values: Floats) -> int:
    """The fewest decimals that hold all values; -1 where there are none so short."""
    most = float(np.abs(values).max())
    for count in range(DIGITS + 1):
        scale = 10.0**count
        if most * scale < EXACT and bool((np.rint(values * scale) / scale == values).all()):
            return count
    return -1


def copied(recording: Recording, copies: int) -> Recording:
    """Each series so many times, under a label that tells them apart."""
    entries = [
        (metric, Series(series.name, tuple(sorted((*series.labels, ("copy", str(number)))))))
        for number in range(copies)
        for metric, series in recording.entries
    ]
    return Recording(entries, np.tile(recording.values, copies), recording.about)
