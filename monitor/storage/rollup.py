"""Many rows as one: least, greatest, sum, number and last sample, and what counters lost when reset."""

from __future__ import annotations

import numpy as np

from monitor.model import Floats
from monitor.storage import Flags, is_stale
from monitor.storage.table import STALE
from monitor.storage.tier import ROLLED

LAST, LEAST, GREATEST, SUM, COUNT, LOST = range(len(ROLLED))


def rolled_up(values: Floats, before: Floats, counters: Flags) -> Floats:
    """One row of (n, k) samples: (aspects, k), stale where a series has none.

    `before` (k,) is the last sample of each series before these, stale where there is none; `counters` (k,)
    says which series can be reset.
    """
    present = ~is_stale(values)
    count = present.sum(axis=0)
    found = np.empty((len(ROLLED), values.shape[1]))
    with np.errstate(invalid="ignore"):
        found[LAST] = last_of(values, present)
        found[LEAST] = np.fmin.reduce(np.where(present, values, np.nan), axis=0)
        found[GREATEST] = np.fmax.reduce(np.where(present, values, np.nan), axis=0)
        found[SUM] = np.where(present, values, 0.0).sum(axis=0)
        found[COUNT] = count
        found[LOST] = 0.0
        if counters.any():
            found[LOST, counters] = lost(values[:, counters], present[:, counters], before[counters])
    found[:, count == 0] = STALE
    return found


def merged(rows: Floats) -> Floats:
    """One row of (aspects, n, k) rows that stand for samples themselves: (aspects, k)."""
    present = ~is_stale(rows[LAST])
    found = np.empty((len(ROLLED), rows.shape[2]))
    with np.errstate(invalid="ignore"):
        known = np.where(present, rows, np.nan)
        found[LAST] = last_of(rows[LAST], present)
        found[LEAST] = np.fmin.reduce(known[LEAST], axis=0)
        found[GREATEST] = np.fmax.reduce(known[GREATEST], axis=0)
        for aspect in (SUM, COUNT, LOST):
            found[aspect] = np.where(present, rows[aspect], 0.0).sum(axis=0)
    found[:, ~present.any(axis=0)] = STALE
    return found


def last_of(values: Floats, present: Flags) -> Floats:
    """(k,) the last sample of each series, anything where there is none."""
    rows = len(values) - 1 - np.argmax(present[::-1], axis=0)
    found: Floats = values[rows, np.arange(values.shape[1])]
    return found


def lost(values: Floats, present: Flags, before: Floats) -> Floats:
    """(k,) what counters had each time they fell, added up."""
    all_rows = np.concatenate([before[None], values])
    known = np.concatenate([~is_stale(before)[None], present])
    if not known.all():
        # A sample is compared with the one before it, however many rows ago that was.
        rows = np.maximum.accumulate(np.where(known, np.arange(len(known))[:, None], 0), axis=0)
        all_rows = np.take_along_axis(all_rows, rows, axis=0)
    fell = all_rows[1:] < all_rows[:-1]
    found: Floats = np.where(fell, all_rows[:-1], 0.0).sum(axis=0)
    return found
