"""The rows of one target in a window before each step.

Most rows are samples.  A row that stands for several (`monitor.storage.Selection.parts`) is in a window when
the last of them is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.model import Floats, Times
from monitor.storage import Aspect, Flags, Selection, is_stale

Rows = npt.NDArray[np.intp]


class Stretch(NamedTuple):
    """How much of each window the samples cover, in seconds."""

    sampled: Floats
    """From the first sample to the last."""
    to_start: Floats
    """To the start of the window, or half an interval where the series seems to begin later."""
    to_end: Floats


class Windows:
    """Which rows of a target the window of each of S steps holds: this follows from times alone, so that all
    its series have it in common."""

    def __init__(self, times: Times, ends: Times, length: int, reach: int = 0) -> None:
        """A window that holds no row has the newest of the last `reach` milliseconds, if that is longer."""
        self.times, self.ends, self.length = times, ends, length
        self.low: Rows = times.searchsorted(ends - length, "right")
        """(S,) the first row of each window."""
        self.high: Rows = times.searchsorted(ends, "right")
        """(S,) the row behind the last of each window."""
        if reach > length and len(times):
            newest = np.maximum(self.high - 1, 0)
            near = (self.low == self.high) & (self.high > 0) & (times[newest] > ends - reach)
            self.low = np.where(near, newest, self.low)

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """(S, 1) rows in each window."""
        return (self.high - self.low)[:, None]

    @cached_property
    def firsts(self) -> Rows:
        """(S, 1) the first row in each window; any row where there is none."""
        return np.minimum(self.low, len(self.times) - 1)[:, None]

    @cached_property
    def lasts(self) -> Rows:
        """(S, 1) the last row in each window; any row where there is none."""
        return np.maximum(self.high - 1, 0)[:, None]

    @cached_property
    def stretch(self) -> Stretch:
        """Of series that miss no row."""
        return self.stretch_of(self.counts, self.firsts, self.lasts)

    def stretch_of(self, counts: npt.NDArray[np.int64], first: Rows, last: Rows) -> Stretch:
        first_time, last_time, ends = self.times[first], self.times[last], self.ends[:, None]
        sampled = (last_time - first_time) / 1000
        average = sampled / (counts - 1)
        threshold, half = average * 1.1, average / 2
        to_start = (first_time - (ends - self.length)) / 1000
        to_end = (ends - last_time) / 1000
        # To the end of the window, or half an interval where the series seems to begin or end before.
        return Stretch(
            sampled,
            np.where(to_start >= threshold, half, to_start),
            np.where(to_end >= threshold, half, to_end),
        )


class Span:
    """Rows of one target and the windows that look at them.

    Row numbers have the shape (S, 1) where every row has every series, else (S, k).
    """

    def __init__(self, selection: Selection, windows: Windows, spend: Callable[[int], None]) -> None:
        self.series, self.values = selection.series, selection.values
        self.windows, self._spend = windows, spend
        self.times, self.ends, self.length = windows.times, windows.ends, windows.length
        self.low, self.high = windows.low, windows.high
        self.reach, self.parts = selection.reach, selection.parts
        absent = is_stale(self.values)
        self.present: Flags | None = ~absent if self.parts is not None or absent.any() else None
        """(n, k) where there is a sample; None where all are samples and none is missing."""

    def spend_all(self) -> None:
        """Count every sample of every window, for what looks at each of them."""
        self._spend(int((self.high - self.low).sum()) * len(self.series))

    def of(self, aspect: Aspect) -> Floats:
        """(n, k): what each row tells of its samples."""
        return self.values if self.parts is None else self.parts[aspect]

    def counts(self) -> npt.NDArray[np.int64]:
        """Rows of each series in each window."""
        if self.present is None:
            return self.windows.counts
        sums = np.zeros((len(self.times) + 1, len(self.series)), np.int64)
        np.cumsum(self.present, axis=0, out=sums[1:])
        return sums[self.high] - sums[self.low]

    def firsts(self) -> Rows:
        """The row of the first sample in each window; any row where there is none."""
        rows = self.windows.firsts
        if self.present is None:
            return rows
        last = len(self.times) - 1
        found = np.where(self.present, np.arange(len(self.times))[:, None], last)
        at_or_after: Rows = np.minimum.accumulate(found[::-1], axis=0)[::-1]
        return at_or_after[rows[:, 0]]

    def lasts(self) -> Rows:
        """The row of the last sample in each window; any row where there is none."""
        rows = self.windows.lasts
        return rows if self.present is None else self._at_or_before[rows[:, 0]]

    def stretch(self, counts: npt.NDArray[np.int64], first: Rows, last: Rows) -> Stretch:
        """How much of each window its first to its last sample cover."""
        return self.windows.stretch if self.present is None else self.windows.stretch_of(counts, first, last)

    def before(self, rows: Rows) -> Rows:
        """The row of the last sample before each of these."""
        earlier = np.maximum(rows - 1, 0)
        if self.present is None:
            return earlier
        return self._at_or_before[earlier, np.arange(len(self.series))]

    def take(self, rows: Rows) -> Floats:
        """(S, k): the values in these rows."""
        if self.present is None:
            return self.values[rows[:, 0]]
        return self.values[rows, np.arange(len(self.series))]

    def filled(self, aspect: Aspect, value: float) -> Floats:
        """What each row tells, with a value where there is no sample."""
        told = self.of(aspect)
        return told if self.present is None else np.where(self.present, told, value)

    @cached_property
    def _at_or_before(self) -> Rows:
        """(n, k) the row of the last sample at or before each; 0 where there is none."""
        assert self.present is not None
        rows = np.where(self.present, np.arange(len(self.times))[:, None], 0)
        return np.maximum.accumulate(rows, axis=0)

    def bases(self) -> Rows:
        """The row that the change over each window is counted from: its first, or the one before where the
        first stands for several samples."""
        first = self.firsts()
        if self.parts is None or self.present is None:
            return first
        columns = np.arange(len(self.series))
        before = self.before(first)
        starts, times = (self.ends - self.length)[:, None], self.times[first]
        near = self.times[before] > np.where(times > starts, starts, times - self.reach) - self.reach
        rolled = ~np.isnan(self.parts["lost"][first, columns])
        return np.where(rolled & near & (before < first) & self.present[before, columns], before, first)

    def resets(self) -> Iterator[tuple[int, Rows, Floats]]:
        """Where counters were reset since the row before: row, series, and what they had had; ascending."""
        if self.present is None:
            drops = self.values[1:] < self.values[:-1]
            for row in np.flatnonzero(drops.any(axis=1)).tolist() if drops.any() else ():
                fallen = np.flatnonzero(drops[row])
                yield row + 1, fallen, self.values[row, fallen]
            return
        lost = self._lost(self.present)
        for row in np.flatnonzero(lost.any(axis=1)).tolist():
            fallen = np.flatnonzero(lost[row])
            yield row, fallen, lost[row, fallen]

    def _lost(self, present: Flags) -> Floats:
        """(n, k): what counters had had where they were reset, and zero elsewhere."""
        before = np.zeros(self.values.shape, np.intp)
        before[1:] = self._at_or_before[:-1]
        had = self.values[before, np.arange(len(self.series))]
        # Before a series' first sample this looks at row 0, where it is stale, and NaN is not greater.
        lost = np.where(present & (self.values < had), had, 0.0)
        if self.parts is None:
            return lost
        told = self.parts["lost"]
        return np.where(np.isnan(told), lost, np.where(present, told, 0.0))
