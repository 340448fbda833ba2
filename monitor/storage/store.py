"""All that is kept: the newest samples in memory, and history in a folder."""

from __future__ import annotations

import fcntl
import gc
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from monitor.model import Event, Floats, Labels, Layout, Metric, Scrape, Series, Times
from monitor.storage import FINEST, Look, Matcher, Selection, Storage
from monitor.storage.events import Events
from monitor.storage.head import Head
from monitor.storage.history import FOREVER, History
from monitor.storage.keeper import Close, Keeper, Left, Roll, Tick
from monitor.storage.log import Row
from monitor.storage.logged import slab_of
from monitor.storage.schema import Damage
from monitor.storage.seams import Seams, boot_time
from monitor.storage.shelf import Shelf, log_damage
from monitor.storage.tier import MINUTE, MINUTES, RAW, SPAN, TIERS, Entry, Slab, Tier
from monitor.storage.writer import Writer

GRACE = MINUTE
"""Milliseconds by which a target may be behind the others before its minutes and slots are over."""
MARGIN = 2 * MINUTE
"""Milliseconds of rows that memory holds beyond a slot, so that a slot is closed from there."""
AHEAD = 2_000
"""Milliseconds by which stored samples may be ahead of the clock before it counts as set back."""


class StoreError(Exception):
    """History cannot be kept in this folder; the text says why and what to do."""


class Retention(NamedTuple):
    """How long each resolution is kept (seconds), and how many bytes in all."""

    raw: float = 7 * 86_400
    minutes: float = 90 * 86_400
    hours: float = 5 * 365 * 86_400
    size: int = 2 << 30

    def files(self) -> dict[Tier, int]:
        """How many files of each tier: those that are full, and the one that is being filled.

        Counted in files, not by the clock, as a clock that jumps must not take the past with it.
        """
        seconds = (self.raw, self.minutes, self.hours)
        return {
            tier: -int(-(each * 1000) // (tier.slot * SPAN)) + 1
            for tier, each in zip(TIERS, seconds, strict=True)
        }


class Reached(NamedTuple):
    """Where the rows of a target are: the minute and the slot of the newest."""

    minute: int
    slot: int


Ask = Callable[[Callable[[], list[Selection]]], list[Selection]]
"""Calls a function where memory may be read."""


class Scrapes(NamedTuple):
    """Rows of a target that come back into memory."""

    target: Labels
    times: Times
    entries: Sequence[Entry]
    values: Floats
    """(n, k), the stale NaN where a series has no sample."""


class Store(Storage):
    """Reads from memory alone; `history` reads everything, and blocks."""

    def __init__(
        self,
        head: Head,
        folder: Path,
        retention: Retention,
        wall: Callable[[], float],
        *,
        steady: Callable[[], float] = boot_time,
        step: int = 1000,
    ) -> None:
        """Raises StoreError.  `steady` is a clock that nobody sets, `step` the time between rows (ms)."""
        self.head, self._wall = head, wall
        self._lock = locked(folder)
        try:
            self.events = Events(folder / "events.jsonl")
            self.shelf = Shelf(folder, self._damaged)
        except OSError as error:
            os.close(self._lock)
            raise StoreError(f"history cannot be read: {error}") from error
        self.keeper = Keeper(folder, self.shelf)
        self.history = History(self.shelf, lambda tier: self.keeper.shown[tier], self._newest)
        self.writer = Writer(self.keeper, self.events, retention.files(), retention.size)
        self.seams = Seams(self.events.add, wall, steady, step)
        self._reached: dict[Labels, Reached] = {}
        self._minute = 0
        self._ask: Ask = lambda work: work()

    def start(self, ask: Ask | None = None) -> None:
        """Take up what is stored and begin to write.  `ask` calls a function where the head may be read, for
        the threads that read `history`; without it there must be none."""
        try:
            with all_kept():
                self._take_up()
            self.begins = self.history.oldest()
            self.strays = self._strays()
        except OSError as error:
            raise StoreError(f"history cannot be read: {error}") from error
        self.writer.start()
        if ask:
            self._ask = ask

    def close(self) -> None:
        """Have everything on the disk and let go of the folder."""
        self.writer.close()
        self.shelf.close()
        os.close(self._lock)

    def append(self, scrape: Scrape) -> None:
        """Keep a scrape.  Raises OutOfOrderError when its target already has that time or a later one."""
        target, time = scrape.target, scrape.timestamp
        self._turn(target, time)
        self.head.append(scrape)
        row = self.head.last(target)
        if row is None:
            return  # No place in memory is none on the disk.
        self._reached[target] = Reached(minute_of(time), RAW.slot_at(time))
        self.begins = time if self.begins is None else min(self.begins, time)
        self.writer.put(Tick(target, time, row.values[0].copy(), row.legend))
        self.seams.met(time)

    def select(
        self, matchers: tuple[Matcher, ...], start: int, end: int, look: Look = FINEST
    ) -> list[Selection]:
        """What memory has."""
        return self.head.select(matchers, start, end, look)

    def series(self, matchers: tuple[Matcher, ...], start: int, end: int) -> list[Labels]:
        """What memory has."""
        return self.head.series(matchers, start, end)

    def measured(self, start: int, end: int) -> Times:
        """What memory has."""
        return self.head.measured(start, end)

    def metadata(self) -> dict[str, Metric]:
        """What memory has."""
        return self.head.metadata()

    def oldest(self) -> int | None:
        """What memory has."""
        return self.head.oldest()

    def flush(self) -> threading.Event:
        """Set when all that was appended is logged."""
        return self.writer.flush()

    def _turn(self, target: Labels, time: int) -> None:
        """Hand over the minutes and slots that are over now that a target has reached a time.

        Before its row comes, which may drive older ones out of memory.
        """
        self._leave(target, time)
        if minute_of(time) > self._minute:
            self._minute = minute_of(time)
            for other in [each for each in self._reached if each != target]:
                self._leave(other, time - GRACE)

    def _leave(self, target: Labels, time: int) -> None:
        reached = self._reached.get(target)
        if reached and minute_of(time) > reached.minute:
            self._roll(target, reached.minute)
            self._reached[target] = reached._replace(minute=minute_of(time))
            if RAW.slot_at(time) > reached.slot:
                self._close(target, reached.slot)
                del self._reached[target]

    def _roll(self, target: Labels, minute: int) -> None:
        start = minute * MINUTE
        rows = self.head.rows(target, start, start + MINUTE)
        before = self.head.rows(target, 0, start)
        if rows and before and len(rows.times):
            self.writer.put(Roll(target, rows, before))

    def _close(self, target: Labels, slot: int) -> None:
        rows = self.head.rows(target, slot * RAW.slot, (slot + 1) * RAW.slot)
        if rows:
            self.writer.put(Close(target, slot, rows))

    def _newest(self, matchers: tuple[Matcher, ...], start: int, end: int) -> list[Selection]:
        return self._ask(lambda: self.head.select(matchers, start, end))

    def _damaged(self, damage: Damage) -> None:
        """Told by the thread that met it."""
        log_damage(damage)
        now = round(self._wall() * 1000)
        start, end = damage.when or (now, now)
        self.events.add(Event(start, end, "damage", f"cannot be read: {damage.what} ({damage.file.name})"))

    def _strays(self) -> tuple[int, int] | None:
        """The first and the last time (ms) of what is stored and ahead of the clock: not in memory."""
        now = round(self._wall() * 1000) + AHEAD
        spans = self.history.measured(now + 1, FOREVER)
        # A row's own time is in the middle of what it may tell of.
        ahead = spans[spans.mean(axis=1) > now]
        return (int(ahead[:, 0].min()), int(ahead[:, 1].max())) if len(ahead) else None

    def _take_up(self) -> None:
        now = round(self._wall() * 1000)
        self.shelf.take_back()
        logged = self._logged()
        newest = dict(sorted(logged))
        # What was written last is in the logs: files may have rows of a clock that was ahead.
        last = [int(slab.times[-1]) for slab in logged.values()] or self.shelf.newest(RAW).values()
        self.seams.past = max(last, default=0)
        going_on: list[Slab] = []
        for (target, slot), slab in logged.items():
            if slot == newest[target] and slab.times[-1] <= now + AHEAD:
                going_on.append(slab)
            else:
                self.keeper.wait_for(slab)
                self.writer.put(Left(slab))
        self._load_closed(now, {slab.target: int(slab.times[0]) for slab in going_on})
        for slab in going_on:
            self._load(Scrapes(slab.target, slab.times, slab.entries, slab.values[0]))
            self._resume(slab)

    def _logged(self) -> dict[tuple[Labels, int], Slab]:
        """The rows of the logs, by target and slot."""
        found: dict[tuple[Labels, int], list[Row]] = {}
        for slot, row in self.keeper.replay():
            found.setdefault((row.target, slot), []).append(row)
        return {(target, slot): slab_of(RAW, target, slot, rows) for (target, slot), rows in found.items()}

    def _load_closed(self, now: int, logged: Mapping[Labels, int]) -> None:
        """Bring back into memory the samples that it held and that are not in the logs, which begin at the
        times given."""
        start = now - self.head.window
        metrics = self._metrics(start, now)
        waiting = {slab.target: 0 for slab in self.keeper.shown[RAW]}
        for target in {**self.shelf.newest(RAW), **waiting}:
            end = logged.get(target, now + 1) - 1
            named = tuple(Matcher(name, "=", value) for name, value in target)
            for found in self.history.samples(named, start, end):
                if found.target == target:
                    entries = [Entry(each, metrics[dict(each)["__name__"]]) for each in found.series.labels]
                    self._load(Scrapes(target, found.timestamps, entries, found.values))

    def _metrics(self, start: int, end: int) -> dict[str, Metric]:
        """The metric of each name of a series, of what is not in the logs alone."""
        found = {
            dict(entry.labels)["__name__"]: entry.metric
            for slab in self.keeper.shown[RAW]
            for entry in slab.entries
        }
        for _, contents in self.shelf.readable(RAW, start, end):
            found.update(contents.metrics.values())
        return found

    def _load(self, scrapes: Scrapes) -> None:
        target = scrapes.target
        layout = Layout([(entry.metric, series_of(entry, target)) for entry in scrapes.entries])
        self.head.restore(target, layout, scrapes.times, scrapes.values)

    def _resume(self, slab: Slab) -> None:
        """Roll up what an earlier process had no time to; the newest minute goes on."""
        minutes = sorted({minute_of(time) for time in slab.times.tolist()})
        for minute in minutes[:-1]:
            if not self.keeper.done(MINUTES, slab.target, (minute + 1) * MINUTE):
                self._roll(slab.target, minute)
        self._reached[slab.target] = Reached(minutes[-1], slab.slot)


@contextmanager
def all_kept() -> Iterator[None]:
    """Without the garbage collector, which would go through all that is taken up again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def series_of(entry: Entry, target: Labels) -> Series:
    """The series as its target named it."""
    own = {name for name, _ in target} | {"__name__"}
    return Series(dict(entry.labels)["__name__"], tuple(pair for pair in entry.labels if pair[0] not in own))


def minute_of(time: int) -> int:
    """The number of the minute that a time belongs to."""
    return -(-time // MINUTE) - 1


def locked(folder: Path) -> int:
    """The folder, made if need be, for this process alone: a descriptor that holds it.  Raises StoreError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unwritable(folder, error.strerror) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        os.close(lock)
        raise unwritable(folder, "files cannot be made in it")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StoreError(
            f"{folder} is in use by another process; stop that one, or set another storage.path"
        ) from None
    except OSError as error:
        os.close(lock)
        raise unwritable(folder, f"its file system cannot lock files (flock(2): {error.strerror})") from error
    return lock


def unwritable(folder: Path, why: str | None) -> StoreError:
    return StoreError(
        f"{folder}: {why}; history needs a folder to write to: set another storage.path, "
        "or do without by storage.history.enabled=false"
    )
