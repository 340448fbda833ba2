"""Rows that are not in a file yet, of one target and one slot of a rolled-up tier: they grow in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from monitor.model import Floats, Labels
from monitor.storage.table import STALE
from monitor.storage.tier import Entry, Slab, Tier

SPARE = 16
"""Rows and series that a new buffer has to spare at least."""


class Open:
    """Written by one thread; others may read `slab`, which does not change."""

    def __init__(self, tier: Tier, target: Labels, slot: int) -> None:
        self.tier, self.target, self.slot = tier, target, slot
        self.entries: list[Entry] = []
        self._places: dict[Labels, int] = {}
        self._times = np.zeros(SPARE, np.int64)
        self._values = np.full((len(tier.aspects), SPARE, SPARE), STALE)
        self._rows = 0
        self._named: tuple[Entry, ...] = ()
        self.logged = 0
        """How many rows, the first ones, are in the log."""
        self.slab = self._slab()
        """All rows so far."""

    @property
    def newest(self) -> int:
        """Time of the newest row; 0 before the first."""
        return int(self._times[self._rows - 1]) if self._rows else 0

    def place(self, entries: Iterable[Entry]) -> list[int]:
        """The column of each series, new ones at the end."""
        found = []
        for entry in entries:
            place = self._places.setdefault(entry.labels, len(self.entries))
            if place == len(self.entries):
                self.entries.append(entry)
            found.append(place)
        return found

    def append(self, time: int, places: list[int] | slice, row: Floats) -> None:
        """Keep a row, (aspects, len(places))."""
        self._grow()
        self._values[:, self._rows, places] = row
        self._times[self._rows] = time
        self._rows += 1
        self.slab = self._slab()

    def unlogged(self) -> Iterator[tuple[int, Floats]]:
        """Rows that are not in the log yet: time and values, (aspects, k)."""
        for row in range(self.logged, self._rows):
            yield int(self._times[row]), self.slab.values[:, row]

    def _slab(self) -> Slab:
        if len(self._named) != len(self.entries):
            self._named = tuple(self.entries)  # The same object otherwise: readers remember what they chose.
        values = self._values[:, : self._rows, : len(self._named)]
        return Slab(self.tier, self.target, self.slot, self._times[: self._rows], self._named, values)

    def _grow(self) -> None:
        aspects, rows, columns = self._values.shape
        if self._rows < rows and len(self.entries) <= columns:
            return
        more = rows if self._rows < rows else 2 * rows
        wide = columns if len(self.entries) <= columns else len(self.entries) + max(SPARE, columns // 8)
        values = np.full((aspects, more, wide), STALE)
        values[:, :rows, :columns] = self._values
        times = np.zeros(more, np.int64)
        times[:rows] = self._times
        self._values, self._times = values, times
