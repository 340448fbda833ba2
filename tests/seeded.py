"""A past for a service that has none: slabs of all resolutions in its folder, before it is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from monitor.model import Floats, Labels, Times
from monitor.storage import Flags
from monitor.storage.rollup import merged
from monitor.storage.shelf import Shelf
from monitor.storage.tier import HOUR, HOURS, MINUTE, MINUTES, RAW, ROLLED, Entry, Slab, Tier

Values = Callable[[Times], Floats]
"""(n, k): a sample of each series at each time."""
MINUTES_FOR, SAMPLES_FOR = 9 * 24 * HOUR, 3 * HOUR
"""Milliseconds that each resolution goes back, as if the rest had expired."""


def seed(
    folder: Path, target: Labels, entries: Sequence[Entry], values: Values, start: int, end: int
) -> None:
    """Samples of each whole minute between two times (ms), rolled up and expired as in life."""
    shelf = Shelf(folder)
    for tier, since in ((HOURS, start), (MINUTES, end - MINUTES_FOR), (RAW, end - SAMPLES_FOR)):
        times = np.arange(max(start, since) // MINUTE + 1, end // MINUTE + 1) * MINUTE
        counters = np.array([entry.metric.kind.value == "counter" for entry in entries])
        found = []
        for slot, part in slots(tier, times):
            rows = values(part)
            held = rows[None] if tier is RAW else minutes(rows, counters)
            if tier is HOURS:
                part, held = hours(part, held)
            found.append(Slab(tier, target, slot, part, tuple(entries), held))
        shelf.put(*[slab for slab in found if len(slab.times)])
    shelf.close()


def slots(tier: Tier, times: Times) -> Iterator[tuple[int, Times]]:
    numbers = -(-times // tier.slot) - 1
    for slot in np.unique(numbers).tolist():
        yield slot, times[numbers == slot]


def minutes(rows: Floats, counters: Flags) -> Floats:
    """(aspects, n, k) of one sample a minute."""
    lost = np.zeros(rows.shape)
    lost[1:] = np.where(counters & (rows[1:] < rows[:-1]), rows[:-1], 0.0)
    return np.stack([rows, rows, rows, rows, np.ones(rows.shape), lost])


def hours(times: Times, rows: Floats) -> tuple[Times, Floats]:
    """Whole hours alone."""
    ends = np.flatnonzero(times % HOUR == 0)
    ends = ends[ends >= 59]
    found = [merged(rows[:, end - 59 : end + 1]) for end in ends.tolist()]
    return times[ends], np.stack(found, 1) if found else np.empty((len(ROLLED), 0, rows.shape[2]))
