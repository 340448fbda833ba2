"""Our history in this process: a recording put in, and asked as the others are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

import numpy as np

from benchmarks.disk import size
from benchmarks.keeping import Clock, begun, scrapes, selecting
from benchmarks.past import Past
from benchmarks.recording import Recording
from monitor.model import Floats
from monitor.storage import FINEST, Look, Matcher, Selection
from monitor.storage.head import Head
from monitor.storage.join import ascending
from monitor.storage.store import Store
from monitor.storage.tier import RAW

HOUR = 3_600_000
UNSTORED = 8 << 20
"""Bytes of rows handed over before we wait until they are kept: far more are refused (`Writer.put`)."""
FEW = 6
"""Slots that may wait to be closed: that is done every few seconds, and a day is over in a minute here."""
BEAT = 0.01
"""Seconds between two turns whose delay is measured."""
CALM = 20
"""Turns before and after what is measured."""
ASPECTS = Look(aspects=("min", "max", "sum", "count")).aspects


@contextmanager
def opened(folder: Path, now: int, head: Head | None = None) -> Iterator[tuple[Store, Clock]]:
    """A store in a folder, at a time (ms)."""
    clock = Clock(now / 1000)
    store = begun(head or Head(), folder, clock)
    try:
        yield store, clock
    finally:
        store.close()


def fill(past: Past, folder: Path) -> float:
    """Put all samples in, as fast as they are taken; returns microseconds of CPU for each."""
    began = time.process_time()
    with opened(folder, past.start) as (store, clock):
        put(store, clock, past.recording, past.start, past.seconds)
    return (time.process_time() - began) / past.samples * 1e6


def put(store: Store, clock: Clock, recording: Recording, start: int, count: int) -> None:
    """So many rows from a time (ms) on, all kept when this returns.  Raises ValueError where they are not."""
    every = max(1, UNSTORED // (8 * len(recording)))
    for number, scrape in enumerate(scrapes(recording, 0, start, count)):
        clock.now = scrape.timestamp / 1000
        store.append(scrape)
        if number % every == 0:
            settle(store, FEW)
    settle(store, 0)
    if store.writer.lost:
        raise ValueError(f"our history lost {store.writer.lost} of {count} rows: {store.writer.trouble}")


def settle(store: Store, most: int) -> None:
    """Wait until all is done that was handed over, and no slots wait to be closed, where more than so many
    do: too many are given up."""
    store.flush().wait()
    if len(store.keeper.pending) > most:
        store.writer.sync()
        while store.keeper.pending:
            time.sleep(BEAT)


def sizes(folder: Path) -> tuple[int, int]:
    """Bytes of the samples' own files, and of all."""
    return size(folder, "raw-*.db"), size(folder)


class Questions:
    """What is asked of a store that holds a past."""

    def __init__(self, store: Store, past: Past, points: int) -> None:
        self._store, self._past = store, past
        self._points = min(points, past.seconds)
        self._one = matchers(selecting(past))
        self._some = matchers([("__name__", "=~", "|".join(past.some(50)))])
        self._all = matchers([("job", "=", "bench")])

    def day(self) -> int:
        """Minimum, maximum and average of one series at each point, from rows as coarse as serve."""
        length = self._past.seconds * 1000
        return self._summary(Look(length // self._points, ASPECTS), length)

    def day_of_samples(self) -> int:
        """The same from samples alone."""
        return self._summary(FINEST, self._past.seconds * 1000)

    def some(self) -> int:
        """The newest value at each point of the last hour, of fifty series."""
        length = min(HOUR, self._past.seconds * 1000)
        found = self._store.history.select(self._some, self._past.end - length + 1, self._past.end)
        return sum(one.at(self._last(one, length)).size for one in found)

    def newest(self) -> int:
        """The last value of every series."""
        found = self._store.select(self._all, self._past.end, self._past.end)
        return sum(one.values[-1].size for one in found)

    def _summary(self, look: Look, length: int) -> int:
        (one,) = self._store.history.select(self._one, self._past.end - length + 1, self._past.end, look)
        edges = ascending([self._last(one, length, side=-1)])
        if one.parts is None:
            low = high = total = one.values[:, 0]
            count: Floats = np.ones(len(total))
        else:
            low, high, total, count = (one.parts[aspect][:, 0] for aspect in ASPECTS)
        summary = np.stack(
            (
                np.fmin.reduceat(low, edges),
                np.fmax.reduceat(high, edges),
                np.add.reduceat(total, edges) / np.add.reduceat(count, edges),
            )
        )
        return summary.size

    def _last(self, one: Selection, length: int, side: int = 0) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """The place of the newest row at each point, or with -1 of the first row of each."""
        step = length / self._points
        ends = self._past.end - length + step * np.arange(1 + side, self._points + 1 + side)
        return np.maximum(one.timestamps.searchsorted(ends, "right") - 1 - side, 0)


def matchers(triples: list[tuple[str, str, str]]) -> tuple[Matcher, ...]:
    return tuple(Matcher(label, "=~" if how == "=~" else "=", value) for label, how, value in triples)


def delays(recording: Recording, folder: Path, rows: int, *, closing: bool) -> float:
    """How late turns of the event loop are at most (99 of 100, ms), while a slot closes or does not.

    So many rows are the last of the slot, or some rows are still to come.
    """
    start = 1_000_000 * RAW.slot - 1000 * (rows - 1 if closing else rows + CALM)
    head = Head(series=len(recording), target_series=len(recording))
    with opened(folder, start, head) as (store, clock):
        put(store, clock, recording, start, rows)
        (last,) = scrapes(recording, rows, start + 1000 * rows, 1)
        clock.now = last.timestamp / 1000
        late = asyncio.run(turns(lambda: store.append(last), store))
    return quantiles(late, n=100)[-1] * 1000


async def turns(work: Callable[[], None], store: Store) -> list[float]:
    """How late each turn was (s): before, at and after a piece of work, until all of it is in files."""
    late: list[float] = []
    due = time.perf_counter()
    done = None
    after = CALM
    while after:
        due += BEAT
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        late.append(max(0.0, time.perf_counter() - due))
        due = max(due, time.perf_counter())
        if len(late) == CALM:
            work()
            done = store.flush()
        after -= done is not None and done.is_set() and not store.keeper.pending
    return late
