"""Samples of selectors: the newest at each step, or all in a window before it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np

from monitor.model import Times
from monitor.promql import looks
from monitor.promql.labels import NOTHING, Places, joined
from monitor.promql.nodes import Selector, Window
from monitor.promql.vector import LOOK_BACK, Context, Vector
from monitor.promql.windows import Span, Windows
from monitor.storage import Flags, Look, Selection, is_stale


def newest(context: Context, selector: Selector) -> Vector:
    """The newest sample of each series at each step, at most LOOK_BACK old, unless it went stale."""
    look = looks.at_instants(selector, context.grid)
    times, selections = looked_at(context, selector, max(LOOK_BACK, look.grain), look)
    return combine(context, [newest_of(context, selector, selection, times) for selection in selections])


def newest_of(context: Context, selector: Selector, selection: Selection, times: Times) -> Vector:
    back = look_back(context, selector, selection)

    # A target's rows hold all its series, so that the newest row decides: what it lacks is stale.
    def find() -> tuple[Places, Flags]:
        rows = selection.timestamps.searchsorted(times, "right") - 1
        return rows, ((rows >= 0) & (selection.timestamps[rows] > times - back))[:, None]

    rows, fresh = context.once(("newest", back, *depends(selector, selection)), find)
    values = selection.at(rows)
    return Vector(selection.series, values, fresh & ~is_stale(values))


def look_back(context: Context, selector: Selector, selection: Selection) -> int:
    """How old the newest row may be: as old as what it stands for, unless a step is where each such ends."""
    start, _, step = context.grid
    if (
        selector.at is None
        and selection.reach
        and math.gcd(start - selector.offset, step) % selection.reach == 0
    ):
        return LOOK_BACK
    return max(LOOK_BACK, selection.reach)


def spans(context: Context, window: Window, function: str = "") -> list[Span]:
    """For each target the rows that the windows of all steps look at, with what a function reads of them."""
    look = looks.in_windows(window.selector, context.grid, window.length, function)
    before = look.grain if function in looks.CHANGES else 0
    times, selections = looked_at(context, window.selector, window.length + before, look)

    def spend(samples: int) -> None:
        context.spend(samples, window.selector.position)

    spend(sum(len(selection.timestamps) * len(selection.series) for selection in selections))
    stretch = function not in looks.COUNTING
    return [
        Span(selection, windows_of(context, window, selection, times, stretch=stretch), spend)
        for selection in selections
    ]


def windows_of(
    context: Context, window: Window, selection: Selection, times: Times, *, stretch: bool
) -> Windows:
    reach = selection.reach if stretch else 0
    return context.once(
        (window.length, reach, *depends(window.selector, selection)),
        lambda: Windows(selection.timestamps, times, window.length, reach),
    )


def depends(selector: Selector, selection: Selection) -> tuple[Hashable, ...]:
    """All that it depends on which rows are looked at, but for the steps."""
    return selector.at, selector.offset, selection.timestamps.tobytes()


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


def looked_at(context: Context, selector: Selector, length: int, look: Look) -> tuple[Times, list[Selection]]:
    """The times that the steps stand for, and what the store has for them (windows are open on the left)."""
    if selector.at is None:
        shift = -selector.offset
        times = context.times + shift if shift else context.times
        first, last = context.start + shift, context.end + shift
    else:
        first = last = selector.at - selector.offset
        times = np.full(len(context.times), first, np.int64)
    selections = context.select(selector, first - length + 1, last, look)
    reach = max([selection.reach for selection in selections], default=looks.HOUR)
    if reach > max(look.grain, length):
        # Nothing finer may be left, and what tells of the first step lies farther back.
        selections = context.select(selector, first - length - 2 * reach + 1, last, look)
    context.check_size(sum(len(selection.series) for selection in selections), selector.position)
    return times, selections
