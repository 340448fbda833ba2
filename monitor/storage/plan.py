"""Which rows of one target are given, of which resolution: each moment from one of them only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.model import Times
from monitor.storage.tier import TIERS, Tier

Places = npt.NDArray[np.intp]


def preference(grain: int) -> list[Tier]:
    """The coarsest resolution that a reader may be given, the finer ones from there, then the coarser."""
    fit = [tier for tier in TIERS if tier.step <= grain]
    return [*reversed(fit or TIERS[:1]), *TIERS[max(1, len(fit)) :]]


class Taken(NamedTuple):
    """Rows that are given, of those that lie together somewhere."""

    tier: Tier
    rows: Places
    """Which."""
    times: Times
    """Theirs."""


class Plan:
    """Takes rows while their resolutions come in the order of preference.

    A row stands for all between two borders of its resolution (a sample for its own millisecond).  It is
    taken where that lies in the range, and overlaps nothing that a row of another resolution stands for.
    """

    def __init__(self, start: int, end: int) -> None:
        self._start, self._end = start, end
        self._lows = self._highs = np.zeros(0, np.int64)
        self._sums: Times | None = None
        self._fresh: list[tuple[Times, Times]] = []
        self.reach = 0
        """Milliseconds that the coarsest row taken stands for."""

    def take(self, tier: Tier, times: Times) -> Taken | None:
        """Those of rows with these times that are given; None where none is."""
        highs = -(-times // tier.step) * tier.step if tier.step else times
        lows = highs - max(1, tier.step)
        free = (lows >= self._start - 1) & (highs <= self._end)
        if len(self._lows):
            free &= ~self._overlaps(lows, highs)
        rows = np.flatnonzero(free)
        if not len(rows):
            return None
        if len(rows) < len(times):
            lows, highs, times = lows[rows], highs[rows], times[rows]
        self._fresh.append((lows, highs))
        self.reach = max(self.reach, tier.step)
        return Taken(tier, rows, times)

    def next_tier(self) -> None:
        """The rows of one resolution have all been offered."""
        if self._fresh:
            self._lows = np.concatenate([self._lows, *(low for low, _ in self._fresh)])
            self._highs = np.concatenate([self._highs, *(high for _, high in self._fresh)])
            if (self._lows[1:] <= self._lows[:-1]).any():
                self._lows, places = np.unique(self._lows, return_index=True)
                self._highs = self._highs[places]
            self._sums, self._fresh = None, []

    def open_to(self, tier: Tier) -> bool:
        """Whether a whole row of a resolution would find room between what is given."""
        step = max(1, tier.step)
        wide = np.flatnonzero(self._lows[1:] - self._highs[:-1] >= step)
        first, last = (self._lows[0], self._highs[-1]) if len(self._lows) else (self._end, self._end)
        lows = np.concatenate([[self._start - 1], self._highs[wide], [last]])
        highs = np.concatenate([[first], self._lows[wide + 1], [self._end]])
        return bool((-(-lows // step) * step + step <= highs).any())

    def covers(self, low: int, high: int) -> bool:
        """Whether all between two borders (low, high], as far as it is asked for, is given already."""
        low, high = max(low, self._start - 1), min(high, self._end)
        if not len(self._lows):
            return high <= low
        first, last = self._highs.searchsorted(low, "right"), self._lows.searchsorted(high, "left")
        if first >= last:
            return high <= low
        if self._sums is None:
            self._sums = np.concatenate([[0], np.cumsum(self._highs - self._lows)])
        beyond = max(0, low - int(self._lows[first])) + max(0, int(self._highs[last - 1]) - high)
        return int(self._sums[last] - self._sums[first]) - beyond >= high - low

    def _overlaps(self, lows: Times, highs: Times) -> npt.NDArray[np.bool_]:
        after = np.minimum(self._highs.searchsorted(lows, "right"), len(self._highs) - 1)
        return (self._highs[after] > lows) & (self._lows[after] < highs)
