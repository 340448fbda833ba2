"""Which resolution a selector looks at, where a store has several (`monitor.storage.Look`).

Rolled-up rows stand for whole minutes or hours.  Where all times that a query looks up to, or back to, are
whole ones, such rows tell the same as the samples that they stand for.  Elsewhere a row may stand for no more
than a part of a step or window.
"""

from __future__ import annotations

import math

from monitor.promql.nodes import Selector
from monitor.storage import FINEST, Aspect, Look

MINUTE, HOUR = 60_000, 3_600_000
PART = 4
"""A row stands for at most this part of a step or window whose borders it does not meet."""

ASPECTS: dict[str, tuple[Aspect, ...]] = {
    "rate": ("lost",),
    "increase": ("lost",),
    "delta": ("lost",),
    "last_over_time": (),
    "avg_over_time": ("sum", "count"),
    "min_over_time": ("min",),
    "max_over_time": ("max",),
    "sum_over_time": ("sum",),
    "count_over_time": ("count",),
    "present_over_time": (),
}
"""What each function reads of rolled-up rows besides their last sample; those that are not here tell one
sample from the next, and want the finest rows that there are."""

CHANGES = frozenset({"rate", "increase", "delta"})
"""Functions that compare with what was before a rolled-up row."""

COUNTING = frozenset({"sum_over_time", "count_over_time"})
"""Functions whose results add up from window to window: no row may be in one that it does not end in."""

Grid = tuple[int, int, int]


def at_instants(selector: Selector, grid: Grid) -> Look:
    """For the newest sample at each step."""
    start, end, step = grid
    if selector.at is not None or start == end:
        return FINEST
    whole = whole_of(start - selector.offset, step)
    return Look(whole or step // PART)


def in_windows(selector: Selector, grid: Grid, length: int, function: str) -> Look:
    """For the samples in a window of `length` ms before each step, of which a function reads."""
    aspects = ASPECTS.get(function)
    if aspects is None:
        return FINEST
    start, end, step = grid
    if selector.at is not None or start == end:
        return Look(length, aspects)
    whole = whole_of(start - selector.offset, step, length)
    return Look(max(whole, min(step, length // PART)), aspects)


def whole_of(*times: int) -> int:
    """An hour or a minute where all times are whole ones; 0 where they are not."""
    common = math.gcd(*times)
    return next((whole for whole in (HOUR, MINUTE) if common % whole == 0), 0)
