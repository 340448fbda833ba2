"""Samples kept.  This file is the interface that every store stands behind."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from monitor.model import Floats, Labels, Metric, Scrape, Times

STALE_BITS = 0x7FF0000000000002
"""The NaN that says "scraped, and not there any more" (Prometheus, model/value: StaleNaN)."""

Operator = Literal["=", "!=", "=~", "!~"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition of a selector; an absent label counts as the empty string, patterns are anchored."""

    label: str
    operator: Operator
    value: str
    pattern: re.Pattern[str] | None = field(init=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.operator in ("=~", "!~"):
            object.__setattr__(self, "pattern", re.compile(f"(?:{self.value})", re.DOTALL))

    def matches(self, value: str) -> bool:
        if self.pattern is None:
            return (value == self.value) is (self.operator == "=")
        return (self.pattern.fullmatch(value) is not None) is (self.operator == "=~")


class SeriesSet:
    """The series of a selection.  Compared by identity: a store returns the same object while nothing changed,
    so that what is derived from labels (grouping, matching) is worked out once."""

    __slots__ = ("__weakref__", "labels")

    def __init__(self, labels: tuple[Labels, ...]) -> None:
        self.labels = labels
        """One label set per series, `__name__` included, sorted by label name."""

    def __len__(self) -> int:
        return len(self.labels)


class Selection(NamedTuple):
    """The samples of those series of one target that a selector matched."""

    series: SeriesSet
    timestamps: Times
    """(n,) milliseconds, ascending: one row for each scrape of the target in the range asked for."""
    values: Floats
    """(n, k), one column per series; the stale NaN (STALE_BITS) where the scrape did not have the series."""


class Storage(Protocol):
    """What writers and readers may ask of any store."""

    def append(self, scrape: Scrape) -> None:
        """Keep a scrape.  Raises OutOfOrderError when its target already has that time or a later one."""

    def select(self, matchers: tuple[Matcher, ...], start: int, end: int) -> list[Selection]:
        """Samples with start <= timestamp <= end, one selection per target that has a matching series."""

    def series(self, matchers: tuple[Matcher, ...], start: int, end: int) -> list[Labels]:
        """Label sets (with `__name__`) of matching series that have a sample in the range."""

    def metadata(self) -> dict[str, Metric]:
        """Metric by name, for all that is stored."""

    def oldest(self) -> int | None:
        """Time of the oldest row held, in milliseconds; None while empty."""


class OutOfOrderError(ValueError):
    """A scrape that is not newer than what its target has."""
