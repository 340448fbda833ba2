"""Samples of selectors: the newest at each step, or all in a window before it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.model import Times
from monitor.promql.labels import NOTHING, joined
from monitor.promql.nodes import Selector, Window
from monitor.promql.vector import LOOK_BACK, Context, Vector
from monitor.promql.windows import Span
from monitor.storage import Selection, is_stale


def newest(context: Context, selector: Selector) -> Vector:
    """The newest sample of each series at each step, at most LOOK_BACK old, unless it went stale."""
    times, selections = looked_at(context, selector, LOOK_BACK)
    return combine(context, [newest_of(selection, times) for selection in selections])


def newest_of(selection: Selection, times: Times) -> Vector:
    # A target's rows hold all its series, so that the newest row decides: what it lacks is stale.
    rows = selection.timestamps.searchsorted(times, "right") - 1
    fresh = (rows >= 0) & (selection.timestamps[rows] > times - LOOK_BACK)
    values = selection.at(rows)
    return Vector(selection.series, values, fresh[:, None] & ~is_stale(values))


def spans(context: Context, window: Window) -> list[Span]:
    """For each target the rows that the windows of all steps look at."""
    times, selections = looked_at(context, window.selector, window.length)

    def spend(samples: int) -> None:
        context.spend(samples, window.selector.position)

    spend(sum(len(selection.timestamps) * len(selection.series) for selection in selections))
    return [Span(selection, times, window.length, spend) for selection in selections]


def combine(context: Context, parts: Sequence[Vector]) -> Vector:
    """The series of all targets in one vector."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        shape = (len(context.times), 0)
        return Vector(NOTHING, np.empty(shape), np.empty(shape, np.bool_))
    series = joined([part.series for part in parts])
    values = np.concatenate([part.values for part in parts], axis=1)
    return Vector(series, values, np.concatenate([part.present for part in parts], axis=1))


def looked_at(context: Context, selector: Selector, length: int) -> tuple[Times, list[Selection]]:
    """The times that the steps stand for, and what the store has for them (windows are open on the left)."""
    if selector.at is None:
        shift = -selector.offset
        times = context.times + shift if shift else context.times
        first, last = context.start + shift, context.end + shift
    else:
        first = last = selector.at - selector.offset
        times = np.full(len(context.times), first, np.int64)
    selections = context.storage.select(selector.matchers, first - length + 1, last)
    context.check_size(sum(len(selection.series) for selection in selections), selector.position)
    return times, selections
