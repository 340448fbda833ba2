"""Rows of one target in one slot that came in two parts: after a clock was set back, or by an import."""

from __future__ import annotations

import numpy as np

from monitor.storage import STALE_BITS, is_stale
from monitor.storage.tier import Slab


def merge(stored: Slab, new: Slab) -> Slab:
    """All rows of both, in order; where both have a sample of a series at a time, what is stored stays."""
    times = np.union1d(stored.times, new.times)
    index = {entry.labels: place for place, entry in enumerate(stored.entries)}
    added = tuple(entry for entry in new.entries if entry.labels not in index)
    index.update((entry.labels, place) for place, entry in enumerate(added, len(stored.entries)))
    shape = (len(stored.tier.aspects), len(times), len(index))
    values = np.full(shape, STALE_BITS, np.int64).view(np.float64)
    for slab in (new, stored):
        rows = times.searchsorted(slab.times)[:, None]
        columns = np.array([index[entry.labels] for entry in slab.entries], np.intp)
        block = values[:, rows, columns]
        np.copyto(block, slab.values, where=~is_stale(slab.values))
        values[:, rows, columns] = block
    return Slab(stored.tier, stored.target, stored.slot, times, stored.entries + added, values)


def same(one: Slab, other: Slab) -> bool:
    """Whether two slabs of a slot have the same samples of the same series in the same order."""
    return (
        one.times.tolist() == other.times.tolist()
        and [entry.labels for entry in one.entries] == [entry.labels for entry in other.entries]
        and bool((one.values.view(np.int64) == other.values.view(np.int64)).all())
    )
