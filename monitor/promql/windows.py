"""The samples of one target in a window before each step, and what becomes of them.

A step's result depends on nothing but the samples in its window, added in their order: one step alone and the
same step among others agree bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.model import Floats, Times
from monitor.promql.vector import Vector
from monitor.storage import Flags, Selection, is_stale

Rows = npt.NDArray[np.intp]
Fold = Callable[..., Floats]


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

    def __init__(self, times: Times, ends: Times, length: int) -> None:
        self.times, self.ends, self.length = times, ends, length
        self.low: Rows = times.searchsorted(ends - length, "right")
        """(S,) the first row of each window."""
        self.high: Rows = times.searchsorted(ends, "right")
        """(S,) the row behind the last of each window."""

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
        absent = is_stale(self.values)
        self.present: Flags | None = ~absent if absent.any() else None
        """(n, k) where there is a sample; None where all have one."""

    def spend_all(self) -> None:
        """Count every sample of every window, for what looks at each of them."""
        self._spend(int((self.high - self.low).sum()) * len(self.series))

    def counts(self) -> npt.NDArray[np.int64]:
        """Samples in each window."""
        if self.present is None:
            return self.windows.counts
        sums = np.zeros((len(self.times) + 1, len(self.series)), np.int64)
        np.cumsum(self.present, axis=0, out=sums[1:])
        return sums[self.high] - sums[self.low]

    def firsts(self) -> Rows:
        """The row of the first sample in each window; any row where there is none."""
        rows = self.windows.firsts
        return rows if self.present is None else self._at_or_after()[rows[:, 0]]

    def lasts(self) -> Rows:
        """The row of the last sample in each window; any row where there is none."""
        rows = self.windows.lasts
        return rows if self.present is None else self._at_or_before()[rows[:, 0]]

    def stretch(self, counts: npt.NDArray[np.int64], first: Rows, last: Rows) -> Stretch:
        """How much of each window its first to its last sample cover."""
        return self.windows.stretch if self.present is None else self.windows.stretch_of(counts, first, last)

    def before(self, rows: Rows) -> Rows:
        """The row of the last sample before each of these."""
        earlier = np.maximum(rows - 1, 0)
        if self.present is None:
            return earlier
        return self._at_or_before()[earlier, np.arange(len(self.series))]

    def take(self, rows: Rows) -> Floats:
        """(S, k): the values in these rows."""
        if self.present is None:
            return self.values[rows[:, 0]]
        return self.values[rows, np.arange(len(self.series))]

    def filled(self, value: float) -> Floats:
        """The values, with another where there is none."""
        return self.values if self.present is None else np.where(self.present, self.values, value)

    def _at_or_before(self) -> Rows:
        assert self.present is not None
        rows = np.where(self.present, np.arange(len(self.times))[:, None], 0)
        return np.maximum.accumulate(rows, axis=0)

    def _at_or_after(self) -> Rows:
        last = len(self.times) - 1
        assert self.present is not None
        rows = np.where(self.present, np.arange(len(self.times))[:, None], last)
        return np.minimum.accumulate(rows[::-1], axis=0)[::-1]

    def resets(self) -> Iterator[tuple[int, int, Rows]]:
        """Where a value is less than the one before: row before, row, series; ascending by row."""
        rows = self.values.shape[0]
        if self.present is None:
            drops = self.values[1:] < self.values[:-1]
            if drops.any():
                for row in np.flatnonzero(drops.any(axis=1)).tolist():
                    yield row, row + 1, np.flatnonzero(drops[row])
            return
        columns = np.arange(len(self.series))
        before = np.zeros((rows, len(columns)), np.intp)
        before[1:] = self._at_or_before()[:-1]
        # Before a series' first sample this looks at row 0, where it is stale, and NaN is not greater.
        drops = self.present & (self.values < self.values[before, columns])
        for row in np.flatnonzero(drops.any(axis=1)).tolist():
            fallen = np.flatnonzero(drops[row])
            for earlier in np.unique(before[row, fallen]).tolist():
                yield earlier, row, fallen[before[row, fallen] == earlier]


def increase(span: Span, result: Floats) -> None:
    """Add to each window what its counters had before they were reset."""
    for before, row, columns in span.resets():
        first = int(span.high.searchsorted(row, "right"))
        behind = int(span.low.searchsorted(before, "right"))
        if first < behind:
            result[first:behind, columns] += span.values[before, columns]


def extrapolated(span: Span, *, counter: bool, per_second: bool) -> Vector:
    """The change over each window, extrapolated to its ends as Prometheus does (promql/functions.go)."""
    counts, first, last = span.counts(), span.firsts(), span.lasts()
    first_value = span.take(first)
    result = span.take(last) - first_value
    if counter:
        increase(span, result)
    sampled, to_start, to_end = span.stretch(counts, first, last)
    if counter:
        # A counter is not below zero: it did not start before the point where the line meets zero.
        to_zero = sampled * (first_value / result)
        to_start = np.where((result > 0) & (first_value >= 0) & (to_zero < to_start), to_zero, to_start)
    factor = (sampled + to_start + to_end) / sampled
    if per_second:
        factor /= span.length / 1000
    return Vector(span.series, result * factor, spread(counts > 1, result))


def spread(flags: Flags, like: Floats) -> Flags:
    """Flags of each step, or of each step and series, for each value."""
    return flags if flags.shape == like.shape else flags & np.ones(like.shape[1], np.bool_)


def rate(span: Span) -> Vector:
    return extrapolated(span, counter=True, per_second=True)


def total_increase(span: Span) -> Vector:
    return extrapolated(span, counter=True, per_second=False)


def delta(span: Span) -> Vector:
    return extrapolated(span, counter=False, per_second=False)


def irate(span: Span) -> Vector:
    """The change per second between the last two samples."""
    last = span.lasts()
    before = span.before(last)
    last_value, value = span.take(last), span.take(before)
    change = np.where(last_value < value, last_value, last_value - value)
    result = change / ((span.times[last] - span.times[before]) / 1000)
    return Vector(span.series, result, spread(span.counts() > 1, result))


def idelta(span: Span) -> Vector:
    """The difference between the last two samples."""
    last = span.lasts()
    result = span.take(last) - span.take(span.before(last))
    return Vector(span.series, result, spread(span.counts() > 1, result))


def last_over_time(span: Span) -> Vector:
    result = span.take(span.lasts())
    return Vector(span.series, result, spread(span.counts() > 0, result))


def count_over_time(span: Span) -> Vector:
    counts = np.broadcast_to(span.counts(), (len(span.ends), len(span.series)))
    return Vector(span.series, counts.astype(np.float64), counts > 0)


def present_over_time(span: Span) -> Vector:
    present = np.broadcast_to(span.counts() > 0, (len(span.ends), len(span.series)))
    return Vector(span.series, np.ones(present.shape), present)


def sum_over_time(span: Span) -> Vector:
    result = sums(span)
    return Vector(span.series, result, spread(span.counts() > 0, result))


def avg_over_time(span: Span) -> Vector:
    counts, result = span.counts(), sums(span)
    return Vector(span.series, result / counts, spread(counts > 0, result))


def min_over_time(span: Span) -> Vector:
    return extreme(span, np.fmin)


def max_over_time(span: Span) -> Vector:
    return extreme(span, np.fmax)


def sums(span: Span) -> Floats:
    """The samples of each window added up from its first to its last."""
    span.spend_all()
    values = span.filled(0.0)
    result = np.zeros((len(span.ends), len(span.series)))
    if len(result) * 4 < len(values):
        for step, (low, high) in enumerate(zip(span.low.tolist(), span.high.tolist(), strict=True)):
            if low < high:
                # Accumulating adds one by one; a plain sum may add in pairs, depending on the shape.
                result[step] += np.add.accumulate(values[low:high], axis=0)[-1]
        return result
    rows = np.arange(len(values))
    first, behind = span.high.searchsorted(rows, "right"), span.low.searchsorted(rows, "right")
    for row, (start, end) in enumerate(zip(first.tolist(), behind.tolist(), strict=True)):
        result[start:end] += values[row]
    return result


def extreme(span: Span, fold: Fold) -> Vector:
    """The least or greatest sample of each window, from those of its first and last power-of-two rows."""
    values = span.filled(np.nan) + 0.0
    lengths = span.high - span.low
    result = np.full((len(span.ends), len(span.series)), np.nan)
    size = 1
    while size <= lengths.max(initial=0):
        steps = np.flatnonzero((lengths >= size) & (lengths < 2 * size))
        if len(steps):
            result[steps] = fold(values[span.low[steps]], values[span.high[steps] - size])
        values = fold(values[:-size], values[size:]) if size < len(values) else values
        size *= 2
    return Vector(span.series, result, spread(span.counts() > 0, result))
