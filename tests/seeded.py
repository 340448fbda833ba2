"""A past for a service that has none: slabs of all resolutions in its folder, before it is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from monitor.model import Floats, Labels, Times
from monitor.storage import STALE_BITS, Flags
from monitor.storage.rollup import merged, rolled_up
from monitor.storage.shelf import Shelf
from monitor.storage.tier import HOUR, HOURS, MINUTE, MINUTES, RAW, ROLLED, Entry, Slab, Tier

Values = Callable[[Times], Floats]
"""(n, k): a sample of each series at each time."""
STALE = float(np.array(STALE_BITS, np.int64).view(np.float64))
MINUTES_FOR, SAMPLES_FOR = 40 * 24 * HOUR, 3 * HOUR
"""Milliseconds that each resolution goes back, as if the rest had expired."""


def seed(
    folder: Path, target: Labels, entries: Sequence[Entry], values: Values, start: int, end: int
) -> None:
    """Samples of each whole minute between two times (ms), rolled up and expired as in life."""
    shelf = Shelf(folder)
    for tier, since in ((HOURS, start), (MINUTES, end - MINUTES_FOR), (RAW, end - SAMPLES_FOR)):
        times = np.arange(max(start, since) // MINUTE + 1, end // MINUTE + 1) * MINUTE
        counters = np.array([entry.metric.kind.value == "counter" for entry in entries])
        for slot, part in slots(tier, times):
            rows = values(part)
            held = rows[None] if tier is RAW else minutes(rows, counters)
            if tier is HOURS:
                part, held = hours(part, held)
            if len(part):
                shelf.put(Slab(tier, target, slot, part, tuple(entries), held))
    shelf.close()


def slots(tier: Tier, times: Times) -> Iterator[tuple[int, Times]]:
    numbers = -(-times // tier.slot) - 1
    for slot in np.unique(numbers).tolist():
        yield slot, times[numbers == slot]


def minutes(rows: Floats, counters: Flags) -> Floats:
    """(aspects, n, k) of one sample a minute."""
    before = np.concatenate([np.full((1, rows.shape[1]), STALE), rows[:-1]])
    pairs = zip(rows, before, strict=True)
    return np.stack([rolled_up(row[None], last, counters) for row, last in pairs], 1)


def hours(times: Times, rows: Floats) -> tuple[Times, Floats]:
    """Whole hours alone."""
    ends = np.flatnonzero(times % HOUR == 0)
    ends = ends[ends >= 59]
    found = [merged(rows[:, end - 59 : end + 1]) for end in ends.tolist()]
    return times[ends], np.stack(found, 1) if found else np.empty((len(ROLLED), 0, rows.shape[2]))
