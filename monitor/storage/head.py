"""The newest samples of all targets, in memory, as numpy columns; a Storage (see `monitor.storage`)."""

from __future__ import annotations

import numpy as np

from monitor.model import Floats, Labels, Layout, Metric, Scrape, Times
from monitor.storage import FINEST, Look, Matcher, Selection, Storage, is_stale
from monitor.storage.register import Budget
from monitor.storage.table import Bounds, Rows, Table

WINDOW = 15 * 60 * 1000


class Head(Storage):
    """Keeps each target's rows for `window` milliseconds of its own time, in bounded memory.

    A target whose scrapes stop is dropped when the newest scrape of any target leaves its last row behind the
    window.  A series beyond the bounds is refused and its samples are counted in `refused`.
    """

    def __init__(
        self, window: int = WINDOW, *, series: int = 50_000, target_series: int = 20_000, rows: int = 4_000
    ) -> None:
        """`series` in all, `target_series` and `rows` (scrapes) for each target at most."""
        self.window = window
        """Milliseconds."""
        self._bounds = Bounds(window, rows, target_series)
        self._budget = Budget(series)
        self._tables: dict[Labels, Table] = {}
        self._next_sweep = 0

    @property
    def refused(self) -> int:
        """Samples that found no place, since the start."""
        return self._budget.refused

    @property
    def memory(self) -> int:
        """Bytes of all buffers."""
        return sum(table.memory for table in self._tables.values())

    @property
    def series_count(self) -> int:
        """Series held, those of the window's past included."""
        return sum(len(table.register) for table in self._tables.values())

    def append(self, scrape: Scrape) -> None:
        """Keep a scrape.  Raises OutOfOrderError, and ValueError where a block does not fit its layout."""
        if scrape.timestamp >= self._next_sweep:
            self._sweep(scrape.timestamp)
        table = self._tables.get(scrape.target) or self._begin(scrape.target)
        if table is None:
            self._budget.refused += sum(len(block.values) for block in scrape.blocks)
        else:
            table.append(scrape)

    def restore(self, target: Labels, layout: Layout, times: Times, values: Floats) -> None:
        """Keep rows (n, k), n > 0, that were held before: as `append` would one by one, but quickly."""
        self._sweep(int(times[0]))
        table = self._tables.get(target) or self._begin(target)
        if table is None:
            self._budget.refused += values.size
        else:
            table.extend(layout, times, values)

    def _begin(self, target: Labels) -> Table | None:
        """A table for a target that had none; None where there is no place."""
        if self._budget.left <= 0:
            return None
        table = self._tables[target] = Table(target, self._bounds, self._budget)
        return table

    def select(
        self,
        matchers: tuple[Matcher, ...],
        start: int,
        end: int,
        look: Look = FINEST,  # noqa: ARG002  (there is one resolution here)
    ) -> list[Selection]:
        """Samples with start <= timestamp <= end, one selection per target that has a matching series."""
        found = [table.select(matchers, start, end) for table in self._tables.values()]
        return [selection for selection in found if selection is not None]

    def targets(self) -> list[Labels]:
        """Whose rows are held."""
        return list(self._tables)

    def last(self, target: Labels) -> Rows | None:
        """The newest row of a target; None where it is not held."""
        table = self._tables.get(target)
        return table.last() if table else None

    def rows(self, target: Labels, start: int, end: int) -> Rows | None:
        """All that a target measured in start < time <= end; None where it is not held."""
        table = self._tables.get(target)
        return table.rows(start, end) if table else None

    def series(self, matchers: tuple[Matcher, ...], start: int, end: int) -> list[Labels]:
        """Label sets (with `__name__`) of matching series that have a sample in the range."""
        return [
            labels
            for selection in self.select(matchers, start, end)
            for labels, present in zip(selection.series.labels, present_in(selection), strict=True)
            if present
        ]

    def measured(self, start: int, end: int) -> Times:
        """See `Storage`."""
        found = [selection.timestamps for selection in self.select((), start, end)]
        return np.repeat(np.concatenate([np.zeros(0, np.int64), *found])[:, None], 2, axis=1)

    def metadata(self) -> dict[str, Metric]:
        """Metric by name, for all that is held."""
        registers = [table.register for table in self._tables.values()]
        return {metric.name: metric for register in registers for metric in register.metrics.values()}

    def oldest(self) -> int | None:
        """Time of the oldest row held, in milliseconds; None while empty."""
        return min((int(table.times[0]) for table in self._tables.values() if len(table.times)), default=None)

    def _sweep(self, now: int) -> None:
        """Drop the targets that have no row in the window; at most sixteen times per window."""
        self._next_sweep = now + self.window // 16
        for target, table in list(self._tables.items()):
            if table.newest <= now - self.window:
                table.register.close()
                del self._tables[target]


def present_in(selection: Selection) -> list[bool]:
    """Which series of a selection have a sample in it."""
    found = np.any(~is_stale(selection.values), axis=0)
    return [bool(flag) for flag in found]
