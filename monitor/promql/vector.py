"""The values between operators: numbers per series and step, with presence beside them.

NaN is a value and absence is not, so presence is an array of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from monitor.model import Floats, Times
from monitor.promql.errors import Limits, QueryError
from monitor.promql.labels import Groups, bare, same, spelled
from monitor.promql.nodes import Node, Selector
from monitor.promql.shared import Shared
from monitor.storage import Flags, Look, Selection, SeriesSet, Storage, TooManyError

Result = TypeVar("Result")

LOOK_BACK = 5 * 60 * 1000
"""How old the newest sample may be to count for an instant, in milliseconds."""

READ = 4
"""Times as many numbers may be read as samples looked at: at instants few of those that are read count."""


class Vector(NamedTuple):
    """k series at S steps."""

    series: SeriesSet
    values: Floats
    """(S, k); anything where not present."""
    present: Flags
    """(S, k)."""


Scalar = Floats
"""(S, 1), or (1, 1) where it is the same at each step."""


class Context:
    """One evaluation after the other: where samples come from, the steps, and what it may still cost."""

    def __init__(
        self,
        storage: Storage,
        grid: tuple[int, int, int],
        limits: Limits,
        shared: Shared,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.storage, self.limits, self._shared, self._clock = storage, limits, shared, clock
        self.grid = self.start, self.end, self.step = grid
        self.times: Times = np.arange(self.start, self.end + 1, self.step, dtype=np.int64)
        self.begin()

    def begin(self) -> None:
        """An evaluation begins."""
        self.spent = 0
        """Samples looked at so far."""
        self._deadline = self._clock() + self.limits.seconds

    def check_time(self) -> None:
        if self._clock() > self._deadline:
            raise QueryError(f"query timed out after {self.limits.seconds:g} s")

    def check_size(self, series: int, position: int) -> None:
        """Refuse a vector of so many series before it is made."""
        if series > self.limits.series:
            raise QueryError(f"query has {series} series, at most {self.limits.series} are allowed", position)
        points = series * len(self.times)
        if points > self.limits.points:
            raise QueryError(f"query has {points} values, at most {self.limits.points} are allowed", position)

    def select(self, selector: Selector, start: int, end: int, look: Look) -> list[Selection]:
        """What the store has, unless it would take far more memory than may be looked at."""
        look = look._replace(most=READ * self.limits.samples)
        try:
            return self.storage.select(selector.matchers, start, end, look)
        except TooManyError as error:
            raise self._too_many(selector.position) from error

    def spend(self, samples: int, position: int) -> None:
        """Count the samples that a step of the evaluation looks at."""
        self.spent += samples
        if self.spent > self.limits.samples:
            raise self._too_many(position)

    def _too_many(self, position: int) -> QueryError:
        most = self.limits.samples
        return QueryError(
            f"query processing would load too many samples, at most {most} are allowed", position
        )

    def known(self, node: Node) -> Any:
        """The value of a part, if another has worked it out; None where it must be done here.

        Its samples count for this evaluation, too, so that a query is refused alone or in company.
        """
        value, samples = self._shared.get((node, self.grid)) or (None, 0)
        if self.spent + samples > self.limits.samples:
            return None
        self.spent += samples
        return value

    def remember(self, node: Node, value: Any, size: int, samples: int) -> None:
        """Keep the value of a part: so many numbers, from so many samples."""
        self._shared.keep((node, self.grid), (value, samples), 1 + size)

    def once(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """What `make` returned for this key and these steps the first time: a few numbers for each step."""
        found: Result | None = self._shared.get((key, self.grid))
        if found is None:
            found = make()
            self._shared.keep((key, self.grid), found, 1 + len(self.times))
        return found


def without_name(vector: Vector) -> Vector:
    """The vector without metric names, as every computation leaves it."""
    series, groups = bare(vector.series)
    found = Vector(series, vector.values, vector.present)
    return found if groups is None else merged(found, groups)


def unite(vector: Vector) -> Vector:
    """Series of the same labels become one.  Raises QueryError where two of them have a value at one step."""
    groups = same(vector.series)
    return vector if groups is None else merged(vector, groups)


def merged(vector: Vector, groups: Groups) -> Vector:
    counts = per_group(vector.present, groups)
    for group in np.flatnonzero((counts > 1).any(axis=0))[:1].tolist():
        labels = spelled(groups.series.labels[group])
        raise QueryError(f"vector cannot contain metrics with the same labelset: {labels}")
    values = np.full(counts.shape, np.nan)
    for column, group in enumerate(groups.ids.tolist()):
        values[:, group] = np.where(vector.present[:, column], vector.values[:, column], values[:, group])
    return Vector(groups.series, values, counts > 0)


def spread(flags: Flags, like: Floats) -> Flags:
    """Flags of each step, or of each step and series, for each value."""
    return flags if flags.shape == like.shape else flags & np.ones(like.shape[1], np.bool_)


def per_group(values: Floats | Flags, groups: Groups) -> Floats:
    """(S, groups): sums over the members of each group, added one by one in their order.

    The order makes the result of a step the same bit for bit whatever other steps are computed with it.
    """
    steps, size = len(values), len(groups.series)
    if steps == 1:
        sums: Floats = np.bincount(groups.ids, values[0], size).astype(np.float64, copy=False)
        return sums[None]
    cells = groups.ids + np.arange(0, steps * size, size)[:, None] if size else groups.ids
    sums = np.bincount(cells.ravel(), values.ravel(), steps * size).astype(np.float64, copy=False)
    return sums.reshape(steps, size)
