"""What becomes of the samples in windows: their sum, number, mean, extremes, or the last.

A step's result depends on nothing but the rows in its window, added in their order: one step alone and the
same step among others agree bit for bit, where they look at the same rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from monitor.model import Floats
from monitor.promql.vector import Vector, spread
from monitor.promql.windows import Span
from monitor.storage import Aspect

Fold = Callable[..., Floats]


def last_over_time(span: Span) -> Vector:
    result = span.take(span.lasts())
    return Vector(span.series, result, spread(span.counts() > 0, result))


def count_over_time(span: Span) -> Vector:
    counts = np.broadcast_to(samples(span), (len(span.ends), len(span.series)))
    return Vector(span.series, counts.astype(np.float64), counts > 0)


def present_over_time(span: Span) -> Vector:
    present = np.broadcast_to(span.counts() > 0, (len(span.ends), len(span.series)))
    return Vector(span.series, np.ones(present.shape), present)


def sum_over_time(span: Span) -> Vector:
    result = sums(span, "sum")
    return Vector(span.series, result, spread(span.counts() > 0, result))


def avg_over_time(span: Span) -> Vector:
    result = sums(span, "sum")
    return Vector(span.series, result / samples(span), spread(span.counts() > 0, result))


def min_over_time(span: Span) -> Vector:
    return extreme(span, "min", np.fmin)


def max_over_time(span: Span) -> Vector:
    return extreme(span, "max", np.fmax)


def samples(span: Span) -> npt.NDArray[np.int64] | Floats:
    """How many samples each window has."""
    return span.counts() if span.parts is None else sums(span, "count")


def sums(span: Span, aspect: Aspect) -> Floats:
    """What the rows of each window tell, added up from its first to its last."""
    span.spend_all()
    values = span.filled(aspect, 0.0)
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


def extreme(span: Span, aspect: Aspect, fold: Fold) -> Vector:
    """The least or greatest sample of each window, from those of its first and last power-of-two rows."""
    values = span.filled(aspect, np.nan) + 0.0
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
