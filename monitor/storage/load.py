"""Samples taken in from elsewhere: merged with what is stored, which wins, and rolled up with it.

Nobody else may write meanwhile.  Minutes and hours are made anew from all samples that there are; a row of
them that stands for more than what there is, as samples are kept shorter, stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from monitor.model import Floats, Labels
from monitor.storage import is_stale
from monitor.storage.keeper import Keeper
from monitor.storage.log import Row
from monitor.storage.logged import slab_of
from monitor.storage.order import RESET
from monitor.storage.repair import take_back
from monitor.storage.rollup import COUNT, LAST, last_of, merged, rolled_up
from monitor.storage.shelf import Shelf
from monitor.storage.staging import Place, Staging
from monitor.storage.table import STALE
from monitor.storage.tier import HOURS, MINUTE, MINUTES, RAW, ROLLED, Entry, Slab, Tier

Progress = Callable[[int, int], None]


class Loaded(NamedTuple):
    """What came of an import."""

    samples: int
    left_out: dict[Labels, int]
    """Samples by target that belong to a quarter of an hour which is not over for it."""


def load(folder: Path, staging: Staging, progress: Progress) -> Loaded:
    """Put all that is staged into the files of a folder that the caller holds.

    Each transaction is whole.  Raises StagingError before anything is written, OSError and sqlite3.Error; it
    may be done again then, and nothing is doubled.
    """
    places = staging.finish()
    take_back(folder)
    shelf = Shelf(folder)
    keeper = Keeper(folder, shelf)
    try:
        return Loader(shelf, opened(keeper)).load(staging, places, progress)
    finally:
        keeper.close()
        shelf.close()


def opened(keeper: Keeper) -> dict[tuple[Labels, int], Slab]:
    """What of the samples stays in logs; of minutes and hours nothing does."""
    rows: dict[tuple[Labels, int], list[Row]] = {}
    for slot, row in keeper.replay():
        rows.setdefault((row.target, slot), []).append(row)
    keeper.shut()
    return {(target, slot): slab_of(RAW, target, slot, held) for (target, slot), held in rows.items()}


class Loader:
    """One import."""

    def __init__(self, shelf: Shelf, logged: dict[tuple[Labels, int], Slab]) -> None:
        self._shelf, self._logged = shelf, logged

    def load(self, staging: Staging, places: list[Place], progress: Progress) -> Loaded:
        left_out: dict[Labels, int] = {}
        slots: dict[Labels, list[int]] = {}
        samples, done, total = 0, 0, 2 * len(places)
        for place in places:
            count = staging.count(place)
            if (place.target, place.slot) in self._logged:
                left_out[place.target] = left_out.get(place.target, 0) + count
            else:
                self._shelf.put(staging.slab(place))
                slots.setdefault(place.target, []).append(place.slot)
                samples += count
            done += 1
            progress(done, total)
        for target, held in slots.items():
            for _ in self._roll(target, held):
                done = min(done + 1, total)
                progress(done, total)
        progress(total, total)
        return Loaded(samples, left_out)

    def _roll(self, target: Labels, slots: list[int]) -> Iterator[int]:
        """Make the minutes and hours anew that these slots of samples are in, or that follow on them."""
        early = [slot for (whose, slot) in self._logged if whose == target and slot < max(slots)]
        whole = {*slots, *early}
        touched = sorted({*whole, *(slot + 1 for slot in slots)})
        by_slot: dict[int, list[int]] = {}
        for slot in touched:
            by_slot.setdefault(MINUTES.slot_at((slot + 1) * RAW.slot), []).append(slot)
        for number, held in by_slot.items():
            rows = [row for slot in held for row in self._minutes(target, slot, slot in whole)]
            self._replace(slab_from(MINUTES, target, number, rows))
            hours = self._hours(target, number)
            self._replace(slab_from(HOURS, target, HOURS.slot_at((number + 1) * MINUTES.slot), hours))
            yield from held

    def _raw(self, target: Labels, slot: int) -> Slab | None:
        return self._logged.get((target, slot)) or self._shelf.stored(RAW, target, slot)

    def _minutes(self, target: Labels, slot: int, whole: bool) -> Iterator[Rolled]:
        """Each minute of a slot of samples.

        Of one that is not asked for as a whole the first, which tells how it goes on from the slot before.
        """
        slab = self._raw(target, slot)
        if slab is None:
            return
        before = self._before(self._raw(target, slot - 1), slab)
        counters = np.array([entry.metric.kind in RESET for entry in slab.entries], np.bool_)
        minutes = parts(slab, MINUTE)
        # The newest minute of a log may go on.
        for rows in minutes if whole else minutes[:-1][:1]:
            values = slab.values[0, rows]
            yield Rolled(int(slab.times[rows][-1]), slab.entries, rolled_up(values, before, counters))
            end = -(-int(slab.times[rows][-1]) // MINUTE) * MINUTE
            following = slab.times[rows.stop : rows.stop + 1]
            near = len(following) and following[0] <= end + MINUTE
            before = last_of(values, ~is_stale(values)) if near else np.full(len(slab.entries), STALE)

    def _before(self, earlier: Slab | None, slab: Slab) -> Floats:
        """The last sample of each series in the minute before a slot."""
        found = np.full(len(slab.entries), STALE)
        if earlier is not None:
            values = earlier.values[0, earlier.times > (earlier.slot + 1) * RAW.slot - MINUTE]
            near = slab.times[0] <= slab.slot * RAW.slot + MINUTE
            if len(values) and near:
                last = dict(
                    zip(
                        (entry.labels for entry in earlier.entries),
                        last_of(values, ~is_stale(values)),
                        strict=True,
                    )
                )
                found[:] = [last.get(entry.labels, STALE) for entry in slab.entries]
        return found

    def _hours(self, target: Labels, slot: int) -> Iterator[Rolled]:
        """Each hour of a slot of minutes."""
        slab = self._shelf.stored(MINUTES, target, slot)
        if slab is not None:
            for rows in parts(slab, HOURS.step):
                yield Rolled(int(slab.times[rows][-1]), slab.entries, merged(slab.values[:, rows]))

    def _replace(self, slab: Slab | None) -> None:
        if slab is not None:
            stored = self._shelf.stored(slab.tier, slab.target, slab.slot)
            self._shelf.put(fuller(stored, slab) if stored else slab, anew=True)


class Rolled(NamedTuple):
    """A row of minutes or hours."""

    time: int
    entries: tuple[Entry, ...]
    values: Floats
    """(aspects, k)."""


def parts(slab: Slab, step: int) -> list[slice]:
    """The rows that one row of the next resolution stands for."""
    borders = np.flatnonzero(np.diff(-(-slab.times // step))) + 1
    ends = [*borders.tolist(), len(slab.times)]
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def slab_from(tier: Tier, target: Labels, slot: int, rows: Iterable[Rolled]) -> Slab | None:
    """Rows of one slot as a slab; None where there is none."""
    held = [row for row in rows if not is_stale(row.values[LAST]).all()]
    if not held:
        return None
    index: dict[Labels, int] = {}
    entries: list[Entry] = []
    for row in held:
        for entry in row.entries:
            if index.setdefault(entry.labels, len(entries)) == len(entries):
                entries.append(entry)
    values = np.full((len(ROLLED), len(held), len(entries)), STALE)
    for number, row in enumerate(held):
        values[:, number, [index[entry.labels] for entry in row.entries]] = row.values
    times = np.array([row.time for row in held], np.int64)
    return Slab(tier, target, slot, times, tuple(entries), values)


def fuller(stored: Slab, fresh: Slab) -> Slab:
    """A row for each minute or hour that either has, of each series that which stands for more samples."""
    one, other = folded(stored), folded(fresh)
    entries = {entry.labels: entry for entry in (*fresh.entries, *stored.entries)}
    step = stored.tier.step
    buckets = sorted({*one, *other})
    rows = []
    for bucket in buckets:
        here = [each[bucket] for each in (one, other) if bucket in each]
        values = np.full((len(ROLLED), len(entries)), STALE)
        index = {labels: place for place, labels in enumerate(entries)}
        for row in here:
            places = [index[entry.labels] for entry in row.entries]
            held, new = values[:, places], row.values
            stands_for_more = is_stale(held[LAST]) | (new[COUNT] >= held[COUNT])
            values[:, places] = np.where(stands_for_more & ~is_stale(new[LAST]), new, held)
        assert all(-(-row.time // step) == bucket for row in here)
        rows.append(Rolled(max(row.time for row in here), tuple(entries.values()), values))
    found = slab_from(stored.tier, stored.target, stored.slot, rows)
    return found or stored


def folded(slab: Slab) -> dict[int, Rolled]:
    """By minute or hour the one row that stands for it: it may have come in parts."""
    return {
        -(-int(slab.times[rows][-1]) // slab.tier.step): Rolled(
            int(slab.times[rows][-1]),
            slab.entries,
            slab.values[:, rows.start] if rows.stop - rows.start == 1 else merged(slab.values[:, rows]),
        )
        for rows in parts(slab, slab.tier.step)
    }
