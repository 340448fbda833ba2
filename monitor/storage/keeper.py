"""What makes samples last: each row is logged, whole minutes are rolled up, slots are closed into files.

Blocks on the disk, and belongs to one thread; it neither waits nor looks at a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from monitor.model import Floats, Labels
from monitor.storage import ColumnIndex, Flags, is_stale
from monitor.storage.log import Row
from monitor.storage.logs import Logs
from monitor.storage.open import Open
from monitor.storage.order import RESET, Order, Shape
from monitor.storage.register import Legend
from monitor.storage.rollup import LAST, last_of, merged, rolled_up
from monitor.storage.shelf import Shelf
from monitor.storage.table import STALE, Rows
from monitor.storage.tier import HOURS, MINUTE, MINUTES, RAW, TIERS, Entry, Slab, Tier

MOST_PENDING = 128 << 20
"""Bytes of slabs that wait in memory for room on the disk; of more, the oldest are lost."""


class Tick(NamedTuple):
    """A row that was stored in memory."""

    target: Labels
    time: int
    row: Floats
    legend: Legend


class Roll(NamedTuple):
    """All rows of a minute that is over."""

    target: Labels
    rows: Rows
    before: Rows
    """Those before it that memory has."""


class Close(NamedTuple):
    """All rows of a slot that is over."""

    target: Labels
    slot: int
    rows: Rows


class Left(NamedTuple):
    """Rows of samples that an earlier process had no time to roll up, perhaps."""

    slab: Slab


Job = Tick | Roll | Close | Left
Sources = tuple[Slab, ...]


class Keeper:
    """Raises OSError and sqlite3.Error where the disk does not take something, and can be asked again."""

    def __init__(self, folder: Path, shelf: Shelf) -> None:
        self.shelf = shelf
        self.pending: list[Slab] = []
        """What waits to be closed into a file."""
        self.dropped: list[Slab] = []
        """What waited too long and is lost; whoever tells of it takes it out."""
        self.shown: dict[Tier, Sources] = dict.fromkeys(TIERS, ())
        """Rows that may be in no file yet; for readers in other threads."""
        self._logs = {tier: Logs(folder, tier, shelf.tell) for tier in TIERS}
        self._orders: dict[Labels, tuple[int, Order]] = {}
        self._shapes: dict[Labels, Shape] = {}
        self._opens: dict[Tier, dict[Labels, Open]] = {MINUTES: {}, HOURS: {}}
        self._ended: dict[Labels, dict[Labels, float]] = {}
        """The last sample of each series of a target in the newest slot of minutes that was closed."""

    def do(self, job: Job) -> None:
        """One step of what the event loop hands over."""
        match job:
            case Tick():
                self._log(job)
            case Roll():
                self._roll(job)
            case Close():
                self._close(job)
            case Left():
                self._take(job.slab)

    def done(self, tier: Tier, target: Labels, end: int) -> int:
        """Time of the newest row of a rolled-up tier for the minute or hour up to `end`; 0 without one."""
        slot = tier.slot_at(end)
        opened = self._opens[tier].get(target)
        times = self.shelf.times(tier, target, slot)
        if opened and opened.slot == slot:
            times += opened.times.tolist()
        for slab in self.pending:
            if place_of(slab) == (tier, target, slot):
                times += slab.times.tolist()
        return max((time for time in times if end - tier.step < time <= end), default=0)

    def settle(self) -> None:
        """Close what is due into files, and let go of its logs."""
        while self.pending:
            batch = at_once(self.pending)
            self.shelf.put(*batch)
            # The rollups of samples must not be lost with their log.
            self._sync(TIERS)
            done = {id(slab) for slab in batch}
            self.pending = [slab for slab in self.pending if id(slab) not in done]
            for slab in batch:
                if not self._goes_on(slab):
                    self._logs[slab.tier].closed(slab.slot, slab.target)
            for tier in TIERS:
                self._show(tier)

    def shed(self) -> None:
        """Give up the oldest of what waits, where that takes too much memory."""
        while len(self.pending) > 1 and sum(slab.values.nbytes for slab in self.pending) > MOST_PENDING:
            slab = self.pending.pop(0)
            self.dropped.append(slab)
            self._show(slab.tier)

    def sync(self) -> None:
        """Have all that was handed over on the disk: minutes are made anew from samples that are."""
        self._sync((RAW, HOURS))

    def _sync(self, tiers: Iterable[Tier]) -> None:
        for tier in tiers:
            self._logs[tier].sync()

    def replay(self) -> Iterator[tuple[int, Row]]:
        """Take up what earlier processes left; the rows of samples, by slot, are the caller's."""
        for tier in (HOURS, MINUTES):
            for slot, row in self._unstored(tier):
                values = row.values.reshape(-1, len(tier.aspects)).T
                # Few of the series of a slot are in each of its rows, where many come and go.
                seen = np.flatnonzero(~is_stale(values[LAST]))
                entries = [row.entries[place] for place in seen.tolist()]
                opened = self._keep(tier, row.target, slot, row.time, entries, values[:, seen])
                opened.logged += 1
            self._show(tier)
        yield from self._unstored(RAW)

    def _unstored(self, tier: Tier) -> Iterator[tuple[int, Row]]:
        """Rows of the logs that are in no file."""
        stored: dict[tuple[int, Labels], set[int]] = {}
        left: set[tuple[int, Labels]] = set()
        for slot, row in self._logs[tier].replay():
            key = slot, row.target
            if key not in stored:
                stored[key] = set(self.shelf.times(tier, row.target, slot))
            # A clock that was set back has a slot begin again when a file has it already.
            if row.time not in stored[key]:
                left.add(key)
                yield slot, row
        for slot, target in stored.keys() - left:
            self._logs[tier].closed(slot, target)

    def wait_for(self, *slabs: Slab) -> None:
        """Close these rows when there is time."""
        self.pending += slabs
        for tier in {slab.tier for slab in slabs}:
            self._show(tier)

    def _goes_on(self, slab: Slab) -> bool:
        """Whether there are more rows of that target in that slot, as the clock was set back: the log of all
        of them stays."""
        if any(place_of(each) == place_of(slab) for each in self.pending):
            return True
        if slab.tier is RAW:
            return self._orders.get(slab.target, (None, None))[0] == slab.slot
        opened = self._opens[slab.tier].get(slab.target)
        return opened is not None and opened.slot == slab.slot

    def shut(self) -> None:
        """Close what is open of minutes and hours into files, so that nothing of it is in a log."""
        for tier in (MINUTES, HOURS):
            for target, opened in list(self._opens[tier].items()):
                if tier is MINUTES:
                    self._roll_hour(opened)
                self.wait_for(*opened.slabs)
                del self._opens[tier][target]
                self.settle()

    def close(self) -> None:
        """Have everything on the disk and let go of it."""
        for logs in self._logs.values():
            logs.close()

    def _log(self, tick: Tick) -> None:
        slot = RAW.slot_at(tick.time)
        known, order = self._orders.get(tick.target, (None, None))
        if order is None or known != slot:
            order = Order()
            self._orders[tick.target] = slot, order
        values = order.arranged(tick.row, tick.legend)
        self._logs[RAW].write(slot, tick.target, tick.time, order.entries, values)

    def _roll(self, roll: Roll) -> None:
        shape = self._shape(roll.target, roll.rows.legend)
        last = int(roll.rows.times[-1])
        done = self.done(MINUTES, roll.target, -(-last // MINUTE) * MINUTE)
        if done >= last:
            return
        # Of a minute that was cut short, as the clock was set, the rest is rolled up.
        first = int(roll.rows.times.searchsorted(done, "right"))
        values = roll.rows.values[first:, shape.columns]
        wanted = shape.counters & ~np.all(is_stale(values), axis=0)
        memory = latest(roll.rows.values[:first], shape.columns, wanted)
        older = latest(roll.before.values, shape.columns, wanted & is_stale(memory))
        memory = np.where(is_stale(memory), older, memory)
        before = self._before(roll.target, last, shape.entries, wanted, memory)
        row = rolled_up(values, before, shape.counters)
        seen = ~is_stale(row[LAST])
        self._add(MINUTES, roll.target, last, chosen(shape.entries, seen), row[:, seen])

    def _take(self, slab: Slab) -> None:
        minutes, values = -(-slab.times // MINUTE) - 1, slab.values[0]
        counters = np.array([entry.metric.kind in RESET for entry in slab.entries], np.bool_)
        for minute in np.unique(minutes).tolist():
            if not self.done(MINUTES, slab.target, (minute + 1) * MINUTE):
                first, last = minutes.searchsorted((minute, minute + 1)).tolist()
                time = int(slab.times[last - 1])
                memory = latest(values[:first], slice(None), counters)
                before = self._before(slab.target, time, slab.entries, counters, memory)
                row = rolled_up(values[first:last], before, counters)
                seen = ~is_stale(row[LAST])
                self._add(MINUTES, slab.target, time, chosen(slab.entries, seen), row[:, seen])

    def _before(
        self, target: Labels, time: int, entries: Sequence[Entry], wanted: Flags, found: Floats
    ) -> Floats:
        """The last sample of each of the series wanted before the minute of a time, however long ago:
        as it was found in memory, else in the minutes of this slot, else in those of the one before it."""
        missing = np.flatnonzero(wanted & is_stale(found)).tolist()
        known = self._known(target, time) if missing else {}
        for place in missing:
            found[place] = known.get(entries[place].labels, STALE)
        return found

    def _known(self, target: Labels, time: int) -> dict[Labels, float]:
        """What the minutes before a time's end with, by series."""
        opened, ended = self._opens[MINUTES].get(target), self._ended.get(target, {})
        return ended | ends(opened.slabs, time - 1) if opened else ended

    def _close(self, job: Close) -> None:
        shape = self._shape(job.target, job.rows.legend)
        values = job.rows.values[:, shape.columns]
        seen: Flags = ~np.all(is_stale(values), axis=0)
        entries = tuple(chosen(shape.entries, seen))
        if entries:
            held = values[None] if seen.all() else values[None][:, :, seen]
            self.wait_for(Slab(RAW, job.target, job.slot, job.rows.times, entries, held))
        else:
            self._logs[RAW].closed(job.slot, job.target)
        if self._orders.get(job.target, (job.slot, None))[0] == job.slot:
            self._orders.pop(job.target, None)
            self._shapes.pop(job.target, None)
        self._finish((job.slot + 1) * RAW.slot)

    def _finish(self, time: int) -> None:
        """Close the slots of rolled-up rows that were over by this time, whoever still measures."""
        for tier in (MINUTES, HOURS):
            for target, opened in list(self._opens[tier].items()):
                if opened.slot < tier.slot_at(time):
                    if tier is MINUTES:
                        self._roll_hour(opened)
                    self._end(opened)
                    del self._opens[tier][target]
            self._show(tier)

    def _add(self, tier: Tier, target: Labels, time: int, entries: Iterable[Entry], row: Floats) -> None:
        """A new row of a rolled-up tier; what it completes goes on to the next."""
        opened = self._opens[tier].get(target)
        slot = tier.slot_at(time)
        try:
            if opened and tier is MINUTES and hour_of(opened.newest) != hour_of(time):
                self._roll_hour(opened)
        finally:
            opened = self._keep(tier, target, slot, time, entries, row)
        self._show(tier)
        for time, full in opened.unlogged():
            self._logs[tier].write(slot, target, time, opened.entries, full.T.ravel())
            opened.logged += 1

    def _keep(
        self, tier: Tier, target: Labels, slot: int, time: int, entries: Iterable[Entry], row: Floats
    ) -> Open:
        opened = self._opens[tier].get(target)
        if opened is None or opened.slot != slot or time <= opened.newest:
            if opened:
                self._end(opened)
            opened = self._opens[tier][target] = Open(tier, target, slot)
        opened.append(time, opened.place(entries), row)
        return opened

    def _end(self, opened: Open) -> None:
        self.wait_for(*opened.slabs)
        if opened.tier is MINUTES:
            self._ended[opened.target] = ends(opened.slabs, opened.newest)

    def _roll_hour(self, opened: Open) -> None:
        """The newest hour of these minutes is over."""
        times, hour = opened.times, hour_of(opened.newest)
        # Of an hour that was cut short, as the clock was set, the rest is rolled up.
        done = max(hour * HOURS.step, self.done(HOURS, opened.target, (hour + 1) * HOURS.step))
        first = int(times.searchsorted(done, "right"))
        if first == len(times):
            return
        row = merged(opened.rows(first, len(times)))
        seen = ~is_stale(row[LAST])
        self._add(HOURS, opened.target, opened.newest, chosen(opened.entries, seen), row[:, seen])

    def _shape(self, target: Labels, legend: Legend) -> Shape:
        shape = self._shapes.get(target)
        if shape is None or shape.legend is not legend:
            shape = self._shapes[target] = Shape(legend)
        return shape

    def _show(self, tier: Tier) -> None:
        waiting = [slab for slab in self.pending if slab.tier is tier]
        opens = self._opens.get(tier, {}).values()
        self.shown[tier] = (*waiting, *(slab for each in opens for slab in each.slabs))


def chosen(entries: Sequence[Entry], seen: Flags) -> list[Entry]:
    return [entry for entry, flag in zip(entries, seen.tolist(), strict=True) if flag]


def latest(rows: Floats, columns: ColumnIndex, wanted: Flags) -> Floats:
    """(k,) the last sample in these columns of the series that are wanted, stale where there is none."""
    if not len(rows):
        return np.full(len(wanted), STALE)
    found: Floats = rows[-1, columns].copy()
    # Most of what is wanted is in the last row; only for the rest many rows are looked at.
    older = np.flatnonzero(wanted & is_stale(found))
    held = rows[:, np.arange(rows.shape[1])[columns][older]]
    found[older] = last_of(held, ~is_stale(held))
    return found


def ends(slabs: Iterable[Slab], time: int) -> dict[Labels, float]:
    """The last sample of each series in the rows of rolled-up slabs up to a time."""
    last: dict[Labels, float] = {}
    for slab in slabs:
        held = slab.values[LAST, : slab.times.searchsorted(time, "right")]
        found = latest(held, slice(None), np.ones(held.shape[1], np.bool_))
        known = ~is_stale(found)
        labels = [entry.labels for entry in chosen(slab.entries, known)]
        last.update(zip(labels, found[known].tolist(), strict=True))
    return last


def place_of(slab: Slab) -> tuple[Tier, Labels, int]:
    """Where the rows of a slab belong."""
    return slab.tier, slab.target, slab.slot


def at_once(pending: Iterable[Slab]) -> list[Slab]:
    """Those that can be closed together: of rows that belong to one place, those of different series."""
    batch: list[Slab] = []
    met: dict[tuple[Tier, Labels, int], set[Labels] | None] = {}
    for slab in pending:
        labels = {entry.labels for entry in slab.entries}
        known = met.setdefault(place_of(slab), set())
        if known is None or not known.isdisjoint(labels):
            met[place_of(slab)] = None  # What comes after it, too, waits for its turn.
        else:
            known |= labels
            batch.append(slab)
    return batch


def hour_of(time: int) -> int:
    """The number of the hour that a time belongs to."""
    return -(-time // HOURS.step) - 1
