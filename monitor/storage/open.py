"""Rows that are not in a file yet, of one target and one slot of a rolled-up tier: they grow in memory.

Series that came at about the same time stand together in blocks, and a block has rows only for as long as
one of its series does: what came and went takes the room of its own rows, not of all rows of the slot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from monitor.model import Floats, Labels, Times
from monitor.storage.plan import Places
from monitor.storage.table import STALE
from monitor.storage.tier import Entry, Slab, Tier

SPARE = 8
"""Rows that a new block has room for."""
NARROW = 64
"""Series that a block has at least, before another is begun."""


class Block:
    """Series that came together: their rows from the first that has one to the last."""

    def __init__(self, first: int, aspects: int) -> None:
        self.first = first
        """The row of the slot that is its first."""
        self.end = first
        """The row after its last."""
        self.entries: tuple[Entry, ...] = ()
        self.values = np.empty((aspects, SPARE, 0))

    def widen(self, entries: Iterable[Entry]) -> None:
        """Series that come later than others."""
        rows, before = self.end - self.first, self.values
        self.entries = (*self.entries, *entries)
        self.values = np.empty((*before.shape[:2], len(self.entries)))
        self.values[:, :rows, : before.shape[2]] = before[:, :rows]
        self.values[:, :rows, before.shape[2] :] = STALE

    def put(self, number: int, row: Floats) -> None:
        """Keep a row, (aspects, k); the rows since the last one have no sample of these series."""
        place, held = number - self.first, self.end - self.first
        if place >= self.values.shape[1]:
            values = np.empty((len(row), 2 * (place + 1), len(self.entries)))
            values[:, :held] = self.values[:, :held]
            self.values = values
        self.values[:, held:place] = STALE
        self.values[:, place] = row
        self.end = number + 1


class Open:
    """Written by one thread; others may read `slabs`, which do not change."""

    def __init__(self, tier: Tier, target: Labels, slot: int) -> None:
        self.tier, self.target, self.slot = tier, target, slot
        self.entries: list[Entry] = []
        self._places: dict[Labels, int] = {}
        self._times: list[int] = []
        self._blocks: list[Block] = []
        self._borders = [0]
        """Where the columns of each block begin, and those of the last end."""
        self.logged = 0
        """How many rows, the first ones, are in the log."""
        self.slabs: tuple[Slab, ...] = ()
        """All rows so far: each series is in one of them."""

    @property
    def newest(self) -> int:
        """Time of the newest row; 0 before the first."""
        return self._times[-1] if self._times else 0

    @property
    def times(self) -> Times:
        """Those of all rows."""
        return np.array(self._times, np.int64)

    def place(self, entries: Iterable[Entry]) -> list[int]:
        """The column of each series, new ones at the end."""
        found = []
        for entry in entries:
            place = self._places.setdefault(entry.labels, len(self.entries))
            if place == len(self.entries):
                self.entries.append(entry)
            found.append(place)
        return found

    def append(self, time: int, places: Sequence[int] | Places, row: Floats) -> None:
        """Keep a row, (aspects, len(places)): a sample for each of the series."""
        number = len(self._times)
        self._times.append(time)
        self._widen(number)
        columns = np.asarray(places, np.intp)
        order = np.argsort(columns, kind="stable")
        columns = columns[order]
        cuts = columns.searchsorted(self._borders).tolist()
        for block, low, (first, last) in zip(self._blocks, self._borders, pairwise(cuts), strict=False):
            if first < last:
                mine = np.full((len(row), len(block.entries)), STALE)
                mine[:, columns[first:last] - low] = row[:, order[first:last]]
                block.put(number, mine)
        self._show()

    def unlogged(self) -> Iterator[tuple[int, Floats]]:
        """Rows that are not in the log yet: time and values of all series, (aspects, k)."""
        for number in range(self.logged, len(self._times)):
            yield self._times[number], self.rows(number, number + 1)[:, 0]

    def rows(self, first: int, end: int) -> Floats:
        """All series in the rows from the first on: (aspects, n, k)."""
        found = np.full((len(self.tier.aspects), end - first, len(self.entries)), STALE)
        for block, (low, high) in zip(self._blocks, pairwise(self._borders), strict=True):
            here, until = max(first, block.first), min(end, block.end)
            if here < until:
                rows = block.values[:, here - block.first : until - block.first]
                found[:, here - first : until - first, low:high] = rows
        return found

    def _widen(self, number: int) -> None:
        """Series that were placed since the last row have a block, or the newest has them, too."""
        new = self.entries[self._borders[-1] :]
        if new and self._blocks and len(self._blocks[-1].entries) < NARROW:
            self._blocks[-1].widen(new)
            self._borders[-1] += len(new)
        elif new:
            self._blocks.append(Block(number, len(self.tier.aspects)))
            self._blocks[-1].widen(new)
            self._borders.append(self._borders[-1] + len(new))

    def _show(self) -> None:
        times = self.times
        self.slabs = tuple(
            Slab(
                self.tier,
                self.target,
                self.slot,
                times[block.first : block.end],
                block.entries,
                block.values[:, : block.end - block.first],
            )
            for block in self._blocks
        )
