"""Which columns can have a value: a span of time in which nothing was measured costs nothing.

The clock may be set on by years, and a machine may sleep for days.  What lies between is no column for every
second of it.
"""

from __future__ import annotations

import numpy as np

from monitor.promql import LOOK_BACK, Depth
from monitor.storage import Storage

Run = tuple[int, int]
"""The numbers of the first and the last of columns that follow one another."""


def runs(storage: Storage, depth: Depth, first: int, last: int, step: int) -> list[Run]:
    """The columns first to last, less those before which nothing was measured for LOOK_BACK, and for as long
    as the queries look back; the last is always among them."""
    back = max(depth.back, LOOK_BACK)
    if (last - first) * step <= back or depth.fixed is not None:
        return [(first, last)]
    spans = storage.measured(first * step - back, last * step + depth.ahead)
    spans = spans[spans[:, 0].argsort()]
    begins = -(-(spans[:, 0] - depth.ahead) // step)
    ends = np.maximum.accumulate((spans[:, 1] + back) // step)
    borders = np.flatnonzero(begins[1:] > ends[:-1] + 1)
    firsts = np.append(begins[:1], begins[borders + 1]).clip(min=first)
    lasts = np.append(ends[borders], ends[-1:]).clip(max=last)
    found = [run for run in zip(firsts.tolist(), lasts.tolist(), strict=True) if run[0] <= run[1]]
    return found if found and found[-1][1] == last else [*found, (last, last)]


def newest(found: list[Run], most: int) -> list[Run]:
    """So many of the columns at most, the last ones."""
    kept: list[Run] = []
    for first, last in reversed(found):
        if most > 0:
            kept.insert(0, (max(first, last + 1 - most), last))
        most -= last + 1 - first
    return kept


def count(found: list[Run]) -> int:
    """How many columns."""
    return sum(last + 1 - first for first, last in found)
