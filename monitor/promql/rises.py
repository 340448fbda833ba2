"""How values changed over windows: the rise of counters, resets and all, and the difference of gauges."""

from __future__ import annotations

import numpy as np

from monitor.model import Floats
from monitor.promql.vector import Vector, spread
from monitor.promql.windows import Rows, Span


def add_resets(span: Span, first: Rows, result: Floats) -> None:
    """Add to the change since the first row of each window what its counters had before they were reset."""
    for row, columns, had in span.resets():
        steps = slice(int(span.high.searchsorted(row, "right")), int(span.low.searchsorted(row, "right")))
        since = first[steps] if first.shape[1] == 1 else first[steps, columns]
        result[steps, columns] += np.where(since < row, had, 0.0)


def extrapolated(span: Span, *, counter: bool, per_second: bool) -> Vector:
    """The change over each window, extrapolated to its ends as Prometheus does (promql/functions.go)."""
    first, last = span.bases(), span.lasts()
    counts = span.counts() if span.parts is None else span.counts() + (first < span.low[:, None])
    first_value = span.take(first)
    result = span.take(last) - first_value
    if counter:
        add_resets(span, first, result)
    sampled, to_start, to_end = span.stretch(counts, first, last)
    if counter:
        # A counter is not below zero: it did not start before the point where the line meets zero.
        to_zero = sampled * (first_value / result)
        to_start = np.where((result > 0) & (first_value >= 0) & (to_zero < to_start), to_zero, to_start)
    factor = (sampled + to_start + to_end) / sampled
    if per_second:
        factor /= span.length / 1000
    return Vector(span.series, result * factor, spread(counts > 1, result))


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
