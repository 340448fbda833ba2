"""The newest rows of one target: a row for each scrape, a column for each series.

Rows that were given out are never written again: a full buffer is replaced by a new one, and a column is used
anew only when all rows in the window are stale in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

import numpy as np

from monitor.model import Floats, Labels, Layout, Scrape, Times
from monitor.storage import STALE_BITS, ColumnIndex, Matcher, OutOfOrderError, Selection
from monitor.storage.register import Budget, Legend, Places, Register, as_slice

STALE = float(np.array(STALE_BITS, np.int64).view(np.float64))
SPARE = 64
"""Rows and columns that a new buffer has to spare at least."""


AT_ONCE = 16 << 20
"""Bytes of a buffer that are copied at once: a few milliseconds."""


def spare(rows: int) -> int:
    """Rows that a buffer has beyond those in the window."""
    return max(SPARE, rows // 4)


class Bounds(NamedTuple):
    """What one target may hold."""

    window: int
    """Milliseconds."""
    rows: int
    series: int


class Rows(NamedTuple):
    """Rows of a target as they are stored; they are never written again."""

    times: Times
    values: Floats
    """(n, columns), the stale NaN where a row lacks a series; columns that the legend does not name are stale
    or none."""
    legend: Legend


class Plan(NamedTuple):
    """Where the values of a scrape with these layouts go."""

    layouts: tuple[Layout, ...]
    lengths: list[int]
    columns: ColumnIndex
    taken: Places | None
    """Which of the values have a column; None where all have."""
    length: int


class Table:
    """Appends rows and selects from those in the window."""

    def __init__(self, target: Labels, bounds: Bounds, budget: Budget) -> None:
        self.register = Register(target, bounds.series, budget)
        self._target, self._bounds, self._budget = target, bounds, budget
        self._times: Times = np.zeros(SPARE, np.int64)
        self._values: Floats = np.empty((SPARE, 0))
        self._start = self._end = 0
        self.newest = 0
        """Time of the newest row; 0 before the first."""
        self._placements: dict[Layout, Places] = {}
        self._plan: Plan | None = None
        self._next: Floats | None = None
        """The buffer that takes this one's place when it is full, where that is too large to copy at once."""
        self._first = self._copied = 0
        """Rows of this buffer: that which is the next one's first, and how far they have been copied."""

    @property
    def times(self) -> Times:
        """Times of the rows in the window, ascending."""
        return self._times[self._start : self._end]

    @property
    def memory(self) -> int:
        """Bytes of the buffers."""
        return self._values.nbytes + self._times.nbytes

    def append(self, scrape: Scrape) -> None:
        """Keep one row.  Raises OutOfOrderError, and ValueError where a block does not fit its layout."""
        time = scrape.timestamp
        if self._end and time <= self.newest:
            target = ", ".join(f"{name}={value}" for name, value in self._target)
            raise OutOfOrderError(f"scrape of {target} at {time} ms, expected later than {self.newest} ms")
        if self._end == len(self._times):
            self._rebuild()
        layouts, values = zip(*scrape.blocks, strict=True) if scrape.blocks else ((), ())
        plan = self._plan_for(layouts, list(map(len, values)))
        row = np.fromiter(chain.from_iterable(values), np.float64, plan.length)
        if plan.taken is not None:
            self._budget.refused += plan.length - len(plan.taken)
            row = row[plan.taken]
        # Where a series stands twice in a scrape, numpy keeps the last of its values.
        self._values[self._end] = STALE
        self._values[self._end, plan.columns] = row
        self._times[self._end] = self.newest = time
        self._end += 1
        self._leave(time - self._bounds.window)
        self._prepare()

    def extend(self, layout: Layout, times: Times, values: Floats) -> None:
        """Keep rows (n, k) that are later than what is held, as `append` would one by one."""
        plan, rows = self._plan_for((layout,), [len(layout)]), self._end - self._start
        if plan.taken is not None:
            self._budget.refused += len(times) * (plan.length - len(plan.taken))
            values = values[:, plan.taken]
        count = rows + len(times)
        self._move(count + spare(count), self._values.shape[1])
        self._values[rows:count] = STALE
        self._values[rows:count, plan.columns] = values
        self._times[rows:count] = times
        self._end, self.newest = count, int(times[-1])
        self._leave(self.newest - self._bounds.window)

    def select(self, matchers: tuple[Matcher, ...], start: int, end: int) -> Selection | None:
        """Rows with start <= time <= end; None where no series or no row matches."""
        series, columns = self.register.choose(matchers)
        if not series.labels:
            return None
        times = self.times
        first, last = int(times.searchsorted(start)), int(times.searchsorted(end, "right"))
        if first >= last:
            return None
        rows = self._values[self._start + first : self._start + last]
        return Selection(series, times[first:last], rows, columns, target=self._target)

    def last(self) -> Rows:
        """All columns of the newest row."""
        newest = slice(self._end - 1, self._end)
        return Rows(self._times[newest], self._values[newest], self.register.legend())

    def rows(self, start: int, end: int) -> Rows:
        """All columns of the rows with start < time <= end."""
        first, last = (int(self.times.searchsorted(time, "right")) for time in (start, end))
        values = self._values[self._start + first : self._start + last]
        return Rows(self.times[first:last], values, self.register.legend())

    def _leave(self, until: int) -> None:
        """Let go of the rows that are not after a time, and of those that are too many."""
        if self._times.item(self._start) <= until:
            self._start = int(self._times[: self._end].searchsorted(until, "right"))
        self._start = max(self._start, self._end - self._bounds.rows)

    def _plan_for(self, layouts: tuple[Layout, ...], lengths: list[int]) -> Plan:
        plan = self._plan
        if plan is None or plan.layouts != layouts or plan.lengths != lengths:
            check(layouts, lengths)
            plan = self._plan = self._make_plan(layouts)
        return plan

    def _make_plan(self, layouts: tuple[Layout, ...]) -> Plan:
        self._expire()
        known = self._placements
        # Only what the last row had is kept: its columns cannot have been freed.
        whole = self._plan is not None and self._plan.taken is None
        self._placements = {
            layout: known[layout] if whole and layout in known else self._place(layout, known.get(layout))
            for layout in layouts
        }
        places = np.concatenate([np.empty(0, np.intp), *(self._placements[layout] for layout in layouts)])
        taken = None if (places >= 0).all() else np.flatnonzero(places >= 0)
        columns = (places if taken is None else places[taken]).tolist()
        self.register.activate(set(columns), self.newest)
        width = self.register.width
        if width > self._values.shape[1]:
            self._move(len(self._times), width + max(SPARE, width // 4))
        return Plan(layouts, list(map(len, layouts)), as_slice(columns), taken, len(places))

    def _place(self, layout: Layout, known: Places | None) -> Places:
        if known is not None and (known >= 0).all():
            return known
        return self.register.place(layout)

    def _expire(self) -> None:
        if self._end:
            self.register.expire(int(self._times[self._start]))

    def _prepare(self) -> None:
        """Copy a few rows, so that none waits for all of them when this buffer is full."""
        capacity, width = self._values.shape
        left, rows = capacity - self._end, self._end - self._start
        if self._next is None:
            if self._values.nbytes < AT_ONCE or left > spare(rows):
                return
            self._next = np.empty((capacity - self._start + spare(rows), width))
            self._first = self._copied = self._start
        until = self._copied + -(-(self._end - self._copied) // (left + 1)) + 1
        self._copy(min(until, self._end))

    def _copy(self, until: int) -> None:
        if self._next is not None:
            rows = slice(self._copied - self._first, until - self._first)
            self._next[rows] = self._values[self._copied : until]
            self._copied = until

    def _switch(self) -> bool:
        """Go on in the buffer that was prepared; False where none was."""
        self._copy(self._end)
        if self._next is None:
            return False
        times = np.zeros(len(self._next), np.int64)
        times[: self._end - self._first] = self._times[self._first : self._end]
        self._values, self._times, self._next = self._next, times, None
        self._start, self._end = self._start - self._first, self._end - self._first
        return True

    def _rebuild(self) -> None:
        """Leave behind the rows that are out of the window, and the free columns when they are the most."""
        self._expire()
        rows = self._end - self._start
        width = self._values.shape[1]
        if width > 2 * (len(self.register) + SPARE):
            self._values = self._values[:, self.register.pack()]
            self._placements, self._plan = {}, None
            width = len(self.register) + SPARE
        elif self._plan is not None and self._plan.taken is not None:
            self._plan = None  # There may be a place by now for what was refused.
        if width != self._values.shape[1] or not self._switch():
            self._move(rows + spare(rows), width)

    def _move(self, capacity: int, width: int) -> None:
        self._next = None
        rows, kept = self._end - self._start, min(width, self._values.shape[1])
        values = np.empty((capacity, width))
        values[:rows, :kept] = self._values[self._start : self._end, :kept]
        values[:rows, kept:] = STALE
        times = np.zeros(capacity, np.int64)
        times[:rows] = self.times
        self._values, self._times, self._start, self._end = values, times, 0, rows


def check(layouts: Iterable[Layout], lengths: Iterable[int]) -> None:
    """Raises ValueError where there are not as many values as series."""
    for layout, found in zip(layouts, lengths, strict=True):
        if found != len(layout):
            first = layout.series[0].name if layout.series else "none"
            raise ValueError(f"block with {found} values, expected {len(layout)} (first series: {first})")
