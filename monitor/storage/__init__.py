"""Samples kept.  This file is the interface that every store stands behind."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from monitor.model import Floats, Labels, Metric, Scrape, Times

STALE_BITS = 0x7FF0000000000002
"""The NaN that says "scraped, and not there any more" (Prometheus, model/value: StaleNaN)."""

Operator = Literal["=", "!=", "=~", "!~"]

PATTERN_MEMORY = 1 << 18
"""Bytes that one compiled pattern may take; this bounds the time to compile and to match it."""


def compile_pattern(pattern: str) -> Any:
    """A pattern of the RE2 library, as in Prometheus: time to match is linear in the value for any pattern.

    Raises ValueError, saying what is wrong, for what is no pattern or would take too much memory.
    """
    import re2  # type: ignore[import-untyped]  # 4 MiB, which a host that nobody looks at has no use for.

    options = re2.Options()
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0]
        raise ValueError(reason.decode() if isinstance(reason, bytes) else str(error)) from error


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition of a selector; an absent label counts as the empty string, patterns are anchored.

    Raises ValueError for a pattern that is none.
    """

    label: str
    operator: Operator
    value: str
    pattern: Any = field(init=False, compare=False, default=None)
    _hash: int = field(init=False, compare=False, repr=False)
    _pair: tuple[str, str] | None = field(init=False, compare=False, repr=False)
    """What the labels have to hold, where that is all there is to it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.label, self.operator, self.value)))
        pair = (self.label, self.value) if self.operator == "=" and self.value else None
        object.__setattr__(self, "_pair", pair)
        if self.operator in ("=~", "!~"):
            object.__setattr__(self, "pattern", compile_pattern(self.value))

    def __hash__(self) -> int:
        """Worked out once, as selections are looked up by it every tick."""
        return self._hash

    def matches(self, value: str) -> bool:
        if self.pattern is None:
            return (value == self.value) is (self.operator == "=")
        return (self.pattern.fullmatch(value) is not None) is (self.operator == "=~")

    def accepts(self, labels: Labels) -> bool:
        """Whether a series with these labels meets it."""
        if self._pair is not None:
            return self._pair in labels
        return self.matches(label_value(labels, self.label))


def label_value(labels: Labels, name: str) -> str:
    """The value of a label; the empty string where it is absent."""
    return next((value for label, value in labels if label == name), "")


class SeriesSet:
    """The series of a selection.  Compared by identity: a store returns the same object while nothing
    changed, so that what is derived from labels (grouping, matching) is worked out once, in `memo`."""

    __slots__ = ("__weakref__", "labels", "memo")

    def __init__(self, labels: tuple[Labels, ...]) -> None:
        self.labels = labels
        """One label set per series, `__name__` included, sorted by label name."""
        self.memo: dict[Hashable, Any] = {}
        """What readers derived from these labels; it lives as long as they do."""

    def __len__(self) -> int:
        return len(self.labels)


Flags = npt.NDArray[np.bool_]
Aspect = Literal["last", "min", "max", "sum", "count", "lost"]
"""What a row that stands for several samples tells of them; `lost` is what a counter had whenever it was
reset since the row before, added up, so that what it rose by is known."""
ColumnIndex = slice | npt.NDArray[np.intp]


class Look(NamedTuple):
    """How a reader looks at samples, where a store has them in several resolutions."""

    grain: int = 0
    """Milliseconds that a row may stand for; 0 asks for the finest that there is."""
    aspects: tuple[Aspect, ...] = ()
    """What is wanted of rolled-up rows besides their last sample."""
    most: int = 0
    """Numbers that may be brought into memory; 0 for any."""


FINEST = Look()


class TooManyError(Exception):
    """More numbers would be brought into memory than a reader may have."""


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The samples of those series of one target that a selector matched.

    Holds the rows as they are stored, so selecting copies nothing; a store never writes to rows it gave out.
    """

    series: SeriesSet
    timestamps: Times
    """(n,) milliseconds, ascending: one row for each scrape of the target in the range asked for."""
    rows: Floats
    """(n, m), all columns of the target; the stale NaN (STALE_BITS) where a scrape lacked the series."""
    columns: ColumnIndex
    """Which of the m columns the k series are, in their order."""
    reach: int = 0
    """Milliseconds that the coarsest of the rows stands for; 0 where all are samples."""
    parts: Mapping[Aspect, Floats] | None = None
    """(n, k) for each aspect that was asked for; None where all rows are samples.  A row that is a sample has
    its value as `min`, `max` and `sum`, 1 as `count`, and NaN as `lost`: its value beside that of the row
    before tells."""
    target: Labels = ()
    """What its series have in common; the same target is told by it from selection to selection."""

    @property
    def values(self) -> Floats:
        """(n, k), one column per series."""
        return self.rows[:, self.columns]

    def at(self, rows: npt.NDArray[np.intp]) -> Floats:
        """(len(rows), k): the values of the given rows only."""
        if isinstance(self.columns, slice):
            return self.rows[rows, self.columns]
        return self.rows[rows[:, None], self.columns]


def is_stale(values: Floats) -> Flags:
    """Where values are the stale NaN; any other NaN is a value."""
    return np.equal(values.view(np.int64), STALE_BITS)


class Storage(Protocol):
    """What writers and readers may ask of any store."""

    def append(self, scrape: Scrape) -> None:
        """Keep a scrape.  Raises OutOfOrderError when its target already has that time or a later one."""

    def select(
        self, matchers: tuple[Matcher, ...], start: int, end: int, look: Look = FINEST
    ) -> list[Selection]:
        """Rows with start <= timestamp <= end, one selection per target that has a matching series.

        A rolled-up row is given where all that it stands for lies in the range; at its ends, and where there
        is nothing that coarse yet, the next finer there is; where nothing finer is left, a coarser one.
        Raises TooManyError, before anything is read, where it is more than `look.most`; what is in memory
        anyway does not count.
        """

    def series(self, matchers: tuple[Matcher, ...], start: int, end: int) -> list[Labels]:
        """Label sets (with `__name__`) of matching series that have a sample in the range."""

    def measured(self, start: int, end: int) -> Times:
        """(k, 2) when something was measured, in no order: the first and the last time (ms) that each row may
        tell of, where they touch the range; a rolled-up row's are as far from it as it stands for."""

    def metadata(self) -> dict[str, Metric]:
        """Metric by name, for all that is stored."""

    def oldest(self) -> int | None:
        """Time of the oldest row held, in milliseconds; None while empty."""


class OutOfOrderError(ValueError):
    """A scrape that is not newer than what its target has."""
